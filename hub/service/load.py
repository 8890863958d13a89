"""Whose seat an alarm is, and how loaded each seat is: beside the path of alarms and never in it.

Once a second what rang since the last look is given to its seat. An alarm rings everywhere at once, before and whatever
is decided here: a seat says who should take it, not who may.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.alarms import SYSTEM
from hub.alarms.load import FLOOD_WITHIN, Seating, flooded, seat_of
from hub.clock import Clock
from hub.ports import Database, EntryRow, RingRow, SeatBin, SeatedRow, SeatLoad, Transaction

__all__ = ["LoadDesk", "Looked"]

_MOST: Final = 2000
"""Places on the timeline that one look goes through: a burst is worked off in several."""
_LONGEST_GAP: Final = timedelta(seconds=60)
"""A longer pause between two looks is nobody's time on duty: no hub was there to see it."""
_RINGS_KEPT: Final = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Looked:
    """One look in numbers. `behind`: there is more. `seats`, `floods`: on duty, and of these in a flood."""

    rings: int = 0
    spilled: int = 0
    seats: int = 0
    floods: int = 0
    behind: bool = False


class LoadDesk:
    """Any number of processes may look; one at a time does."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def look(self) -> Looked | None:
        """Gives what rang to its seat, counts, finds floods and their end. None: another process is at it."""
        with self._database.begin() as tx:
            now = self._clock()
            cursor = tx.load.cursor()
            if cursor is None:
                return None
            upto, rings = tx.load.rings(cursor.seq, _MOST)
            seats = {one.user_id: one for one in tx.load.seats(now)}
            run = _Look(tx, now, seats)
            for ring in rings:
                run.take(ring)
            run.write(_elapsed(cursor.at, now))
            tx.load.moved(upto, now)
            return Looked(len(rings), run.spilled, len(seats), len(run.full), upto - cursor.seq >= _MOST)

    def prune(self, now: datetime) -> int:
        """Forgets single ringings after five weeks; ten minutes of a seat stay."""
        with self._database.begin() as tx:
            return tx.load.prune(now - _RINGS_KEPT)


def _elapsed(since: datetime | None, now: datetime) -> int:
    if since is None or not timedelta(0) < now - since <= _LONGEST_GAP:
        return 0
    # Whole seconds by the clock, so that many looks within one second count it once.
    return int(now.timestamp()) - int(since.timestamp())


class _Look:
    """One look, inside its transaction."""

    def __init__(self, tx: Transaction, now: datetime, seats: Mapping[str, SeatLoad]) -> None:
        self._tx, self._now, self._seats = tx, now, seats
        self._counts = {user_id: one.rings for user_id, one in seats.items()}
        self._was = {user_id for user_id, one in seats.items() if one.flood_since is not None}
        self.full = {user for user, count in self._counts.items() if flooded(count, before=user in self._was)}
        self._seated: dict[str, SeatedRow] = {}
        self._rung: list[tuple[RingRow, str | None]] = []
        self._in: Counter[str] = Counter()
        self._out: Counter[str] = Counter()
        self._moves: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._unseated = 0
        self.spilled = 0

    def take(self, ring: RingRow) -> None:
        known = self._seated.get(ring.incident_id)
        seat = ring.seat if known is None else known.user_id
        if seat is None or seat not in self._seats:
            seat = self._find(ring)
        self._rung.append((ring, seat))
        if seat is not None and self._now - ring.at < FLOOD_WITHIN:
            self._counts[seat] += 1
            if flooded(self._counts[seat], before=seat in self.full):
                self.full.add(seat)

    def _find(self, ring: RingRow) -> str | None:
        found = seat_of(ring.place, self._seats, self.full)
        self._seated[ring.incident_id] = SeatedRow(ring.incident_id, found.seat, found.home, found.rule, self._now)
        if found.rule == "spilled":
            self._spill(ring, found)
        elif found.rule == "all_flooded":
            self._unseated += 1
        return found.seat

    def _spill(self, ring: RingRow, found: Seating) -> None:
        assert found.seat is not None
        assert found.home is not None
        self.spilled += 1
        self._in[found.seat] += 1
        self._out[found.home] += 1
        self._moves[found.home, found.seat].append(ring.incident_id)
        home, seat = self._seats[found.home].name, self._seats[found.seat].name
        self._tx.timeline.add(
            EntryRow(
                at=self._now,
                subject_kind="incident",
                subject_id=ring.incident_id,
                kind="spilled",
                body={
                    "from": home,
                    "to": seat,
                    "from_id": found.home,
                    "to_id": found.seat,
                    "rule": found.rule,
                    "reason": f"{home} is in a flood: {self._counts[found.home]} alarms in ten minutes",
                },
            )
        )

    def write(self, elapsed_s: int) -> None:
        tx, now = self._tx, self._now
        begin = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
        tx.load.seat(list(self._seated.values()), self._rung, begin)
        changed: dict[str, datetime | None] = {}
        for user_id in self._seats:
            if (user_id in self.full) != (user_id in self._was):
                began = user_id in self.full
                changed[user_id] = now if began else None
                action = "load.flood" if began else "load.flood_over"
                detail = {"alarms_10_min": self._counts[user_id], "seat": self._seats[user_id].name}
                tx.audit.add(SYSTEM, action, f"users:{user_id}", detail, now)
        tx.load.floods(changed)
        for (home, seat), incidents in self._moves.items():
            detail = {
                "from": self._seats[home].name,
                "to": self._seats[seat].name,
                "rule": "spilled",
                "incidents": len(incidents),
                "first": incidents[:20],
            }
            tx.audit.add(SYSTEM, "load.spill", f"users:{home}", detail, now)
        if self._unseated:
            detail = {"incidents": self._unseated, "seats": len(self._seats), "rule": "all_flooded"}
            tx.audit.add(SYSTEM, "load.all_flooded", None, detail, now)
        self._count(begin, elapsed_s)

    def _count(self, begin: datetime, elapsed_s: int) -> None:
        rings = Counter(seat for _, seat in self._rung if seat is not None)
        bins = [
            SeatBin(
                user_id,
                elapsed_s,
                elapsed_s if user_id in self.full else 0,
                rings[user_id],
                self._in[user_id],
                self._out[user_id],
            )
            for user_id in self._seats
        ]
        self._tx.load.count(begin, [one for one in bins if any(one[1:])])
