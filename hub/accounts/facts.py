"""What the registers know of a service that was given, made into what is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Final

from hub.accounts.model import Payer, Proof, Service

__all__ = ["MEAL_KINDS", "Facts", "service_of"]

MEAL_KINDS: Final = frozenset({"meal_delivery", "meal_dine_in"})
_MEAL_DONE: Final = frozenset({"handed_over", "left_with", "served"})
_LUNCH_FROM, _DINNER_FROM = 10, 15


@dataclass(frozen=True, slots=True)
class Facts:
    """A completed order with all that proves it.

    `arrived_at`, `left_at`: the steps of its responders; `steps_missing` how many of those who completed it never said
    that they were there. `checked_in`, `checked_out`, `flags`: the checks at the door, with what failed
    and nobody has looked at; `rejected`: somebody has, and says why it is no proof. `meal_*`: the tap at the door or
    the counter. `volunteers`: given by nobody else. `payer_hint`: whom the order asks to pay first.
    """

    order_id: str
    visit_id: str
    number: int
    kind: str
    resident_id: str
    provider_id: str | None
    wanted_from: datetime
    ordered_min: int
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    steps_missing: int = 0
    checked_in: datetime | None = None
    checked_out: datetime | None = None
    flags: tuple[str, ...] = ()
    rejected: str | None = None
    meal_day: date | None = None
    meal: str | None = None
    meal_result: str | None = None
    meal_at: datetime | None = None
    card: str | None = None
    area_path: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    volunteers: bool = False
    payer_hint: Payer | None = None


def service_of(facts: Facts, zone: tzinfo) -> Service:
    """`zone`: where a day begins. What has no time of its own stands at the time it was wanted, unproven."""
    proof, started, ended = _proof(facts)
    local = started.astimezone(zone)
    card_key = meal_key = None
    if facts.kind in MEAL_KINDS:
        day = facts.meal_day or local.date()
        meal = facts.meal or _word(facts.attributes.get("meal")) or _meal_at(local.hour)
        card = facts.card or _word(facts.attributes.get("card"))
        meal_key = f"{facts.resident_id}|{day.isoformat()}|{meal}"
        card_key = f"{card}|{day.isoformat()}|{meal}" if card else None
    return Service(
        order_id=facts.order_id,
        visit_id=facts.visit_id,
        number=facts.number,
        kind=facts.kind,
        resident_id=facts.resident_id,
        provider_id=facts.provider_id,
        on=local.date(),
        started_at=started,
        ended_at=ended,
        ordered_min=facts.ordered_min,
        proof=proof,
        flags=facts.flags,
        area_path=facts.area_path,
        card_key=card_key,
        meal_key=meal_key,
        volunteer=facts.volunteers,
        rejected=facts.rejected,
        payer=facts.payer_hint,
    )


def _proof(facts: Facts) -> tuple[Proof, datetime, datetime]:
    if facts.kind in MEAL_KINDS and facts.meal_result in _MEAL_DONE and facts.meal_at is not None:
        return "flagged" if facts.flags else "verified", facts.meal_at, facts.meal_at
    if facts.checked_in is not None and facts.checked_out is not None:
        return "flagged" if facts.flags else "verified", facts.checked_in, facts.checked_out
    started = facts.checked_in or facts.arrived_at or facts.wanted_from
    ended = facts.checked_out or facts.left_at or started
    if facts.arrived_at is None or facts.left_at is None or facts.steps_missing:
        return "missing", started, max(started, ended)
    return "flagged" if facts.flags else "verified", started, ended


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _meal_at(hour: int) -> str:
    return "breakfast" if hour < _LUNCH_FROM else "lunch" if hour < _DINNER_FROM else "dinner"
