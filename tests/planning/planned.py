"""Plans a made-up day in the process of the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub.clock import monotonic
from hub.planning import day_file, day_plan

__all__ = ["planned"]


def planned(problem: dict[str, Any], seconds: float = 0.08, seed: int = 1) -> dict[str, Any]:
    """The answer as a reader of the file would see it."""
    read = day_file.read(Path("day.json"), json.dumps(problem).encode())
    found = day_plan.plan_day(read.day, until=monotonic() + seconds, seed=seed, threads=1)
    answer: dict[str, Any] = json.loads(json.dumps(day_plan.shown(read, found, lambda: seconds)))
    return answer
