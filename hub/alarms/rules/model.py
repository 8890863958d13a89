"""What rules look at and what they say. Plain values: no I/O, no clock; `now` comes as an argument.

Whoever looks a resident up fills a `Picture`; a rule makes a `Finding` of it; `hub.alarms.rules.steady` makes of that,
and of what is `Standing` already, a `Verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

from hub.alarms.model import Priority, Reason
from hub.alarms.rules.thresholds import Thresholds
from hub.care import ResidentStatus

__all__ = [
    "ENTERED",
    "Fence",
    "Finding",
    "FindingKind",
    "Picture",
    "Position",
    "Reading",
    "Rest",
    "Source",
    "Standing",
    "Usual",
    "Verdict",
    "Word",
]

ENTERED = "hub-entered"
"""The device id of values that a person measured and entered; no device can have it."""

FindingKind = Literal["bad", "grey", "good", "unknown"]
"""Over the limit; between the limit and where it is over again; good; nothing to judge by."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric. `buffered`: the device had stored it; it says nothing about now."""

    value: float
    received_at: datetime
    observed_at: datetime
    device_id: str
    buffered: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an activity (`motion`, `door_open`, `out_of_bed`, …)."""

    state: str
    received_at: datetime
    observed_at: datetime
    device_id: str
    buffered: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A fix, WGS-84. `accuracy_m` None: the device did not say."""

    lat: float
    lon: float
    accuracy_m: float | None
    source: str
    received_at: datetime
    observed_at: datetime
    buffered: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """A polygon, (lat, lon) corners in order, at least three. `safe`: to be inside; `forbidden`: not to be.

    `days`: local days of the week, Monday 0; `from_min` and `to_min`: local minutes of the day, past midnight where
    `to_min` is smaller, the whole day where they are equal. `slack_m`: so far beyond the line is still on it.
    """

    id: str
    name: str
    kind: Literal["safe", "forbidden"]
    ring: tuple[tuple[float, float], ...]
    days: frozenset[int] = frozenset(range(7))
    from_min: int = 0
    to_min: int = 0
    slack_m: float = 30.0
    active: bool = True


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual at one hour of the day: median and spread (1.4826 x median deviation) of hourly means of `days`."""

    median: float
    spread: float
    days: int


@dataclass(frozen=True, slots=True)
class Rest:
    """How long the resident had been without a sign of moving when this hour ended, over `days` days, in hours."""

    usual_h: float
    longest_h: float
    days: int


@dataclass(frozen=True, slots=True)
class Source:
    """A device of the resident: what it last said is no older than `heard_at`; `silent`: found so by supervision."""

    device_id: str
    heard_at: datetime | None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is known of a resident. Sequences run from the oldest to the latest by time of receipt.

    `usual`: metric -> local hour -> what is usual; `rest`: local hour -> how long without a sign is usual;
    `missed_meals`, `missed_visits`: when nobody ate, when nobody came or nobody opened. `sign_at`, `door_at`: the
    latest sign of moving and of a door, by the time it was observed; `dose_words_at`, `well_words_at`: when the
    resident's devices last said such words (None: they never did). `hearing_since`: since when the hub hears all its
    ways in (None: nobody knows).
    """

    resident_id: str
    zone: tzinfo
    thresholds: Thresholds
    status: ResidentStatus = "home"
    lives_alone: bool = False
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    words: tuple[Word, ...] = ()
    positions: tuple[Position, ...] = ()
    fences: tuple[Fence, ...] = ()
    usual: Mapping[str, Mapping[int, Usual]] = field(default_factory=dict)
    rest: Mapping[int, Rest] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    missed_meals: tuple[datetime, ...] = ()
    missed_visits: tuple[datetime, ...] = ()
    sign_at: datetime | None = None
    door_at: datetime | None = None
    dose_words_at: datetime | None = None
    well_words_at: datetime | None = None
    hearing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found. `mark`: what it is about (a time, a fence): equal marks are one matter.

    `look_at`: when time alone may change the finding. `priority` None: that of the rule's line in the table.
    """

    kind: FindingKind
    reasons: tuple[Reason, ...] = ()
    mark: str = ""
    priority: Priority | None = None
    look_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule has raised and not yet taken back. `good_since`: since when it has looked good again."""

    mark: str
    raised_at: datetime
    priority: Priority
    times: int = 1
    seen_at: datetime | None = None
    good_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a rule: `raise` an alarm (with its key), `hold` what was raised, `clear` it, or `quiet`.

    `standing` is what is to be kept until the next look (None: nothing). Reasons carry the numbers that were used.
    """

    rule: str
    kind: Literal["raise", "hold", "clear", "quiet"]
    type: str
    priority: Priority
    reasons: tuple[Reason, ...]
    standing: Standing | None = None
    key: str = ""
    look_at: datetime | None = None
