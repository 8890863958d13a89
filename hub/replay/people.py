"""What a recorded night knows of its people: what their devices said lately, as the rules look at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from devices import Event
from hub.alarms.rules import Picture, Position, Reading, Source, Standing, Word
from hub.care import RESIDENT_STATUSES, Resident
from hub.ports import Json, RulesSeen
from hub.replay.rule_set import RuleSet
from hub.service.ruling import picture_of, remembered
from hub.service.series import fix_row, observation_rows

__all__ = ["Person", "person_of"]

# As the running hub reads them for a look.
_READINGS_FOR: Final = timedelta(minutes=61)
_MOST_READINGS: Final = 24
_WORDS_FOR: Final = timedelta(hours=36)
_MOST_WORDS: Final = 200
_POSITIONS_FOR: Final = timedelta(minutes=31)
_MOST_POSITIONS: Final = 4
_MEALS_FOR: Final = timedelta(hours=24)


@dataclass(slots=True)
class Person:
    """One resident while the night is played. `standing`: what rules have raised and not taken back."""

    resident: Resident
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    geofences: Sequence[Json] = ()
    usual: Json = field(default_factory=dict)
    standing: dict[str, Standing] = field(default_factory=dict)
    looked_at: datetime | None = None
    readings: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    words: list[Word] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    meals: list[datetime] = field(default_factory=list)
    visits: list[datetime] = field(default_factory=list)
    heard: dict[str, datetime] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def hear(self, event: Event, at: datetime) -> None:
        """Keeps what an event says of the person."""
        self.heard[event.device_id] = at
        for row in observation_rows(event, at, self.resident.id):
            if row.state is not None:
                self.words.append(Word(row.state, at, row.observed_at, row.device_id, row.buffered))
            elif row.value is not None:
                reading = Reading(row.value, at, row.observed_at, row.device_id, row.buffered)
                self.readings[row.metric].append(reading)
        fix = fix_row(event, at, self.resident.id)
        if fix is not None:
            self.positions.append(
                Position(fix.lat, fix.lon, fix.accuracy_m, fix.source, at, fix.observed_at, fix.buffered)
            )

    def picture(self, now: datetime, rules: RuleSet, zone: tzinfo) -> Picture:
        """As the running hub would see the person at `now`."""
        self._forget(now)
        resident = self.resident
        seen = RulesSeen(
            people=(),
            readings={resident.id: {metric: tuple(listed) for metric, listed in self.readings.items()}},
            words={resident.id: tuple(self.words)},
            positions={resident.id: tuple(self.positions)},
            sources={resident.id: tuple(Source(ident, at) for ident, at in self.heard.items())},
            missed_meals={resident.id: tuple(self.meals)},
            missed_visits={resident.id: tuple(self.visits)},
        )
        known = remembered(self.known, seen, resident.id)
        self.known = {name: at.isoformat() for name, at in known.items()}
        own = {**rules.thresholds, **self.thresholds}
        person = {
            "resident_id": resident.id,
            "thresholds": {name: {"value": value} for name, value in own.items()},
            "status": resident.status,
            "lives_alone": resident.lives_alone,
            "geofences": self.geofences,
        }
        return picture_of(person, seen, known, self.usual, None, zone)

    def _forget(self, now: datetime) -> None:
        for metric, listed in self.readings.items():
            self.readings[metric] = [one for one in listed if now - one.received_at <= _READINGS_FOR][-_MOST_READINGS:]
        self.words = [one for one in self.words if now - one.received_at <= _WORDS_FOR][-_MOST_WORDS:]
        recent = [one for one in self.positions if now - one.received_at <= _POSITIONS_FOR]
        self.positions = recent[-_MOST_POSITIONS:]
        self.meals = [one for one in self.meals if now - one <= _MEALS_FOR]
        self.visits = [one for one in self.visits if now - one <= _MEALS_FOR]


def person_of(body: Mapping[str, Any], before: Person | None = None) -> Person:
    """A person of a `resident` record; what it does not name stays as it was. ValueError says what is wrong."""
    old = before.resident if before is not None else Resident(id=str(body["id"]), name=str(body.get("name", "")))
    status = body.get("status", old.status)
    if status not in RESIDENT_STATUSES:
        raise ValueError(f"status: one of {', '.join(RESIDENT_STATUSES)}, not {status!r}")
    area_id = body.get("area_id", old.area_id)
    resident = Resident(
        id=old.id,
        name=str(body.get("name", old.name)),
        status=status,
        area_id=area_id,
        area_path=tuple(body.get("area_path", old.area_path)),
        lives_alone=bool(body.get("lives_alone", old.lives_alone)),
    )
    person = before or Person(resident)
    person.resident = resident
    person.thresholds = _own(body.get("thresholds"), person.thresholds)
    person.geofences = body.get("geofences", person.geofences)
    person.usual = body.get("usual", person.usual)
    return person


def _own(given: object, before: Mapping[str, Any]) -> Mapping[str, Any]:
    if given is None:
        return before
    if not isinstance(given, dict):
        raise ValueError("thresholds: an object, id to value")
    # As the export writes them ({"value": …, "name": …}) and as a person would.
    return {name: one["value"] if isinstance(one, dict) and "value" in one else one for name, one in given.items()}
