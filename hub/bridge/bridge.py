"""The bridge as a whole: lanes, gateway and downlink put together, started and stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from devices import FAMILIES
from devices.topics import ALARM_FILTER
from hub.bridge.ahead import Ahead
from hub.bridge.batches import Batcher, Ingest, Quarantine
from hub.bridge.client import LaneClient, LaneState
from hub.bridge.downlink import DeviceOutbox, Downlink
from hub.bridge.intake import (
    ALARM_CLIENT_ID,
    AcquireLead,
    AlarmLane,
    LeadState,
    care_route,
    telemetry_client_id,
    telemetry_filters,
)
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.mixed import MIXED_CLIENT_ID, NoteSensors, mixed_filters, mixed_route
from hub.bridge.options import BatchOptions, BridgeOptions
from hub.bridge.register import FindDevices, NoteConflict
from hub.bridge.shelter import REPLAY_SIZE, Shelter, ShelterPlan
from hub.bridge.tcp import TcpGateway, TcpState
from hub.clock import Clock, monotonic, utc_now
from hub.ports.dark import DarkState

__all__ = ["Bridge", "BridgeState"]


@dataclass(frozen=True, slots=True)
class BridgeState:
    """What /readyz and the metrics show. `alarm` and `mixed` are None while another hub has these lanes.

    `dark`: the journal is in use; `database_away_since` covers that too, until what is in it is being taken over.
    """

    lead: LeadState
    alarm: LaneState | None
    mixed: LaneState | None
    telemetry: tuple[LaneState, ...]
    downlink: LaneState
    tcp: tuple[TcpState, ...]
    database_away_since: datetime | None
    dark: DarkState | None = None

    @property
    def ready(self) -> bool:
        """Every connection that this process should have is there, and uplinks are being committed."""
        lanes = [*self.telemetry, self.downlink]
        if self.lead == "active":
            lanes += [lane for lane in (self.alarm, self.mixed) if lane is not None]
        return (
            self.lead != "stopped"
            and all(lane.connected for lane in lanes)
            and all(gateway.listening for gateway in self.tcp)
            and self.database_away_since is None
        )


class Bridge:
    """Devices on one side, the use cases on the other. One start and one stop in a life."""

    def __init__(
        self,
        options: BridgeOptions,
        *,
        ingest_alarms: Ingest,
        ingest_telemetry: Ingest,
        quarantine: Quarantine,
        outbox_port: DeviceOutbox,
        acquire_lead: AcquireLead,
        registry: CollectorRegistry,
        find_devices: FindDevices | None = None,
        note_conflict: NoteConflict | None = None,
        note_sensors: NoteSensors | None = None,
        ahead: Ahead | None = None,
        shelter: ShelterPlan | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """`find_devices` is needed where unknown TCP devices are to be refused. SettingError: a TLS file is wrong.

        `shelter`: where alarms go while the database is away; without it they stay unacknowledged.
        """
        metrics = BridgeMetrics(registry)
        self._options = options
        self._metrics = metrics
        self._clock = clock
        options.broker.context()  # a wrong file stops the start, also on a hub that stands by

        down_id = f"hub-down-{options.node}" if options.node else "hub-down"
        self._down_client = LaneClient("down", down_id, options.broker, metrics=metrics, clock=clock)
        self._shelter: Shelter | None = None
        if shelter is not None:
            patient = replace(options.alarm, size=min(options.alarm.size, REPLAY_SIZE), backoff_max_s=1.0)
            self._shelter = Shelter(
                shelter,
                patient,
                quarantine=quarantine,
                publish=self._down_client.publish,
                metrics=metrics,
                clock=clock,
            )

        def batcher(name: str, limits: BatchOptions, ingest: Ingest, **more: Any) -> Batcher:
            return Batcher(name, limits, ingest=ingest, quarantine=quarantine, metrics=metrics, clock=clock, **more)

        self._alarms = batcher("alarm", options.alarm, ingest_alarms, haven=self._shelter)
        # One line for all connections; its transactions take turns at computing (`hub.bridge.turns`).
        self._telemetry = batcher("telemetry-0", options.telemetry, ingest_telemetry, ahead=ahead)
        self._mixed = batcher("mixed", options.mixed, ingest_alarms, haven=self._shelter)
        self._note_sensors = note_sensors
        self._alarm_lane = AlarmLane(self._leading_clients, acquire_lead)
        self._clients = [self._telemetry_client(worker) for worker in range(options.workers)]
        self._gateways = [
            TcpGateway(
                tcp,
                FAMILIES[tcp.family],
                alarms=self._alarms,
                telemetry=self._telemetry,
                metrics=metrics,
                clock=clock,
                find_devices=find_devices,
                note_conflict=note_conflict,
            )
            for tcp in options.tcp
        ]
        self._downlink = Downlink(
            outbox_port, client=self._down_client, gateways=self._gateways, metrics=metrics, clock=clock
        )

    def _alarm_client(self) -> LaneClient:
        return LaneClient(
            "alarm",
            ALARM_CLIENT_ID,
            self._options.broker,
            filters=[ALARM_FILTER],
            batcher=self._alarms,
            limits=self._options.alarm,
            route=care_route("alarm"),
            metrics=self._metrics,
            clock=self._clock,
        )

    def _leading_clients(self) -> list[LaneClient]:
        clients = [self._alarm_client()]
        if self._options.topics:
            clients.append(self._mixed_client())
        return clients

    def _mixed_client(self) -> LaneClient:
        topics = self._options.topics
        return LaneClient(
            "mixed",
            MIXED_CLIENT_ID,
            self._options.broker,
            filters=mixed_filters(topics),
            batcher=self._mixed,
            limits=self._options.mixed,
            route=mixed_route(topics, self._note_sensors),
            metrics=self._metrics,
            clock=self._clock,
        )

    def _telemetry_client(self, worker: int) -> LaneClient:
        filters, leave = telemetry_filters(self._options, worker)
        return LaneClient(
            f"telemetry-{worker}",
            telemetry_client_id(self._options, worker),
            self._options.broker,
            filters=filters,
            leave=leave,
            batcher=self._telemetry,
            limits=self._options.telemetry,
            route=care_route("telemetry"),
            metrics=self._metrics,
            clock=self._clock,
        )

    def start(self) -> None:
        """Opens the ports and starts connecting; does not wait for the broker. SettingError: a port is taken."""
        if self._shelter is not None:
            self._shelter.start()
        for number, gateway in enumerate(self._gateways):
            try:
                gateway.start()
            except BaseException:
                for started in self._gateways[:number]:
                    started.stop(1.0)
                if self._shelter is not None:
                    self._shelter.stop(1.0)
                raise
        for batcher in self._batchers:
            batcher.start()
        self._alarm_lane.start()
        for client in [*self._clients, self._down_client]:
            client.start()
        self._downlink.start()

    def stop(self, timeout: float = 2.0) -> bool:
        """Commits what is under way, acknowledges it, says goodbye. False where something did not end in time.

        What was not committed stays with the broker (persistent sessions) and with the devices, which repeat it.
        """
        deadline = monotonic() + timeout

        def left() -> float:
            return max(0.0, deadline - monotonic())

        batchers = self._batchers
        for batcher in batchers:
            batcher.request_stop()
        if self._shelter is not None:
            self._shelter.request_stop()
        # Leave some of the time for acknowledging what these last transactions take.
        ended = [batcher.stop(left() * 0.6) for batcher in batchers]
        ended.append(self._downlink.stop(left() * 0.6))
        clients = [*self._clients, self._down_client]
        self._alarm_lane.request_stop()
        for client in clients:
            client.request_stop()
        ended.append(self._alarm_lane.stop(left()))
        ended += [client.stop(left()) for client in clients]
        for gateway in self._gateways:
            gateway.request_stop()
        ended += [gateway.stop(left()) for gateway in self._gateways]
        if self._shelter is not None:
            ended.append(self._shelter.stop(left()))
        return all(ended)

    @property
    def shelter(self) -> Shelter | None:
        """Where alarms go while the database is away; other ways in may use it too."""
        return self._shelter

    @property
    def _batchers(self) -> list[Batcher]:
        return [self._alarms, self._mixed, self._telemetry]

    def state(self) -> BridgeState:
        alarm, mixed, *_ = (*self._alarm_lane.clients, None, None)
        away = [since for batcher in self._batchers if (since := batcher.away_since()) is not None]
        dark = self._shelter.state() if self._shelter is not None else None
        if dark is not None and not dark.replaying:
            away.append(dark.since)
        return BridgeState(
            lead=self._alarm_lane.lead_state(),
            alarm=alarm.state() if alarm else None,
            mixed=mixed.state() if mixed else None,
            telemetry=tuple(client.state() for client in self._clients),
            downlink=self._down_client.state(),
            tcp=tuple(gateway.state() for gateway in self._gateways),
            database_away_since=min(away, default=None),
            dark=dark,
        )
