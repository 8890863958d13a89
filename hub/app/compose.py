"""The composition root: the only place that knows concrete classes. Settings in, one running hub out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

from fastapi import FastAPI

from dispatch import SERVICE_KINDS
from hub.api import create_api
from hub.app.looking import HubLook
from hub.app.metrics import CountedIngest, HubCollector, hub_registry, timed_codecs
from hub.app.outbox import Outbox, wake_outbox
from hub.app.parts import PARTS, Part, for_parts
from hub.app.plugging import all_codecs, retention_of, services_on
from hub.app.readiness import bridge_json, readiness
from hub.app.repeating import start_jobs
from hub.bridge import (
    Bridge,
    ProvisionalLine,
    Shelter,
    ShelterPlan,
    begin_run,
    bridge_options,
    lone_shelter,
)
from hub.bridge.password_file import PasswordFile, PasswordKeeper
from hub.clock import new_id, utc_now
from hub.console import mount_console
from hub.embedded import EmbeddedServices
from hub.feed import DarkBoard, Feed
from hub.jobs import (
    HearingBeat,
    Jobs,
    NoticeCounts,
)
from hub.ports import DeviceRow, Incoming, Json, Meanwhile, Outcome
from hub.ports.dark import DarkState
from hub.service import Foreseeing, Sheltered
from hub.settings import Settings
from hub.store import (
    Listener,
    Measures,
    PostgresDatabase,
    ReadsPostgres,
    Remembered,
    acquire_lead,
    keep_house,
    migrate,
    seed_catalogue,
)

__all__ = ["Hub", "Progress"]

log = logging.getLogger(__name__)

_EMBEDDED_CONNECTIONS = 4
"""Telemetry connections to the embedded broker: it has at most a hundred messages of each under way."""

Progress = Callable[[str, str], None]
"""Called with a step's name in Chinese and in English, when the step begins."""


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """The telemetry lane's ingest, which decodes ahead of its batches."""

    prepare: Callable[[Incoming], object | None]
    telemetry: Callable[[Sequence[Any], Meanwhile], list[Outcome]]


