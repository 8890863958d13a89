"""What requests carry: service kinds, care plans, satisfaction, return visits, the visit programme."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict, StringConstraints

from dispatch import Risk, VisitResult
from hub.accounts import Payer
from hub.api.fields import Change, Count, Day, Flag, Free, Line, Name, NewId, Request, SaidText, Text, Time, Word, Words
from hub.errors import BadRequestError

__all__ = [
    "CarePlanChange",
    "CarePlanNew",
    "KindFields",
    "MemberDecision",
    "PauseNew",
    "ProgrammeChange",
    "ProgrammeNew",
    "Rating",
    "ReturnVisitDone",
    "VisitTap",
    "needed",
]


def _clock(value: object) -> object:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or len(value) != 5 or value[2] != ":":
        raise ValueError("must be a time of day like 09:30")
    return time.fromisoformat(value)


ClockTime = Annotated[time, BeforeValidator(_clock)]
Days = Annotated[list[Day], Field(max_length=400)]
Minutes = Annotated[int, Strict(), Field(ge=5, le=720)]
_KindId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,40}$")]


class KindFields(Change):
    """A service kind. POST needs `id`, `zh`, `en`, `duration_min` and a skill. `price_fen`: 1/100 yuan, null: none."""

    id: _KindId = ""
    zh: Name = ""
    en: Name = ""
    skills: Words = Field(default_factory=list)
    any_skills: Words = Field(default_factory=list)
    duration_min: Minutes = 30
    carers: Annotated[int, Strict(), Field(ge=1, le=2)] = 1
    personal: Flag = False
    priority: Literal["high", "medium", "low"] = "low"
    same_sex: Flag = False
    gate: Flag = False
    deliver_within_min: Annotated[int, Strict(), Field(ge=5, le=240)] | None = None
    price_fen: Annotated[int, Strict(), Field(ge=0, le=100_000_000)] | None = None
    price_per: Literal["visit", "hour"] = "visit"
    active: Flag = True


class CarePlanChange(Change):
    """What of a plan may change. `also_promised`: orders that people count on follow too; what has begun never does."""

    kind: Word = ""
    rule: Line = ""
    exdates: Days = Field(default_factory=list)
    rdates: Days = Field(default_factory=list)
    starts_on: Day | None = None
    ends_on: Day | None = None
    begins: ClockTime | None = None
    ends: ClockTime | None = None
    duration_min: Minutes | None = None
    holidays: Literal["keep", "skip", "move"] = "keep"
    preferred_responder_id: Word | None = None
    provider_id: Word | None = None
    station_id: Word | None = None
    payer_hint: Payer | None = None
    open_to: Literal["claim"] | None = None
    note: Text | None = None
    attributes: Free = Field(default_factory=dict)
    active: Flag = True
    also_promised: Flag = False


class CarePlanNew(CarePlanChange):
    """A service that comes again and again. Needs `resident_id`, `kind`, `rule` and `begins`.

    `rule` is a recurrence rule of RFC 5545 without DTSTART, such as FREQ=WEEKLY;BYDAY=MO,TH. `begins` and `ends`: the
    window in which it may begin, local time.
    """

    resident_id: Word = ""


def needed(name: str, value: object) -> None:
    """BadRequestError where a field that may be left out must not be emptied."""
    if value is None:
        raise BadRequestError(f"{name}: cannot be empty", field=name)


class PauseNew(Request):
    """From one day to another, both within; without `to_on` until it is lifted."""

    from_on: Day
    to_on: Day | None = None
    reason: SaidText


class Rating(Request):
    """1 (bad) to 5 (good). `complaint` opens a matter and needs words."""

    score: Annotated[int, Strict(), Field(ge=1, le=5)]
    words: Text | None = None
    complaint: Flag = False


class ReturnVisitDone(Request):
    """What came of asking afterwards. Without `outcome`: somebody shall ask."""

    way: Literal["phone", "door"] = "phone"
    outcome: Literal["content", "not_content", "not_given", "unreachable"] | None = None
    note: Text | None = None


class ProgrammeChange(Change):
    """A visit programme. `per_month`: visits a month by risk; `makes` orders, or targets that officers fulfil."""

    zh: Name = ""
    en: Name = ""
    kind: Word = "safety_visit"
    groups: Annotated[list[Word], Field(min_length=1, max_length=20)] = Field(default_factory=list)
    area_ids: Words = Field(default_factory=list)
    per_month: Annotated[dict[Risk, Count], Field(min_length=1)] = Field(default_factory=dict)
    makes: Literal["orders", "targets"] = "targets"
    begins: ClockTime = time(9)
    ends: ClockTime = time(17)
    active: Flag = True


class ProgrammeNew(ProgrammeChange):
    """POST needs `zh`, `en`, `groups` and `per_month`."""

    id: NewId = ""


class MemberDecision(Request):
    """A person decides; `stands` null: as the groups say again."""

    stands: Literal["in", "out"] | None
    risk: Risk | None = None
    reason: SaidText


class VisitTap(Request):
    """One tap. `at`: when it was tapped, where it reaches the hub later."""

    resident_id: Word
    result: VisitResult
    at: Time | None = None
    note: Text | None = None
    by_phone: Flag = False
