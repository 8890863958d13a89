"""Many silences with one cause are one matter. Pure: what silent devices hang on, and which of it explains them.

The rules, each with the harm it prevents:

- A cause is *dark* when nobody behind it was heard for so long that several devices each missed a whole turn. Half of
  its devices falling silent within minutes is one matter too, though some of them still speak.
- A silence is counted for the cause that fits it best. Half of an area is silent because its base station is: then the
  station is the cause, and the area only where it is silent without the station too. Else one failure would be
  called by whichever name is first certain, and by another one as soon as more of it is known.
- Of the causes that are left the widest one explains a device.
- Silences of one failure are found one after another. Whoever hangs on a cause that is an open matter already joins it:
  where the cause explains it now, where a wider one does that is an open matter, and where the device was last heard
  before the matter began. A wider cause that becomes certain later takes in what was opened for its parts, and what
  was opened for single devices meanwhile.
- A cause that is quiet but not yet certain makes its devices wait a moment, at most one turn, so that the first of a
  thousand does not become an incident of its own. So does a wider cause that may be certain just as soon.
- When a cause is over everybody behind it has the whole span again: some of a thousand are the last to come back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.alarms.model import Reason

__all__ = ["LATELY", "Cause", "CauseKind", "Group", "SharedCauses", "SharedSilence"]

CauseKind = Literal["way", "upstream", "area"]

LATELY: Final = timedelta(minutes=10)
"""Silences that were found within so long may be of one cause, those found before say nothing about now."""
FEWEST: Final = 3
"""Fewer silent devices than this have no cause in common that anybody could tell."""
SHARE: Final = 0.5
SHARE_FEWEST: Final = 5
QUIET: Final = 0.2
"""A cause that was quiet for this part of a turn may be dark; for less, it is chance."""
AGAIN: Final = 0.1
SLACK_S: Final = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Devices that hang on the same places and report equally often.

    `places`: those of them that are looked at, each the subject of an incident (`upstream:bridge-7`, `area:G3`).
    `silent`: how many fell silent lately; those silent for long before are left out. `last_heard_at`: of any of them.
    """

    places: frozenset[str]
    interval_s: float
    devices: int
    silent: int = 0
    last_heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What devices hang on: an upstream (bridge, carrier, fleet), an area. `hearing_since`: since when the hub can hear
    them without a gap.
    """

    kind: CauseKind
    key: str
    name: str
    groups: tuple[Group, ...]
    hearing_since: datetime

    @property
    def place(self) -> str:
        """The subject of its incident."""
        return f"{self.kind}:{self.key}"

    @property
    def devices(self) -> int:
        return sum(group.devices for group in self.groups)

    @property
    def silent(self) -> int:
        return sum(group.silent for group in self.groups)

    def without(self, places: Collection[str]) -> Cause:
        """What of it does not hang on any of these."""
        return replace(self, groups=tuple(group for group in self.groups if group.places.isdisjoint(places)))

    def inside(self, place: str) -> bool:
        """Whether all of it hangs on that place."""
        return bool(self.groups) and all(place in group.places for group in self.groups)


@dataclass(frozen=True, slots=True)
class SharedSilence:
    """What becomes of a silent device. `joins`: the subject of the open matter it belongs to. `cause`: what explains it
    now, a matter of its own unless it joins one. `wait_until`: it may be a cause, ask again then. None of them: it is
    the device's own silence.

    `takes_in`: subjects of open matters that are part of `cause`; `since`: what was opened for single devices of
    the cause from then on is part of it as well.
    """

    cause: Cause | None = None
    joins: str | None = None
    wait_until: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    takes_in: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Why a cause is certain. `fit`: how much of what could be heard from it was not (0 to 1)."""

    reason: Reason
    since: datetime
    fit: float


