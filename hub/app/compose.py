"""The composition root: the only place that knows concrete classes. Settings in, one running hub out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from devices import FAMILIES, Codec
from dispatch import SERVICE_KINDS, HaversineTravel
from hub.alarms import DEFAULT_POLICY, EscalationPolicy
from hub.api import create_api, hash_password
from hub.app.looking import HubLook
from hub.app.metrics import CountedIngest, HubCollector, hub_registry, timed_codecs
from hub.app.readiness import readiness
from hub.bridge import Bridge, BridgeState, LaneState, ShelterPlan, bridge_options
from hub.bridge.password_file import PasswordFile, PasswordKeeper
from hub.clock import new_id, utc_now
from hub.console import mount_console
from hub.embedded import EmbeddedServices
from hub.errors import SettingError
from hub.feed import DarkBoard, Feed
from hub.jobs import HearingBeat, Jobs, RulesJob, SupervisionJob
from hub.ports import Database, DeviceRow, Incoming, Json, Meanwhile, OutboxRow, Outcome
from hub.service import CommandDesk, Foreseeing, Services, build_services
from hub.settings import Settings
from hub.store import (
    Listener,
    Measures,
    PostgresDatabase,
    ReadsPostgres,
    Remembered,
    Retention,
    acquire_lead,
    keep_house,
    migrate,
    roll_up,
    seed_catalogue,
)

__all__ = ["PARTS", "Hub", "Part", "Progress", "parse_parts", "policy_of", "sampler", "services_on"]

log = logging.getLogger(__name__)

_EMBEDDED_CONNECTIONS = 4
"""Telemetry connections to the embedded broker: it has at most a hundred messages of each under way."""

Part = Literal["api", "bridge", "jobs"]
PARTS: tuple[Part, ...] = get_args(Part)
Progress = Callable[[str, str], None]
"""Called with a step's name in Chinese and in English, when the step begins."""


def parse_parts(only: str) -> frozenset[Part]:
    """`--only api,bridge,jobs`; nothing means all. SettingError names the word that is none."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    for word in words:
        if word not in PARTS:
            raise SettingError(f"--only {word}: there is no such part; the parts are {', '.join(PARTS)}")
    return frozenset(part for part in PARTS if part in words or not words)


def sampler(rate: float) -> Callable[[str], bool]:
    """Draws the share `rate` (0..1) of incidents for supervision, by their id: the same answer on every hub."""

    def drawn(incident_id: str) -> bool:
        digest = blake2b(incident_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) < rate * 2**64

    return drawn


def policy_of(settings: Settings) -> EscalationPolicy:
    """The default clocks with the lease of the settings."""
    critical = replace(DEFAULT_POLICY.critical, lease_s=settings.incidents.lease_seconds)
    return replace(DEFAULT_POLICY, critical=critical)


def retention_of(settings: Settings) -> Retention:
    """How long what is kept, by the settings."""
    kept = settings.retention
    return Retention(
        observations=timedelta(days=kept.observations_days),
        minutes=timedelta(days=kept.by_minute_days),
        hours=timedelta(days=kept.by_hour_days),
        days=timedelta(days=kept.by_day_days),
        fixes=timedelta(days=kept.fixes_days),
        uplinks=timedelta(days=kept.uplinks_days),
        keys=timedelta(days=kept.ledger_days),
    )


def all_codecs() -> dict[str, Codec]:
    """The codec of each family."""
    return {name: family.codec for name, family in FAMILIES.items()}


def services_on(database: Database, settings: Settings, codecs: Mapping[str, Codec] | None = None) -> Services:
    """The use cases on a database, for the running hub and for single commands alike; `codecs` None: all families."""
    return build_services(
        database,
        clock=utc_now,
        new_id=new_id,
        codecs=codecs or all_codecs(),
        travel=HaversineTravel(),
        sample=sampler(settings.supervision.sample),
        hash_secret=hash_password,
        policy=policy_of(settings),
        zone=ZoneInfo(settings.site.time_zone),
    )


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """The telemetry lane's ingest, which decodes ahead of its batches."""

    prepare: Callable[[Incoming], object | None]
    telemetry: Callable[[Sequence[Any], Meanwhile], list[Outcome]]


