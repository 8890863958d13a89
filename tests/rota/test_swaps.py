"""Swaps: asked, agreed, approved; by whom; and cover is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hub.errors import ConflictError, ForbiddenError
from hub.rota import SWAP_STEPS, Duty, Override, Shift, Swap, against, duties, swap_step
from tests.rota.strategies import START, at, overrides, shifts

NOW = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(days=9)
LATE = Shift("late", "A", "guard", START + timedelta(hours=14), START + timedelta(hours=22))
EARLY = Shift("early", "B", "guard", START + timedelta(hours=6), START + timedelta(hours=14))
SWAP = Swap(LATE, "A", "B")


def _why(swap: Swap, on: list[Shift], other: list[Override] | None = None, now: datetime = NOW) -> set[str]:
    on_duty = duties(on, other or [], START, END)
    return {one.code for one in against(swap, on_duty, other or [], now)}


def test_the_way_of_a_swap() -> None:
    agreed = swap_step(SWAP, "agree", person_id="B", decides=False)
    assert agreed == "agreed"
    assert swap_step(replace(SWAP, state=agreed), "approve", person_id=None, decides=True) == "approved"
    assert swap_step(SWAP, "decline", person_id="B", decides=False) == "declined"
    assert swap_step(SWAP, "withdraw", person_id="A", decides=False) == "withdrawn"
    assert swap_step(SWAP, "refuse", person_id="X", decides=True) == "refused"


@pytest.mark.parametrize(
    ("state", "action", "person", "decides"),
    [
        ("asked", "agree", "A", False),  # not for oneself
        ("asked", "agree", None, True),  # nobody agrees in another's name
        ("asked", "decline", "C", True),
        ("asked", "withdraw", "B", False),
        ("agreed", "approve", "C", False),  # may not decide
        ("agreed", "approve", "A", True),  # a party, whatever the office
        ("agreed", "approve", "B", True),
        ("agreed", "withdraw", "C", True),
    ],
)
def test_a_step_that_is_somebody_elses(state: str, action: str, person: str | None, decides: bool) -> None:
    with pytest.raises(ForbiddenError):
        swap_step(replace(SWAP, state=state), action, person_id=person, decides=decides)  # type: ignore[arg-type]


def test_nothing_is_approved_that_nobody_agreed_to_and_what_is_over_stays_over() -> None:
    with pytest.raises(ConflictError):
        swap_step(SWAP, "approve", person_id=None, decides=True)
    for state in ("approved", "declined", "refused", "withdrawn"):
        for action in ("agree", "decline", "approve", "refuse", "withdraw"):
            with pytest.raises(ConflictError):
                swap_step(replace(SWAP, state=state), action, person_id="B", decides=True)


def test_what_stands_against_a_swap() -> None:
    assert _why(SWAP, [LATE]) == set()
    assert _why(SWAP, [LATE, EARLY]) == set()  # one after the other is hard, not impossible
    assert _why(SWAP, [LATE, replace(EARLY, ends_at=EARLY.ends_at + timedelta(hours=1))]) == {"on_shift_already"}
    assert _why(SWAP, [LATE], now=LATE.starts_at) == {"begun"}
    assert _why(replace(SWAP, shift=replace(LATE, responder_id="C")), [LATE]) == {"changed_hands"}
    ill = Override("i", "absent", LATE.starts_at, LATE.ends_at, "B")
    assert _why(SWAP, [LATE], [ill]) == {"absent"}
    both = replace(SWAP, back=EARLY)
    assert _why(both, [LATE, EARLY]) == set()
    overlapping = replace(EARLY, ends_at=LATE.ends_at)  # each takes the other's: nobody is on two
    assert _why(replace(SWAP, back=overlapping), [LATE, overlapping]) == set()


@settings(max_examples=200)
@given(shifts(10), overrides(2), st.data())
def test_a_swap_that_nothing_speaks_against_keeps_cover(
    some: list[Shift], other: list[Override], data: st.DataObject
) -> None:
    """At every moment there are as many different people of each role as before."""
    other = [one for one in other if one.kind == "extra"]
    assume(some)
    shift = data.draw(st.sampled_from(some))
    back = data.draw(st.sampled_from([None, *[one for one in some if one.responder_id != shift.responder_id]]))
    taker = back.responder_id if back else "Z"
    swap = Swap(shift, shift.responder_id, taker, back)
    on_duty = duties(some, other, START, END)
    if against(swap, on_duty, other, NOW):
        return
    after = [
        replace(one, responder_id=taker)
        if one.id == shift.id
        else replace(one, responder_id=shift.responder_id)
        if back and one.id == back.id
        else one
        for one in some
    ]
    swapped = duties(after, other, START, END)
    for quarter in range(0, 8 * 96, 6):
        for role in ("guard", "nurse"):
            assert len(_on(swapped, at(quarter), role)) >= len(_on(on_duty, at(quarter), role))


def _on(some: tuple[Duty, ...], moment: datetime, role: str) -> set[str]:
    return {one.responder_id for one in some if one.role == role and one.starts_at <= moment < one.ends_at}


class SwapLife(RuleBasedStateMachine):
    """Anybody tries anything: a swap is only approved after its taker agreed and by somebody without a part in it."""

    def __init__(self) -> None:
        super().__init__()
        self.swap = SWAP
        self.agreed = False

    @rule(
        action=st.sampled_from(sorted({action for _, action in SWAP_STEPS})),
        person=st.sampled_from(["A", "B", "C", None]),
        decides=st.booleans(),
    )
    def tries(self, action: str, person: str | None, decides: bool) -> None:
        before = self.swap.state
        try:
            state = swap_step(self.swap, action, person_id=person, decides=decides)  # type: ignore[arg-type]
        except (ConflictError, ForbiddenError):
            return
        assert before in ("asked", "agreed")
        if action == "agree":
            assert person == "B"
            self.agreed = True
        if state == "approved":
            assert self.agreed
            assert decides
            assert person not in ("A", "B")
        self.swap = replace(self.swap, state=state)


TestSwapLife = SwapLife.TestCase
