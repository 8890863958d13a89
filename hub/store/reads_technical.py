"""The work list of devices, read in one statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.ports.records import Json
from hub.ports.technical import TechnicalWork
from hub.store.reads_base import ReadsBase

__all__ = ["BAD_ACTOR_FROM", "TechnicalReadsPostgres"]

BAD_ACTOR_FROM = 10
"""So many technical alarms in 30 days make a device a bad actor: it is repaired or replaced, not answered."""
_MOST = 5000


class TechnicalReadsPostgres(ReadsBase):
    def technical_work(self, start: datetime, end: datetime, now: datetime, station: str | None) -> TechnicalWork:
        with self._session() as session:
            rows = session.all(
                "technical_work",
                day_start=start,
                day_end=end,
                month_ago=now - timedelta(days=30),
                bad_from=BAD_ACTOR_FROM,
                limit=_MOST + 1,
            )
        more, rows = len(rows) > _MOST, rows[:_MOST]
        items = [row["view"] for row in rows if _of_station(row, station)]
        for rank, item in enumerate(items, 1):
            item["rank"] = rank
        return TechnicalWork(items, _stations(rows), more)


def _of_station(row: Json, station: str | None) -> bool:
    if station is None:
        return True
    return row["station_id"] is None if station == "none" else row["station_id"] == station


def _stations(rows: list[Json]) -> list[Json]:
    found: dict[str | None, Json] = {}
    for row in rows:
        one = found.setdefault(
            row["station_id"],
            {"id": row["station_id"], "name": row["station_name"], "open": 0, "done": 0, "bad_actors": 0},
        )
        one["open" if row["open"] else "done"] += 1
        one["bad_actors"] += bool(row["bad"] and row["open"])
    return sorted(found.values(), key=lambda one: (-one["open"], one["id"] or "~"))
