"""Who of a role is to be called for an area now: whoever is on shift, nearest area first; else whoever has the role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch import Reason
from hub.rota.model import Duty

__all__ = ["Person", "Reachable", "reachable"]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff, as far as the rota needs it. `area_ids` empty: serves everywhere."""

    id: str
    name: str
    kind: str
    phone: str | None = None
    area_ids: frozenset[str] = frozenset()
    on_duty: bool = False


@dataclass(frozen=True, slots=True)
class Reachable:
    """Somebody to call. `responder_id` is the person's; `area_id` the area of the path that the person answers for.

    `on_shift`: by the rota, until `until`; False: nobody is, and the person only has the role. `reasons` say why, the
    first the weightiest.
    """

    responder_id: str
    name: str
    phone: str | None
    role: str
    kind: str
    on_shift: bool
    area_id: str | None
    until: datetime | None
    reasons: tuple[Reason, ...]


def reachable(
    role: str,
    path: Sequence[str],
    now: datetime,
    on_duty: Iterable[Duty],
    people: Mapping[str, Person],
    away: frozenset[str] = frozenset(),
) -> tuple[Reachable, ...]:
    """Who of `role` is to be called where `path` (ids from the district down) leads; () means nobody has the role.

    `on_duty` as `duties` gives it; `people` everybody who could be meant. An empty path: anywhere. `away` are absent
    now and are not called even where nobody is on shift.
    """
    here = {area_id: depth for depth, area_id in enumerate(path)}
    found: dict[str, tuple[int, Duty]] = {}
    for duty in on_duty:
        if duty.role != role or not duty.starts_at <= now < duty.ends_at or duty.responder_id not in people:
            continue
        depth = _depth(duty.area_ids, here)
        if depth is None:
            continue
        before = found.get(duty.responder_id)
        if before is None or (depth, duty.ends_at) > (before[0], before[1].ends_at):
            found[duty.responder_id] = (depth, duty)
    if found:
        ranked = sorted(found.values(), key=lambda one: (-one[0], one[1].responder_id))
        return tuple(_on_shift(people[duty.responder_id], duty, depth, path) for depth, duty in ranked)
    return tuple(_by_role(role, path, here, people, away))


def _depth(area_ids: frozenset[str], here: Mapping[str, int]) -> int | None:
    """How near the areas served are: the depth of the nearest; -1 everywhere; None not here."""
    if not area_ids or not here:
        return -1
    depths = [here[one] for one in area_ids if one in here]
    return max(depths) if depths else None


def _on_shift(person: Person, duty: Duty, depth: int, path: Sequence[str]) -> Reachable:
    area_id = path[depth] if depth >= 0 else None
    reasons = [
        Reason(
            "on_shift",
            f"on shift as {duty.role} until {duty.ends_at.isoformat(timespec='minutes')}",
            1.0,
            {"role": duty.role, "until": duty.ends_at.isoformat()},
        )
    ]
    if duty.instead_of is not None:
        reasons.append(Reason("stands_in", "stands in for somebody else", 0.0, {"for": duty.instead_of}))
    reasons += _where(area_id, depth, path)
    return Reachable(
        person.id, person.name, person.phone, duty.role, person.kind, True, area_id, duty.ends_at, tuple(reasons)
    )


def _where(area_id: str | None, depth: int, path: Sequence[str]) -> list[Reason]:
    if area_id is None:
        return [Reason("serves_everywhere", "answers for every area")]
    above = len(path) - 1 - depth
    if above:
        return [
            Reason("area_above", f"answers for an area {above} level(s) above", 0.0, {"area": area_id, "above": above})
        ]
    return [Reason("area_own", "answers for this very area", 0.0, {"area": area_id})]


def _by_role(
    role: str, path: Sequence[str], here: Mapping[str, int], people: Mapping[str, Person], away: frozenset[str]
) -> list[Reachable]:
    nobody = Reason(
        "nobody_on_shift", f"nobody is on shift as {role} here: called because of the role", -1.0, {"role": role}
    )
    ranked: list[tuple[bool, int, Person]] = []
    for person in people.values():
        depth = _depth(person.area_ids, here)
        if person.kind == role and person.id not in away and depth is not None:
            ranked.append((person.on_duty, depth, person))
    ranked.sort(key=lambda one: (not one[0], -one[1], one[2].id))
    found = []
    for on_duty, depth, person in ranked:
        area_id = path[depth] if depth >= 0 else None
        signed = [Reason("signed_on", "has signed on for duty", 0.5)] if on_duty else []
        reasons = (nobody, *signed, *_where(area_id, depth, path))
        found.append(Reachable(person.id, person.name, person.phone, role, person.kind, False, area_id, None, reasons))
    return found
