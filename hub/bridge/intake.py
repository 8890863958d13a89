"""The lanes: which connection subscribes what, and what an arriving topic means.

The alarm lane is one connection with a fixed client id, never a shared subscription (a member that is away keeps its
share). Of several hubs the one that holds the lead runs it, the others stand by. Telemetry may have several
connections, in several processes, by shared subscription with stable client ids.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Protocol

from devices.model import Uplink
from devices.topics import TELEMETRY_FILTERS, parse_up, shared
from hub.bridge.client import LaneClient
from hub.bridge.delivery import Delivery, Route
from hub.bridge.options import BridgeOptions
from hub.errors import UnavailableError
from hub.ports.records import Incoming, Lane

__all__ = [
    "ALARM_CLIENT_ID",
    "SHARE_GROUP",
    "AcquireLead",
    "AlarmLane",
    "Lead",
    "LeadState",
    "SoleLead",
    "care_route",
    "telemetry_client_id",
    "telemetry_filters",
]

ALARM_CLIENT_ID = "hub-alarm"
SHARE_GROUP = "hub"

LeadState = Literal["active", "standby", "stopped"]

_TRY_EVERY_S = 1.0
_STOP_WITHIN_S = 1.5
_STATUS = "care/v1/+/up/status"

_log = logging.getLogger(__name__)


def care_route(lane: Lane) -> Route:
    """Deliveries of `care/v1` topics as uplinks of `lane`. A topic that names no device gives `device_id` ""."""

    def route(delivery: Delivery, dup: bool) -> Incoming:
        message = delivery.message
        topic = parse_up(message.topic)
        return Incoming(
            uplink=Uplink(message.payload, delivery.received_at, message.topic, message.retain),
            device_id=topic.device_id if topic else "",
            family="care",
            lane=lane,
            dup=dup,
            number=message.mid,
        )

    return route


def telemetry_client_id(options: BridgeOptions, worker: int) -> str:
    """`hub-telemetry`, `hub-telemetry-1`, …: stable over restarts and different in each process."""
    number = options.node * options.workers + worker
    return f"hub-telemetry-{number}" if number else "hub-telemetry"


def telemetry_filters(options: BridgeOptions, worker: int) -> tuple[Sequence[str], Sequence[str]]:
    """What a telemetry connection subscribes, and what an earlier run with other numbers may have left subscribed.

    A shared subscription brings no retained messages; so where there are several connections, the first one subscribes
    `status` alone, and the retained last wills come with it.
    """
    every = [shared(SHARE_GROUP, topic_filter) for topic_filter in TELEMETRY_FILTERS]
    if options.workers * options.nodes == 1:
        return TELEMETRY_FILTERS, every
    own = [topic_filter for topic_filter in every if not topic_filter.endswith(_STATUS)]
    if options.node == 0 and worker == 0:
        own.append(_STATUS)
    return own, [topic_filter for topic_filter in (*TELEMETRY_FILTERS, *every) if topic_filter not in own]


class Lead(Protocol):
    """The right to run the alarm lane, held while its block runs."""

    def __enter__(self) -> Lead: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...

    def held(self) -> bool:
        """False: somebody else may have it by now. True also where that cannot be asked at the moment."""
        ...


AcquireLead = Callable[[], Lead | None]
"""Tries to get the lead, without waiting; None: another has it. UnavailableError: it cannot be known now."""


class SoleLead:
    """The lead of a hub that is alone."""

    def __enter__(self) -> SoleLead:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def held(self) -> bool:
        return True


class AlarmLane:
    """Runs the connections by which alarms come while this process has the lead."""

    def __init__(self, make_clients: Callable[[], Sequence[LaneClient]], acquire_lead: AcquireLead) -> None:
        """`make_clients` gives fresh connections for each term of leading, that of the alarm lane first."""
        self._make_clients = make_clients
        self._acquire_lead = acquire_lead
        self._clients: tuple[LaneClient, ...] = ()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarm-lead", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Ends the connection and gives the lead back; does not wait."""
        self._stopping.set()

    def stop(self, timeout_s: float) -> bool:
        """`request_stop`, and waits. False where it did not end in time."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def clients(self) -> tuple[LaneClient, ...]:
        """The connections while leading, that of the alarm lane first."""
        return self._clients

    def lead_state(self) -> LeadState:
        if self._stopping.is_set():
            return "stopped"
        return "active" if self._clients else "standby"

    def _run(self) -> None:
        waiting = False
        while not self._stopping.is_set():
            lead = self._try()
            if lead is not None:
                waiting = False
                try:
                    with lead:
                        self._lead(lead)
                except Exception:
                    # Certificates that are just being exchanged, no file or thread left: it is tried again.
                    _log.exception("alarm lane: it could not be run")
            elif not waiting:
                waiting = True
                _log.info("alarm lane: another hub has it, standing by")
            self._stopping.wait(_TRY_EVERY_S)

    def _try(self) -> Lead | None:
        try:
            return self._acquire_lead()
        except UnavailableError as error:
            _log.warning("alarm lane: whether it is ours cannot be known now: %s", error.detail)
        except Exception:
            _log.exception("alarm lane: the lead could not be tried for")
        return None

    def _lead(self, lead: Lead) -> None:
        clients = self._clients = tuple(self._make_clients())
        try:
            for client in clients:
                client.start()
            _log.info("alarm lane: this hub has it")
            while not self._stopping.wait(_TRY_EVERY_S):
                if not lead.held():
                    _log.warning("alarm lane: the lead was lost")
                    break
        finally:
            self._clients = ()
            for client in clients:
                client.request_stop()
            for client in clients:
                client.stop(_STOP_WITHIN_S)
