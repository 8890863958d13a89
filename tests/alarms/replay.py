"""An incident's state told from its timeline alone: nothing may be true of it that no line says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.alarms import Incident, TimelineEntry

_MOVING = ("accepted", "en_route", "on_scene")


@dataclass
class Told:
    """What the lines say so far."""

    state: str = ""
    holder: str | None = None
    presses: int = 0
    priority: str = ""
    shelved: bool = False
    disposition: str | None = None
    supervision: str = "none"
    rounds: int = 0
    assignments: dict[str, str] = field(default_factory=dict)

    def hear(self, entry: TimelineEntry) -> None:
        body = entry.body
        live = self.state in ("open", "acknowledged", "in_progress")
        match entry.kind:
            case "raised":
                self.state, self.presses, self.priority = "open", 1, body["priority"]
            case "pressed":
                self.presses += 1
            case "realerted" if body.get("reason") == "pressed_again":
                self.rounds += self.state != "open" or True
            case "priority_raised":
                self.priority = body["to"]
            case "acknowledged":
                self.state = "acknowledged" if self.state == "open" else self.state
                self.holder, self.shelved = entry.actor.user_id, False
            case "released" | "lease_expired":
                self.state, self.holder = "open", None
            case "transferred":
                self.holder = body["to"]
            case "offered":
                self.assignments[body["assignment_id"]] = "offered"
            case "accepted" | "en_route" | "on_scene" | "declined" | "completed" | "stood_down":
                was = self.assignments[body["assignment_id"]]
                self.assignments[body["assignment_id"]] = entry.kind
                if was == "offered" and entry.kind in _MOVING and live:
                    self.state, self.shelved = "in_progress", False
            case "shelved":
                self.shelved = True
            case "unshelved":
                self.shelved = False
            case "resolved":
                self.state, self.shelved = "resolved", False
                self.disposition, self.supervision = body["disposition"], body["supervision"]
            case "closed":
                self.state, self.supervision = "closed", body["supervision"]
            case "reopened":
                self.state, self.holder, self.disposition, self.supervision = "open", None, None, "none"
            case _:
                pass


def replayed(entries: Iterable[TimelineEntry]) -> Told:
    """What the timeline says, heard from its first line."""
    told = Told()
    for entry in entries:
        told.hear(entry)
    return told


def agrees(told: Told, incident: Incident) -> None:
    """Fails where the timeline and the incident tell different stories."""
    holder = incident.acknowledged_by if incident.live else told.holder
    assert (told.state, told.holder, told.presses, told.priority, told.shelved) == (
        incident.state,
        holder,
        incident.alarm_count,
        incident.priority,
        incident.shelved,
    )
    assert (told.disposition, told.supervision) == (incident.disposition, incident.supervision)
    assert ("on_scene" in told.assignments.values()) == incident.on_scene
    assert any(state in _MOVING for state in told.assignments.values()) == incident.under_way
