"""The alarm rules at work: residents whose turn it is, judged in one transaction, raised by the way of every alarm.

Beside the telemetry and never in its way: nothing is written when a record comes in. A resident is looked at when the
pace allows and a device of theirs was heard, when a rule has said that time alone may change something, or at once
after a status, a threshold or a fence was changed. Old (buffered) records are seen by the rules and raise nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import msgspec

from hub.alarms import SYSTEM, Alarm, classify
from hub.alarms.rules import (
    DOORS,
    DOSES,
    LEARNED_DAYS,
    RULES,
    SIGNS,
    TREND_METRICS,
    WELL,
    Fence,
    Picture,
    Rest,
    Standing,
    Thresholds,
    Usual,
    Verdict,
    judge,
    learn_rest,
    learn_usual,
)
from hub.clock import Clock, IdSource
from hub.ports import Database, EntryRow, Json, JudgedRow, RulesSeen, Transaction
from hub.service.prepared import key_digest
from hub.service.raising import NewAlarm, Raising, again_where_raced

__all__ = ["Ruled", "Ruling", "alarm_of_verdict", "fence_of", "picture_of", "remembered"]

_LEARN_EVERY = timedelta(hours=20)
_LEARN_AT_ONCE = 10
"""Residents learned anew in one run: each reads four weeks of hours."""
_AFTER_A_FAULT = timedelta(minutes=10)
_SOONEST = timedelta(seconds=1)
_KNOWN = {"sign_at": SIGNS, "door_at": DOORS, "dose_words_at": DOSES, "well_words_at": WELL}


@dataclass(frozen=True, slots=True)
class Ruled:
    """One run in numbers. `failed`: residents who could not be judged, and why; they are tried again later."""

    taken: int = 0
    judged: int = 0
    raised: int = 0
    learned: int = 0
    failed: tuple[tuple[str, str], ...] = ()


class Ruling:
    """Judges residents. Any number of jobs may run beside each other. `zone`: the place's time."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._zone = zone

    def run_once(self, limit: int = 200, pace_s: float = 15.0) -> Ruled:
        """Looks at up to `limit` residents, in one transaction; being heard gives nobody two turns within `pace_s`."""

        def act() -> Ruled:
            with self._database.begin() as tx:
                return self._run(tx, self._clock(), limit, timedelta(seconds=pace_s))

        return again_where_raced(act)

    def _run(self, tx: Transaction, now: datetime, limit: int, pace: timedelta) -> Ruled:
        taken, wanted = tx.rules.claim(now, limit, now + pace)
        if not wanted:
            return Ruled(taken)
        seen = tx.rules.seen(wanted, now)
        learned = self._learn(tx, seen.people, now)
        hearing = [row.since if row.up else now for row in tx.supervision.hearing(now).values()]
        heard_since = max(hearing, default=None)
        rows: list[JudgedRow] = []
        verdicts: list[tuple[Json, Picture, Verdict]] = []
        failed: list[tuple[str, str]] = []
        for person in seen.people:
            resident_id = person["resident_id"]
            try:
                known = remembered(person["known"], seen, resident_id)
                usual = learned.get(resident_id, person["usual"])
                picture = picture_of(person, seen, known, usual, heard_since, self._zone)
                standing = {rule: msgspec.convert(one, Standing) for rule, one in person["standing"].items()}
                found = judge(picture, standing, now=now)
            except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
                # One resident's odd record must not stand before everybody else's alarm.
                failed.append((resident_id, repr(error)))
                again = now + _AFTER_A_FAULT
                rows.append(JudgedRow(resident_id, again, again, now, person["standing"], person["known"]))
                continue
            verdicts += [(person, picture, one) for one in found]
            rows.append(_row(resident_id, found, known, now, pace))
        raised = self._raise(tx, verdicts, now)
        tx.rules.settle(rows)
        return Ruled(taken, len(wanted), raised, len(learned), tuple(failed))

    def _learn(self, tx: Transaction, people: Sequence[Json], now: datetime) -> Mapping[str, Json]:
        stale = [
            one["resident_id"] for one in people if one["learned_at"] is None or now - one["learned_at"] >= _LEARN_EVERY
        ][:_LEARN_AT_ONCE]
        if not stale:
            return {}
        since = now - timedelta(days=LEARNED_DAYS)
        hours = tx.rules.hours(stale, TREND_METRICS.keys(), since, now)
        signs = tx.rules.sign_hours(stale, since, now)
        rows: dict[str, Json] = {}
        for resident_id in stale:
            series = hours.get(resident_id, {})
            metrics = {
                metric: _by_hour(learn_usual(series[metric], self._zone, beside_h=beside))
                for metric, beside in TREND_METRICS.items()
                if metric in series
            }
            rest = _by_hour(learn_rest(signs.get(resident_id, []), now, self._zone))
            rows[resident_id] = {"metrics": metrics, "rest": rest}
        tx.rules.learned(rows, now)
        return rows

    def _raise(self, tx: Transaction, verdicts: Sequence[tuple[Json, Picture, Verdict]], now: datetime) -> int:
        over = [(person, one) for person, _, one in verdicts if one.kind == "clear"]
        tx.timeline.add(*(_over_entry(person["resident_id"], one, now) for person, one in over))
        presses = [
            NewAlarm(
                alarm_of_verdict(self._new_id(), picture, verdict, now),
                key_digest("rule", verdict.key),
                family="rule",
                actor=SYSTEM,
                area_id=person["area_id"],
            )
            for person, picture, verdict in verdicts
            if verdict.kind == "raise"
        ]
        if not presses:
            return 0
        situation = tx.look(
            devices=(),
            keys=[(new.key, now) for new in presses if new.key is not None],
            presses=[new.key for new in presses if new.key is not None],
            residents={new.alarm.resident_id for new in presses if new.alarm.resident_id},
            slots={(new.alarm.subject, new.alarm.alarm_class) for new in presses},
            now=now,
        )
        fresh = [new for new in presses if new.key in situation.fresh]
        self._raising.raise_alarms(tx, fresh, now, situation)
        return len(fresh)