class _Outbox:
    """The outbox rows of channel "device", for the bridge."""

    def __init__(self, database: PostgresDatabase, commands: CommandDesk) -> None:
        self._database = database
        self._commands = commands
        self.wake = threading.Event()

    def claim(self, limit: int) -> Sequence[OutboxRow]:
        with self._database.begin() as tx:
            return tx.outbox.claim("device", utc_now(), limit, retry_after=timedelta(seconds=15))

    def families(self, device_ids: Collection[str]) -> Mapping[str, str]:
        with self._database.begin() as tx:
            return {row.id: row.family for row in tx.devices.get_many(device_ids).values()}

    def hasten(self, device_ids: Collection[str]) -> None:
        self._commands.hasten(sorted(device_ids))

    def tidy(self) -> None:
        self._commands.tidy()

    def sent(self, row_ids: Sequence[int]) -> None:
        self._commands.left(row_ids)

    def failed(self, row_id: int, error: str, *, final: bool) -> None:
        self._commands.put_off(row_id, error, final=final)


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
        settings = _for_parts(settings, parts)
        self.settings = settings
        self.parts = parts
        self._workers = workers or settings.intake.telemetry_workers
        self._progress = progress
        self._stack = ExitStack()
        self._stopping = threading.Event()
        self.embedded = EmbeddedServices(settings, broker="bridge" in parts)
        self.registry = hub_registry()
        self.bridge: Bridge | None = None
        self.jobs: Jobs | None = None
        self.board = DarkBoard()
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
        self.services = services_on(self.database, self.settings, timed_codecs(all_codecs(), self.registry))
        self.services.profiles.seed()
        measures = Measures(self.database, utc_now)
        self._look = HubLook(self, measures)
        HubCollector(self._look, measures, self.settings.data_dir, utc_now).register(self.registry)
        if "api" in self.parts:
            self._start_api(url)
        if "jobs" in self.parts:
            self._start_jobs(url)
        if "bridge" in self.parts:
            self._start_bridge(url)
        # Unwound first: who waits for a silent database must not hold up the end.
        self._stack.callback(self.database.hasten, 0.7)

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

    def _start_jobs(self, url: str) -> None:
        listener = self._stack.enter_context(Listener(url, ["care_hub_due"]))
        self.jobs = Jobs(
            self.services.escalating,
            wake=listener.wait,
            clock=utc_now,
            housekeep=self._keep_house,
        )
        self.jobs.start()
        self._stack.callback(self.jobs.stop)
        supervision = SupervisionJob(
            self.services.supervising, per_second=self.settings.devices.checks_per_second, registry=self.registry
        )
        supervision.start()
        self._stack.callback(supervision.stop)
        self._stack.callback(supervision.request_stop)
        limits = self.settings.rules
        rules = RulesJob(
            self.services.ruling, per_second=limits.per_second, every_s=limits.every_seconds, registry=self.registry
        )
        rules.start()
        self._stack.callback(rules.stop)
        self._stack.callback(rules.request_stop)
        self._stack.callback(self._stopping.set)
        self._stack.callback(listener.close)
        self._stack.callback(self.jobs.request_stop)

    def _telemetry_connections(self) -> int:
        return self._workers or (_EMBEDDED_CONNECTIONS if "broker" in self.embedded.embedded else 1)

    def _keep_house(self, now: datetime) -> None:
        retention = retention_of(self.settings)
        keep_house(self.database, now, retention)
        roll_up(self.database.url, now, minutes_kept=retention.minutes, stopping=self._stopping.is_set)

    def _start_bridge(self, url: str) -> None:
        outbox = _Outbox(self.database, self.services.commands)
        listener = self._stack.enter_context(Listener(url, ["care_hub_outbox"]))
        stopping = threading.Event()
        waker = threading.Thread(
            target=_wake_outbox, args=(listener, outbox, stopping), name="outbox-wake", daemon=True
        )
        waker.start()
        # Unwound from below: told to stop, woken, waited for.
        self._stack.callback(waker.join, 1.5)
        self._stack.callback(listener.close)
        self._stack.callback(stopping.set)
        ingest, tap = CountedIngest(self.services.ingest, self.registry, utc_now), self.services.onboarding.tap
        remembered = Remembered(self.database)
        remembered.start()
        self._stack.callback(remembered.request_stop)
        foresee = Foreseeing(self.services.ingest, remembered.resident, remembered.wearer)
        self.bridge = Bridge(
            replace(bridge_options(self.settings, self.embedded.mqtt_url), workers=self._telemetry_connections()),
            ingest_alarms=tap(ingest.alarms),
            ingest_telemetry=tap(ingest.telemetry),
            ahead=_Telemetry(ingest.prepare, tap(ingest.telemetry)),
            quarantine=ingest.quarantine,
            outbox_port=outbox,
            acquire_lead=lambda: acquire_lead(url),
            find_devices=self._find_devices,
            note_conflict=self.services.commands.conflict,
            note_sensors=self.services.sensors.note,
            shelter=ShelterPlan(
                folder=self.settings.data_dir / "journal",
                after_s=self.settings.intake.journal_after_seconds,
                foresee=foresee,
                replay=tap(ingest.replayed),
                announce=self.board.announce,
            ),
            registry=self.registry,
            clock=utc_now,
        )
        self.bridge.start()
        self._stack.callback(self.bridge.stop, 2.0)
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
        if self.bridge is not None:
            state = self.bridge.state()
            found["bridge"] = _bridge_json(state)
            found["ready"] = found["ready"] and state.ready
        if self.jobs is not None:
            found["jobs_last_run_at"] = self.jobs.last_run_at.isoformat() if self.jobs.last_run_at else None
        return found

    def stop(self) -> None:
        """Ends everything, embedded parts included, within 5 seconds; also while the database is silent."""
        self._stack.close()


