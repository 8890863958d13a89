"""A report for a device's maker: what of its messages was understood, what is missing, what is wrong. Pure.

It judges what was decoded, not the device: "missing" means that it did not appear in these messages. Every sentence
comes in Chinese and English, because the reader is the maker's engineer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from devices import Decoded, Event
from devices.fields import show

__all__ = ["Finding", "Heard", "Language", "Level", "Report", "assess"]

Level = Literal["wrong", "missing", "note"]
Language = Literal["zh", "en"]

_CLOCK = timedelta(minutes=5)
_CONSTANT = 10
_MOST_FINDINGS = 60
_EXAMPLES = 3
_SILENT_WIRES = frozenset({"zigbee2mqtt", "owntracks", "fall_radar", "vda5050", "huawei", "thingsboard"})
"""Wires on which a device is told nothing, so that an alarm without an answer is as it must be."""

_TEXTS: Mapping[str, tuple[Level, str, str]] = {
    "unreadable": ("wrong", "无法解析：{what}", "cannot be read: {what}"),
    "no_device": ("wrong", "报文中没有可用的设备编号", "no usable device id in the message"),
    "field": ("wrong", "字段 {field} 有误：{what}", "field {field} is wrong: {what}"),
    "field_missing": ("missing", "缺少字段 {field}", "field {field} is missing"),
    "unsupported": (
        "wrong",
        "消息类型 {what} 不受支持，仅原样保存",
        "message type {what} is not supported; kept raw only",
    ),
    "unknown_code": (
        "wrong",
        "报警码 {what} 含义不明，按“求助”处理；请说明其含义",
        "alarm code {what} is unknown and raises `assistance`; say what it means",
    ),
    "no_time": ("missing", "报文不带设备时间", "the device sends no time of its own"),
    "clock_off": ("wrong", "设备时钟偏差 {what}", "the device's clock is off by {what}"),
    "clock_ahead": ("wrong", "设备时间在未来：{what}", "the device's time lies in the future: {what}"),
    "no_ref": ("missing", "报警没有自己的编号（ref）", "alarms carry no number of their own (ref)"),
    "no_key": (
        "missing",
        "报警既无编号也无可用时间：重发无法与再次按下区分",
        "alarms carry neither number nor usable time: a repeat cannot be told from another press",
    ),
    "repeat_differs": (
        "wrong",
        "同一报文重发时编号或时间不同，会被当作新的报警",
        "the same message came again under another key: it counts as a new alarm",
    ),
    "unanswered": (
        "missing",
        "报警没有应答可发：设备无从得知已收到",
        "an alarm gets no answer: the device cannot know it was taken",
    ),
    "no_alarm": ("missing", "未出现任何报警：请按下 SOS 测试", "no alarm was seen: press the SOS button to test"),
    "no_battery": ("missing", "未出现电量", "no battery level was seen"),
    "no_position": ("missing", "未出现定位", "no position was seen"),
    "no_life": (
        "missing",
        "未出现心跳或状态：无法监测离线",
        "no heartbeat or status was seen: silence cannot be noticed",
    ),
    "constant": (
        "note",
        "{field} 连续 {what} 次为同一数值，疑为填充值",
        "{field} was the same {what} times: a filler?",
    ),
    "battery_fraction": (
        "note",
        "电量始终不超过 1：可能是小数而非百分比",
        "battery is never above 1: a fraction instead of percent?",
    ),
    "test_only": ("note", "只出现测试报警", "only test alarms were seen"),
    "unauthenticated": (
        "note",
        "该协议不校验身份：知道编号者即可冒充，请使用专用 APN 或专线",
        "this wire authenticates nobody: use a private APN or a closed network",
    ),
}
_HEADINGS: Mapping[Level, tuple[str, str]] = {
    "wrong": ("有误", "Wrong"),
    "missing": ("缺少", "Missing"),
    "note": ("提示", "Notes"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One message with what was made of it. `received_at` None: it is not known when it arrived (a file)."""

    decoded: Decoded
    payload: bytes = b""
    received_at: datetime | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the report; `places` are the messages it was seen in (lines, or times), the first few."""

    code: str
    level: Level
    zh: str
    en: str
    count: int
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. `kinds`, `alarms` and `fields` count what was understood."""

    family: str
    messages: int
    kinds: Mapping[str, int]
    alarms: Mapping[str, int]
    fields: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> bool:
        return any(finding.level == "wrong" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """As the API and `--json` give it."""
        return {
            "family": self.family,
            "messages": self.messages,
            "understood": {"kinds": dict(self.kinds), "alarms": dict(self.alarms), "fields": dict(self.fields)},
            "findings": [
                {
                    "code": one.code,
                    "level": one.level,
                    "zh": one.zh,
                    "en": one.en,
                    "count": one.count,
                    "places": list(one.places),
                }
                for one in self.findings
            ],
            "conforms": not self.wrong,
        }

    def to_text(self, language: Language) -> str:
        """The report as lines of text."""
        zh = language == "zh"
        lines = [
            f"符合性报告：{self.family}，{self.messages} 条报文"
            if zh
            else f"Conformance: {self.family}, {self.messages} messages"
        ]
        for title, counts in (
            ("已理解的事件" if zh else "Events understood", self.kinds),
            ("报警" if zh else "Alarms", self.alarms),
            ("字段" if zh else "Fields", self.fields),
        ):
            said = ", ".join(f"{name} {count}" for name, count in counts.items()) or ("无" if zh else "none")
            lines.append(f"{title}{'：' if zh else ': '}{said}")
        for level, (heading_zh, heading_en) in _HEADINGS.items():
            found = [one for one in self.findings if one.level == level]
            if found:
                lines += ["", heading_zh if zh else heading_en]
            for one in found:
                where = f"（{'、'.join(one.places)}）" if zh else f" ({', '.join(one.places)})"
                lines.append(f"  {one.count} x  {one.zh if zh else one.en}{where if one.places else ''}")
        if not self.wrong:
            lines += ["", "没有发现错误。" if zh else "Nothing is wrong."]
        return "\n".join(lines)


def assess(family: str, heard: Iterable[Heard], now: datetime) -> Report:
    """Judges messages in the order in which they came. `now` is what a time must not lie beyond."""
    seen = _Seen(family, now)
    for one in heard:
        seen.message(one)
    return seen.report()


@dataclass(slots=True)
class _Seen:
    family: str
    now: datetime
    messages: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    found: dict[tuple[str, str, str], tuple[int, list[str]]] = field(default_factory=dict)
    keys: dict[bytes, set[str]] = field(default_factory=dict)
    values: dict[str, Counter[float]] = field(default_factory=dict)
    batteries: list[int] = field(default_factory=list)
    tests: int = 0

    def say(self, code: str, place: str, field_name: str = "", what: str = "") -> None:
        name = (code, field_name, what)
        if name not in self.found and len(self.found) >= _MOST_FINDINGS:
            return
        count, places = self.found.setdefault(name, (0, []))
        if place and len(places) < _EXAMPLES:
            places.append(place)
        self.found[name] = (count + 1, places)

    def message(self, heard: Heard) -> None:
        self.messages += 1
        decoded, place = heard.decoded, heard.place or str(self.messages)
        if decoded.error is not None:
            self.say("unreadable", place, what=decoded.error[:160])
        for event in decoded.events:
            self.kinds[event.kind] += 1
            self.event(event, heard, place)
        alarms = [event for event in decoded.events if event.kind == "alarm"]
        if alarms:
            if not decoded.replies and self.family not in _SILENT_WIRES and not alarms[0].buffered:
                self.say("unanswered", place)
            if heard.payload:
                self.keys.setdefault(heard.payload, set()).add("|".join(str(event.key) for event in alarms))
                if len(self.keys[heard.payload]) > 1:
                    self.say("repeat_differs", place)

    def event(self, event: Event, heard: Heard, place: str) -> None:
        if not event.device_id:
            self.say("no_device", place)
        for name, why in _faults(event):
            missing = why == "missing"
            self.say("field_missing" if missing else "field", place, name, "" if missing else why)
        if event.kind == "unsupported":
            self.say("unsupported", place, what=_type_of(event))
        if event.kind == "alarm":
            self.alarm(event, place)
        self.time(event, heard, place)
        for name, value in event.vitals.items():
            self.fields[name] += 1
            self.values.setdefault(name, Counter())[value] += 1
        if event.battery_pct is not None:
            self.fields["battery_pct"] += 1
            self.batteries.append(event.battery_pct)
        if event.fix is not None:
            self.fields["fix"] += 1
        if event.ref is not None:
            self.fields["ref"] += 1
        if event.attributes.get("trust") == "unauthenticated":
            self.say("unauthenticated", "")

    def alarm(self, event: Event, place: str) -> None:
        self.alarms[event.type or "assistance"] += 1
        self.tests += event.test or event.type == "test_call"
        if event.type == "assistance" and event.attributes.get("code") is not None:
            self.say("unknown_code", place, what=show(event.attributes["code"]).strip("'"))
        if event.key is None:
            self.say("no_key", place)
        elif event.ref is None:
            self.say("no_ref", place)

    def time(self, event: Event, heard: Heard, place: str) -> None:
        at = event.observed_at
        if at is None:
            if event.kind in ("alarm", "vitals", "location") and "observed_at" not in dict(_faults(event)):
                self.say("no_time", place)
            return
        self.fields["observed_at"] += 1
        if heard.received_at is not None:
            if not event.buffered and abs(heard.received_at - at) > _CLOCK:
                self.say("clock_off", place, what=_span(at - heard.received_at))
        elif at - self.now > _CLOCK:
            self.say("clock_ahead", place, what=at.isoformat())

    def report(self) -> Report:
        if self.messages:
            self._missing()
        findings = []
        for (code, name, what), (count, places) in self.found.items():
            level, zh, en = _TEXTS[code]
            words = {"field": name, "what": what}
            findings.append(Finding(code, level, zh.format(**words), en.format(**words), count, tuple(places)))
        order: Sequence[Level] = ("wrong", "missing", "note")
        findings.sort(key=lambda one: (order.index(one.level), -one.count))
        return Report(self.family, self.messages, self.kinds, self.alarms, self.fields, tuple(findings))

    def _missing(self) -> None:
        if not self.alarms:
            self.say("no_alarm", "")
        elif self.tests == self.alarms.total():
            self.say("test_only", "")
        if not self.batteries:
            self.say("no_battery", "")
        elif len(self.batteries) >= 3 and max(self.batteries) <= 1:
            self.say("battery_fraction", "")
        if not self.fields["fix"] and self.family not in ("zigbee2mqtt", "fall_radar"):
            self.say("no_position", "")
        if not (self.kinds["heartbeat"] or self.kinds["status"] or self.kinds["activity"]):
            self.say("no_life", "")
        for name, values in self.values.items():
            if len(values) == 1 and values.total() >= _CONSTANT and name not in ("steps", "wearing"):
                self.say("constant", "", name, str(values.total()))


def _faults(event: Event) -> Iterator[tuple[str, str]]:
    faults = event.attributes.get("faults")
    if isinstance(faults, Mapping):
        for name, why in faults.items():
            yield str(name), str(why)[:160]


def _type_of(event: Event) -> str:
    for name in ("message", "method", "channel", "command", "type", "path", "event"):
        said = event.attributes.get(name)
        if said:
            return show(said).strip("'")
    return "?"


def _span(ahead: timedelta) -> str:
    """`+2 h 5 min`: how far the device is ahead (or behind)."""
    minutes = round(abs(ahead).total_seconds() / 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    size = f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
    return f"{'+' if ahead > timedelta(0) else '-'}{size}"
