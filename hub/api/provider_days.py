"""A provider's own part of what is the district's as a whole: plans of a day, routes, the meals of its stations.

The rows are chosen by the reads (`provider`); here what is left of a row that names others too. Sums of a whole plan
say what the district does and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from hub.api.deps import Caller, Hub
from hub.api.scope import own_responders
from hub.errors import NotFoundError
from hub.ports import Json

__all__ = ["own_meal", "own_plan", "own_plans", "own_round", "own_routes", "own_station", "own_why"]

_PEOPLE = ("responder_id", "with_responder_id")
_MATTERS = ("order_id", "visit_id", "with_visit_id")
_UNNAMED: Mapping[str, tuple[str, str]] = {
    "expired": ("在岗人员的资质已过期", "the credentials of those on duty have expired"),
    "bound": ("已由人工指定，但其不在岗或不符合条件", "given by hand to somebody who is off duty or may not"),
}
"""Reasons that name people in the planner's words, without the names: they may be another provider's."""


def own_plans(hub: Hub, who: Caller, views: Sequence[Json]) -> list[Json]:
    """Plans without their lists, as this person may see them."""
    if who.provider_id is None:
        return list(views)
    people = own_responders(hub, who.provider_id)
    matters = hub.reads.day_matters_of(who.provider_id, _named(event for one in views for event in one["events"]))
    counts = hub.reads.day_counts_of(who.provider_id, [one["id"] for one in views])
    return [_short(one, counts[one["id"]], people, matters) for one in views]


def own_plan(hub: Hub, who: Caller, plan_id: str) -> Json:
    """One plan with its lists. NotFoundError where the provider has no part in it."""
    view = hub.reads.day_plan(plan_id, who.provider_id)
    if view is None:
        raise NotFoundError(f"no plan {plan_id}")
    if who.provider_id is None:
        return view
    people = own_responders(hub, who.provider_id)
    named = _named([*view["events"], *view["unplanned"], *view["conflicts"], *view["changes"]])
    matters = hub.reads.day_matters_of(who.provider_id, named)
    unplanned = [_unnamed(one) for one in view["unplanned"] if one["order_id"] in matters]
    conflicts = [one for one in view["conflicts"] if _theirs(one, people, matters)]
    changes = [
        {**one, "was": _side(one["was"], people), "now": _side(one["now"], people)}
        for one in view["changes"]
        if one["order_id"] in matters
    ]
    counts = hub.reads.day_counts_of(who.provider_id, [plan_id])[view["id"]]
    counts |= {"conflicts": len(conflicts), "changes": len(changes)}
    return {**_short(view, counts, people, matters), "unplanned": unplanned, "conflicts": conflicts, "changes": changes}


def own_routes(who: Caller, views: Sequence[Json]) -> list[Json]:
    """Routes; the trips of a courier with the visits that are shown."""
    if who.provider_id is None:
        return list(views)
    return [
        {
            **one,
            "trips": [
                {**trip, "visits": [visit for visit in trip["visits"] if visit in shown]}
                for trip in one["trips"]
                for shown in [{stop["visit_id"] for stop in one["stops"]}]
            ],
        }
        for one in views
    ]


def own_why(hub: Hub, who: Caller, plan_id: str, visit_id: str, why: Callable[[str, str], Json]) -> Json:
    """Why these carers, with the provider's own people as the alternatives."""
    if who.provider_id is None:
        return why(plan_id, visit_id)
    if hub.reads.day_plan(plan_id, who.provider_id) is None:
        raise NotFoundError(f"no plan {plan_id}")
    if visit_id not in hub.reads.day_matters_of(who.provider_id, [visit_id]):
        raise NotFoundError(f"no visit {visit_id} on this day")
    people, found = own_responders(hub, who.provider_id), why(plan_id, visit_id)
    return {
        **found,
        "responder_ids": [one for one in found["responder_ids"] if one in people],
        "alternatives": [one for one in found["alternatives"] if people.issuperset(one["responder_ids"])],
    }


def own_station(hub: Hub, who: Caller, station_id: str) -> None:
    """NotFoundError where the station is not the provider's; nothing for everybody else."""
    if who.provider_id is None:
        return
    found = hub.reads.record("stations", station_id) if station_id else None
    if found is None or found["provider_id"] != who.provider_id:
        raise NotFoundError(f"no station {station_id}", field="station")


def own_meal(who: Caller, view: Json) -> Json:
    """A meal of an own station, without the emergency that came of it."""
    return view if who.provider_id is None else {**view, "incident_id": None, "incident": None}


def own_round(hub: Hub, who: Caller, view: Json) -> Json:
    """A round of an own station's kitchen. What opens a door is for whoever brings the meal."""
    if who.provider_id is None:
        return view
    own_station(hub, who, view["station_id"])
    trips = [
        {
            **trip,
            "stops": [
                {**stop, "incident_id": None, "resident": {**stop["resident"], "door": None}} for stop in trip["stops"]
            ],
        }
        for trip in view["trips"]
    ]
    return {**view, "trips": trips}


def _short(view: Json, counts: Json, people: Collection[str], matters: Collection[str]) -> Json:
    return {
        **view,
        "events": [
            one for one in view["events"] if _theirs(one, people, matters, among_all=one["kind"] == "road_closed")
        ],
        "progress": {"share": 1, "planned": counts["planned"], "unplanned": counts["unplanned"]},
        "cost": {},
        "baseline": {},
        "counts": {"orders": counts["planned"] + counts["unplanned"], **counts},
        "reason": None,
        "created_by": None,
        "published_by": None,
    }


def _unnamed(left: Json) -> Json:
    zh, en = _UNNAMED.get(left["code"], (left["reason_zh"], left["reason"]))
    return {**left, "reason": en, "reason_zh": zh}


def _named(rows: Iterable[Json]) -> set[str]:
    return {str(row[name]) for row in rows for name in _MATTERS if row.get(name)}


def _theirs(row: Json, people: Collection[str], matters: Collection[str], *, among_all: bool = False) -> bool:
    """Whether everybody and everything it names is the provider's; what names nobody is for `among_all` alone."""
    named = [row[name] in people for name in _PEOPLE if row.get(name)]
    named += [str(row[name]) in matters for name in _MATTERS if row.get(name)]
    return all(named) if named else among_all


def _side(side: Json | None, people: Collection[str]) -> Json | None:
    """One side of a change: as far as it is the provider's people."""
    if side is None:
        return None
    mine = [one for one in side["responder_ids"] if one in people]
    return {**side, "responder_id": mine[0], "responder_ids": mine} if mine else None
