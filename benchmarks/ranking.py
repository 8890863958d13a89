"""Whom to send, out of a whole district: the pure ranking, and the question with the database in it.

`rank_*` is processor time of the recommendation alone (reasons and all) for 5,000 people of mixed skills, and for 5,000
who could all go; `ask_*` is the wall clock from the question to the answer, the register read from PostgreSQL.
"""

from __future__ import annotations

import cProfile
import pstats
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from dispatch import HaversineTravel, Mode, Place, Request, Responder, propose, recommend
from hub.store import PostgresDatabase

__all__ = ["PEOPLE", "crowd", "measure"]

PEOPLE = 5_000
_HOME = Place(31.33, 118.38)
_NOW = datetime(2026, 3, 1, 2, 14, tzinfo=UTC)
_SKILLS: tuple[dict[str, None], ...] = (
    {"first_response": None},
    {"nursing": None, "first_aid": None},
    {"care": None},
    {"meal_delivery": None},
)
_MODES: tuple[Mode, ...] = ("foot", "bike", "car", "van")
_ASKED = Request(
    resident_id="R-1",
    place=_HOME,
    area_path=("district", "street", "community", "grid-3", "mg-7"),
    any_skills=frozenset({"first_response", "first_aid", "nursing"}),
)


def crowd(people: int = PEOPLE, *, all_able: bool = False, seed: int = 1) -> list[Responder]:
    """People within about 20 km, by a seed; `all_able`: every one of them could go."""
    rng = random.Random(seed)
    return [
        Responder(
            id=f"p{number}",
            name=f"p{number}",
            kind="grid_officer",
            skills=_SKILLS[0] if all_able else rng.choice(_SKILLS),
            area_ids=frozenset({"district" if all_able else rng.choice(("grid-3", "community", "street", "grid-9"))}),
            place=Place(_HOME.lat + rng.uniform(-0.2, 0.2), _HOME.lon + rng.uniform(-0.2, 0.2)),
            mode=rng.choice(_MODES),
            on_duty=all_able or rng.random() < 0.9,
            busy=not all_able and rng.random() < 0.1,
            live=rng.choice((0, 0, 0, 1, 2)),
        )
        for number in range(people)
    ]


def _times(people: Sequence[Responder], rounds: int, *, whole: bool = False) -> list[float]:
    travel, took = HaversineTravel(), []
    for _ in range(rounds):
        began = time.process_time()
        if whole:
            propose(_ASKED, people, now=_NOW, travel=travel)
        else:
            recommend(_ASKED, people, now=_NOW, travel=travel, preserve=True)
        took.append((time.process_time() - began) * 1_000)
    return sorted(took)


def profile(people: Sequence[Responder], rounds: int = 20) -> str:
    """Where the time goes, as cProfile has it."""
    with cProfile.Profile() as profiler:
        _times(people, rounds)
    text = StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(12)
    return text.getvalue()


def measure(rounds: int = 100, url: str | None = None, folder: Path | None = None) -> dict[str, Any]:
    """Milliseconds; `url`: also with the register of a fresh database; `folder`: a profile is left there."""
    mixed, able = _times(crowd(), rounds), _times(crowd(all_able=True), rounds)
    found: dict[str, Any] = {
        "people": PEOPLE,
        "rank_p50_ms": mixed[rounds // 2],
        "rank_p99_ms": mixed[rounds * 99 // 100],
        "rank_all_able_p50_ms": able[rounds // 2],
        "judge_everybody_p50_ms": _times(crowd(), max(3, rounds // 10), whole=True)[max(3, rounds // 10) // 2],
    }
    if url is not None:
        found |= _asked(url, max(5, rounds // 10))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ranking.profile.txt").write_text(profile(crowd()), encoding="utf-8")
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()}


def _asked(url: str, rounds: int) -> dict[str, Any]:
    people = crowd()
    with PostgresDatabase(url) as database:
        with database.begin() as tx:
            tx.reference.upsert("areas", [{"id": "district", "kind": "district", "name": "x"}])
            tx.reference.upsert(
                "responders",
                [
                    {
                        "id": one.id,
                        "name": one.name,
                        "kind": one.kind,
                        "skills": [{"skill": skill, "expires_on": None} for skill in one.skills],
                        "area_ids": ["district"],
                        "lat": one.place.lat if one.place else None,
                        "lon": one.place.lon if one.place else None,
                        "mode": one.mode,
                        "on_duty": one.on_duty,
                    }
                    for one in people
                ],
            )
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            with database.begin() as tx:
                register = tx.responders.on_duty(["district"], _NOW)
            recommend(_ASKED, register, now=_NOW, travel=HaversineTravel(), preserve=True)
            took.append((time.perf_counter() - began) * 1_000)
        return {"ask_p50_ms": sorted(took)[rounds // 2]}


if __name__ == "__main__":
    print(measure())
    print(profile(crowd()))
