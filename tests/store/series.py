"""Observations for tests, what bins they must make, and the same questions asked of any store."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.ports import ObservationRow
from hub.store import PostgresDatabase, ReadsPostgres, roll_up

__all__ = ["FOREVER", "SPANS", "answers", "expected_bins", "history", "rolled", "write"]

FOREVER = timedelta(days=36_500)
ORIGIN = datetime(2000, 1, 2, 16, tzinfo=UTC)
SPANS = (timedelta(hours=3), timedelta(days=1, hours=7), timedelta(days=6), timedelta(days=45))
RESOLUTIONS = ("raw", "auto", "minute", "hour", "day")


def history(until: datetime, *, days: int = 40, seed: int = 7) -> list[ObservationRow]:
    """Of two residents: numbers with gaps, words, two devices of one metric, prompt, late and buffered records, NaN."""
    chance = random.Random(seed)
    rows: list[ObservationRow] = []
    moment = until - timedelta(days=days)
    while moment < until:
        moment += timedelta(seconds=chance.randrange(200, 5_000))
        if chance.random() < 0.01:
            moment += timedelta(hours=30)  # out of reach
        if moment >= until:
            break
        delay = chance.choice((0.2, 0.9, 3.0, 40.0, 2_000.0, 90_000.0, 20 * 86_400.0, -100.0))
        received = min(moment + timedelta(seconds=delay), until)
        buffered = delay > 60
        for resident in ("R-1", "R-2"):
            value = float("nan") if chance.random() < 0.02 else round(chance.gauss(70, 9), 1)
            device = f"W-{resident}" if chance.random() < 0.8 else f"B-{resident}"
            rows.append(ObservationRow(received, moment, device, resident, "heart_rate_bpm", value, None, buffered))
        word = chance.choice(("walking", "sitting", "lying"))
        rows.append(ObservationRow(received, moment, "W-R-1", "R-1", "activity", None, word, buffered))
    rows.append(ObservationRow(until, until - timedelta(seconds=5), "W-9", None, "heart_rate_bpm", 1.0))
    return sorted(rows)


def write(database: PostgresDatabase, rows: Sequence[ObservationRow], size: int = 100) -> None:
    """In batches, as an intake does it."""
    for at in range(0, len(rows), size):
        with database.begin() as tx:
            tx.series.write([], rows[at : at + size], [])


def rolled(database: PostgresDatabase, now: datetime) -> dict[str, int]:
    """Rolls up whatever waits."""
    return dict(roll_up(database.url, now, minutes_kept=FOREVER, mature=timedelta(0)))


def answers(reads: ReadsPostgres, until: datetime) -> dict[tuple[Any, ...], Any]:
    """Every question worth asking, and its answer; averages rounded, for sums depend on their order."""
    found: dict[tuple[Any, ...], Any] = {}
    for resident, metric in (("R-1", "heart_rate_bpm"), ("R-2", "heart_rate_bpm"), ("R-1", "activity"), ("R-9", "x")):
        for span in SPANS:
            for resolution in RESOLUTIONS:
                for end in (until, until - timedelta(days=9, minutes=7)):
                    answer = reads.observations(resident, metric, end - span, end, resolution)
                    items = [
                        {key: round(value, 6) if isinstance(value, float) else value for key, value in item.items()}
                        for item in answer.items
                    ]
                    found[resident, metric, span, resolution, end] = (answer.resolution, answer.bin_s, items)
    return found


def expected_bins(
    rows: Iterable[ObservationRow], resident: str, metric: str, start: datetime, end: datetime, width: timedelta
) -> list[dict[str, Any]]:
    """What bins say, computed from the records one by one."""
    first, last = start - (start - ORIGIN) % width, end + (ORIGIN - end) % width
    bins: dict[datetime, list[ObservationRow]] = defaultdict(list)
    for row in rows:
        if (row.resident_id, row.metric) == (resident, metric) and first <= row.observed_at < last:
            bins[row.observed_at - (row.observed_at - ORIGIN) % width].append(row)
    made: list[dict[str, Any]] = []
    for at, inside in sorted(bins.items()):
        values = [row.value for row in inside if row.value is not None and row.value == row.value]
        words = sorted(row.state for row in inside if row.state is not None)
        made.append(
            {
                "at": at,
                "min": min(values, default=None),
                "avg": round(sum(values) / len(values), 6) if values else None,
                "max": max(values, default=None),
                "n": len(inside),
                "states": {word: words.count(word) for word in words} or None,
            }
        )
    return made
