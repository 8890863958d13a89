"""Responders and requests for the tests of the dispatch room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dispatch import Candidate, HaversineTravel, Place, Request, Responder, propose

NOW = datetime(2026, 3, 1, 2, 14, tzinfo=UTC)
HOME = Place(31.3300, 118.3800)
METRE = 1 / 111_195  # degrees of latitude


def north(metres: float) -> Place:
    return Place(HOME.lat + metres * METRE, HOME.lon)


def responder(name: str = "sun", metres: float | None = 500, **changes: Any) -> Responder:
    base = Responder(
        id=name,
        name=name,
        kind="grid_officer",
        skills={"first_response": None},
        sex="f",
        area_ids=frozenset({"grid-3"}),
        place=None if metres is None else north(metres),
    )
    return replace(base, **changes)


def request(**changes: Any) -> Request:
    base = Request(
        resident_id="R-1",
        place=HOME,
        area_path=("district", "street", "community", "grid-3", "mg-7"),
        any_skills=frozenset({"first_response", "nursing"}),
    )
    return replace(base, **changes)


def ranked(asked: Request, *people: Responder) -> tuple[Candidate, ...]:
    return propose(asked, people, now=NOW, travel=HaversineTravel())


def one(asked: Request, person: Responder) -> Candidate:
    return ranked(asked, person)[0]


def codes(candidate: Candidate) -> list[str]:
    return [reason.code for reason in candidate.reasons]
