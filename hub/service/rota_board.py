"""The rota as pages read it: who is on duty in a span, gaps ahead, who is on call, one's own shifts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, time, timedelta, tzinfo

from hub.clock import Clock
from hub.ports import Database, Json, Transaction
from hub.rota import Duty, Gap, Reachable, duties, gaps, left_open, slots, unfilled
from hub.service.oncall import on_call

__all__ = ["GAPS_AHEAD_DAYS", "RotaBoard"]

GAPS_AHEAD_DAYS = 14
"""So far ahead gaps are looked for: long enough to find somebody, short enough to be read."""
_MOST_DAYS = 62


class RotaBoard:
    """Reads only; each call is one transaction, so that what it says fits together."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def board(self, first: date | None, days: int, *, role: str | None = None, area_id: str | None = None) -> Json:
        """Days of the rota from `first` (None: today): duties, gaps, overrides, open swaps, which days are worked.

        `area_id`: what lies below it, and whoever answers for it from above. NotFoundError: no such area.
        """
        now = self._clock()
        first = first or now.astimezone(self._zone).date()
        start, end = self._span(first, days)
        with self._database.begin() as tx:
            seen = _Seen(tx, start, end, role, area_id)
            calendar = tx.rota.calendar()
            holidays = {row["id"]: row["name"] for row in tx.rota.holiday_names(first, first + timedelta(days=days))}
            on_duty = [one for one in seen.on_duty if seen.wanted(one.role, one.area_ids)]
            found = [one for one in self._gaps(tx, seen, max(start, now), end) if seen.wanted(one.role, _area(one))]
            names = tx.rota.area_names({*_areas(on_duty), *(one.area_id for one in found if one.area_id)})
            on_days = [first + timedelta(days=n) for n in range(days)]
            return {
                "from": first.isoformat(),
                "days": [
                    {"day": day.isoformat(), "works": calendar.works(day), "name": holidays.get(day.isoformat())}
                    for day in on_days
                ],
                "duties": [seen.duty(one) for one in on_duty],
                "gaps": [seen.gap(one) for one in found],
                "overrides": tx.rota.overrides_view(start, end),
                "swaps": tx.rota.swaps_view(open_only=True),
                "areas": names,
                "server_time": now,
            }

    def gaps_ahead(self, days: int, *, role: str | None = None, area_id: str | None = None) -> Json:
        """Gaps from now on, the next first, with how many by role."""
        now = self._clock()
        end = now + timedelta(days=days)
        with self._database.begin() as tx:
            seen = _Seen(tx, now, end, role, area_id)
            found = [one for one in self._gaps(tx, seen, now, end) if seen.wanted(one.role, _area(one))]
            names = tx.rota.area_names({one.area_id for one in found if one.area_id})
            by_role: dict[str, int] = {}
            for one in found:
                by_role[one.role] = by_role.get(one.role, 0) + 1
            return {
                "items": [seen.gap(one) for one in found],
                "by_role": by_role,
                "areas": names,
                "until": end,
                "server_time": now,
            }

    def on_call(self, role: str, area_id: str | None, at: datetime | None = None) -> Json:
        """Whom a response plan would call now (or at a time), in its order."""
        at = at or self._clock()
        with self._database.begin() as tx:
            return {"items": [_reachable(one) for one in on_call(tx, role, area_id, at)], "at": at}

    def mine(self, responder_id: str, days: int = 35) -> Json:
        """A person's own duties from now on, what is taken over from others and what others took over, open swaps."""
        now = self._clock()
        end = now + timedelta(days=days)
        with self._database.begin() as tx:
            found = tx.rota.slice(now, end)
            shifts = {one.id: one for one in found.shifts}
            people = {one.id: one for one in found.people}
            horizon = max((one.ends_at for one in found.shifts), default=end)
            # Backwards too: a shift under way is told with its own begin, not with this moment.
            begin = min((one.starts_at for one in found.shifts), default=now)
            items: list[Json] = []
            for one in duties(found.shifts, found.overrides, min(begin, now), max(end, horizon)):
                if one.responder_id != responder_id or one.ends_at <= now:
                    continue
                shift = shifts.get(one.shift_id or "")
                other = people.get(one.instead_of or "")
                items.append(
                    {
                        "id": one.shift_id or one.override_id,
                        "responder_id": responder_id,
                        "starts_at": one.starts_at,
                        "ends_at": one.ends_at,
                        "role": one.role,
                        "area_id": min(one.area_ids) if len(one.area_ids) == 1 else None,
                        "rotation_id": shift.rotation_id if shift else None,
                        "instead_of": {"id": other.id, "name": other.name} if other else None,
                        "swappable": shift is not None
                        and shift.responder_id == responder_id
                        and one.override_id is None
                        and shift.starts_at > now,
                    }
                )
            swaps = tx.rota.swaps_view(person_id=responder_id, limit=20)
            colleagues = tx.rota.colleagues(responder_id)
            names = tx.rota.area_names({one["area_id"] for one in items if one["area_id"]})
        return {"items": items, "swaps": swaps, "colleagues": colleagues, "areas": names, "server_time": now}

    def count_gaps(self) -> dict[str, int]:
        """How many gaps of each kind lie ahead, for the metrics."""
        now = self._clock()
        with self._database.begin() as tx:
            seen = _Seen(tx, now, now + timedelta(days=GAPS_AHEAD_DAYS), None, None)
            found = self._gaps(tx, seen, now, now + timedelta(days=GAPS_AHEAD_DAYS))
        counts = {"below": 0, "absent": 0, "unfilled": 0}
        for one in found:
            counts[one.kind] += 1
        return counts

    def _span(self, first: date, days: int) -> tuple[datetime, datetime]:
        days = min(max(days, 1), _MOST_DAYS)
        start = datetime.combine(first, time(), self._zone)
        return start, datetime.combine(first + timedelta(days=days), time(), self._zone)

    def _gaps(self, tx: Transaction, seen: _Seen, start: datetime, end: datetime) -> list[Gap]:
        """Of wanted cover, of absences where no cover is asked for, of rotations without enough members."""
        if start >= end:
            return []
        calendar, covers = tx.rota.calendar(), tx.rota.covers()
        found = list(gaps(covers, seen.on_duty, start, end, calendar, self._zone))
        asked = {(one.role, one.area_id) for one in covers}
        lost = left_open(seen.shifts, seen.overrides, start, end)
        found += [one for one in lost if (one.role, one.area_id) not in asked]
        first, last = start.astimezone(self._zone).date(), end.astimezone(self._zone).date()
        for row in tx.rota.rotations():
            rotation = row.rotation
            if len(rotation.members) < rotation.seats and (rotation.role, rotation.area_id) not in asked:
                some = slots(rotation, first - timedelta(days=1), last + timedelta(days=1), calendar, self._zone)
                found += unfilled(rotation.role, rotation.area_id, some, start, end)
        return sorted(found, key=lambda one: (one.starts_at, one.role, one.area_id or ""))


