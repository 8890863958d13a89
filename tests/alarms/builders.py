"""Alarms, incidents and people for the tests of the alarm room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.alarms import Actor, Alarm, Change, DueChange, Incident, classify, take
from hub.care import Resident, ResidentStatus

NOW = datetime(2026, 3, 1, 2, 14, tzinfo=UTC)
ZHOU = Actor(kind="operator", name="周敏", user_id="u-zhou", role="operator")
LI = Actor(kind="operator", name="李强", user_id="u-li", role="operator")
FANG = Actor(kind="operator", name="方磊", user_id="u-fang", role="supervisor")
SUN = Actor(kind="responder", name="孙伟", user_id="u-sun", role="staff", person_id="p-sun")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def alarm(kind: str = "sos", *, seconds: float = 0, **changes: Any) -> Alarm:
    alarm_class, priority = classify(kind, test=changes.get("test", False))
    base = Alarm(
        id=f"a-{kind}-{seconds}",
        device_id="D-1",
        resident_id="R-1",
        type=kind,
        alarm_class=alarm_class,
        priority=priority,
        received_at=at(seconds),
        observed_at=at(seconds),
        ref="r1",
        fix={"lat": 31.3, "lon": 118.4},
    )
    return replace(base, **changes)


def resident(status: ResidentStatus = "home") -> Resident:
    return Resident(id="R-1", name="陈秀英", status=status)


def opened(kind: str = "sos", **changes: Any) -> Change:
    taken = take(alarm(kind, **changes), None, resident(), now=NOW, incident_id="I-1")
    assert taken.change is not None
    return taken.change


def incident(kind: str = "sos", **changes: Any) -> Incident:
    return replace(opened(kind).incident, **changes)


def kinds(change: Change) -> list[str]:
    return [entry.kind for entry in change.entries]


class DueRows:
    """The rows of due steps as the store keeps them: one for each (code, about)."""

    def __init__(self, changes: tuple[DueChange, ...] = ()) -> None:
        self.rows: dict[tuple[str, str], datetime] = {}
        self.write(changes)

    def write(self, changes: tuple[DueChange, ...]) -> None:
        for change in changes:
            if change.due_at is None:
                self.rows.pop((change.code, change.about), None)
            else:
                self.rows[change.code, change.about] = change.due_at

    @property
    def own(self) -> dict[str, datetime]:
        """The incident's own steps."""
        return {code: due for (code, about), due in self.rows.items() if not about}
