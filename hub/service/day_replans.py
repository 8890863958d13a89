"""Something happened today: a new plan around what is frozen, in seconds; and what speaks against a swap or a move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

from hub.clock import Clock, IdSource, monotonic
from hub.errors import BadRequestError, ConflictError
from hub.ports import Actor, Database, DayPlanRow, Json, Transaction
from hub.service.day_checks import against
from hub.service.day_events import edits_of, moved_by
from hub.service.day_facts import DayFacts, Standing, gather
from hub.service.day_outcome import standings
from hub.service.day_plans import plan_of

__all__ = ["REPLAN_SECONDS", "DayReplans"]

REPLAN_SECONDS = 0.8
"""Of search, where nobody said: little is disturbed, and somebody waits."""
_WAIT_S = 10.0
_LOOK_EVERY_S = 0.05


class DayReplans:
    """`pause` waits so many seconds: a planner elsewhere is at work meanwhile."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, pause: Callable[[float], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._pause = pause

    def check(self, day: date, event: Mapping[str, Any], on: str | None = None) -> Json:
        """What speaks against a swap or a move; nothing is changed."""
        with self._database.begin() as tx:
            facts, stands, _, before = self._standing(tx, day, on)
        stands = after_moves(facts, before, stands)
        moved = moved_by(facts, event, stands)
        found = against(facts, moved, stands)
        return {"allowed": not any(one["hard"] for one in found), "conflicts": found}

    def replan(
        self,
        day: date,
        events: Sequence[Mapping[str, Any]],
        actor: Actor,
        *,
        seconds: float | None = None,
        on: str | None = None,
        wait_s: float = _WAIT_S,
    ) -> str:
        """Plans the rest of the day around what happened; gives the new plan's id, ready as a rule.

        BadRequestError where an event names what is not of this day; ConflictError `rule` with `conflicts` where a
        swap or a move breaks a hard rule, `too-late` where it has begun.
        """
        today = self._clock().astimezone(self._zone).date()
        if day < today:
            raise BadRequestError("this day is past", field="date")
        now = self._clock()
        with self._database.begin() as tx:
            facts, stands, base, before = self._standing(tx, day, on)
            self._refuse(facts, events, after_moves(facts, before, stands))
            events = [*before, *(_plain(event) for event in events)]
            edits_of(facts, events, stands)  # whatever does not fit is said at once
            row = DayPlanRow(
                id=self._new_id(),
                day=day,
                state="running",
                seconds=seconds or REPLAN_SECONDS,
                created_at=now,
                based_on=base,
                events=tuple(events),
                created_by=actor.user_id,
                progress={"share": 0.0},
            )
            tx.day_plans.insert(row)
            kinds = [str(event["kind"]) for event in events]
            tx.audit.add(
                actor, "day_plans.replan", f"day_plans:{row.id}", {"day": day.isoformat(), "events": kinds}, now
            )
        self._wait(row.id, wait_s)
        return row.id

    def _standing(
        self, tx: Transaction, day: date, on: str | None
    ) -> tuple[DayFacts, Mapping[str, Standing], str | None, tuple[Mapping[str, Any], ...]]:
        """The day, who goes when, the plan that says so, and what has happened to it since.

        On a plan that is itself made around events these happen again, with the new ones behind them: nobody who is ill
        in it comes back.
        """
        facts = gather(tx, day, self._zone, self._clock())
        newest = max(facts.published, key=lambda row: row.published_at or row.created_at, default=None)
        standing = facts, facts.standing, newest.id if newest is not None else None
        if on is None:
            return *standing, ()
        row = plan_of(tx, on)
        if row.day != day:
            raise BadRequestError("the plan is of another day", field="on")
        if row.state == "published":
            return *standing, ()
        if row.state != "ready":
            raise ConflictError(f"the plan is {row.state}: nothing can be based on it", state=row.state)
        events = row.events
        if events:
            base = tx.day_plans.get(row.based_on) if row.based_on is not None else None
            if base is None or base.state != "ready":
                return *standing, events
            row = base
        found = standings(facts, tx.day_plans.routes([row.id]))
        return facts, {visit_id: one for visit_id, one in found.items() if visit_id in facts.orders}, row.id, events

    @staticmethod
    def _refuse(facts: DayFacts, events: Sequence[Mapping[str, Any]], stands: Mapping[str, Standing]) -> None:
        hard: list[Json] = []
        for event in events:
            if event["kind"] in ("swap", "move"):
                hard += [one for one in against(facts, moved_by(facts, event, stands), stands) if one["hard"]]
        if hard:
            raise ConflictError(
                "; ".join(one["reason"] for one in hard[:5]),
                code="rule",
                conflicts=hard,
                said_zh="；".join(one["reason_zh"] for one in hard[:5]),
            )

    def _wait(self, plan_id: str, wait_s: float) -> None:
        until = monotonic() + wait_s
        while monotonic() < until:
            self._pause(_LOOK_EVERY_S)
            with self._database.begin() as tx:
                row = tx.day_plans.get(plan_id)
            if row is None or row.state != "running":
                return


def after_moves(
    facts: DayFacts, events: Sequence[Mapping[str, Any]], stands: Mapping[str, Standing]
) -> Mapping[str, Standing]:
    """What stands after earlier swaps and moves."""
    now = dict(stands)
    for event in events:
        if event["kind"] in ("swap", "move"):
            now.update(moved_by(facts, event, now))
    return now


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """Times as text, as they are kept."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in event.items()}
