"""Planning as a job: takes a plan that is wanted, makes its problem, keeps what comes back. Whoever searches is another
process; this is what happens before and after, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Any

from dispatch import HaversineTravel, Travel
from dispatch.plan.day import Stop
from hub.clock import Clock, IdSource
from hub.errors import UnavailableError
from hub.planning.ask import DayAnswer, DayAsk
from hub.planning.ways import Ways
from hub.ports import Database, DayPlanRow, Json
from hub.service.day_carers import BASE_MODE
from hub.service.day_checks import against, conflict
from hub.service.day_events import edits_of
from hub.service.day_facts import DayFacts, Standing, gather
from hub.service.day_missing import missing
from hub.service.day_outcome import changes, routes_of, standings, unplanned
from hub.service.day_problem import DayEdits, DayProblem, build, plannable
from hub.service.day_ways import RoadWays

__all__ = ["DEAD_AFTER", "DayPlanning", "DayWork", "before_of", "scope_of"]

DEAD_AFTER = timedelta(seconds=30)
"""A plan whose process gave no sign for so long is taken by another."""
MOST_TRIES = 3
_KEPT = timedelta(days=30)
_LEAST_S, _READING_S = 0.3, 1.5
_ASKING_S = 120.0
"""What asking the road network may take, overnight; in the day what is remembered must do."""
_SIGN_EVERY = timedelta(seconds=5)
"""So often whoever asks the road network says that it still does."""


@dataclass(frozen=True, slots=True)
class DayWork:
    """A plan that is being made: what it is made of, and what the planner is asked."""

    row: DayPlanRow
    facts: DayFacts
    problem: DayProblem
    ask: DayAsk
    edits: DayEdits


def scope_of(facts: DayFacts, areas: Sequence[str], kinds: Sequence[str]) -> frozenset[str]:
    """The visits a fresh plan is about."""
    return frozenset(
        visit_id
        for visit_id, one in facts.orders.items()
        if plannable(one)
        and one.order.state in ("requested", "assigned")
        and (not areas or not set(areas).isdisjoint(one.area_path))
        and (not kinds or one.order.kind in kinds)
    )


def before_of(stands: Mapping[str, Standing]) -> dict[str, tuple[Stop, ...]]:
    """What stands as the planner's plan before: carer to stops."""
    found: dict[str, list[Stop]] = {}
    for visit_id, one in stands.items():
        for part, (carer, start, end) in enumerate(zip(one.carers, one.starts, one.ends, strict=True), 1):
            stop = Stop(visit_id, start, start, end, part if len(one.carers) > 1 else 0)
            found.setdefault(carer, []).append(stop)
    return {carer: tuple(sorted(stops, key=lambda stop: stop.start)) for carer, stops in found.items()}