def alarm_of_verdict(alarm_id: str, picture: Picture, verdict: Verdict, now: datetime) -> Alarm:
    """What a rule raises, as an alarm of its resident; where it is about a place, with the position it saw."""
    rule = RULES[verdict.rule]
    alarm_class, _ = classify(verdict.type)
    said = [{"code": one.code, "text": one.text, "values": dict(one.values)} for one in verdict.reasons]
    fix: Json | None = None
    if alarm_class == "whereabouts" and picture.positions:
        last = picture.positions[-1]
        fix = {"lat": last.lat, "lon": last.lon, "accuracy_m": last.accuracy_m, "source": last.source}
        fix["observed_at"] = last.observed_at.isoformat()
    return Alarm(
        id=alarm_id,
        device_id=None,
        resident_id=picture.resident_id,
        type=verdict.type,
        alarm_class=alarm_class,
        priority=verdict.priority,
        received_at=now,
        observed_at=now,
        fix=fix,
        note=f"{rule.zh} · {rule.en}: {verdict.reasons[0].text}",
        source="rule",
        attributes={"rule": rule.id, "reasons": said},
        reasons=verdict.reasons,
    )


def fence_of(stored: Mapping[str, Any]) -> Fence:
    """A fence as `resident_rules` keeps it. ValueError, KeyError or TypeError where it is none."""
    return Fence(
        id=stored["id"],
        name=stored["name"],
        kind=stored["kind"],
        ring=tuple((float(lat), float(lon)) for lat, lon in stored["ring"]),
        days=frozenset(stored["days"]),
        from_min=stored["from_min"],
        to_min=stored["to_min"],
        slack_m=float(stored["slack_m"]),
        active=bool(stored["active"]),
    )


def picture_of(
    person: Json,
    seen: RulesSeen,
    known: Mapping[str, datetime],
    usual: Json,
    heard_since: datetime | None,
    zone: tzinfo,
) -> Picture:
    resident_id = person["resident_id"]
    metrics, rest = usual.get("metrics", {}), usual.get("rest", {})
    return Picture(
        resident_id=resident_id,
        zone=zone,
        thresholds=Thresholds({name: one["value"] for name, one in person["thresholds"].items()}),
        status=person["status"],
        lives_alone=person["lives_alone"],
        readings=seen.readings.get(resident_id, {}),
        words=seen.words.get(resident_id, ()),
        positions=seen.positions.get(resident_id, ()),
        fences=tuple(fence_of(one) for one in person["geofences"]),
        usual={metric: {int(hour): Usual(**one) for hour, one in hours.items()} for metric, hours in metrics.items()},
        rest={int(hour): Rest(**one) for hour, one in rest.items()},
        sources=seen.sources.get(resident_id, ()),
        missed_meals=seen.missed_meals.get(resident_id, ()),
        missed_visits=seen.missed_visits.get(resident_id, ()),
        hearing_since=heard_since,
        **known,
    )


def remembered(stored: Mapping[str, str], seen: RulesSeen, resident_id: str) -> dict[str, datetime]:
    """The latest of each kind of sign: those of this look, and those that have left its window."""
    known = {name: datetime.fromisoformat(at) for name, at in stored.items()}
    words = seen.words.get(resident_id, ())
    for name, states in _KNOWN.items():
        _keep_latest(known, name, [one.observed_at for one in words if one.state in states])
    steps = seen.readings.get(resident_id, {}).get("steps", ())
    by_device: dict[str, float] = {}
    for one in sorted(steps, key=lambda one: one.observed_at):
        if one.value > by_device.get(one.device_id, one.value):
            _keep_latest(known, "sign_at", [one.observed_at])
        by_device[one.device_id] = one.value
    return known


def _keep_latest(known: dict[str, datetime], name: str, times: Collection[datetime]) -> None:
    if times:
        known[name] = max(*times, known[name]) if name in known else max(times)


def _row(
    resident_id: str, found: Sequence[Verdict], known: Mapping[str, datetime], now: datetime, pace: timedelta
) -> JudgedRow:
    due_at = min((one.look_at for one in found if one.look_at is not None), default=None)
    if due_at is not None:
        due_at = max(due_at, now + _SOONEST)
    check_at = now + pace if due_at is None else min(due_at, now + pace)
    standing = {one.rule: asdict(one.standing) for one in found if one.standing is not None}
    return JudgedRow(resident_id, check_at, due_at, now, standing, {name: at.isoformat() for name, at in known.items()})


def _by_hour(found: Mapping[int, Usual] | Mapping[int, Rest]) -> Json:
    return {str(hour): asdict(one) for hour, one in found.items()}


def _over_entry(resident_id: str, verdict: Verdict, now: datetime) -> EntryRow:
    reason = verdict.reasons[-1]
    body = {"rule": verdict.rule, "type": verdict.type, "reason": reason.code, "text": reason.text}
    return EntryRow(at=now, subject_kind="resident", subject_id=resident_id, kind="rule_over", body=body)
