"""The bridge as a whole: lanes, gateway and downlink put together, started and stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from devices import FAMILIES
from devices.topics import ALARM_FILTER
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
from hub.bridge.options import BridgeOptions
from hub.bridge.tcp import IsKnown, TcpGateway, TcpState
from hub.clock import Clock, monotonic, utc_now

__all__ = ["Bridge", "BridgeState"]


@dataclass(frozen=True, slots=True)
class BridgeState:
    """What /readyz and the metrics show. `alarm` is None while another hub has the alarm lane."""

    lead: LeadState
    alarm: LaneState | None
    telemetry: tuple[LaneState, ...]
    downlink: LaneState
    tcp: TcpState | None
    database_away_since: datetime | None

    @property
    def ready(self) -> bool:
        """Every connection that this process should have is there, and uplinks are being committed."""
        lanes = [*self.telemetry, self.downlink]
        if self.lead == "active":
            lanes.extend([self.alarm] if self.alarm else [])
        return (
            self.lead != "stopped"
            and all(lane.connected for lane in lanes)
            and (self.tcp is None or self.tcp.listening)
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
        is_known: IsKnown | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """`is_known` is needed where unknown TCP devices are to be refused. SettingError: a TLS file is wrong."""
        metrics = BridgeMetrics(registry)
        self._options = options
        self._metrics = metrics
        self._clock = clock
        options.broker.context()  # a wrong file stops the start, also on a hub that stands by

        def batcher(name: str, ingest: Ingest) -> Batcher:
            limits = options.alarm if name == "alarm" else options.telemetry
            return Batcher(name, limits, ingest=ingest, quarantine=quarantine, metrics=metrics, clock=clock)

        self._alarms = batcher("alarm", ingest_alarms)
        self._telemetry = [batcher(f"telemetry-{worker}", ingest_telemetry) for worker in range(options.workers)]
        self._alarm_lane = AlarmLane(self._alarm_client, acquire_lead)
        self._clients = [self._telemetry_client(worker) for worker in range(options.workers)]
        down_id = f"hub-down-{options.node}" if options.node else "hub-down"
        self._down_client = LaneClient("down", down_id, options.broker, metrics=metrics, clock=clock)
        self._gateway = (
            None
            if options.tcp is None
            else TcpGateway(
                options.tcp,
                FAMILIES["watch"],
                alarms=self._alarms,
                telemetry=self._telemetry[0],
                metrics=metrics,
                clock=clock,
                is_known=is_known,
            )
        )
        self._downlink = Downlink(
            outbox_port, client=self._down_client, gateway=self._gateway, metrics=metrics, clock=clock
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

    def _telemetry_client(self, worker: int) -> LaneClient:
        filters, leave = telemetry_filters(self._options, worker)
        return LaneClient(
            f"telemetry-{worker}",
            telemetry_client_id(self._options, worker),
            self._options.broker,
            filters=filters,
            leave=leave,
            batcher=self._telemetry[worker],
            limits=self._options.telemetry,
            route=care_route("telemetry"),
            metrics=self._metrics,
            clock=self._clock,
        )

    def start(self) -> None:
        """Opens the watch port and starts connecting; does not wait for the broker. SettingError: the port is taken."""
        if self._gateway is not None:
            self._gateway.start()
        for batcher in [self._alarms, *self._telemetry]:
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

        batchers = [self._alarms, *self._telemetry]
        for batcher in batchers:
            batcher.request_stop()
        # Leave some of the time for acknowledging what these last transactions take.
        ended = [batcher.stop(left() * 0.6) for batcher in batchers]
        ended.append(self._downlink.stop(left() * 0.6))
        clients = [*self._clients, self._down_client]
        self._alarm_lane.request_stop()
        for client in clients:
            client.request_stop()
        ended.append(self._alarm_lane.stop(left()))
        ended += [client.stop(left()) for client in clients]
        if self._gateway is not None:
            ended.append(self._gateway.stop(left()))
        return all(ended)

    def state(self) -> BridgeState:
        alarm = self._alarm_lane.client
        away = [since for batcher in [self._alarms, *self._telemetry] if (since := batcher.away_since()) is not None]
        return BridgeState(
            lead=self._alarm_lane.lead_state(),
            alarm=alarm.state() if alarm else None,
            telemetry=tuple(client.state() for client in self._clients),
            downlink=self._down_client.state(),
            tcp=self._gateway.state() if self._gateway else None,
            database_away_since=min(away, default=None),
        )
