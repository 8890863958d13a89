"""Where somebody is, how sure that is and how old: which of two fixes an incident keeps, and where people are sent.

The rules, each with the harm it prevents:

- A fix proves something only as far as it is accurate. What is vaguer than `EXACT_M` (a cell of 3 km) never takes the
  place of a better one and never of an address.
- What was measured comes before what a device remembers (`last_known`, or a record more than `FRESH` old when it came).
- A vaguer fix whose circle meets that of the one we have says nothing new: whoever fell in the park is not moved home
  by a cell of 450 m that covers both. Where the circles do not meet, the person has moved, and the newer one counts.
- Where a fix agrees with the address, the address is where people go: it has a door, a floor and a name.
- Whoever left the safe area, or is away, is not at home: there the fix counts longer and may be vaguer.

Pure, and without a clock: how old a fix was when it came is kept with it (`age_s`), so a decision does not change
while an incident lasts. JSON objects are those of the contract's `fix`, WGS-84 degrees, metres, seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any, Final, Literal

from hub.alarms.model import Reason

__all__ = [
    "EXACT_M",
    "FRESH",
    "INDOORS",
    "OUTDOORS",
    "KnownFix",
    "Place",
    "Preferred",
    "accuracy_m",
    "metres_between",
    "place_of",
    "prefer",
    "read_fix",
]

EXACT_M: Final = 500.0
"""The worst accuracy that proves anything: the standard of the rules' threshold `fix_accuracy_m`."""
FRESH: Final = timedelta(minutes=30)
"""So old a fix may be when it comes and still tell where somebody is: about as far as one walks to the next stop."""
EXACT_OUTDOORS_M: Final = 1_000.0
FRESH_OUTDOORS: Final = timedelta(hours=2)
INDOORS: Final[frozenset[str]] = frozenset(
    {"smoke", "gas", "water_leak", "inactivity", "bed_exit", "medication_missed", "door"}
)
"""What is noticed by things that hang in the home: it is about the home, wherever a fix points."""
OUTDOORS: Final[frozenset[str]] = frozenset({"wandering", "geofence_enter"})
"""What says by itself that somebody is not at home."""

_AS_GOOD_M: Final = 50.0
"""Accuracies below this are all good enough to find a person on foot: the newer one counts."""
_AT_BASE_M: Final = 50.0
"""An address is a point; the building around it and its yard are not."""
_STILL_M: Final = 25.0
_STILL_FOR: Final = timedelta(seconds=60)
"""Whoever stays within `_STILL_M` is told of once in `_STILL_FOR`: a tracker that reports each second is no news."""
_ASSUMED: Final[Mapping[str, float]] = {"gnss": 50.0, "wifi": 150.0, "beacon": 30.0, "manual": 30.0, "cell": 3000.0}
_UNKNOWN_M: Final = 3000.0
_EARTH_M: Final = 6_371_008.8


@dataclass(frozen=True, slots=True)
class KnownFix:
    """A fix as it is judged. `accuracy_m` is that of the source where the device said none.

    `observed_at` None: nobody knows when. `age_s`: how old it was when it came, in seconds; None: not known.
    """

    lat: float
    lon: float
    accuracy_m: float
    source: str
    observed_at: datetime | None
    age_s: float | None

    @property
    def point(self) -> tuple[float, float]:
        return self.lat, self.lon

    @property
    def remembered(self) -> bool:
        """Not where somebody is, but where somebody was."""
        return self.source == "last_known" or (self.age_s is not None and self.age_s > FRESH.total_seconds())

    @property
    def rank(self) -> int:
        """0 proves nothing, 1 is remembered, 2 is measured."""
        return 0 if self.accuracy_m > EXACT_M else 1 if self.remembered else 2


@dataclass(frozen=True, slots=True)
class Preferred:
    """Whether the new fix becomes the incident's, and why."""

    new: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where people are sent. `kind`: by the fix, to the home, or to the middle of an area.

    `apart_m`: how far the fix and the other place lie from each other; None where there is only one of them.
    """

    lat: float
    lon: float
    kind: Literal["fix", "home", "area"]
    reason: Reason
    apart_m: float | None = None

    def to_json(self) -> dict[str, Any]:
        reason = {"code": self.reason.code, "text": self.reason.text, "values": dict(self.reason.values)}
        apart = None if self.apart_m is None else round(self.apart_m)
        return {"lat": self.lat, "lon": self.lon, "kind": self.kind, "reason": reason, "apart_m": apart}


def accuracy_m(said: float | None, source: str | None) -> float | None:
    """In metres, that of the source where the device did not say; None: of an unknown source, which proves nothing."""
    if said is None or not isfinite(said) or said <= 0:  # 0 is what devices say that do not know
        return _ASSUMED.get(source or "")
    return said


def read_fix(stored: Mapping[str, Any] | None) -> KnownFix | None:
    """A fix out of its JSON object; None where it is none: no object, no numbers, off the globe, or 0° 0°.

    0° 0° lies in the sea off Africa: it is what trackers send that have no fix.
    """
    if stored is None:
        return None
    lat, lon = _number(stored.get("lat")), _number(stored.get("lon"))
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat == 0 and lon == 0):
        return None
    source = str(stored.get("source") or "")
    said = _number(stored.get("accuracy_m"))
    # A position that is remembered was once measured by something that had an accuracy: by GNSS, as a rule.
    assumed = accuracy_m(said, "gnss" if source == "last_known" else source)
    return KnownFix(
        lat,
        lon,
        _UNKNOWN_M if assumed is None else assumed,
        source,
        _time(stored.get("observed_at")),
        _number(stored.get("age_s")),
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance of two (lat, lon) in metres."""
    lat, other_lat = radians(one[0]), radians(other[0])
    half = sin((other_lat - lat) / 2) ** 2 + cos(lat) * cos(other_lat) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))


