"""Who of a role is to be called now: the rota's answer, for response plans and pages."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.ports import Transaction
from hub.rota import Reachable, duties, reachable

__all__ = ["on_call"]

_AHEAD = timedelta(days=1)
"""How far overrides are looked at to say until when somebody is on shift."""


def on_call(tx: Transaction, role: str, area_id: str | None, now: datetime) -> list[Reachable]:
    """Whoever of `role` is on shift now for the area or one above it, the nearest area first.

    Where nobody is: whoever has the role (a responder's kind), those who signed on for duty first, with the reason
    said. `area_id` None: anywhere. Empty: nobody has the role here. NotFoundError: there is no such area.
    """
    path = tx.rota.path_of(area_id) if area_id is not None else ()
    found = tx.rota.slice(now, now + _AHEAD, role=role)
    end = max((one.ends_at for one in found.shifts), default=now) + _AHEAD
    on_duty = duties(found.shifts, found.overrides, now, end)
    away = frozenset(
        one.responder_id
        for one in found.overrides
        if one.kind == "absent" and one.responder_id is not None and one.starts_at <= now < one.ends_at
    )
    return list(reachable(role, path, now, on_duty, {one.id: one for one in found.people}, away))
