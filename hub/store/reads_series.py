"""Observations over time: the records themselves, or bins of minutes, hours and days from the rollups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.errors import BadRequestError
from hub.ports.reads import Observations
from hub.store.reads_base import ReadsBase, cursor_text, cursor_values
from hub.store.session import Session

__all__ = ["MOST_POINTS", "RESOLUTIONS", "SeriesReads"]

MOST_POINTS = 2_000
"""Of one answer: more than a screen has columns. Wider bins keep the lowest and highest value."""
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESOLUTIONS: Mapping[str, timedelta | None] = {
    "raw": None,
    "auto": None,
    "minute": _MINUTE,
    "1m": _MINUTE,
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "hour": _HOUR,
    "1h": _HOUR,
    "day": _DAY,
    "1d": _DAY,
}
_WIDTHS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 7, 28)),
)
"""Each is a whole part of the next but one of its unit, and all begin with a Monday's midnight in China."""
_TABLES = {
    "observations_of_raw": "observations",
    "observations_of_minutes": "rolled_minutes",
    "observations_of_hours": "rolled_hours",
    "observations_of_days": "rolled_days",
}
_OWN_PLAN = b"SET LOCAL plan_cache_mode = force_custom_plan"
_AHEAD, _LATE = timedelta(minutes=5), timedelta(days=32)
_NEVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)
_ORIGIN = datetime(2000, 1, 2, 16, tzinfo=UTC)
_BY_THE_MINUTE = timedelta(days=2)
"""Up to such a span the records themselves can make up for minutes that are no longer kept."""


def _floor(at: datetime, width: timedelta) -> datetime:
    return at - (at - _ORIGIN) % width


def _ceiling(at: datetime, width: timedelta) -> datetime:
    return at + (_ORIGIN - at) % width


def _fitting(span: timedelta, least: timedelta) -> timedelta:
    """The narrowest width from `least` on with which a span has at most MOST_POINTS bins, those cut at its ends too."""
    for width in _WIDTHS:
        if width >= least and span / width <= MOST_POINTS - 2:
            return width
    return _WIDTHS[-1]


class SeriesReads(ReadsBase):
    def observations(
        self,
        resident_id: str,
        metric: str,
        start: datetime,
        end: datetime,
        resolution: str,
        cursor: str | None = None,
    ) -> Observations:
        """What was observed in start <= time < end, oldest first.

        `raw`: `{"at", "value", "state", "device_id"}`, 2,000 a page. Otherwise bins
        `{"at" (its begin), "min", "avg", "max", "n", "states"}`, whole ones, so that those at the ends reach beyond the
        span; a bin without a record is left out; `states` counts the records by word where a metric has words. Bins
        are wider than asked for where there would be more than 2,000. `auto`: raw where that fits, else bins that fit.
        """
        if resolution not in RESOLUTIONS:
            raise BadRequestError(f"resolution: one of {', '.join(RESOLUTIONS)}, not {resolution}", field="resolution")
        if end <= start:
            raise BadRequestError("to: must be later than from", field="to")
        wanted: dict[str, Any] = {"resident_id": resident_id, "metric": metric, "start": start, "end": end}
        with self._session() as session:
            # Planned for the span: of hundreds of partitions a few matter.
            session.connection.execute(_OWN_PLAN)
            width = RESOLUTIONS[resolution]
            if resolution == "auto" and not self._fits(session, wanted):
                width = _MINUTE
            if width is None:
                return _raw(session, wanted, cursor)
            if cursor is not None:
                raise BadRequestError("cursor: bins come all at once", field="cursor")
            return _bins(session, wanted, width)

    @staticmethod
    def _fits(session: Session, wanted: dict[str, Any]) -> bool:
        """Whether the records of a span are few enough to be given as they are."""
        span = wanted["end"] - wanted["start"]
        if span > _BY_THE_MINUTE or _since(session)["rolled_minutes"] > wanted["start"]:
            return False
        # Whole minutes: a few records too many are counted at either end, never too few.
        whole = {"start": _floor(wanted["start"], _MINUTE), "end": _ceiling(wanted["end"], _MINUTE)}
        return int(session.value("observations_counted", **_bounded(session, wanted | whole))) <= MOST_POINTS


def _since(session: Session) -> Mapping[str, datetime]:
    """From when on a series is whole. What is older goes by partitions or chunks: some of it may be there still."""
    return dict.fromkeys(_TABLES.values(), _EVER) | {row["series"]: row["since"] for row in session.all("series_since")}


def _kept(wanted: dict[str, Any], since: datetime) -> dict[str, Any]:
    return wanted | {"start": min(max(wanted["start"], since), wanted["end"])}


def _bounded(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """With the times of receipt that can matter: a device's clock may be five minutes ahead, a buffered record a month
    old, and on TimescaleDB a rollup's row lies at the begin of the hour or day in which its records were received.
    """
    start, end = wanted["start"], wanted["end"]
    return wanted | {
        "received_from": start - _AHEAD,
        "rolled_from": start - _AHEAD - _DAY,
        "prompt_until": end + _HOUR,
        "late_until": end + _LATE,
        "waiting_from": session.value("series_waiting") or _NEVER,
    }


def _raw(session: Session, wanted: dict[str, Any], cursor: str | None) -> Observations:
    if cursor is not None:
        (after,) = cursor_values(cursor, [datetime], [None])
        wanted = wanted | {"start": max(wanted["start"], after + timedelta(microseconds=1))}
        if wanted["start"] >= wanted["end"]:
            return Observations([], "raw", 0)
    whole = _bounded(session, _kept(wanted, _since(session)["observations"]))
    rows = session.all("observations_raw", **whole, limit=MOST_POINTS + 1)
    if len(rows) <= MOST_POINTS:
        return Observations([row["view"] for row in rows], "raw", 0)
    # A page ends with all records of its last moment; the next one begins after it.
    last = rows[MOST_POINTS - 1]["observed_at"]
    items = [row["view"] for row in rows if row["observed_at"] < last]
    moment = _bounded(session, wanted | {"start": last, "end": last + timedelta(microseconds=1)})
    items += [row["view"] for row in session.all("observations_raw", **moment, limit=None)]
    return Observations(items, "raw", 0, cursor_text([last]))


def _bins(session: Session, wanted: dict[str, Any], asked: timedelta) -> Observations:
    span = wanted["end"] - wanted["start"]
    width = _fitting(span, asked)
    block = "observations_of_days" if width >= _DAY else "observations_of_hours" if width >= _HOUR else None
    since = _since(session)
    if block is None:
        if since["rolled_minutes"] <= wanted["start"]:
            block = "observations_of_minutes"
        elif span <= _BY_THE_MINUTE:
            block = "observations_of_raw"
        else:
            width, block = _fitting(span, _HOUR), "observations_of_hours"
    whole = {"start": _floor(wanted["start"], width), "end": _ceiling(wanted["end"], width), "width": width}
    rows = session.all(block, **_bounded(session, _kept(wanted | whole, since[_TABLES[block]])))
    unit = "day" if width >= _DAY else "hour" if width >= _HOUR else "minute"
    return Observations([row["view"] for row in rows], unit, int(width.total_seconds()))
