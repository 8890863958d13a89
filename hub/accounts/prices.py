"""What a service costs: tariffs as data, by provider, kind and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = ["Tariff", "price_of", "tariff_for"]


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of one kind of service. `provider_id` None: everybody's, where the provider has none of its own.

    `cap_fen`: the most one resident's services of this kind may cost in a month. `area_ids`: where it holds (any
    ancestor counts; empty: everywhere). `to_on` is its last day, None: until another says otherwise.
    """

    id: str
    kind: str
    unit: Literal["visit", "minute", "hour"]
    price_fen: int
    from_on: date
    to_on: date | None = None
    provider_id: str | None = None
    cap_fen: int | None = None
    area_ids: frozenset[str] = frozenset()

    def holds(self, kind: str, provider_id: str, on: date, area_path: Iterable[str]) -> bool:
        return (
            self.kind == kind
            and self.provider_id in (None, provider_id)
            and self.from_on <= on
            and (self.to_on is None or on <= self.to_on)
            and (not self.area_ids or not self.area_ids.isdisjoint(area_path))
        )


def tariff_for(
    tariffs: Iterable[Tariff], kind: str, provider_id: str, on: date, area_path: Iterable[str] = ()
) -> Tariff | None:
    """The tariff of that day: the provider's own before everybody's, one for areas before one for all, the latest."""
    path = tuple(area_path)
    held = [one for one in tariffs if one.holds(kind, provider_id, on, path)]
    return max(
        held, key=lambda one: (one.provider_id is not None, bool(one.area_ids), one.from_on, one.id), default=None
    )


def price_of(tariff: Tariff, minutes: int) -> int:
    """Fen: of the visit, or of its minutes; parts of a fen are dropped."""
    if tariff.unit == "visit":
        return tariff.price_fen
    return tariff.price_fen * minutes // (60 if tariff.unit == "hour" else 1)