class DayPlanning:
    """What a job does with plans that are wanted. `travel`: how ways are estimated."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        zone: tzinfo,
        *,
        travel: Travel | None = None,
        threads: int = 2,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._roads = RoadWays(travel or HaversineTravel(), BASE_MODE)
        self._threads = threads

    def claim(self, runner: str, *, replans: bool) -> DayPlanRow | None:
        """The next plan to be made; one that was begun three times and never finished fails."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.day_plans.claim(runner, now, now - DEAD_AFTER, replans=replans)
            if row is not None and row.tries > MOST_TRIES:
                reason = "planning was begun three times and never came to an end"
                self._end(tx.day_plans.save, row, reason)
                return None
        return row

    def work(self, row: DayPlanRow) -> DayWork:
        """Reads the day and makes the problem. BadRequestError, ConflictError where an event does not fit it."""
        with self._database.begin() as tx:
            facts = gather(tx, row.day, self._zone, self._clock())
            base = tx.day_plans.get(row.based_on) if row.based_on else None
            routes = tx.day_plans.routes([base.id]) if base is not None and base.state == "ready" else None
        if not row.events:
            scope, edits = scope_of(facts, row.area_ids, row.kinds), DayEdits()
            problem = build(facts, scope, travel=self._roads.estimate)
        else:
            stands = dict(facts.standing) if routes is None else standings(facts, routes)
            stands = {visit_id: one for visit_id, one in stands.items() if visit_id in facts.orders}
            edits = edits_of(facts, row.events, stands)
            left = self._left(facts, base, stands)
            scope = frozenset({*stands, *left, *edits.urgent, *edits.pinned} - edits.gone)
            problem = build(
                facts,
                scope,
                edits=edits,
                before=before_of(stands),
                left_out=left - edits.urgent,
                travel=self._roads.estimate,
            )
        asking_s = _ASKING_S if not row.events else 0.0
        ways = replace(problem.ways, known=self._roads.known(problem.ways.places, asking_s, self._signs(row)))
        seconds = row.seconds
        if row.events:  # somebody waits: what reading and asking took is the search's loss
            seconds = max(_LEAST_S, seconds - max(0.0, (self._clock() - row.created_at).total_seconds() - _READING_S))
        ask = DayAsk(problem.day, ways, seconds, row.seed, self._threads, baseline=not row.events)
        return DayWork(row, facts, problem, ask, edits)

    def _signs(self, row: DayPlanRow) -> Callable[[], None]:
        """Signs of life while the road network is asked: that alone may take longer than one is waited for."""
        last = self._clock()

        def sign() -> None:
            nonlocal last
            now = self._clock()
            if now - last >= _SIGN_EVERY:
                last = now
                with suppress(UnavailableError), self._database.begin() as tx:
                    tx.day_plans.beat(row.id, row.runner or "", row.progress, now)

        return sign

    @staticmethod
    def _left(facts: DayFacts, base: DayPlanRow | None, stands: Mapping[str, Standing]) -> frozenset[str]:
        """What the plans so far left out: it may find a place now, and need not."""
        plans: Iterable[DayPlanRow] = [base] if base is not None and base.state == "ready" else facts.published
        named = {str(item["visit_id"]) for plan in plans for item in plan.unplanned}
        return frozenset(
            visit_id
            for visit_id in named
            if visit_id in facts.orders and visit_id not in stands and plannable(facts.orders[visit_id])
        )

    def beat(self, work: DayWork, runner: str, progress: Mapping[str, Any]) -> bool:
        """A sign of life. False: it was cancelled, or is somebody else's by now."""
        with self._database.begin() as tx:
            return tx.day_plans.beat(work.row.id, runner, progress, self._clock())

    def finish(self, work: DayWork, runner: str, answer: DayAnswer, seconds: float) -> bool:
        """Keeps the plan: it is ready. False: it was cancelled meanwhile, or is somebody else's."""
        facts, problem = work.facts, work.problem
        routes = routes_of(facts, problem, answer, work.row.id, self._new_id)
        new = standings(facts, routes)
        left = unplanned(facts, problem, answer)
        found = changes(facts, new, {*problem.scope, *work.edits.gone})
        clashes = self._conflicts(work, answer, new)
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.day_plans.get(work.row.id, lock=True)
            if row is None or row.state != "running" or row.runner != runner:
                return False
            planned = len(new)
            tx.day_plans.put_routes(routes)
            tx.day_plans.save(
                replace(
                    row,
                    state="ready",
                    runner=None,
                    cost=answer.cost,
                    baseline=answer.baseline,
                    unplanned=tuple(left),
                    conflicts=tuple(clashes),
                    changes=tuple(found),
                    counts={
                        "orders": planned + len(left),
                        "responders": len(problem.day.carers),
                        "planned": planned,
                        "unplanned": len(left),
                        "frozen": len(problem.frozen),
                        "conflicts": len(clashes),
                        "changes": len(found),
                    },
                    progress={
                        "share": 1.0,
                        "cost": answer.cost.get("total"),
                        "planned": planned,
                        "unplanned": len(left),
                        "seconds": round(seconds, 2),
                        "missing": missing(facts, answer.missing),
                    },
                    finished_at=now,
                    version=row.version + 1,
                )
            )
        return True

    def _conflicts(self, work: DayWork, answer: DayAnswer, new: Mapping[str, Standing]) -> list[Json]:
        facts = work.facts
        moved = {visit_id: new[visit_id] for visit_id in work.edits.pinned if visit_id in new}
        found = against(facts, moved, new)
        for visit_id, _ in answer.conflicts:
            one = facts.orders[visit_id]
            if visit_id in moved or one.on_trip or work.problem.frozen.get(visit_id) == "started":
                continue
            stands = new.get(visit_id)
            own = against(facts, {visit_id: stands}, new) if stands is not None else []
            found += own or [
                conflict(
                    "frozen",
                    "已锁定，但按现有路程赶不到或违反规则",
                    "it does not move, but cannot be reached in time or breaks a rule",
                    one=one,
                    carer=stands.carers[0] if stands else None,
                )
            ]
        return found

    def fail(self, row: DayPlanRow, runner: str, reason: str) -> None:
        """It cannot be planned."""
        with self._database.begin() as tx:
            now = tx.day_plans.get(row.id, lock=True)
            if now is not None and now.state == "running" and now.runner == runner:
                self._end(tx.day_plans.save, now, reason)

    def _end(self, save: Any, row: DayPlanRow, reason: str) -> None:
        save(
            replace(
                row,
                state="failed",
                reason=reason,
                runner=None,
                finished_at=self._clock(),
                version=row.version + 1,
            )
        )

    def release(self, row: DayPlanRow, runner: str, *, again: bool = False) -> None:
        """Gives a plan back that was not finished: whoever is there begins it at once. `again`: the try counts."""
        with self._database.begin() as tx:
            now = tx.day_plans.get(row.id, lock=True)
            if now is not None and now.state == "running" and now.runner == runner:
                tx.day_plans.save(replace(now, runner=None, tries=now.tries - (not again)))

    def tidy(self) -> int:
        """Forgets old plans that never became real."""
        with self._database.begin() as tx:
            return tx.day_plans.prune(self._clock() - _KEPT)

    def ways_today(self) -> Ways | None:
        """The ways of today, where a plan of it stands: something may happen to it, and somebody will wait."""
        now = self._clock()
        today = now.astimezone(self._zone).date()
        with self._database.begin() as tx:
            if not tx.day_plans.of_day(today, ["published", "ready"]):
                return None
            facts = gather(tx, today, self._zone, now)
        problem = build(facts, scope_of(facts, (), ()), travel=self._roads.estimate)
        return replace(problem.ways, known=self._roads.known(problem.ways.places, _ASKING_S))
