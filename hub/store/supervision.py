"""Supervision as rows: what is due for a look, what was found, what devices hang on, since when the hub can hear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from hub.ports.records import Json
from hub.ports.supervision import CutRow, HearingRow, PowerRow, SharedRow, SuspectRow, WatchRow
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

    def causes(
        self, upstreams: Collection[str], areas: Collection[str], found: Collection[str], since: datetime
    ) -> list[Json]:
        if not upstreams and not areas:
            return []
        places = {"upstreams": sorted(upstreams), "areas": sorted(areas)}
        return self._session.all("watch_causes", **places, found=sorted(found), since=since)

    def shared(self, since: datetime) -> list[SharedRow]:
        return [SharedRow(**row) for row in self._session.all("watch_shared", since=since)]

    def singles(self, place: str, since: datetime) -> list[str]:
        kind, _, key = place.partition(":")
        area = key if kind == "area" else ""
        return [str(row["id"]) for row in self._session.all("watch_singles", place=place, area=area, since=since)]

    def move(self, incident_ids: Collection[str], to: str) -> None:
        if incident_ids:
            self._session.run("watch_move", of=sorted(incident_ids), to=to)

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

    def cut_join(self, shared_id: str, incident_id: str, device_id: str) -> None:
        self._session.run("power_cut_join", shared_id=shared_id, incident_id=incident_id, device_id=device_id)

    def cuts_running(self) -> list[str]:
        return [row["id"] for row in self._session.all("power_cuts_running")]

    def cut_heard(self, incident_id: str, now: datetime) -> int:
        return self._session.run("power_cut_heard", id=incident_id, now=now)

    def cut_devices(self, incident_id: str) -> list[CutRow]:
        return [CutRow(**row) for row in self._session.all("power_cut_members", id=incident_id)]

    def cut_settle(self, incident_id: str, device_ids: Collection[str], now: datetime) -> None:
        if device_ids:
            self._session.run("power_cut_settle", id=incident_id, ids=sorted(device_ids), now=now)

    def release(self, incident_id: str, now: datetime) -> None:
        self._session.run("watch_release", incident_id=incident_id, now=now)


def _suspect(row: Json) -> SuspectRow:
    return SuspectRow(**{name: row[name] for name in SuspectRow._fields})
