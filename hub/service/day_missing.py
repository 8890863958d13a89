"""Who is missing on a day, as pages show it: so many more people of a kind, from where, from when to when. Pure."""

from __future__ import annotations

from hub.planning.ask import DayMissing
from hub.ports import Json
from hub.service.day_facts import DayFacts

__all__ = ["missing"]


def missing(facts: DayFacts, found: tuple[DayMissing, ...]) -> list[Json]:
    """Each with the visits that those people would take, most visits each first."""
    shown: list[Json] = []
    for one in found:
        station = facts.stations.get(one.depot_id or "")
        first = facts.orders[one.visits[0]]
        shown.append(
            {
                "kind": first.order.kind,
                "station": None if station is None else {"id": station.id, "name": station.name},
                "sex": one.sex,
                "people": one.people,
                "from": facts.at(one.start),
                "to": facts.at(one.end),
                "visit_ids": list(one.visits),
            }
        )
    return shown
