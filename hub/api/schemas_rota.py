"""What requests carry, and what answers look like: the rota."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from hub.api.fields import Change, Count, Day, Flag, Line, Name, NewId, Request, SaidText, Time, Uuid, Word, Words
from hub.api.views import Named, View
from hub.rota import Rotation

__all__ = [
    "CoverFields",
    "CoverView",
    "HolidayFields",
    "HolidayNew",
    "HolidayView",
    "Loop",
    "MyRota",
    "OnCall",
    "OverrideNew",
    "Preview",
    "RotaBoardView",
    "RotaGaps",
    "RotaId",
    "RotationFields",
    "RotationMade",
    "RotationView",
    "SwapNew",
    "SwapStep",
    "SwapView",
    "rotation_of",
]

Clock = Annotated[
    str,
    StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
    Field(description="Wall clock of the site, like 08:00"),
]
Days = Literal["every", "workdays", "days_off"]
_EARLIEST = date(1900, 1, 1)


class RotationFields(Change):
    """A pattern of shifts. POST needs `name`, `role`, `starts_on`, `begins` and `minutes`."""

    id: NewId = ""
    name: Name = ""
    role: Word = Field(default="", description="Whom the shifts give: a responder's kind, or a role of its own")
    area_id: Word | None = None
    rule: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)] = Field(
        default="FREQ=DAILY", description="RFC 5545 recurrence rule of the days on which a shift begins"
    )
    starts_on: Day = Field(default=_EARLIEST, description="The day from which turns are counted")
    ends_on: Day | None = None
    begins: Clock = "00:00"
    minutes: Annotated[Count, Field(ge=1, le=10_080)] = 480
    members: Words = Field(default_factory=list, description="Responder ids in the order in which they take turns")
    seats: Annotated[Count, Field(ge=1, le=50)] = 1
    turn_unit: Literal["shift", "day", "week"] = "shift"
    turn_length: Annotated[Count, Field(ge=1, le=366)] = 1
    phase: Annotated[int, Strict(), Field(ge=-1_000, le=1_000)] = 0
    days: Days = Field(default="every", description="Thinned by the calendar of holidays; the rule is then FREQ=DAILY")
    active: Flag = True


def rotation_of(fields: RotationFields) -> Rotation:
    """The value of a whole set of fields (a preview)."""
    given = fields.model_dump(exclude={"begins", "members"})
    return Rotation(**given, begins=time.fromisoformat(fields.begins), members=tuple(fields.members))


class CoverFields(Change):
    """How many of a role an area wants. POST needs `role`."""

    id: NewId = ""
    role: Word = ""
    area_id: Word | None = None
    begins: Clock = "00:00"
    minutes: Annotated[Count, Field(ge=1, le=1_440)] = 1_440
    days: Days = "every"
    people: Annotated[Count, Field(ge=1, le=500)] = 1
    active: Flag = True


class HolidayFields(Change):
    """A day that is not what its weekday says: `off` on a weekday, `work` on a weekend."""

    kind: Literal["off", "work"] = "off"
    name: Name = ""
    source: Word = "local"


class HolidayNew(Request):
    """A day by its date."""

    id: Day = Field(description="The day, like 2027-02-09")
    kind: Literal["off", "work"]
    name: Name


class OverrideNew(Request):
    """What is otherwise than the shifts say. With `shift_id` person and span may be left out."""

    kind: Literal["absent", "instead", "extra"]
    responder_id: Word | None = Field(default=None, description="Who is out")
    substitute_id: Word | None = Field(default=None, description="Who is there")
    shift_id: Uuid | None = None
    role: Word | None = None
    area_id: Word | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None
    reason: SaidText


class SwapNew(Request):
    """Asks somebody to take a shift, and to give another for it."""

    shift_id: Uuid
    asked_of: Word
    return_id: Uuid | None = None
    note: Line | None = None


class SwapStep(Request):
    """A refusal needs a reason."""

    reason: Line | None = None


class RotationView(View):
    id: str
    name: str
    role: str
    area_id: str | None
    rule: str
    starts_on: date
    ends_on: date | None
    begins: str
    minutes: int
    members: list[str]
    seats: int
    turn_unit: Literal["shift", "day", "week"]
    turn_length: int
    phase: int
    days: Days
    active: bool
    made_until: date | None = Field(description="Its shifts are there up to, not including, this day")


class _Slot(View):
    seat: int
    starts_at: datetime
    ends_at: datetime
    responder_id: str | None


class _Kept(View):
    id: str
    starts_at: datetime
    ends_at: datetime
    responder_id: str


class RotationMade(RotationView):
    made: int = Field(description="Shifts made by this change")
    changed: int
    removed: int
    kept: list[_Kept] = Field(description="Touched by somebody and not what the rotation says: left as they are")


class Preview(View):
    items: list[_Slot]


class CoverView(View):
    id: str
    role: str
    area_id: str | None
    begins: str
    minutes: int
    days: Days
    people: int
    active: bool


class HolidayView(View):
    id: date
    kind: Literal["off", "work"]
    name: str
    source: str = Field(description="`notice`, `statutory` (make-up days not known yet) or who entered it")


class _Gap(View):
    kind: Literal["below", "absent", "unfilled"]
    role: str
    area_id: str | None
    starts_at: datetime
    ends_at: datetime
    wanted: int
    have: int
    source: str | None
    about: Named | None


class RotaGaps(View):
    items: list[_Gap]
    by_role: dict[str, int]
    areas: dict[str, str]
    until: datetime
    server_time: datetime


class _Day(View):
    day: date
    works: bool
    name: str | None


class _Duty(View):
    responder: Named
    role: str
    area_ids: list[str]
    starts_at: datetime
    ends_at: datetime
    shift_id: str | None
    override_id: str | None
    instead_of: Named | None


class _Override(View):
    id: str
    kind: Literal["absent", "instead", "extra"]
    responder: Named | None
    substitute: Named | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    role: str | None
    area_id: str | None
    shift_id: str | None
    made_at: datetime
    made_by: str | None


class _SwapShift(View):
    id: str
    responder_id: str
    role: str
    area_id: str | None
    starts_at: datetime
    ends_at: datetime


class SwapView(View):
    id: str
    state: Literal["asked", "agreed", "approved", "declined", "refused", "withdrawn"]
    asked_by: Named
    asked_of: Named
    shift: _SwapShift
    back: _SwapShift | None
    note: str | None
    reason: str | None
    asked_at: datetime
    agreed_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None


class RotaId(View):
    id: str


class RotaBoardView(View):
    days: list[_Day]
    duties: list[_Duty]
    gaps: list[_Gap]
    overrides: list[_Override]
    swaps: list[SwapView]
    areas: dict[str, str]
    server_time: datetime


class _Reason(View):
    code: str
    text: str
    weight: float
    values: dict[str, str | int | float | bool | None]


class _Reachable(View):
    responder: Named
    phone: str | None
    role: str
    kind: str
    on_shift: bool
    area_id: str | None
    until: datetime | None
    reasons: list[_Reason]


class OnCall(View):
    items: list[_Reachable]
    at: datetime


class _MyShift(View):
    id: str
    responder_id: str
    starts_at: datetime
    ends_at: datetime
    role: str | None
    area_id: str | None
    rotation_id: str | None
    instead_of: Named | None
    swappable: bool


class _Colleague(View):
    id: str
    name: str
    kind: str


class MyRota(View):
    items: list[_MyShift]
    swaps: list[SwapView]
    colleagues: list[_Colleague] = Field(description="Whom a swap may be asked")
    areas: dict[str, str]
    server_time: datetime


class _Report(View):
    source: Literal["device", "person", "system", "rule"]
    channel: str | None
    at: datetime
    device_id: str | None
    phone: str | None
    caller: str | None
    by: str | None
    by_kind: str | None


class _ReturnVisit(View):
    order_id: str
    state: str
    wanted_from: datetime
    wanted_to: datetime


class _MatterPhoto(View):
    id: str
    taken_at: datetime
    taken_by: str


class Loop(View):
    """Somebody patrols, reports, is responsible, resolves, supervises."""

    reporter: _Report | None
    patroller: Named | None = Field(description="The grid officer on call there when it opened")
    responsible: Named | None
    resolver: Named | None
    supervisor: Named | None
    supervision: Literal["none", "required", "done"]
    level: Literal["red", "orange", "yellow", "blue"] | None = Field(description="Of a matter that a person reported")
    due_at: datetime | None
    overdue: int = Field(description="How often it rose a level because it was not resolved in time")
    photos: list[_MatterPhoto]
    return_visit: _ReturnVisit | None
    server_time: datetime
