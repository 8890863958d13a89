"""The alarm rules as rows: whose turn it is, what is known of them, what stands and what is set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from hub.alarms.rules import PLAUSIBLE, SIGNS, Position, Reading, Source, Word
from hub.ports.records import Json
from hub.ports.rules import JudgedRow, RuleSet, RulesSeen
from hub.store.session import Session, as_json

__all__ = ["RulesDrawer"]

_READINGS_SINCE, _MOST_READINGS = timedelta(minutes=61), 24
_WORDS_SINCE, _MOST_WORDS = timedelta(hours=36), 6
_POSITIONS_SINCE, _MOST_POSITIONS = timedelta(minutes=31), 4
_MEALS_SINCE = timedelta(hours=24)
_METRICS = [*PLAUSIBLE, "wearing", "steps"]
_STATES = sorted(SIGNS)


class RulesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, now: datetime, limit: int, next_at: datetime) -> tuple[int, list[str]]:
        rows = self._session.all("rules_claim", now=now, limit=limit, next=next_at)
        return len(rows), [row["resident_id"] for row in rows if row["wanted"]]

    def seen(self, resident_ids: Collection[str], now: datetime) -> RulesSeen:
        asked = {"ids": sorted(resident_ids), "now": now}
        readings: dict[str, dict[str, list[Reading]]] = defaultdict(lambda: defaultdict(list))
        words: dict[str, list[Word]] = defaultdict(list)
        positions: dict[str, list[Position]] = defaultdict(list)
        sources: dict[str, list[Source]] = defaultdict(list)
        meals: dict[str, list[datetime]] = defaultdict(list)
        visits: dict[str, list[datetime]] = defaultdict(list)
        session = self._session
        with session.together():
            people = session.later("rules_people", ids=asked["ids"])
            found_readings = session.later(
                "rules_readings", **asked, metrics=_METRICS, since=now - _READINGS_SINCE, most=_MOST_READINGS
            )
            found_words = session.later(
                "rules_words", **asked, states=_STATES, since=now - _WORDS_SINCE, most=_MOST_WORDS
            )
            found_positions = session.later(
                "rules_positions", **asked, since=now - _POSITIONS_SINCE, most=_MOST_POSITIONS
            )
            found_sources = session.later("rules_sources", ids=asked["ids"])
            found_meals = session.later("rules_meals", **asked, since=now - _MEALS_SINCE)
            found_visits = session.later("rules_visits", **asked, since=now - _MEALS_SINCE)
        for row in found_readings.fetchall():
            readings[row.pop("resident_id")][row.pop("metric")].append(Reading(**row))
        for row in found_words.fetchall():
            words[row.pop("resident_id")].append(Word(**row))
        for row in found_positions.fetchall():
            positions[row.pop("resident_id")].append(Position(**row))
        for row in found_sources.fetchall():
            sources[row.pop("resident_id")].append(Source(**row))
        for row in found_meals.fetchall():
            meals[row["resident_id"]].append(row["at"])
        for row in found_visits.fetchall():
            visits[row["resident_id"]].append(row["at"])
        return RulesSeen(
            people.fetchall(),
            {key: {metric: tuple(listed) for metric, listed in one.items()} for key, one in readings.items()},
            {key: tuple(one) for key, one in words.items()},
            {key: tuple(one) for key, one in positions.items()},
            {key: tuple(one) for key, one in sources.items()},
            {key: tuple(one) for key, one in meals.items()},
            {key: tuple(one) for key, one in visits.items()},
        )

    def hours(
        self, resident_ids: Collection[str], metrics: Collection[str], since: datetime, now: datetime
    ) -> Mapping[str, Mapping[str, list[tuple[datetime, float]]]]:
        found: dict[str, dict[str, list[tuple[datetime, float]]]] = defaultdict(lambda: defaultdict(list))
        rows = self._session.all("rules_hours", ids=sorted(resident_ids), metrics=sorted(metrics), since=since, now=now)
        for row in rows:
            found[row["resident_id"]][row["metric"]].append((row["at"], row["mean"]))
        return found

    def sign_hours(self, resident_ids: Collection[str], since: datetime, now: datetime) -> Mapping[str, list[datetime]]:
        found: dict[str, list[datetime]] = defaultdict(list)
        for row in self._session.all("rules_signs", ids=sorted(resident_ids), states=_STATES, since=since, now=now):
            found[row["resident_id"]].append(row["at"])
        return found

    def learned(self, rows: Mapping[str, Json], now: datetime) -> None:
        listed = [{"resident_id": key, "usual": usual} for key, usual in sorted(rows.items())]
        if listed:
            self._session.run("rules_learned", rows=as_json(listed), now=now)

    def settle(self, rows: Sequence[JudgedRow]) -> None:
        if rows:
            self._session.run("rules_settle", rows=as_json([row._asdict() for row in rows]))

    def wake(self, resident_id: str) -> None:
        self._session.run("rules_wake", resident_id=resident_id)

    def of(self, resident_id: str, *, lock: bool = False) -> RuleSet:
        if lock:
            self._session.run("rules_lock", resident_id=resident_id)
        row = self._session.one("rules_locked" if lock else "rules_of", resident_id=resident_id)
        return RuleSet(**row) if row else RuleSet({}, [], 0)

    def save(self, resident_id: str, thresholds: Json, geofences: Sequence[Json]) -> None:
        self._session.run(
            "rules_save", resident_id=resident_id, thresholds=as_json(thresholds), geofences=as_json(list(geofences))
        )
