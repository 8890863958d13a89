"""Who takes part in a visit programme in a month, and how the visits stand: by person and by grid."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zlib import crc32

from dispatch import GROUPS, Person, Risk, groups_of, risk_of, visit_days
from hub.care import ABSENT_STATUSES
from hub.ports import Json, ProgrammeRow, Transaction, VisitedPerson

__all__ = ["Participant", "coverage_row", "month_span", "participant_json", "participants", "seed_of"]

_ADVANCED_AGE: Final = 80


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody of a programme in one month. `expected`: visits that should have been by today."""

    person: VisitedPerson
    groups: tuple[str, ...]
    risk: Risk
    target: int
    expected: int

    @property
    def pending(self) -> bool:
        """Not visited yet this month, and could be."""
        return self.target > 0 and self.person.counted == 0 and self.person.status not in ABSENT_STATUSES

    @property
    def behind(self) -> bool:
        return self.person.counted < self.expected and self.person.status not in ABSENT_STATUSES


def month_span(month: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the first midnight of the month to that of the next."""
    first = month.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return (
        datetime.combine(first, time(), tzinfo=zone).astimezone(UTC),
        datetime.combine(after, time(), tzinfo=zone).astimezone(UTC),
    )


def participants(
    tx: Transaction,
    programme: ProgrammeRow,
    month: date,
    today: date,
    zone: tzinfo,
    *,
    below: Collection[str] | None = None,
    resident_id: str | None = None,
) -> list[Participant]:
    """Who takes part in a month: in one of the groups, or put in by a person, and not put out by one."""
    since, until = month_span(month, zone)
    flags = {flag for name in programme.groups for flag in GROUPS[name].flags}
    works = tx.rota.calendar().works
    found: list[Participant] = []
    for one in tx.everyday.programmes.people(
        programme,
        since,
        until,
        grown_old_by=today.replace(year=today.year - _ADVANCED_AGE, day=min(today.day, 28)) + timedelta(days=3),
        flags=flags,
        below=below,
        resident_id=resident_id,
    ):
        person = Person(one.flags, one.lives_alone, one.ability_level, one.born_on)
        groups = groups_of(person, today) & set(programme.groups)
        if one.stands == "out" or (one.stands is None and not groups) or one.status in ("moved", "deceased"):
            continue
        risk = one.risk or risk_of(person, today)
        target = programme.per_month.get(risk, 0)
        turns = visit_days(month, target, seed_of(one.id), works)
        expected = sum(turn.day <= today for turn in turns)
        found.append(Participant(one, tuple(name for name in GROUPS if name in groups), risk, target, expected))
    return found


def seed_of(resident_id: str) -> int:
    """A number of the resident, the same on every hub: which day of a part of the month it is."""
    return crc32(resident_id.encode())


def participant_json(one: Participant) -> Json:
    """A participant as pages see one."""
    person = one.person
    return {
        "resident": {
            "id": person.id,
            "name": person.name,
            "status": person.status,
            "address": person.address,
            "phone": person.phone,
            "lat": person.lat,
            "lon": person.lon,
        },
        "area_id": person.area_id,
        "groups": list(one.groups),
        "risk": one.risk,
        "stands": person.stands,
        "target": one.target,
        "expected": one.expected,
        "visited": person.counted,
        "pending": one.pending,
        "behind": one.behind,
        "last_result": person.last_result,
        "last_at": person.last_at,
    }


def coverage_row(area: str | None, path: Sequence[str], names: Mapping[str, str], group: Sequence[Participant]) -> Json:
    """How the visits of one grid stand."""
    wanted = [one for one in group if one.target > 0]
    return {
        "area_id": area,
        "area": names.get(area, area) if area else None,
        "path": " / ".join(names.get(one, one) for one in path),
        "people": len(wanted),
        "high": sum(one.risk == "high" for one in wanted),
        "target": sum(one.target for one in wanted),
        "visited": sum(one.person.counted for one in wanted),
        "people_visited": sum(one.person.counted > 0 for one in wanted),
        "not_visited": sum(one.pending for one in wanted),
        "behind": sum(one.behind for one in wanted),
        "absent": sum(one.person.status in ABSENT_STATUSES for one in wanted),
        "needs_help": sum(one.person.last_result == "needs_help" for one in wanted),
    }
