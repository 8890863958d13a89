"""Use cases: each method is one transaction against the ports. Nothing here knows PostgreSQL, MQTT or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from devices import Codec
from dispatch import Travel
from hub.alarms import DEFAULT_POLICY, EscalationPolicy
from hub.clock import Clock, IdSource
from hub.ports import Database
from hub.service.calls import Calls
from hub.service.care import Care
from hub.service.devices import DeviceRegister
from hub.service.dispatching import Dispatching, StepName, candidate_json
from hub.service.escalating import Escalating
from hub.service.handling import Handling, Sample
from hub.service.ingest import Ingest
from hub.service.intake import Intake
from hub.service.onboarding import Onboarding
from hub.service.pushes import Pushes
from hub.service.quarantine import QuarantineDesk
from hub.service.raising import Raising
from hub.service.writing import Writer

__all__ = [
    "Calls",
    "Care",
    "DeviceRegister",
    "Dispatching",
    "Escalating",
    "Handling",
    "Ingest",
    "Intake",
    "Onboarding",
    "Pushes",
    "QuarantineDesk",
    "Services",
    "StepName",
    "build_services",
    "candidate_json",
]


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, ready to call."""

    handling: Handling
    dispatching: Dispatching
    care: Care
    intake: Intake
    calls: Calls
    devices: DeviceRegister
    ingest: Ingest
    pushes: Pushes
    onboarding: Onboarding
    escalating: Escalating
    quarantine: QuarantineDesk


def build_services(
    database: Database,
    *,
    clock: Clock,
    new_id: IdSource,
    codecs: Mapping[str, Codec],
    travel: Travel,
    sample: Sample,
    hash_secret: Callable[[str], str],
    policy: EscalationPolicy = DEFAULT_POLICY,
) -> Services:
    """Plugs the use cases together."""
    writer = Writer(new_id, travel)
    raising = Raising(new_id, writer, policy)
    dispatching = Dispatching(database, clock, new_id, writer, travel)
    ingest = Ingest(database, clock, new_id, codecs, raising)
    onboarding = Onboarding(database, clock)
    return Services(
        handling=Handling(database, clock, writer, sample),
        dispatching=dispatching,
        care=Care(database, clock, new_id, dispatching),
        intake=Intake(database, clock, new_id, raising),
        calls=Calls(database, clock, new_id),
        devices=DeviceRegister(database, clock, new_id, hash_secret),
        ingest=ingest,
        pushes=Pushes(
            database, clock, codecs, commit=onboarding.tap(ingest.alarms), quarantine=ingest.quarantine
        ),
        onboarding=onboarding,
        escalating=Escalating(database, clock, writer),
        quarantine=QuarantineDesk(database, clock, codecs, partial(ingest._in_transaction, cached=False)),
    )