class SharedCauses:
    """The causes of a moment's silences, held against one another.

    `live`: subjects of open matters, with the time they were opened; `over`: of those that ended lately, with the time
    they ended. Causes of live matters must be among `causes`, or they are not known as parts of others.
    """

    def __init__(
        self,
        causes: Iterable[Cause],
        *,
        now: datetime,
        live: Mapping[str, datetime] | None = None,
        over: Mapping[str, datetime] | None = None,
    ) -> None:
        self._now = now
        self._causes = {cause.place: cause for cause in causes}
        self._live = live or {}
        self._over = over or {}
        found = ((place, _evidence(cause, now)) for place, cause in self._causes.items())
        self._certain = {place: evidence for place, evidence in found if evidence is not None}
        self._sizes = {place: cause.devices for place, cause in self._causes.items()}
        self._holding: set[str] = set()
        for place in sorted(self._certain, key=lambda one: (-self._certain[one].fit, -self._sizes[one], one)):
            if self._is_needed(self._causes[place]):
                self._holding.add(place)
        self._quiet: dict[str, tuple[float | None, datetime | None]] = {}
        self._paces: dict[str, float | None] = {}

    def of(self, places: Sequence[str], *, heard_at: datetime | None, span_s: float) -> SharedSilence:
        """Of a silent device that hangs on these places, was last heard then, and may be silent for so long."""
        own = [self._causes[place] for place in places if place in self._causes]
        holding = [cause for cause in own if cause.place in self._holding]
        if not holding:
            return self._unexplained(places, own, heard_at, span_s)
        cause = max(holding, key=lambda one: self._sizes[one.place])
        found = self._certain[cause.place]
        joins = cause.place if cause.place in self._live else self._wider_live(cause, places, found)
        if joins is None and (again := self._wider_quiet(cause, own)) is not None:
            return SharedSilence(wait_until=again)
        whole = joins or cause.place
        parts = [
            place
            for place, opened_at in self._live.items()
            if place != whole
            and opened_at >= found.since
            and place in self._causes
            and self._causes[place].inside(whole)
        ]
        return SharedSilence(cause, joins, None, (found.reason,), tuple(sorted(parts)), found.since)

    def _unexplained(
        self, places: Sequence[str], own: Sequence[Cause], heard_at: datetime | None, span_s: float
    ) -> SharedSilence:
        begun = _after(heard_at, places, self._live)
        if begun:
            return SharedSilence(joins=max(begun)[1])
        waits = [again for cause in own if (again := self._may_be_dark(cause)[1]) is not None]
        waits += [ended_at + timedelta(seconds=span_s) for ended_at, _ in _after(heard_at, places, self._over)]
        return SharedSilence(wait_until=max((one for one in waits if one > self._now), default=None))

    def _is_needed(self, cause: Cause) -> bool:
        """Certain, and not only because of another one that fits better. Those that fit better have been asked before:
        one that is itself only certain because of another explains nothing away.
        """
        found = self._certain[cause.place]
        beside = {place for group in cause.groups for place in group.places if place in self._holding}
        better = [place for place in beside if self._certain[place].fit > found.fit]
        return all(cause.inside(place) or _evidence(cause.without((place,)), self._now) is not None for place in better)

    def _may_be_dark(self, cause: Cause) -> tuple[float | None, datetime | None]:
        """Of what is not explained by other causes that hold: its turn, and when to ask again (None: it is not
        dark).
        """
        if cause.place not in self._quiet:
            others = {place for group in cause.groups for place in group.places if place in self._holding}
            rest = cause.without([place for place in others if place != cause.place and not cause.inside(place)])
            self._quiet[cause.place] = (_turn(rest), _may_be_dark(rest, self._now))
        return self._quiet[cause.place]

    def _wider_live(self, cause: Cause, places: Sequence[str], found: _Evidence) -> str | None:
        wider = [
            place
            for place in places
            if cause.inside(place) and place in self._live
            if place in self._causes and (self._live[place] >= found.since or place in self._holding)
        ]
        return max(wider, key=lambda place: self._sizes[place], default=None)

    def _wider_quiet(self, cause: Cause, own: Sequence[Cause]) -> datetime | None:
        """When to ask again whether a wider cause is dark that would be so just as soon as this one is."""
        if cause.place not in self._paces:
            self._paces[cause.place] = _turn(cause)
        pace = self._paces[cause.place]
        found: list[datetime] = []
        for wider in own:
            if self._sizes[wider.place] > self._sizes[cause.place]:
                turn, again = self._may_be_dark(wider)
                if again is not None and turn is not None and pace is not None and turn <= pace:
                    found.append(again)
        return max(found, default=None)


def _after(
    heard_at: datetime | None, places: Sequence[str], times: Mapping[str, datetime]
) -> list[tuple[datetime, str]]:
    """The places whose time is not before the device was last heard."""
    if heard_at is None:
        return []
    return [(times[place], place) for place in places if place in times and heard_at <= times[place]]


def _evidence(cause: Cause, now: datetime) -> _Evidence | None:
    devices, silent = cause.devices, cause.silent
    if devices < FEWEST:
        return None
    quiet_since = _quiet_since(cause)
    quiet_s = (now - quiet_since).total_seconds()
    missed = sum(group.devices for group in cause.groups if _turn_s(group.interval_s) <= quiet_s)
    values: dict[str, str | int | float | bool | None]
    values = {"cause": cause.kind, "key": cause.key, "name": cause.name, "devices": devices}
    # Whoever speaks once an hour is no word against a cause that is dark for a minute; whoever was heard is one.
    expected = _expected(cause, quiet_s)
    fit = max(missed / expected if expected else 0.0, silent / devices)
    if missed >= FEWEST and (missed * 2 >= devices or expected >= SHARE_FEWEST):
        text = f"nobody of {devices} behind {cause.name} was heard for {round(quiet_s)} s"
        reason = Reason("dark", text, values | {"quiet_s": round(quiet_s)})
        return _Evidence(reason, min(quiet_since, now - LATELY), fit)
    if silent >= SHARE_FEWEST and silent >= SHARE * devices:
        text = f"{silent} of {devices} behind {cause.name} fell silent within minutes"
        return _Evidence(Reason("many_silent", text, values | {"silent": silent}), now - LATELY, fit)
    return None


def _may_be_dark(cause: Cause, now: datetime) -> datetime | None:
    """When to ask again: as soon as anybody behind it is heard, a silence is the device's own. None: it is not dark."""
    turn = _turn(cause)
    if turn is None or cause.devices < FEWEST:
        return None
    quiet_s = (now - _quiet_since(cause)).total_seconds()
    if _expected(cause, quiet_s) >= FEWEST and QUIET * turn <= quiet_s <= _turn_s(turn):
        return now + timedelta(seconds=max(2.0, turn * AGAIN))
    return None


def _quiet_since(cause: Cause) -> datetime:
    heard = [group.last_heard_at for group in cause.groups if group.last_heard_at is not None]
    return max([cause.hearing_since, *heard])


def _expected(cause: Cause, quiet_s: float) -> float:
    """How many of its devices would have been heard in that time."""
    return sum(group.devices * min(1.0, quiet_s / group.interval_s) for group in cause.groups)


def _turn_s(interval: float) -> float:
    """A turn, with what clocks and networks add to it."""
    return interval * 1.1 + SLACK_S


def _turn(cause: Cause) -> float | None:
    """The interval after which enough of its fastest devices will each have missed a whole turn."""
    seen = 0
    for group in sorted(cause.groups, key=lambda one: one.interval_s):
        seen += group.devices
        if seen >= FEWEST:
            return group.interval_s
    return None
