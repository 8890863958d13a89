"""Incidents that somebody has taken, for the tests of what is done with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.alarms import (
    Acknowledge,
    AssignmentMoved,
    Close,
    Disposition,
    Incident,
    Shelve,
    apply,
)
from tests.alarms.builders import NOW, ZHOU, at, incident

__all__ = ["claimed", "moved", "resolved", "shelve"]


def claimed(kind: str = "sos") -> Incident:
    return apply(incident(kind), Acknowledge(), now=at(5), actor=ZHOU).incident


def moved(state: Any, was: Any = "offered", others: tuple[Any, ...] = (), **more: Any) -> AssignmentMoved:
    return AssignmentMoved(assignment_id="A-1", responder_id="p-sun", was=was, state=state, others=others, **more)


def resolved(disposition: Disposition = "genuine") -> Incident:
    return apply(claimed(), Close(disposition, "髋部疼痛，已送医"), now=at(60), actor=ZHOU).incident


def shelve(minutes: float, reason: str = "家属在场") -> Shelve:
    return Shelve(NOW + timedelta(minutes=minutes), reason)
