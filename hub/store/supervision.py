"""Supervision as rows: what is due for a look, what was found, what devices hang on, since when the hub can hear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from hub.ports.records import Json
from hub.ports.supervision import HearingRow, PowerRow, SuspectRow, WatchRow
from hub.store.session import Session, as_json

__all__ = ["BEAT_GAP", "SupervisionDrawer"]

BEAT_GAP = timedelta(seconds=15)
"""A process that says nothing for so long could not hear."""


class SupervisionDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def beat(self, process: str, ways: Mapping[str, bool], now: datetime) -> None:
        names = sorted(ways)
        ups = [ways[name] for name in names]
        self._session.run("hearing_beat", process=process, ways=names, ups=ups, now=now, gap=BEAT_GAP)

    def forget(self, process: str, now: datetime) -> None:
        self._session.run("hearing_forget", process=process, before=now - timedelta(days=1))

    def hearing(self, now: datetime) -> dict[str, HearingRow]:
        rows = self._session.all("hearing_now", fresh=now - BEAT_GAP)
        return {
            row["way"]: HearingRow(row["way"], bool(row["up"]), row["up_since"] if row["up"] else row["down_since"])
            for row in rows
        }

    def claim(self, now: datetime, limit: int, heard: Mapping[str, datetime | None]) -> tuple[int, list[SuspectRow]]:
        found = self._session.all("watch_claim", now=now, limit=limit, heard=as_json(heard))
        put_off = int(found[0]["put_off"]) if found else 0
        suspects = [_suspect(row) for row in found if row["put_off_to"] is None]
        return put_off + len(suspects), suspects

    def settle(self, rows: Sequence[WatchRow]) -> None:
        if rows:
            self._session.run("watch_settle", rows=as_json([row._asdict() for row in rows]))

    def offline(self, device_ids: Collection[str]) -> None:
        if device_ids:
            self._session.run("watch_offline", ids=sorted(device_ids))

    def drop(self, device_ids: Collection[str]) -> None:
        if device_ids:
            self._session.run("watch_drop", ids=sorted(device_ids))

    def causes(self, upstreams: Collection[str], areas: Collection[str], since: datetime) -> list[Json]:
        if not upstreams and not areas:
            return []
        return self._session.all("watch_causes", upstreams=sorted(upstreams), areas=sorted(areas), since=since)

    def areas(self, area_ids: Collection[str]) -> dict[str, Json]:
        return {row["id"]: row for row in self._session.all("watch_areas", ids=sorted(area_ids))} if area_ids else {}

    def left(self, incident_id: str) -> int:
        return int(self._session.value("watch_left", incident_id=incident_id) or 0)

    def repair_of(self, incident_id: str) -> str | None:
        found: str | None = self._session.value("repair_of", incident_id=incident_id)
        return found

    def without_power(self, since: datetime, fewest: int) -> list[PowerRow]:
        rows = self._session.all("watch_without_power", since=since, fewest=fewest)
        return [PowerRow(**{name: row[name] for name in PowerRow._fields}) for row in rows]

    def release(self, incident_id: str, now: datetime) -> None:
        self._session.run("watch_release", incident_id=incident_id, now=now)


def _suspect(row: Json) -> SuspectRow:
    return SuspectRow(**{name: row[name] for name in SuspectRow._fields})
