"""Use cases: each method is one transaction against the ports. Nothing here knows PostgreSQL, MQTT or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo

from devices import Codec
from dispatch import Travel
from hub.alarms import DEFAULT_POLICY, EscalationPolicy
from hub.clock import Clock, IdSource
from hub.ports import Database
from hub.service.area_codes import MATTERS, AreaCodes
from hub.service.calls import Calls
from hub.service.care import Care
from hub.service.claims import Claims
from hub.service.commands import CommandDesk
from hub.service.credentials import Credentials
from hub.service.devices import DeviceRegister
from hub.service.dispatching import Dispatching, StepName, candidate_json
from hub.service.escalating import Escalating
from hub.service.foreseeing import Foreseeing
from hub.service.handling import Handling, Sample
from hub.service.handovers import Handovers
from hub.service.homes import PHOTO_BYTES, Homes
from hub.service.ingest import Ingest
from hub.service.intake import Intake
from hub.service.notifying import notify, withdraw
from hub.service.onboarding import Onboarding
from hub.service.profiles import ProfileRegister
from hub.service.push_shelter import Sheltered
from hub.service.pushes import Pushes
from hub.service.quarantine import QuarantineDesk
from hub.service.raising import Raising
from hub.service.repairs import Repairs
from hub.service.rule_desk import MOST_FENCES, Entered, RuleDesk
from hub.service.ruling import Ruled, Ruling
from hub.service.sensors import Sensors
from hub.service.supervising import Supervised, Supervising
from hub.service.windows import WindowDesk
from hub.service.writing import Writer

__all__ = [
    "MATTERS",
    "MOST_FENCES",
    "PHOTO_BYTES",
    "AreaCodes",
    "Calls",
    "Care",
    "Claims",
    "CommandDesk",
    "Credentials",
    "DeviceRegister",
    "Dispatching",
    "Entered",
    "Escalating",
    "Foreseeing",
    "Handling",
    "Handovers",
    "Homes",
    "Ingest",
    "Intake",
    "Onboarding",
    "ProfileRegister",
    "Pushes",
    "QuarantineDesk",
    "Repairs",
    "RuleDesk",
    "Ruled",
    "Ruling",
    "Sensors",
    "Services",
    "Sheltered",
    "StepName",
    "Supervised",
    "Supervising",
    "WindowDesk",
    "build_services",
    "candidate_json",
    "notify",
    "withdraw",
]

CHINA = timezone(timedelta(hours=8))
"""One time zone and no summer time; nights of devices are counted in it."""


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, ready to call."""

    handling: Handling
    dispatching: Dispatching
    care: Care
    intake: Intake
    calls: Calls
    devices: DeviceRegister
    commands: CommandDesk
    sensors: Sensors
    ingest: Ingest
    pushes: Pushes
    onboarding: Onboarding
    escalating: Escalating
    quarantine: QuarantineDesk
    handovers: Handovers
    profiles: ProfileRegister
    supervising: Supervising
    windows: WindowDesk
    ruling: Ruling
    rule_desk: RuleDesk
    repairs: Repairs
    credentials: Credentials
    claims: Claims
    homes: Homes
    area_codes: AreaCodes


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
    zone: tzinfo = CHINA,
) -> Services:
    """Plugs the use cases together."""
    writer = Writer(new_id, travel)
    commands = CommandDesk(database, clock, new_id)
    raising = Raising(new_id, writer, policy, commands.locate_where_needed)
    dispatching = Dispatching(database, clock, new_id, writer, travel)
    ingest = Ingest(database, clock, new_id, codecs, raising, commands.heard)
    care = Care(database, clock, new_id, dispatching)
    onboarding = Onboarding(database, clock)
    return Services(
        handling=Handling(database, clock, writer, sample),
        dispatching=dispatching,
        care=care,
        intake=Intake(database, clock, new_id, raising),
        calls=Calls(database, clock, new_id),
        devices=DeviceRegister(database, clock, new_id, hash_secret),
        commands=commands,
        sensors=Sensors(database, clock),
        ingest=ingest,
        pushes=Pushes(database, clock, codecs, commit=onboarding.tap(ingest.alarms), quarantine=ingest.quarantine),
        onboarding=onboarding,
        escalating=Escalating(database, clock, writer),
        quarantine=QuarantineDesk(database, clock, codecs, ingest.retake),
        handovers=Handovers(database, clock, new_id, writer),
        profiles=ProfileRegister(database, clock),
        repairs=Repairs(database, clock, care),
        credentials=Credentials(database, clock, hash_secret),
        claims=Claims(database, clock),
        homes=Homes(database, clock, new_id),
        area_codes=AreaCodes(database, clock, new_id, raising),
        supervising=Supervising(database, clock, new_id, raising, writer, zone),
        windows=WindowDesk(database, clock, new_id, raising),
        ruling=Ruling(database, clock, new_id, raising, zone),
        rule_desk=RuleDesk(database, clock, new_id, raising),
    )
