"""What a played night decided, as values, as JSON lines and as lines to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from hub.alarms import Alarm, Reason, Taken, label
from hub.ports import Json

__all__ = ["Decided", "Tally", "decided_json", "decided_line", "decided_of"]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `what`: alarm, rule, silence, silence_over, window_over, rule_over, assumed_close, done or uplink;
    `outcome`: open, fold, record_only, repeat, rejected, clear, or the incident's state. `line`: of the record that
    caused it. `rings`: the operators hear it now. `due`: what would happen when, if nobody claimed it.
    """

    at: datetime
    what: str
    outcome: str
    type: str
    line: int | None = None
    rule: str | None = None
    alarm_class: str | None = None
    priority: str | None = None
    device_id: str | None = None
    resident_id: str | None = None
    incident: str | None = None
    press: int | None = None
    rings: bool = False
    realert: bool = False
    plan: str = "none"
    shelved_until: datetime | None = None
    told: tuple[str, ...] = ()
    due: tuple[tuple[str, datetime], ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it in another playing of the same night."""
        about = str(self.line) if self.line is not None else f"{self.at.isoformat()}|{self.rule or ''}"
        return (self.what, about, self.resident_id or self.device_id or "", self.type)


@dataclass(slots=True)
class Tally:
    """A night in numbers."""

    uplinks: int = 0
    rejected: int = 0
    repeats: int = 0
    looks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    rings: int = 0
    tests: int = 0

    def count(self, one: Decided) -> None:
        """An alarm was decided."""
        self.outcomes[one.outcome] += 1
        self.rings += one.rings
        if one.outcome == "open" and one.alarm_class is not None:
            self.classes[one.alarm_class] += 1
        self.tests += one.alarm_class == "test"

    def to_json(self) -> Json:
        return {
            "uplinks": self.uplinks,
            "rejected": self.rejected,
            "repeats": self.repeats,
            "looks": self.looks,
            "incidents": self.outcomes["open"],
            "folded": self.outcomes["fold"],
            "recorded_only": self.outcomes["record_only"],
            "rings": self.rings,
            "tests": self.tests,
            "by_class": dict(self.classes),
        }


def decided_of(alarm: Alarm, taken: Taken, *, what: str, line: int | None) -> Decided:
    """The decision on an alarm."""
    decision, change = taken.decision, taken.change
    incident = change.incident if change is not None else None
    due = () if change is None else tuple((one.code, one.due_at) for one in change.due if one.due_at is not None)
    rule = alarm.attributes.get("rule")
    return Decided(
        at=alarm.received_at,
        what=what,
        outcome=decision.kind,
        type=alarm.type,
        line=line,
        rule=rule if isinstance(rule, str) else None,
        alarm_class=alarm.alarm_class,
        priority=decision.priority,
        device_id=alarm.device_id,
        resident_id=alarm.resident_id,
        incident=incident.id if incident else None,
        press=incident.alarm_count if incident else None,
        rings=decision.alert,
        realert=decision.realert,
        plan=change.plan if change is not None else "none",
        shelved_until=incident.shelved_until if incident else None,
        told=decision.tell,
        due=due,
        reasons=decision.reasons,
    )


def decided_json(one: Decided) -> Json:
    """As an object for a line of output; what is not there is left out."""
    body: Json = {
        "at": one.at.isoformat(),
        "line": one.line,
        "what": one.what,
        "outcome": one.outcome,
        "type": one.type or None,
        "rule": one.rule,
        "class": one.alarm_class,
        "priority": one.priority,
        "device_id": one.device_id,
        "resident_id": one.resident_id,
        "incident": one.incident,
        "press": one.press,
        "rings": one.rings or None,
        "realert": one.realert or None,
        "plan": one.plan if one.plan != "none" else None,
        "shelved_until": one.shelved_until.isoformat() if one.shelved_until else None,
        "told": list(one.told) or None,
        "due": {code: at.isoformat() for code, at in one.due} or None,
        "reasons": reasons_json(one.reasons),
    }
    return {name: value for name, value in body.items() if value is not None}


def reasons_json(reasons: Iterable[Reason]) -> list[Json]:
    """Reasons as JSON."""
    return [{"code": one.code, "text": one.text, "values": dict(one.values)} for one in reasons]


def decided_line(one: Decided, zone: tzinfo) -> str:
    """One line for a person: when, what became of it, what and whose, why."""
    zh, en = label(one.type) if one.type else ("", "")
    marks = "".join(
        (
            " RINGS" if one.rings else "",
            " again" if one.realert else "",
            f" plan:{one.plan}" if one.plan != "none" else "",
            f" shelved until {one.shelved_until.astimezone(zone):%H:%M:%S}" if one.shelved_until else "",
        )
    )
    who = one.resident_id or one.device_id or "-"
    where = f" {one.incident}" if one.incident else ""
    press = f" ×{one.press}" if one.press and one.press > 1 else ""
    why = "; ".join(reason.text for reason in one.reasons)
    named = f"{zh} {en}".strip() or "-"
    priority = f" [{one.priority}]" if one.priority else ""
    return (
        f"{one.at.astimezone(zone):%m-%d %H:%M:%S}  {one.outcome:<11} {named}{priority} · {who}{where}{press}{marks}"
        f"\n{'':16}{one.what}{f' {one.rule}' if one.rule else ''}: {why}"
    )