def prefer(held: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Preferred:
    """Whether `new` takes the place of the fix an incident holds."""
    came, has = read_fix(new), read_fix(held)
    if came is None:
        return Preferred(False, Reason("no_place", "it is no place on earth"))
    values: dict[str, str | int | float | bool | None] = {"accuracy_m": round(came.accuracy_m), "source": came.source}
    if has is None:
        return Preferred(True, Reason("first", "the first position", values))
    apart = metres_between(has.point, came.point)
    values |= {"moved_m": round(apart), "was_accuracy_m": round(has.accuracy_m), "was_source": has.source}
    if came.rank != has.rank:
        if came.rank < has.rank:
            code, text = ("rough", "it is too vague") if came.rank == 0 else ("remembered", "it is only remembered")
        elif has.rank == 0:
            code, text = "surer", "the one before was too vague"
        else:
            code, text = "measured", "the one before was only remembered"
        return Preferred(came.rank > has.rank, Reason(code, text, values))
    if came.rank == 0:
        surer = came.accuracy_m < has.accuracy_m or (came.accuracy_m == has.accuracy_m and _later(came, has))
        return Preferred(surer, Reason("surer" if surer else "rough", "both are vague: the surer one counts", values))
    if not _later(came, has):
        return Preferred(False, Reason("older", "it is not newer", values))
    if came.rank == 1:
        return Preferred(True, Reason("newer", "both are remembered: the newer one counts", values))
    if apart > came.accuracy_m + has.accuracy_m:
        return Preferred(True, Reason("moved", f"moved by {apart:.0f} m", values))
    if came.accuracy_m > max(_AS_GOOD_M, 2 * has.accuracy_m):
        return Preferred(False, Reason("vaguer", "it agrees with the one before, which is more exact", values))
    if apart <= _STILL_M and came.accuracy_m >= has.accuracy_m and _within(came, has, _STILL_FOR):
        return Preferred(False, Reason("still", "the same place a moment later", values))
    return Preferred(True, Reason("newer", "it is newer", values))


def _later(one: KnownFix, other: KnownFix) -> bool:
    """Whether `one` was measured after `other`; a fix of unknown time is after none."""
    if one.observed_at is None:
        return False
    return other.observed_at is None or one.observed_at > other.observed_at


def _within(one: KnownFix, other: KnownFix, span: timedelta) -> bool:
    return one.observed_at is not None and other.observed_at is not None and one.observed_at - other.observed_at < span


def place_of(
    fix: Mapping[str, Any] | None,
    base: tuple[float, float] | None,
    base_kind: Literal["home", "area"],
    types: Collection[str],
    opened_at: datetime,
    *,
    away: bool = False,
) -> Place | None:
    """Where people are sent to an incident; None where neither a fix nor an address is known.

    `base`: (lat, lon) of the home, else of the area's middle. `types`: all alarm types that joined the incident.
    `away`: the resident is known not to be at home. A fix is as old as it was when the incident opened; one that came
    later is new.
    """
    found = read_fix(fix)
    if found is None:
        if base is None:
            return None
        return Place(*base, base_kind, Reason("no_fix", "no position is known"))
    source = fix.get("source") if fix else None
    values: dict[str, str | int | float | bool | None] = {"accuracy_m": round(found.accuracy_m), "source": source}
    if base is None:
        return Place(*found.point, "fix", Reason("no_address", "no address is known", values))
    apart = metres_between(found.point, base)
    values["apart_m"] = round(apart)
    outdoors = away or not OUTDOORS.isdisjoint(types)

    def stay(code: str, text: str) -> Place:
        return Place(*base, base_kind, Reason(code, text, values), apart)

    if types and INDOORS.issuperset(types) and found.source != "manual":
        return stay("indoors", "it is about the home, wherever the position points")
    if found.accuracy_m > (EXACT_OUTDOORS_M if outdoors else EXACT_M):
        return stay("rough", f"the position is only known to {found.accuracy_m:.0f} m")
    fresh = FRESH_OUTDOORS if outdoors else FRESH
    if found.observed_at is None:
        if found.source == "last_known":
            return stay("age_unknown", "the position is remembered, nobody knows since when")
    elif opened_at - found.observed_at > fresh:
        old = opened_at - found.observed_at
        values["age_s"] = round(old.total_seconds())
        return stay("old", f"the position was {old.total_seconds() / 60:.0f} min old when it was raised")
    if base_kind == "home" and apart <= _AT_BASE_M + (0.0 if outdoors else found.accuracy_m):
        return stay("at_home", "the position agrees with the home")
    if outdoors:
        text = f"not at home by what is known, {apart:.0f} m from it by the position"
        return Place(*found.point, "fix", Reason("outdoors", text, values), apart)
    code, text = ("elsewhere", f"{apart:.0f} m from home") if base_kind == "home" else ("surer", "surer than the area")
    return Place(*found.point, "fix", Reason(code, text, values), apart)
