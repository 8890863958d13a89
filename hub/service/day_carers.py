"""The people of a day as the planner's carers: hours, pauses, vehicles, where they begin, what they may do. Pure.

Skills become words of our own, so that every rule that says who may do what is one comparison of sets in the planner:
`kind:K` (has the skills of the kind, credentials valid through the day), `at:A` (serves the area), `by:P` (works for
the provider), `who:R` (is the person somebody chose by hand).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from dispatch import DEFAULT_PACE, Reason, Request, Responder, judge
from dispatch.eligibility import area_served, has_any_skill, has_skills, volunteers_low_risk
from dispatch.plan.day import Break, Carer, Visit
from hub.ports import DayCarer, DayOrder
from hub.service.day_facts import DayFacts
from hub.service.whose import may_have

__all__ = ["BASE_MODE", "RELOAD", "People", "Places", "kind_reasons"]

BASE_MODE: Literal["bike"] = "bike"
"""The table of ways is that of somebody who rides; everybody else has a pace beside it."""
LUNCH = Break(11 * 3600, 13 * 3600 + 1800, 1800)
LATE_LUNCH = Break(13 * 3600, 15 * 3600, 1800)
SUPPER = Break(17 * 3600, 19 * 3600, 1800)
LONG_DUTY = 6 * 3600
VERY_LONG_DUTY = 10 * 3600
"""Half an hour at noon for whoever works six hours across it (couriers: after their rounds), in the evening for ten."""
CAPACITY: Mapping[str, float] = {"foot": 6, "bike": 20, "car": 40, "van": 80}
"""Meals at once, by the vehicle."""
TRIPS, RELOAD = 4, 600


class Places:
    """Numbers the places of a day."""

    def __init__(self) -> None:
        self.at: dict[tuple[float, float], int] = {}

    def number(self, lat: float, lon: float) -> int:
        return self.at.setdefault((round(lat, 6), round(lon, 6)), len(self.at))


def _responder(carer: DayCarer) -> Responder:
    sex: Any = carer.sex
    return Responder(carer.id, carer.name, carer.kind, skills=carer.skills, sex=sex, area_ids=carer.area_ids)


def kind_reasons(facts: DayFacts, one: DayOrder, carer: DayCarer) -> tuple[Reason, ...]:
    """What speaks against a carer for an order whatever the time: skills, their papers, the area served."""
    request = Request(
        resident_id=one.order.resident_id,
        place=None,
        area_path=one.area_path,
        urgent=False,
        skills=frozenset(one.kind.get("skills") or ()),
        any_skills=frozenset(one.kind.get("any_skills") or ()),
        kind=one.order.kind,
    )
    who = replace(_responder(carer), area_ids=facts.served.get(carer.id, carer.area_ids))
    return judge(request, who, facts.day, (has_skills, has_any_skill, area_served, volunteers_low_risk))


class People:
    """Makes carers. `kinds`, `areas`: an order of each kind, one in each area; `absent`: carer -> spans not there."""

    def __init__(
        self,
        facts: DayFacts,
        places: Places,
        *,
        kinds: Mapping[str, DayOrder],
        areas: Mapping[str, DayOrder],
        absent: Mapping[str, tuple[tuple[int, int], ...]],
        speed_mps: float,
    ) -> None:
        self.facts, self.places, self.speed = facts, places, speed_mps
        self.kinds, self.areas, self.absent = kinds, areas, absent

    def carers(self, visits: Iterable[Visit]) -> list[Carer]:
        visits = list(visits)
        promised: dict[str, list[tuple[int, int]]] = {}
        for visit in visits:
            if visit.frozen is not None:
                for carer, start, long in zip(visit.frozen.carers, visit.frozen.starts, visit.seconds, strict=True):
                    promised.setdefault(carer, []).append((start, start + long))
        by_word = self._able()
        found: list[Carer] = []
        for carer_id, person in self.facts.carers.items():
            spans = self._spans(carer_id)
            if not spans and carer_id not in promised:
                continue
            words = {word for word, able in by_word.items() if carer_id in able} if spans else set()
            if not any(word.startswith("kind:") for word in words) and carer_id not in promised:
                continue
            if not spans:  # not on the rota: there for what was promised, and for nothing else
                spans = ((min(s for s, _ in promised[carer_id]), max(e for _, e in promised[carer_id])),)
            found.append(self._carer(person, spans, frozenset(words | {f"who:{carer_id}"}), promised))
        return found

    def _spans(self, carer_id: str) -> tuple[tuple[int, int], ...]:
        spans = self.facts.spans.get(carer_id, ())
        for low, high in self.absent.get(carer_id, ()):
            spans = tuple(
                part
                for start, end in spans
                for part in ((start, min(end, low)), (max(start, high), end))
                if part[0] < part[1]
            )
        return spans

    def _able(self) -> dict[str, frozenset[str]]:
        """Word -> the carers it is true of."""
        people = [carer for carer in self.facts.carers.values() if carer.id in self.facts.spans]
        found: dict[str, frozenset[str]] = {}
        for kind, one in self.kinds.items():
            bare = replace(one, area_path=())
            found[f"kind:{kind}"] = frozenset(p.id for p in people if not kind_reasons(self.facts, bare, p))
        served = {p.id: self.facts.served.get(p.id, p.area_ids) for p in people}
        for area, one in self.areas.items():
            path = frozenset(one.area_path)
            found[f"at:{area}"] = frozenset(
                p.id for p in people if not served[p.id] or not served[p.id].isdisjoint(path)
            )
        for provider in {p.provider_id for p in people if p.provider_id}:
            found[f"by:{provider}"] = frozenset(p.id for p in people if may_have(provider, p.provider_id))
        return found

    def _carer(
        self,
        carer: DayCarer,
        spans: tuple[tuple[int, int], ...],
        words: frozenset[str],
        promised: Mapping[str, list[tuple[int, int]]],
    ) -> Carer:
        shift = (spans[0][0], spans[-1][1])
        between = tuple(
            Break(end, start, start - end)
            for (_, end), (start, _) in pairwise(spans)
            if not any(low < start and high > end for low, high in promised.get(carer.id, ()))
        )
        station = self.facts.stations.get(carer.station_id or "")
        courier = station is not None and station.kind == "meal_point"
        home = self._home(carer)
        begin, since = self._last(carer, home, shift[0])
        pace = DEFAULT_PACE[carer.mode if carer.mode in DEFAULT_PACE else BASE_MODE]  # type: ignore[index]
        return Carer(
            id=carer.id,
            shift=(since, max(since, shift[1])),
            skills=words,
            sex=carer.sex,
            breaks=tuple(
                sorted((*between, *_meals(spans, courier)), key=lambda one: (one.latest - one.seconds, one.earliest))
            ),
            start=home if courier else begin,
            end=home,
            depot=home,
            depot_id=carer.station_id if station is not None else None,
            crew=carer.crew_id,
            capacity=CAPACITY.get(carer.mode, CAPACITY["bike"]) if courier else None,
            max_trips=TRIPS if courier else 1,
            pace=self.speed / pace.speed_mps,
            extra=round(pace.fixed_s),
        )

    def _home(self, carer: DayCarer) -> int:
        """Where a day begins and ends: the station, else the person's own place, else the middle of it all."""
        station = self.facts.stations.get(carer.station_id or "")
        if station is not None:
            return self.places.number(station.lat, station.lon)
        if carer.lat is not None and carer.lon is not None:
            return self.places.number(carer.lat, carer.lon)
        known = [
            (one.lat, one.lon) for one in self.facts.orders.values() if one.lat is not None and one.lon is not None
        ]
        if not known:
            return self.places.number(0.0, 0.0)
        return self.places.number(sum(lat for lat, _ in known) / len(known), sum(lon for _, lon in known) / len(known))

    def _last(self, carer: DayCarer, home: int, since: int) -> tuple[int, int]:
        """Where somebody is who has been at work today, and from when on free."""
        if carer.id not in self._done:
            return home, since
        at, lat, lon = self._done[carer.id]
        return self.places.number(lat, lon), max(since, at)

    @cached_property
    def _done(self) -> dict[str, tuple[int, float, float]]:
        """When and where each carer finished the latest visit of today."""
        found: dict[str, tuple[int, float, float]] = {}
        if self.facts.now is None:
            return found
        for one in self.facts.orders.values():
            if one.lat is None or one.lon is None:
                continue
            for row in one.assignments:
                if row.state == "completed" and row.ended_at is not None:
                    at = self.facts.second(row.ended_at)
                    if at >= 0 and (row.responder_id not in found or found[row.responder_id][0] < at):
                        found[row.responder_id] = at, one.lat, one.lon
        return found


def _meals(spans: tuple[tuple[int, int], ...], courier: bool) -> list[Break]:
    """The pauses a person has, where no gap in the duty is one already."""
    found = []
    for low, high in spans:
        for one, long in ((LATE_LUNCH if courier else LUNCH, LONG_DUTY), (SUPPER, VERY_LONG_DUTY)):
            if high - low >= long and low <= one.earliest and high >= one.latest:
                found.append(one)
    return found