class _Seen:
    """What one transaction sees of a span."""

    def __init__(self, tx: Transaction, start: datetime, end: datetime, role: str | None, area_id: str | None) -> None:
        found = tx.rota.slice(start, end)
        self.shifts, self.overrides = found.shifts, found.overrides
        self.people = {one.id: one for one in found.people}
        self.on_duty = duties(found.shifts, found.overrides, start, end)
        self._role = role
        self._above = set(tx.rota.path_of(area_id)) if area_id is not None else set()
        self._below = tx.rota.below(area_id) if area_id is not None else set()

    def wanted(self, role: str, area_ids: frozenset[str]) -> bool:
        if self._role is not None and role != self._role:
            return False
        return not self._above or not area_ids or not area_ids.isdisjoint(self._above | self._below)

    def duty(self, one: Duty) -> Json:
        person, other = self.people.get(one.responder_id), self.people.get(one.instead_of or "")
        return {
            "responder": {"id": one.responder_id, "name": person.name if person else one.responder_id},
            "role": one.role,
            "area_ids": sorted(one.area_ids),
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "shift_id": one.shift_id,
            "override_id": one.override_id,
            "instead_of": None
            if one.instead_of is None
            else {"id": one.instead_of, "name": other.name if other else one.instead_of},
        }

    def gap(self, one: Gap) -> Json:
        person = self.people.get(one.about or "")
        return {**asdict(one), "about": {"id": person.id, "name": person.name} if person else None}


def _area(gap: Gap) -> frozenset[str]:
    return frozenset() if gap.area_id is None else frozenset({gap.area_id})


def _areas(on_duty: Iterable[Duty]) -> set[str]:
    return {area_id for one in on_duty for area_id in one.area_ids}


def _reachable(one: Reachable) -> Json:
    body = asdict(one)
    body["responder"] = {name: body.pop(key) for name, key in (("id", "responder_id"), ("name", "name"))}
    return body