class Hub:
    """One hub process, from `start` to `stop`. `parts` says what of it runs here."""

    def __init__(
        self,
        settings: Settings,
        *,
        parts: frozenset[Part] = frozenset(PARTS),
        workers: int | None = None,
        progress: Progress = lambda _zh, _en: None,
    ) -> None:
        settings = for_parts(settings, parts)
        self.settings = settings
        self.parts = parts
        self._workers = workers or settings.intake.telemetry_workers
        self._progress = progress
        self._stack = ExitStack()
        self.embedded = EmbeddedServices(settings, broker="bridge" in parts)
        self.registry = hub_registry()
        self.bridge: Bridge | None = None
        self.jobs: Jobs | None = None
        self.board = DarkBoard()
        self.shelter: Shelter | None = None
        self.line: ProvisionalLine | None = None
        self.feed: Feed | None = None
        self.api: FastAPI | None = None

    def start(self) -> None:
        """Starts everything but the web server; on failure nothing stays behind."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._progress("启动数据库与消息代理", "starting database and broker")
        self.embedded.start()
        self._stack.callback(self.embedded.stop)
        url = self.embedded.database_url
        self._progress("准备数据库结构", "preparing the schema")
        for name in migrate(url):
            log.info("migration %s applied", name)
        self.database = PostgresDatabase(
            url,
            min_size=self.settings.database.pool_min,
            max_size=self.settings.database.pool_max,
            patience=self.settings.database.patience_seconds,
            alarm_within=self.settings.intake.journal_after_seconds,
        )
        self._stack.callback(self.database.close)
        # Before the first row of the day looks for its partition.
        keep_house(self.database, utc_now(), retention_of(self.settings))
        with self.database.begin() as tx:
            seed_catalogue(tx.reference, SERVICE_KINDS.values())
        self.reads = ReadsPostgres(self.database)
        counts = self._notice_counts = NoticeCounts(self.registry)
        self.services = services_on(self.database, self.settings, timed_codecs(all_codecs(), self.registry), counts)
        self._counted = CountedIngest(self.services.ingest, self.registry, utc_now)
        self.services.profiles.seed()
        self.services.response_plans.seed()
        self.services.rota.seed_holidays()
        measures = Measures(self.database, utc_now)
        self._look = HubLook(self, measures)
        HubCollector(self._look, measures, self.settings.data_dir, utc_now).register(self.registry)
        if self.parts & {"api", "bridge"}:
            self._prepare_for_the_dark()
        if "api" in self.parts:
            self._start_api(url)
        if "jobs" in self.parts:
            self.jobs = start_jobs(self, self._stack, url, self._look.feed_seq, self._notice_counts)
        if "bridge" in self.parts:
            self._start_bridge(url)
        elif "api" in self.parts:
            self._start_shelter()
        # Unwound first: who waits for a silent database must not hold up the end.
        self._stack.callback(self.database.hasten, 0.7)
        if self.feed is not None:
            # It may be waiting for the database as well: the two waits shall not add up.
            self._stack.callback(self.feed.request_stop)

    def _prepare_for_the_dark(self) -> None:
        """What will be known without the database, and the line to the hub's other processes."""
        remembered = Remembered(self.database, utc_now, also=self.services.pushes.remember)
        remembered.start()
        self._stack.callback(remembered.request_stop)
        self.services.ingest.remember_by(remembered.device)
        self._foresee = Foreseeing(self.services.ingest, remembered.resident)
        take = Sheltered(
            self.services.onboarding.tap(self._counted.alarms), lambda: self.shelter, self._foresee, utc_now
        )
        self.services.pushes.take_by(take, self._counted.quarantine, lambda: self.board.away)
        broker = self.settings.mqtt
        if broker.url is None:
            return  # the only process there is
        node = f"-{broker.node}" if broker.node else ""
        name = ("hub-dark" if "bridge" in self.parts else "hub-console") + node
        journal = begin_run(self.settings.data_dir / "journal")
        self.line = ProvisionalLine(
            bridge_options(self.settings, broker.url.get_secret_value()).broker,
            name if broker.user_per_connection else f"{name}-{journal[0]}",
            journal,
            state=lambda: self.shelter.state() if self.shelter else None,
            tell=self.board.announce if "api" in self.parts else None,
        )

    def _start_line(self) -> None:
        if self.line is not None:
            self.line.start()
            self._stack.callback(self.line.stop)

    def _announce(self, state: DarkState | None, alarms: Sequence[Json]) -> None:
        self.board.announce(state, alarms)
        if self.line is not None:
            self.line.announce(state, alarms)

    def _shelter_plan(self) -> ShelterPlan:
        return ShelterPlan(
            folder=self.settings.data_dir / "journal",
            after_s=self.settings.intake.journal_after_seconds,
            foresee=self._foresee,
            replay=self.services.onboarding.tap(self._counted.replayed),
            announce=self._announce,
        )

    def _start_shelter(self) -> None:
        """For what makers' clouds push to a process without a bridge."""
        self.shelter = lone_shelter(
            self._shelter_plan(), quarantine=self._counted.quarantine, registry=self.registry, clock=utc_now
        )
        self.shelter.start()
        self._stack.callback(self.shelter.stop, 2.0)
        self._start_line()

    def _start_api(self, url: str) -> None:
        listener = self._stack.enter_context(Listener(url, ["care_hub_feed"]))
        self.feed = Feed(ReadsPostgres(self.database, "feed"), listener.wait, utc_now, self.board)
        self.feed.start()
        self._stack.callback(self.feed.close)
        self._stack.callback(listener.close)
        self.api = create_api(
            database=self.database,
            reads=self.reads,
            services=self.services,
            feed=self.feed,
            settings=self.settings,
            clock=utc_now,
            new_id=new_id,
            readiness=self.readiness,
            registry=self.registry,
            retention_days={name: span.days for name, span in asdict(retention_of(self.settings)).items()},
        )
        mount_console(self.api, tiles=self.settings.map.origin)

    def _telemetry_connections(self) -> int:
        return self._workers or (_EMBEDDED_CONNECTIONS if "broker" in self.embedded.embedded else 1)

    def _start_bridge(self, url: str) -> None:
        outbox = Outbox(self.database, self.services.commands, mute=self.settings.shadow)
        listener = self._stack.enter_context(Listener(url, ["care_hub_outbox"]))
        stopping = threading.Event()
        waker = threading.Thread(target=wake_outbox, args=(listener, outbox, stopping), name="outbox-wake", daemon=True)
        waker.start()
        # Unwound from below: told to stop, woken, waited for.
        self._stack.callback(waker.join, 1.5)
        self._stack.callback(listener.close)
        self._stack.callback(stopping.set)
        ingest, tap = self._counted, self.services.onboarding.tap
        mqtt = self.settings.mqtt
        options = bridge_options(self.settings, self.embedded.mqtt_url, nodes=mqtt.nodes, node=mqtt.node)
        self.bridge = Bridge(
            replace(options, workers=self._telemetry_connections()),
            ingest_alarms=tap(ingest.alarms),
            ingest_telemetry=tap(ingest.telemetry),
            ahead=_Telemetry(ingest.prepare, tap(ingest.telemetry)),
            quarantine=ingest.quarantine,
            outbox_port=outbox,
            acquire_lead=lambda: acquire_lead(url),
            find_devices=self._find_devices,
            note_conflict=self.services.commands.conflict,
            note_sensors=self.services.sensors.note,
            shelter=self._shelter_plan(),
            registry=self.registry,
            clock=utc_now,
        )
        self.shelter = self.bridge.shelter
        self.bridge.start()
        self._stack.callback(self.bridge.stop, 2.0)
        self._start_line()
        self._keep_passwords(url)
        hearing = HearingBeat(self.services.supervising, new_id(), self._ways)
        hearing.start()
        self._stack.callback(hearing.stop, 1.0)

    def _find_devices(self, device_ids: Collection[str]) -> Mapping[str, DeviceRow]:
        with self.database.begin("brief") as tx:
            return tx.devices.get_many(device_ids)

    def _keep_passwords(self, url: str) -> None:
        broker = self.settings.broker
        if broker.password_file is None:
            return
        listener = self._stack.enter_context(Listener(url, ["care_hub_broker"]))
        keeper = PasswordKeeper(
            PasswordFile(broker.password_file, broker.pid_file), self.services.credentials.of_broker, listener.wait
        )
        keeper.start()
        self._stack.callback(keeper.stop)
        self._stack.callback(listener.close)
        self._stack.callback(keeper.request_stop)

    def _ways(self) -> dict[str, bool]:
        """Which ways in are heard now, for the supervision of devices."""
        assert self.bridge is not None
        state = self.bridge.state()
        committed = state.database_away_since is None
        lanes = [*state.telemetry, *(lane for lane in (state.alarm, state.mixed) if lane is not None)]
        ways = {"mqtt": committed and all(lane.connected for lane in lanes)}
        if state.tcp:
            ways["tcp"] = committed and all(gateway.listening for gateway in state.tcp)
        return ways

    def readiness(self) -> Json:
        """What works, for /readyz and the console's banner."""
        found: Json = {"parts": sorted(self.parts), "embedded": sorted(self.embedded.embedded)}
        found |= readiness(self._look, utc_now)
        if self.settings.shadow:
            found["shadow"] = True
        if self.bridge is not None:
            state = self.bridge.state()
            found["bridge"] = bridge_json(state)
            found["ready"] = found["ready"] and state.ready
        if self.jobs is not None:
            found["jobs_last_run_at"] = self.jobs.last_run_at.isoformat() if self.jobs.last_run_at else None
        return found

    def stop(self) -> None:
        """Ends everything, embedded parts included, within 5 seconds; also while the database is silent."""
        self._stack.close()
