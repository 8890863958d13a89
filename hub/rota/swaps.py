"""Swaps: asked by whoever has the shift, agreed by whoever takes it, approved by a third person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from dispatch import Reason
from hub.errors import ConflictError, ForbiddenError
from hub.rota.model import Duty, Override, Shift

__all__ = ["SWAP_STEPS", "Swap", "SwapAction", "SwapState", "against", "swap_step"]

SwapState = Literal["asked", "agreed", "approved", "declined", "refused", "withdrawn"]
SwapAction = Literal["agree", "decline", "approve", "refuse", "withdraw"]
_By = Literal["asker", "asked", "third"]

SWAP_STEPS: Final[Mapping[tuple[SwapState, SwapAction], tuple[SwapState, _By]]] = {
    ("asked", "agree"): ("agreed", "asked"),
    ("asked", "decline"): ("declined", "asked"),
    ("asked", "withdraw"): ("withdrawn", "asker"),
    ("asked", "refuse"): ("refused", "third"),
    ("agreed", "approve"): ("approved", "third"),
    ("agreed", "refuse"): ("refused", "third"),
    ("agreed", "withdraw"): ("withdrawn", "asker"),
}
"""(state, action) -> (state afterwards, by whom). What is not here cannot be done."""


@dataclass(frozen=True, slots=True)
class Swap:
    """`asked_of` takes `shift`, and gives `back` for it (None: nothing)."""

    shift: Shift
    asked_by: str
    asked_of: str
    back: Shift | None = None
    state: SwapState = "asked"


def swap_step(swap: Swap, action: SwapAction, *, person_id: str | None, decides: bool) -> SwapState:
    """The state after an action by a person (`decides`: may approve, as a coordinator may).

    ConflictError where it is too late for it; ForbiddenError where it is somebody else's to do.
    """
    step = SWAP_STEPS.get((swap.state, action))
    if step is None:
        raise ConflictError(f"the swap is {swap.state}: {action} is not possible", state=swap.state)
    after, by = step
    party = person_id is not None and person_id in (swap.asked_by, swap.asked_of)
    if by == "third" and (not decides or party):
        raise ForbiddenError("a swap is approved or refused by a coordinator who has no part in it")
    # A coordinator may end what two people forgot; nobody else agrees in somebody's name.
    if by == "asked" and person_id != swap.asked_of:
        raise ForbiddenError("only whoever was asked can agree or decline")
    if by == "asker" and person_id != swap.asked_by:
        raise ForbiddenError("only whoever asked can withdraw")
    return after


def against(swap: Swap, on_duty: Iterable[Duty], overrides: Iterable[Override], now: datetime) -> tuple[Reason, ...]:
    """What forbids the swap now: a shift that has begun or changed hands, a taker who is absent or on two shifts.

    `on_duty`: what both people have around the two shifts, as `duties` gives it; `overrides` of the same time.
    """
    absences = [one for one in overrides if one.kind == "absent" and one.shift_id is None]
    found: list[Reason] = []
    for shift, owner in ((swap.shift, swap.asked_by), (swap.back, swap.asked_of)):
        if shift is None:
            continue
        if shift.starts_at <= now:
            found.append(Reason("begun", "the shift has begun", -1.0, {"shift": shift.id}))
        if shift.responder_id != owner:
            found.append(Reason("changed_hands", "the shift is somebody else's by now", -1.0, {"shift": shift.id}))
    moved = {swap.shift.id} | ({swap.back.id} if swap.back else set())
    kept = [one for one in on_duty if one.shift_id not in moved]
    for shift, taker in ((swap.shift, swap.asked_of), (swap.back, swap.asked_by)):
        if shift is None:
            continue
        found.extend(
            Reason(
                "on_shift_already",
                "would be on two shifts at once",
                -1.0,
                {"responder": taker, "from": duty.starts_at.isoformat(), "to": duty.ends_at.isoformat()},
            )
            for duty in kept
            if duty.responder_id == taker and duty.starts_at < shift.ends_at and duty.ends_at > shift.starts_at
        )
        if any(
            one.responder_id == taker and one.starts_at < shift.ends_at and one.ends_at > shift.starts_at
            for one in absences
        ):
            found.append(Reason("absent", "is absent then", -1.0, {"responder": taker}))
    return tuple(found)
