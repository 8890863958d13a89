"""Observations over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub.errors import BadRequestError
from hub.ports.records import Json
from hub.store.reads_base import ReadsBase

__all__ = ["MOST_POINTS", "RESOLUTIONS", "SeriesReads"]

MOST_POINTS = 10_000
RESOLUTIONS: Mapping[str, timedelta | None] = {
    "raw": None,
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}


class SeriesReads(ReadsBase):
    def observations(
        self, resident_id: str, metric: str, start: datetime, end: datetime, resolution: str
    ) -> Sequence[Json]:
        """Points of start <= time < end, oldest first, at most 10,000.

        `raw`: `{"at", "value", "state", "device_id"}`; else `{"at" (start of the bin), "min", "avg", "max", "n"}`, bins
        counted from `start`.
        """
        if resolution not in RESOLUTIONS:
            raise BadRequestError(f"resolution: one of {', '.join(RESOLUTIONS)}, not {resolution}", field="resolution")
        if end <= start:
            raise BadRequestError("to: must be later than from", field="to")
        width = RESOLUTIONS[resolution]
        with self._session() as session:
            rows = session.all(
                "observations_raw" if width is None else "observations_binned",
                resident_id=resident_id,
                metric=metric,
                start=start,
                end=end,
                limit=MOST_POINTS,
                **({} if width is None else {"width": width}),
            )
        return [row["view"] for row in rows]
