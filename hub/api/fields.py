"""What requests are made of: texts, numbers and times that the store can take. Strict: nothing is guessed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)

__all__ = [
    "EARLIEST",
    "TEXT",
    "Change",
    "Count",
    "Day",
    "Flag",
    "Free",
    "Lat",
    "Line",
    "Lon",
    "Name",
    "NewId",
    "NewSecret",
    "Phone",
    "Request",
    "SaidText",
    "Secret",
    "Text",
    "Time",
    "Uuid",
    "Word",
    "Words",
    "no_controls",
    "storable",
]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_DEEPEST = 12
_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def no_controls(text: str) -> str:
    """Refuses control characters but line ends and tabs: PostgreSQL takes no NUL, and a name needs none of them."""
    if any(ord(char) < 32 and char not in "\n\t\r" for char in text):
        raise ValueError("must not contain control characters")
    return text


def _written(value: Any) -> Any:
    # Numbers would be taken as seconds since 1970: nobody means that.
    if not isinstance(value, str | date):
        raise ValueError("must be text like 2026-03-01T08:30:00+08:00, or 2026-03-01 for a day")
    return value


def _in_our_time(at: datetime) -> datetime:
    if not EARLIEST <= at <= _LATEST:
        raise ValueError("must lie between the years 1900 and 2200")
    return at


def _our_day(day: date) -> date:
    if not EARLIEST.date() <= day <= _LATEST.date():
        raise ValueError("must lie between the years 1900 and 2200")
    return day


def storable(value: Any, depth: int = 0) -> Any:
    """Free JSON that PostgreSQL takes: finite numbers, text without NUL and halves of characters, not too deep."""
    if depth > _DEEPEST:
        raise ValueError(f"is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        for key, one in value.items():
            storable(key, depth)
            storable(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            storable(one, depth + 1)
    elif isinstance(value, str):
        if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("contains a character that cannot be stored")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("contains a number that is not finite")
    return value


TEXT = AfterValidator(no_controls)
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), TEXT]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), TEXT]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), TEXT]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), TEXT]
SaidText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), TEXT]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=32, pattern=r"^[0-9+*#() \-]*$")]
Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=256), Field(json_schema_extra={"writeOnly": True}), TEXT
]
NewSecret = Annotated[
    str, StringConstraints(min_length=8, max_length=256), Field(json_schema_extra={"writeOnly": True}), TEXT
]
Uuid = Annotated[str, StringConstraints(pattern=_UUID)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
Time = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_our_time)]
Day = Annotated[date, BeforeValidator(_written), AfterValidator(_our_day)]
Free = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(storable)]
Lat = Annotated[float, Strict(), Field(ge=-90, le=90, allow_inf_nan=False)]
Lon = Annotated[float, Strict(), Field(ge=-180, le=180, allow_inf_nan=False)]
Words = Annotated[list[Word], Field(max_length=100)]
NewId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"),
    Field(description="The customer's own number for it; made here where not given"),
]


def _without_defaults(schema: dict[str, Any]) -> None:
    # A field that is not given stays as it is: the defaults below are never used and must not be advertised.
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Change(Request):
    """A PATCH: only what is given changes, and something must be given."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        return self
