"""Whether a hub can work, part by part, in plain words: for /readyz, for balancers, for whoever an alert has woken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from hub.bridge import BridgeState, LaneState, TcpState
from hub.clock import Clock
from hub.ports import Json
from hub.ports.dark import DarkState
from hub.store import Measured

__all__ = ["Check", "Parts", "bridge_json", "checks", "readiness"]

Level = Literal["ok", "degraded", "down"]

LOW_DISK_BYTES = 2 * 1024**3
LOW_DISK_SHARE = 0.05
"""Less free than both: the disk is low. Less than a tenth of the bytes: writing is about to fail."""
FEED_LATE_ENTRIES = 2_000
JOBS_LATE = timedelta(seconds=60)
OVERDUE_S = 30.0
LAG_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One part. `down` makes the hub not ready; `degraded` is for a person to see to. `since` where it is known."""

    name: str
    level: Level
    zh: str
    en: str
    since: datetime | None = None


class Parts(Protocol):
    """What is looked at; a part this process does not run is None."""

    embedded: frozenset[str]
    data_dir: Path

    def measured(self) -> Measured: ...

    def bridge_state(self) -> BridgeState | None: ...

    def sheltering(self) -> DarkState | None:
        """Of this process's journal."""

    def line_trouble(self) -> str | None:
        """Why journals of other processes are not heard of, nor this one by them; None: all is well."""

    def feed_dark(self) -> bool | None: ...

    def feed_seq(self) -> int | None: ...

    def jobs_last_run_at(self) -> datetime | None: ...

    def runs(self, part: str) -> bool: ...


def checks(parts: Parts, clock: Clock) -> Iterator[Check]:
    """Every part, the ones everything else hangs on first."""
    found = parts.measured()
    away = found.error is not None or found.at is None
    yield _database(parts, found)
    if not away:
        yield _schema(found)
    state = parts.bridge_state()
    if state is not None:
        yield _lead(state, found, away=away)
        yield from _broker(parts, state)
        yield from (_gateway(gateway) for gateway in state.tcp)
        yield _intake(state)
    elif (dark := parts.sheltering()) is not None:
        yield _dark(dark)
    if (trouble := parts.line_trouble()) is not None:
        yield Check(
            "provisional",
            "degraded",
            f"与消息代理的 hub-dark / hub-console 连接断开（{trouble}）：数据库不可用时看不到其他进程收到的告警",
            f"no connection hub-dark / hub-console to the broker ({trouble}): while the database is away consoles would"
            " not show alarms that other processes take",
        )
    if parts.runs("api"):
        yield _feed(parts, found, away=away)
    if parts.runs("jobs"):
        yield _jobs(parts, found, clock(), away=away)
    yield _disk(parts.data_dir)


def readiness(parts: Parts, clock: Clock) -> Json:
    """`ready`, and each check as `{"name", "level", "zh", "en", "since"}`."""
    found = list(checks(parts, clock))
    return {
        "ready": all(check.level != "down" for check in found),
        "checks": [{**asdict(check), "since": check.since.isoformat() if check.since else None} for check in found],
    }


def _database(parts: Parts, found: Measured) -> Check:
    kind = ("内置", "embedded") if "database" in parts.embedded else ("外接", "configured")
    if found.error is None and found.at is not None:
        return Check("database", "ok", f"数据库（{kind[0]}）应答", f"the {kind[1]} database answers")
    why = found.error or "not asked yet"
    return Check(
        "database",
        "down",
        f"数据库（{kind[0]}）不可用：{why}。告警写入本机日志并应答设备；受理与升级暂停。",
        f"the {kind[1]} database is away: {why}. Alarms are journalled and answered; claims and escalation wait.",
        found.away_since,
    )


def _schema(found: Measured) -> Check:
    if found.unknown:
        return Check(
            "schema",
            "down",
            f"数据库结构比本程序新（{found.unknown[-1]}）：请升级本程序",
            f"the schema is newer than this hub ({found.unknown[-1]}): upgrade the hub",
        )
    if found.missing:
        return Check(
            "schema",
            "down",
            f"数据库缺少结构更新 {found.missing[0]}：请运行 hub migrate",
            f"the database lacks {found.missing[0]}: run hub migrate",
        )
    return Check("schema", "ok", "数据库结构最新", "the schema is up to date")


def _lead(state: BridgeState, found: Measured, *, away: bool) -> Check:
    if state.lead == "active":
        return Check("lead", "ok", "本机接收告警", "this hub takes the alarms")
    if state.lead == "stopped":
        return Check("lead", "down", "告警接收已停止", "the alarm lane has stopped")
    if away:
        return Check(
            "lead", "down", "数据库不可用，无法得知由谁接收告警", "who takes the alarms cannot be known: no database"
        )
    if not found.lead_held:
        return Check(
            "lead", "down", "没有任何一台在接收告警；本机正在接手", "no hub takes the alarms; this one is about to"
        )
    return Check("lead", "ok", "由另一台接收告警，本机待命", "another hub takes the alarms, this one stands by")


def _broker(parts: Parts, state: BridgeState) -> Iterator[Check]:
    kind = ("内置", "embedded") if "broker" in parts.embedded else ("外接", "configured")
    lanes = [lane for lane in (state.alarm, state.mixed) if lane is not None]
    lanes += [*state.telemetry, state.downlink]
    lost = [lane for lane in lanes if not lane.connected]
    if not lost:
        yield Check(
            "broker", "ok", f"消息代理（{kind[0]}）已连接", f"all connections to the {kind[1]} broker are there"
        )
        return
    names = ", ".join(lane.client_id for lane in lost)
    why = _why(lost)
    yield Check(
        "broker",
        "down",
        f"与消息代理（{kind[0]}）的连接断开：{names}（{why}）。TCP 与 HTTP 接入照常。",
        f"no connection to the {kind[1]} broker for {names} ({why}). TCP gateways and HTTP go on.",
    )


