"""What holds of every day the hub plans, whatever is in it: the pure parts, with the planner itself."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.planning.ask import DayAnswer, DayAsk
from hub.planning.ways import Closure, Tables, Ways, crosses, table
from hub.service.day_checks import forbidden
from hub.service.day_events import edits_of, moved_by
from hub.service.day_facts import DayFacts, Standing
from hub.service.day_outcome import changes, routes_of, standings, unplanned
from hub.service.day_planning import before_of, scope_of
from hub.service.day_problem import DayEdits, DayProblem, build
from hub.service.day_publishing import promise_of
from tests.planning.day_facts import MIDNIGHT, facts_of, standing_in

RELAXED = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _answer(problem: DayProblem, seconds: float = 0.05) -> DayAnswer:
    from hub.planning.child import answer_of  # noqa: PLC0415 - after the machine code was found its folder

    ask = DayAsk(problem.day, problem.ways, seconds, threads=1, baseline=False)
    return answer_of(ask, table, lambda _cost, _share: None, lambda: False)


def _planned(facts: DayFacts) -> tuple[DayProblem, DayAnswer, dict[str, Standing]]:
    problem = build(facts, scope_of(facts, (), ()))
    answer = _answer(problem)
    routes = routes_of(facts, problem, answer, "plan", lambda: "route")
    return problem, answer, standings(facts, routes)


def _ids() -> Any:
    return st.integers(0, 10_000)


@RELAXED
@given(_ids())
def test_everything_is_planned_by_the_rules_or_says_why(seed: int) -> None:
    facts = facts_of(seed)
    problem, answer, stands = _planned(facts)
    left = unplanned(facts, problem, answer)
    assert sorted([*stands, *(item["visit_id"] for item in left)]) == sorted(facts.orders)
    assert all(item["reason"] and item["reason_zh"] and item["code"] for item in left)
    days: dict[str, list[tuple[int, int]]] = {}
    for visit_id, has in stands.items():
        one = facts.orders[visit_id]
        assert len(has.carers) == one.order.carers == len(set(has.carers))
        for carer, start, end in zip(has.carers, has.starts, has.ends, strict=True):
            assert forbidden(facts, one, facts.carers[carer]) == []
            assert facts.second(one.order.wanted_from) <= start
            assert any(low <= start and end <= high for low, high in facts.spans[carer])
            days.setdefault(carer, []).append((start, end))
    for day in days.values():
        day.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(day))


@RELAXED
@given(_ids(), st.data())
def test_what_is_frozen_never_moves_whatever_happens(seed: int, data: st.DataObject) -> None:
    facts = facts_of(seed)
    _, _, stands = _planned(facts)
    accepted = frozenset(visit_id for visit_id in stands if data.draw(st.booleans()))
    now = data.draw(st.integers(400, 900))
    facts = standing_in(facts_of(seed, now_min=now), stands, accepted=accepted)
    ill = data.draw(st.sampled_from(sorted(facts.carers)))
    events = [{"kind": "ill", "responder_id": ill, "from": facts.at(now * 60), "until": None}]
    edits = edits_of(facts, events, facts.standing)
    assert all(ill in stands[visit_id].carers for visit_id in edits.released)
    problem = build(facts, frozenset(stands), edits=edits, before=before_of(facts.standing))
    routes = routes_of(facts, problem, _answer(problem), "again", lambda: "route")
    new = standings(facts, routes)
    for visit_id in problem.frozen:
        assert new[visit_id].carers == facts.standing[visit_id].carers
        assert new[visit_id].starts == facts.standing[visit_id].starts
    for visit_id in accepted - edits.released:
        assert visit_id in problem.frozen
    after = now * 60
    for visit_id, has in new.items():
        if visit_id not in problem.frozen:
            assert ill not in has.carers or all(
                start < after for carer, start in zip(has.carers, has.starts, strict=True) if carer == ill
            )
    told = {change["visit_id"] for change in changes(facts, new, stands)}
    assert told.isdisjoint(problem.frozen)


@RELAXED
@given(_ids(), st.data())
def test_planning_again_when_nothing_happened_changes_nothing(seed: int, data: st.DataObject) -> None:
    facts = facts_of(seed)
    _, _, stands = _planned(facts)
    accepted = frozenset(visit_id for visit_id in stands if data.draw(st.booleans()))
    facts = standing_in(facts_of(seed, now_min=300), stands, accepted=accepted)
    assert facts.standing == stands
    problem = build(facts, frozenset(stands), edits=DayEdits(), before=before_of(facts.standing))
    answer = _answer(problem)
    new = standings(facts, routes_of(facts, problem, answer, "again", lambda: "route"))
    assert new == stands
    assert changes(facts, new, facts.orders) == []


@RELAXED
@given(_ids(), st.data())
def test_a_move_puts_a_visit_where_it_was_put(seed: int, data: st.DataObject) -> None:
    facts = facts_of(seed)
    _, _, stands = _planned(facts)
    if not stands:
        return
    facts = standing_in(facts_of(seed, now_min=300), stands, accepted=frozenset())
    visit_id = data.draw(st.sampled_from(sorted(stands)))
    start = data.draw(st.integers(360, 1200)) * 60
    event = {"kind": "move", "visit_id": visit_id, "start": facts.at(start).isoformat()}
    moved = moved_by(facts, event, facts.standing)
    assert set(moved) == {visit_id}
    edits = edits_of(facts, [event], facts.standing)
    problem = build(facts, frozenset(stands), edits=edits, before=before_of(facts.standing))
    new = standings(facts, routes_of(facts, problem, _answer(problem), "again", lambda: "route"))
    assert new[visit_id].start == start
    assert sorted(new[visit_id].carers) == sorted(stands[visit_id].carers)


@given(st.integers(0, 86_399))
def test_a_promise_holds_its_start(second: int) -> None:
    start = MIDNIGHT + timedelta(seconds=second)
    low, high = promise_of(start)
    assert low <= start < high
    assert high - low == timedelta(minutes=30)
    assert low.minute % 15 == 0


@given(st.integers(0, 1000), st.integers(3, 12))
def test_a_closed_road_is_longer_only_through_it(seed: int, many: int) -> None:
    facts = facts_of(seed, orders=many)
    places = tuple((one.lat or 31.34, one.lon or 118.4) for one in facts.orders.values())
    ring = ((31.34, 118.40), (31.34, 118.41), (31.35, 118.41), (31.35, 118.40))
    plain, closed = (table(Ways(places, 4.2, 1.3, closures=one)) for one in ((), (Closure(ring),)))
    rows, columns = crosses(places, ring)
    through = set(zip(rows.tolist(), columns.tolist(), strict=True))
    for one in range(many):
        for other in range(many):
            longer = closed[one, other] > plain[one, other]
            assert longer == ((one, other) in through and one != other)
            assert ((one, other) in through) == ((other, one) in through)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True), st.integers(0, 30), st.booleans())
def test_a_table_that_grows_is_the_table(chosen: list[int], first: int, around: bool) -> None:
    every = [(31.33 + n / 700, 118.39 + (n * 7 % 11) / 500) for n in range(61)]
    closures = (Closure(((31.34, 118.39), (31.34, 118.41), (31.37, 118.40))),) if around else ()
    tables = Tables()
    for some in (every[: first + 1], every[: first + 4], [every[n] for n in chosen], every):
        ways = Ways(tuple(some), 4.2, 1.3, closures=closures)
        assert (tables.of(ways) == table(ways)).all()


def test_roads_correct_what_was_not_asked() -> None:
    places = ((31.33, 118.39), (31.34, 118.39), (31.34, 118.40), (31.33, 118.40))
    plain = table(Ways(places, 4.2, 1.3))
    known = ((0, 1, plain[0, 1] * 2), (1, 2, plain[1, 2] * 2))
    found = table(Ways(places, 4.2, 1.3, known=known))
    assert found[0, 1] == plain[0, 1] * 2
    assert abs(found[2, 3] - plain[2, 3] * 2) <= 2
    assert (found.diagonal() == 0).all()
