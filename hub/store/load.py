"""Ringings, seats and floods as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.alarms.load import FLOOD_WITHIN
from hub.ports.load import LoadCursor, RingRow, SeatBin, SeatedRow, SeatLoad
from hub.store.session import Session, as_json
from hub.store.users import SEEN_LATELY

__all__ = ["LoadDrawer"]


class LoadDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def cursor(self) -> LoadCursor | None:
        row = self._session.one("load_cursor")
        return None if row is None else LoadCursor(row["seq"], row["at"])

    def rings(self, after: int, limit: int) -> tuple[int, list[RingRow]]:
        upto = int(self._session.value("load_upto", after=after, limit=limit))
        if upto <= after:
            return upto, []
        rows = self._session.all("load_rings", after=after, upto=upto)
        return upto, [RingRow(**{name: row[name] for name in RingRow._fields}) for row in rows]

    def seats(self, now: datetime) -> list[SeatLoad]:
        rows = self._session.all("load_seats", now=now, since=now - FLOOD_WITHIN, seen_since=now - SEEN_LATELY)
        return [SeatLoad(row["user_id"], row["name"], row["rings"], row["flood_since"]) for row in rows]

    def seat(self, rows: Sequence[SeatedRow], rings: Sequence[tuple[RingRow, str | None]], bin_at: datetime) -> None:
        if rows:
            self._session.run("load_seat_incidents", rows=as_json([row._asdict() for row in rows]))
        if rings:
            rung = [
                {
                    "seq": ring.seq,
                    "at": ring.at,
                    "user_id": seat,
                    "incident_id": ring.incident_id,
                    "priority": ring.priority,
                }
                for ring, seat in rings
            ]
            self._session.run("load_ring", bin=bin_at, rows=as_json(rung))

    def floods(self, since: Mapping[str, datetime | None]) -> None:
        if since:
            rows = [{"user_id": user_id, "flood_since": at} for user_id, at in since.items()]
            self._session.run("load_floods", rows=as_json(rows))

    def count(self, bin_at: datetime, rows: Sequence[SeatBin]) -> None:
        if rows:
            self._session.run("load_count", bin=bin_at, rows=as_json([row._asdict() for row in rows]))

    def moved(self, seq: int, at: datetime) -> None:
        self._session.run("load_moved", seq=seq, at=at)

    def prune(self, before: datetime) -> int:
        return self._session.run("load_prune", before=before)