def _why(lanes: list[LaneState]) -> str:
    return next((lane.error for lane in lanes if lane.error), "not connected yet")


def _gateway(gateway: TcpState) -> Check:
    name = f"tcp-{gateway.family}"
    if not gateway.listening:
        return Check(name, "down", f"端口 {gateway.port} 未在监听", f"port {gateway.port} is not listened on")
    if gateway.conflicts:
        ids = ", ".join(gateway.conflicts[:5])
        return Check(
            name,
            "degraded",
            f"端口 {gateway.port} 监听中；以下设备号有多个连接：{ids}",
            f"listening on {gateway.port}; more than one connection claims {ids}",
        )
    return Check(
        name,
        "ok",
        f"端口 {gateway.port} 监听中，{gateway.connections} 个连接",
        f"listening on {gateway.port}, {gateway.connections} connections",
    )


def _intake(state: BridgeState) -> Check:
    if state.dark is not None:
        return _dark(state.dark)
    if state.database_away_since is not None:
        return Check(
            "intake",
            "down",
            "报文暂不入库、不应答：数据库不可用",
            "uplinks are neither stored nor acknowledged: the database is away",
            state.database_away_since,
        )
    lanes = [lane for lane in (state.alarm, state.mixed) if lane is not None] + list(state.telemetry)
    late = [lane for lane in lanes if lane.lag_s > LAG_S]
    paused = [lane for lane in lanes if lane.paused]
    if late or paused:
        worst = max(late or paused, key=lambda lane: lane.lag_s)
        return Check(
            "intake",
            "degraded",
            f"报文积压：{worst.client_id} 最早一条已等待 {worst.lag_s:.0f} 秒",
            f"uplinks queue: the oldest of {worst.client_id} waits for {worst.lag_s:.0f} s",
        )
    return Check("intake", "ok", "报文即到即收", "uplinks are taken as they come")


def _dark(dark: DarkState) -> Check:
    at = f"{dark.since:%Y-%m-%d %H:%M:%S} UTC"
    if dark.error is not None:
        return Check(
            "intake",
            "down",
            f"数据库自 {at} 起不可用，且告警日志无法写入（{dark.error}）：告警不确认、不应答，设备会重发",
            f"database dark since {at}, and the alarm journal cannot be written ({dark.error}): alarms are neither "
            "acknowledged nor answered, devices repeat them",
            dark.since,
        )
    if dark.replaying:
        return Check(
            "intake",
            "degraded",
            f"数据库已恢复（{at} 起不可用），正在补收日志中的告警，还有 {dark.alarms} 条",
            f"the database is back (dark since {at}); {dark.alarms} journalled alarms are still to be taken over",
            dark.since,
        )
    return Check(
        "intake",
        "down",
        f"数据库自 {at} 起不可用：已落盘告警 {dark.alarms} 条，恢复后自动补收；遥测留在消息代理",
        f"database dark since {at}, {dark.alarms} alarms journalled; telemetry waits at the broker",
        dark.since,
    )


def _feed(parts: Parts, found: Measured, *, away: bool) -> Check:
    if parts.feed_dark() or away:
        return Check("feed", "down", "实时推送中断：无法读取数据库", "the live feed cannot read the database")
    published = parts.feed_seq()
    behind = 0 if published is None else max(0, found.seq - published)
    if behind > FEED_LATE_ENTRIES:
        return Check("feed", "degraded", f"实时推送落后 {behind} 条", f"the live feed is {behind} entries behind")
    return Check("feed", "ok", "实时推送正常", "the live feed is up to date")


def _jobs(parts: Parts, found: Measured, now: datetime, *, away: bool) -> Check:
    if away:
        return Check("jobs", "down", "升级时钟暂停：数据库不可用", "the clocks of escalation wait: no database")
    last = parts.jobs_last_run_at()
    if last is not None and now - last > JOBS_LATE:
        return Check("jobs", "down", "升级时钟停了", "the clocks of escalation have stopped", last)
    late = max((row[2] for row in found.due.values() if row[1]), default=0.0)
    if late > OVERDUE_S:
        return Check("jobs", "degraded", f"有时限已逾期 {late:.0f} 秒未执行", f"a time-out is {late:.0f} s late")
    return Check("jobs", "ok", "升级时钟正常", "the clocks of escalation run")


def _disk(folder: Path) -> Check:
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return Check("disk", "degraded", f"数据目录不可读：{error.strerror}", f"the data directory: {error.strerror}")
    free = f"{usage.free / 1024**3:.1f} GB"
    if usage.free < LOW_DISK_BYTES and usage.free < usage.total * LOW_DISK_SHARE:
        worse: Level = "down" if usage.free < LOW_DISK_BYTES // 10 else "degraded"
        return Check("disk", worse, f"磁盘将满：仅余 {free}", f"the disk is nearly full: {free} left")
    return Check("disk", "ok", f"磁盘余 {free}", f"{free} left on the disk")


def _lane_json(lane: LaneState) -> Json:
    body = asdict(lane)
    body["since"] = lane.since.isoformat() if lane.since else None
    return body


def bridge_json(state: BridgeState) -> Json:
    """The state of the bridge, for /readyz."""
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
