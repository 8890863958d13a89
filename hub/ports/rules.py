"""The alarm rules as they cross the floors: what is known of residents, what stands, what is set for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from hub.alarms.rules import Position, Reading, Source, Word
from hub.ports.records import Json

__all__ = ["JudgedRow", "RuleSet", "Rules", "RulesSeen"]


class RulesSeen(NamedTuple):
    """What was observed of residents lately, by resident; sequences run from the oldest to the latest."""

    people: Sequence[Json]
    """resident_id, name, status, lives_alone, area_id, standing, known, thresholds, geofences, usual, learned_at."""
    readings: Mapping[str, Mapping[str, tuple[Reading, ...]]]
    words: Mapping[str, tuple[Word, ...]]
    positions: Mapping[str, tuple[Position, ...]]
    sources: Mapping[str, tuple[Source, ...]]
    missed_meals: Mapping[str, tuple[datetime, ...]]
    missed_visits: Mapping[str, tuple[datetime, ...]] = MappingProxyType({})


class JudgedRow(NamedTuple):
    """What was found of a resident, and when to look again. `due_at`: whether or not anything is heard."""

    resident_id: str
    check_at: datetime
    due_at: datetime | None
    looked_at: datetime
    standing: Json
    known: Json


class RuleSet(NamedTuple):
    """What is set for a resident: thresholds (id -> {value, user_id, name, at, reason}) and geofences."""

    thresholds: Json
    geofences: list[Json]
    version: int


class Rules(Protocol):
    def claim(self, now: datetime, limit: int, next_at: datetime) -> tuple[int, list[str]]:
        """Takes up to `limit` residents whose turn it is (SKIP LOCKED): how many, and the ids of those to be judged.

        The others, of whom nothing was heard, are put off to `next_at`.
        """

    def seen(self, resident_ids: Collection[str], now: datetime) -> RulesSeen:
        """All that the rules look at."""

    def hours(
        self, resident_ids: Collection[str], metrics: Collection[str], since: datetime, now: datetime
    ) -> Mapping[str, Mapping[str, list[tuple[datetime, float]]]]:
        """Hourly means: resident -> metric -> (begin of the hour, mean), oldest first."""

    def sign_hours(self, resident_ids: Collection[str], since: datetime, now: datetime) -> Mapping[str, list[datetime]]:
        """The begins of the hours with a sign of moving."""

    def learned(self, rows: Mapping[str, Json], now: datetime) -> None:
        """What is usual, by resident."""

    def settle(self, rows: Sequence[JudgedRow]) -> None: ...

    def wake(self, resident_id: str) -> None:
        """The resident is to be looked at at once."""

    def of(self, resident_id: str, *, lock: bool = False) -> RuleSet:
        """What is set; version 0 where nothing ever was. `lock`: to be saved."""

    def save(self, resident_id: str, thresholds: Json, geofences: Sequence[Json]) -> None: ...