def _for_parts(settings: Settings, parts: frozenset[Part]) -> Settings:
    """A process that runs a part of a hub shares database and broker with the others, and has a folder of its own.

    SettingError where there would be nothing to share.
    """
    if parts == frozenset(PARTS):
        return settings
    if settings.database.url is None:
        raise SettingError("HUB_DATABASE__URL: processes of one hub (--only) must share a database; none is configured")
    if "bridge" in parts and settings.mqtt.url is None:
        raise SettingError("HUB_MQTT__URL: a bridge process (--only) needs the site's broker; none is configured")
    return settings.model_copy(update={"data_dir": settings.data_dir / "-".join(sorted(parts))})


def _lane_json(lane: LaneState) -> Json:
    body = asdict(lane)
    body["since"] = lane.since.isoformat() if lane.since else None
    return body


def _bridge_json(state: BridgeState) -> Json:
    return {
        "lead": state.lead,
        "alarm": _lane_json(state.alarm) if state.alarm else None,
        "mixed": _lane_json(state.mixed) if state.mixed else None,
        "telemetry": [_lane_json(lane) for lane in state.telemetry],
        "downlink": _lane_json(state.downlink),
        "tcp": {gateway.family: asdict(gateway) for gateway in state.tcp},
        "database_away_since": state.database_away_since.isoformat() if state.database_away_since else None,
        "dark": {**asdict(state.dark), "since": state.dark.since.isoformat()} if state.dark else None,
    }


def _wake_outbox(listener: Listener, outbox: _Outbox, stopping: threading.Event) -> None:
    while not stopping.is_set():
        if listener.wait(1.0):
            outbox.wake.set()
