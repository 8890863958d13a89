"""From shifts and overrides to who is on duty when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from hub.rota.model import Duty, Override, Shift

__all__ = ["duties"]


def duties(shifts: Iterable[Shift], overrides: Iterable[Override], start: datetime, end: datetime) -> tuple[Duty, ...]:
    """Who is on duty in the span [start, end), clipped to it, by begin and person.

    Overrides count in the order given (as they were made): somebody who stands in can be stood in for. Absences count
    last and for everything a person does: whoever is ill stands in for nobody.
    """
    known = [one for one in overrides if one.starts_at < end and one.ends_at > start]
    found: list[Duty] = [
        Duty(one.responder_id, one.role, one.starts_at, one.ends_at, one.area_ids, shift_id=one.id)
        for one in shifts
        if one.starts_at < end and one.ends_at > start
    ]
    for one in known:
        if one.kind == "extra" and one.substitute_id is not None and one.role is not None:
            found.append(
                Duty(one.substitute_id, one.role, one.starts_at, one.ends_at, one.area_ids, override_id=one.id)
            )
        elif one.kind == "instead":
            found = [part for duty in found for part in _stood_in(duty, one)]
    for one in known:
        if one.kind == "absent":
            found = [part for duty in found for part in _without(duty, one)]
    clipped = (replace(one, starts_at=max(one.starts_at, start), ends_at=min(one.ends_at, end)) for one in found)
    return tuple(
        sorted(
            (one for one in clipped if one.starts_at < one.ends_at),
            key=lambda one: (one.starts_at, one.responder_id, one.role, one.ends_at, one.shift_id or ""),
        )
    )


def _meant(duty: Duty, override: Override) -> bool:
    return (
        duty.responder_id == override.responder_id
        and (override.shift_id is None or override.shift_id == duty.shift_id)
        and (override.role is None or override.role == duty.role)
        and duty.starts_at < override.ends_at
        and duty.ends_at > override.starts_at
    )


def _without(duty: Duty, override: Override) -> Iterator[Duty]:
    """What is left of a duty outside the override's span."""
    if not _meant(duty, override):
        yield duty
        return
    if duty.starts_at < override.starts_at:
        yield replace(duty, ends_at=override.starts_at)
    if duty.ends_at > override.ends_at:
        yield replace(duty, starts_at=override.ends_at)


def _stood_in(duty: Duty, override: Override) -> Iterator[Duty]:
    yield from _without(duty, override)
    if _meant(duty, override) and override.substitute_id is not None:
        yield replace(
            duty,
            responder_id=override.substitute_id,
            starts_at=max(duty.starts_at, override.starts_at),
            ends_at=min(duty.ends_at, override.ends_at),
            override_id=override.id,
            instead_of=duty.responder_id,
        )
