"""What requests about money and banked hours carry. Amounts are whole fen, months `2026-11`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, StringConstraints, model_validator

from hub.accounts import MOST_FEN, is_month
from hub.api.fields import Change, Day, Flag, Line, Name, NewId, Phone, Request, SaidText, Word, Words

__all__ = [
    "ClaimsNew",
    "ClaimsPreview",
    "Decision",
    "DisputeNew",
    "EntitlementFields",
    "GiftNew",
    "Month",
    "MonthClose",
    "ProviderFields",
    "ReviewNew",
    "SpendNew",
    "TariffFields",
    "TimeReview",
]


def _month(text: str) -> str:
    if not is_month(text):
        raise ValueError("must be a month like 2026-11")
    return text


Month = Annotated[str, StringConstraints(max_length=7), AfterValidator(_month)]
Fen = Annotated[int, Strict(), Field(ge=1, le=MOST_FEN)]
Minutes = Annotated[int, Strict(), Field(ge=1, le=100_000)]


class _Span(Change):
    from_on: Day | None = None
    to_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_on is not None and self.to_on is not None and self.to_on < self.from_on:
            raise ValueError("to_on must not be before from_on")
        if "from_on" in self.model_fields_set and self.from_on is None:
            raise ValueError("from_on must be a day")
        return self


class ProviderFields(Change):
    """A provider organisation. POST needs `name`."""

    id: NewId = ""
    name: Name = ""
    kind: Literal["company", "nonprofit", "public", "station", "volunteers"] = "company"
    phone: Phone | None = None
    contact: Line | None = None
    kinds: Words = Field(default_factory=list, description="Service kinds it gives; empty: all")
    area_ids: Words = Field(default_factory=list, description="Areas it serves, any ancestor counts; empty: everywhere")
    active: Flag = True


class TariffFields(_Span):
    """The price of a kind of service. POST needs `kind`, `price_fen` and `from_on`; what holds is never changed
    backwards: end it with `to_on` and add the next.
    """

    id: NewId = ""
    kind: Word = ""
    provider_id: Word | None = Field(default=None, description="Absent: everybody's")
    unit: Literal["visit", "minute", "hour"] = "visit"
    price_fen: Fen = 1
    cap_fen: Annotated[int, Strict(), Field(ge=1, le=MOST_FEN * 10)] | None = Field(
        default=None, description="The most a resident's services of this kind cost in a month"
    )
    area_ids: Words = Field(default_factory=list)
    note: Line | None = None


class EntitlementFields(_Span):
    """What a payer pays for a resident. POST needs `resident_id`, `payer` and `from_on`. One of payer `family` is the
    family's agreement to pay what nobody else does.
    """

    id: NewId = ""
    resident_id: Word = ""
    payer: Literal["subsidy", "long_term_care", "charity", "family"] = "subsidy"
    kinds: Words = Field(default_factory=list, description="Empty: every kind")
    unit: Literal["visits", "minutes", "fen"] = "visits"
    quota: Annotated[int, Strict(), Field(ge=0, le=10_000_000)] | None = Field(
        default=None, description="A month, in `unit`; absent: without end"
    )
    copay_percent: Annotated[int, Strict(), Field(ge=0, le=100)] = 0
    priority: Annotated[int, Strict(), Field(ge=0, le=1000)] = Field(default=100, description="The lower pays first")
    note: Line | None = None


class ClaimsPreview(Request):
    """Which services: a provider's month, or some kinds or days of it."""

    provider_id: Word
    month: Month
    kinds: Words = Field(default_factory=list)
    from_on: Day | None = None
    to_on: Day | None = None


class ClaimsNew(ClaimsPreview):
    """As previewed."""

    digest: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="Of the preview: 409 where something has changed since"
    )


class ReviewNew(Request):
    """A second look at a claim whose proof was flagged."""

    accept: Flag
    reason: SaidText


class DisputeNew(Request):
    """What is wrong with it."""

    reason: SaidText


class Decision(Request):
    decision: Literal["paid", "refused"]
    reason: SaidText


class MonthClose(Request):
    provider_id: Word
    month: Month


class GiftNew(Request):
    """Minutes for somebody. `from_account` absent: one's own."""

    from_account: Word | None = None
    to_kind: Literal["volunteer", "resident", "contact"]
    to_id: Word
    minutes: Minutes
    note: Line | None = None


class SpendNew(Request):
    """Minutes for a service: those of the order, or so many for what the note says. `account` absent: one's own."""

    account: Word | None = None
    minutes: Minutes | None = None
    order_id: Word | None = None
    note: Line | None = None


class TimeReview(Request):
    responder_id: Word
    accept: Flag
    reason: SaidText
