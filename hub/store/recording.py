"""A span of the hub's own days, written as a recording for `hub replay`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from hub.ports.records import Json
from hub.store.postgres import PostgresDatabase
from hub.store.session import Session

__all__ = ["recorded", "recorded_matters"]

_SLICE: Final = timedelta(minutes=30)
"""So much of a span is in memory at once."""


def recorded(database: PostgresDatabase, start: datetime, end: datetime) -> Iterator[Json]:
    """The records of [start, end): residents and devices first, then what happened, slice by slice.

    Alarms are raw as they came; of telemetry only what was understood of it was kept, and that is what is written. A
    resident's status at the beginning is that before the first change in the span.
    """
    with database.reading("aside") as connection:
        session = Session(connection)
        span = {"start": start, "end": end}
        first = {row["id"]: row["status"] for row in session.all("recording_first_statuses", start=start)}
        for row in session.all("recording_residents"):
            line = row["line"]
            yield line | ({"status": first[line["id"]]} if line["id"] in first else {})
        yield from (_without_nothing(row["line"]) for row in session.all("recording_devices"))
        for block in ("recording_windows", "recording_deaf", "recording_statuses", "recording_meals", "recording_done"):
            yield from (_without_nothing(row["line"]) for row in session.all(block, **span))
        at = start
        while at < end:
            until = min(at + _SLICE, end)
            yield from _slice(session, at, until)
            at = until


def _slice(session: Session, start: datetime, end: datetime) -> Iterator[Json]:
    for row in session.all("recording_uplinks", start=start, end=end):
        yield _uplink(row)
    yield from (row["line"] for row in session.all("recording_heard", start=start, end=end))
    for row in session.all("recording_observations", start=start, end=end):
        vitals, words = row["vitals"] or {}, row["words"] or []
        if vitals:
            yield _event(row, "vitals", {"vitals": vitals})
        for word in words:
            yield _event(row, "activity", {"attributes": {"state": word}})
    for row in session.all("recording_fixes", start=start, end=end):
        fix = {name: row[name] for name in ("lat", "lon", "accuracy_m", "source")}
        yield _event(row, "location", {"fix": fix})


def _uplink(row: Json) -> Json:
    body: Json = {"received_at": row["received_at"].isoformat(), "family": row["family"], "device_id": row["device_id"]}
    if row["topic"]:
        body["topic"] = row["topic"]
    payload: bytes = row["payload"]
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return body | {"hex": payload.hex()}
    return body | ({"text": text} if text.isprintable() else {"hex": payload.hex()})


def _event(row: Json, kind: str, said: Json) -> Json:
    event = {"kind": kind, "observed_at": row["observed_at"].isoformat(), "buffered": row["buffered"], **said}
    return {
        "received_at": row["received_at"].isoformat(),
        "family": row["family"],
        "device_id": row["device_id"],
        "event": event,
    }


def _without_nothing(line: Json) -> Json:
    return {name: value for name, value in line.items() if value is not None}


def recorded_matters(database: PostgresDatabase, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The incidents of a span that are about people, with their devices."""
    with database.reading("aside") as connection:
        return Session(connection).all("recording_matters", start=start, end=end)
