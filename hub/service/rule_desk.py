"""What people tell the alarm rules: a resident's thresholds and fences, and values that a nurse measured.

Every change says who made it, when and why: in the row, for the page, and in the audit, which nobody can rewrite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from hub.alarms import SYSTEM, Alarm, classify
from hub.alarms.rules import (
    ENTERED,
    NEWS2_RULE,
    RULE_IDS,
    SETTINGS,
    Measured,
    News2,
    Thresholds,
    check_ring,
    check_thresholds,
    news2,
)
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, EntryRow, Json, ObservationRow, RuleSet, Transaction
from hub.service.raising import NewAlarm, Raising, again_where_raced
from hub.service.ruling import fence_of

__all__ = ["MOST_FENCES", "Entered", "RuleDesk", "check_measured"]

MOST_FENCES = 20
_OLDEST = timedelta(hours=24)
_NOW = timedelta(minutes=30)
"""A value measured longer ago is kept and scored, and raises nothing now."""
_AHEAD = timedelta(minutes=5)
_FENCE_DEFAULTS: Json = {
    "days": list(range(7)),
    "from_min": 0,
    "to_min": 0,
    "slack_m": 30.0,
    "active": True,
}
_ALSO = ("diastolic_mmhg", "glucose_mmol_l")
"""Measured with the rest, and not part of NEWS2."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of entered values: the score, and the alarm and incident it raised, if any."""

    score: News2
    observed_at: datetime
    alarm_id: str | None = None
    incident_id: str | None = None


class RuleDesk:
    """Thresholds, fences and entered values of residents."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising

    # ---- thresholds -------------------------------------------------------------------------------------------------

    def thresholds(self, resident_id: str) -> Json:
        """Every setting in the order of the table: value, default, bounds; of an own value who set it, when and why."""
        with self._database.begin() as tx:
            found = self._of(tx, resident_id)
        items = []
        for setting in SETTINGS.values():
            own = found.thresholds.get(setting.id)
            bounds = {"low": setting.low, "high": setting.high} if setting.kind == "number" else {}
            items.append(
                {
                    "id": setting.id,
                    "kind": setting.kind,
                    "value": _plain(setting.default) if own is None else own["value"],
                    "default": _plain(setting.default),
                    "unit": setting.unit,
                    "zh": setting.zh,
                    "en": setting.en,
                    "low": bounds.get("low"),
                    "high": bounds.get("high"),
                    "own": own is not None,
                    "changed_by": own and own["name"],
                    "changed_at": own and own["at"],
                    "reason": own and own["reason"],
                }
            )
        return {"items": items, "version": _version(found)}

    def set_thresholds(
        self,
        resident_id: str,
        values: Mapping[str, Any],
        reason: str,
        actor: Actor,
        *,
        back: frozenset[str] = frozenset(),
        version: int | None = None,
    ) -> None:
        """Sets `values` (id -> value) and takes those in `back` to their defaults. BadRequestError says every fault."""
        now = self._clock()
        with self._database.begin() as tx:
            found = self._of(tx, resident_id, lock=True, version=version)
            unknown = sorted(back - SETTINGS.keys())
            if unknown:
                raise BadRequestError(f"{unknown[0]}: there is no such threshold", field=unknown[0])
            after = {name: one for name, one in found.thresholds.items() if name not in back}
            mark = {"user_id": actor.user_id, "name": actor.name, "at": now.isoformat(), "reason": reason}
            after |= {name: {"value": value, **mark} for name, value in values.items()}
            faults = check_thresholds({name: one["value"] for name, one in after.items()}, RULE_IDS)
            if faults:
                raise BadRequestError("; ".join(faults), field=faults[0].partition(":")[0])
            changes = {
                name: {"before": _value(found.thresholds, name), "after": _value(after, name)}
                for name in sorted({*values, *back})
                if _value(found.thresholds, name) != _value(after, name)
            }
            tx.rules.save(resident_id, after, found.geofences)
            tx.rules.wake(resident_id)
            detail = {"changes": changes, "reason": reason}
            tx.audit.add(actor, "thresholds.change", f"residents:{resident_id}", detail, now)

    # ---- fences -----------------------------------------------------------------------------------------------------

    def fences(self, resident_id: str) -> Json:
        """The resident's fences as they are stored: corners [lat, lon], WGS-84, local minutes of the day."""
        with self._database.begin() as tx:
            found = self._of(tx, resident_id)
        return {"items": found.geofences, "version": _version(found)}

    def set_fences(
        self,
        resident_id: str,
        fences: Sequence[Mapping[str, Any]],
        reason: str,
        actor: Actor,
        *,
        version: int | None = None,
    ) -> None:
        """The list as a whole; a fence with the id of one that is there replaces it, one without an id is new.

        `ring`: corners [lat, lon], WGS-84. BadRequestError names the fence and its fault.
        """
        if len(fences) > MOST_FENCES:
            raise BadRequestError(f"at most {MOST_FENCES} fences a resident", field="items")
        now = self._clock()
        with self._database.begin() as tx:
            found = self._of(tx, resident_id, lock=True, version=version)
            before = {one["id"]: one for one in found.geofences}
            mark = {"changed_by": actor.name, "changed_at": now.isoformat(), "reason": reason}
            after: list[Json] = []
            for index, given in enumerate(fences):
                ident = given.get("id")
                if ident is not None and ident not in before:
                    raise NotFoundError(f"items.{index}: the resident has no fence {ident}", field=f"items.{index}.id")
                row = {**_FENCE_DEFAULTS, **given, "id": ident or self._new_id()}
                wrong = check_ring([(lat, lon) for lat, lon in row["ring"]])
                if wrong:
                    raise BadRequestError(f"items.{index}: {wrong}", field=f"items.{index}.ring")
                fence_of(row)
                same = {name: one for name, one in before.get(row["id"], {}).items() if name not in mark}
                after.append(before[row["id"]] if same == row else row | mark)
            if len({one["id"] for one in after}) < len(after):
                raise BadRequestError("items: a fence is there twice", field="items")
            tx.rules.save(resident_id, found.thresholds, after)
            tx.rules.wake(resident_id)
            kept = {one["id"] for one in after}
            detail = {
                "reason": reason,
                "set": [{"id": one["id"], "name": one["name"]} for one in after if before.get(one["id"]) != one],
                "removed": [{"id": one["id"], "name": one["name"]} for one in found.geofences if one["id"] not in kept],
            }
            tx.audit.add(actor, "geofences.change", f"residents:{resident_id}", detail, now)

    def _of(self, tx: Transaction, resident_id: str, *, lock: bool = False, version: int | None = None) -> RuleSet:
        if tx.residents.get(resident_id) is None:
            raise NotFoundError(f"no resident {resident_id}")
        if lock:
            # The job locks a resident's turn before anything else; whoever comes first, nobody waits in a ring.
            tx.rules.wake(resident_id)
        found = tx.rules.of(resident_id, lock=lock)
        current = _version(found)
        if version is not None and version != current:
            raise ConflictError(
                f"it was changed meanwhile: version {current}, not {version}", code="version", version=current
            )
        return found

    # ---- entered values ---------------------------------------------------------------------------------------------

    def enter(self, resident_id: str, values: Mapping[str, Any], actor: Actor) -> Entered:
        """Keeps what a nurse measured as observations, scores it by NEWS2, and raises what the score calls for.

        `values`: the fields of `Measured`, `diastolic_mmhg`, `glucose_mmol_l`, `observed_at`, `note`. BadRequestError
        names what nobody can have. Repeats of a request are the caller's matter.
        """
        return again_where_raced(lambda: self._enter(resident_id, values, actor))

    def _enter(self, resident_id: str, values: Mapping[str, Any], actor: Actor) -> Entered:
        now = self._clock()
        observed_at: datetime = values.get("observed_at") or now
        if not now - _OLDEST <= observed_at <= now + _AHEAD:
            raise BadRequestError("observed_at: must lie within the last 24 hours", field="observed_at")
        with self._database.begin() as tx:
            return self.take(tx, resident_id, values, actor, now, observed_at)

    def take(
        self,
        tx: Transaction,
        resident_id: str,
        values: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        observed_at: datetime,
        *,
        scored: bool = True,
    ) -> Entered:
        """The same inside the caller's transaction, for values of any age: an old one is kept and raises nothing.

        `scored` False: whoever measured is no nurse; the values are kept, and nobody's score is made of them (the score
        given back knows none of the seven). RaceLostError: take the caller's transaction again.
        """
        measured, numbers = check_measured(values)
        found = self._of(tx, resident_id)
        tx.rules.wake(resident_id)
        own = Thresholds({name: one["value"] for name, one in found.thresholds.items()})
        score = _scored(measured if scored else Measured(), own)
        rows = [ObservationRow(now, observed_at, ENTERED, resident_id, name, value) for name, value in numbers.items()]
        body: Json = {"values": {**numbers, "consciousness": measured.consciousness, "oxygen": measured.oxygen}}
        if score.known:
            # A partial total is a number of its own: nobody may read it as NEWS2.
            name = "news2_partial" if score.partial else "news2"
            rows.append(ObservationRow(now, observed_at, ENTERED, resident_id, name, float(score.total)))
            zh, en = score.words
            body |= {"score": score.total, "known": score.known, "response": score.response, "zh": zh, "en": en}
        tx.series.write([], rows, [])
        body |= {"note": values.get("note")}
        tx.timeline.add(
            EntryRow(
                at=now, subject_kind="resident", subject_id=resident_id, kind="vitals_entered", actor=actor, body=body
            )
        )
        tx.audit.add(actor, "vitals.enter", f"residents:{resident_id}", {"metrics": sorted(numbers)}, now)
        new = self._raised(tx, resident_id, score, own, observed_at, actor, now)
        if new is None:
            return Entered(score, observed_at)
        return Entered(score, observed_at, new.alarm.id, new.incident_id)

    def _raised(
        self,
        tx: Transaction,
        resident_id: str,
        score: News2,
        own: Thresholds,
        observed_at: datetime,
        actor: Actor,
        now: datetime,
    ) -> NewAlarm | None:
        if score.response not in ("urgent", "emergency") or own.off(NEWS2_RULE) or now - observed_at > _NOW:
            return None
        zh, en = score.words
        said = [{"code": one.code, "text": one.text, "values": dict(one.values)} for one in score.reasons]
        alarm = Alarm(
            id=self._new_id(),
            device_id=None,
            resident_id=resident_id,
            type="assistance",
            alarm_class=classify("assistance")[0],
            priority="critical" if score.response == "emergency" else "high",
            received_at=now,
            observed_at=observed_at,
            note=zh if zh == en else f"{zh} · {en}",
            source="rule",
            attributes={"rule": NEWS2_RULE, "reasons": said, "entered_by": actor.name},
            reasons=score.reasons,
        )
        resident = tx.residents.get(resident_id)
        new = NewAlarm(alarm, actor=SYSTEM, area_id=resident.area_id if resident else None)
        self._raising.raise_alarms(tx, [new], now)
        return new


def check_measured(values: Mapping[str, Any]) -> tuple[Measured, dict[str, float]]:
    """What was measured, and every number of it by its metric. BadRequestError names what nobody can have."""
    measured = Measured(**{name: values.get(name) for name in Measured.__dataclass_fields__})
    numbers = {
        name: float(value)
        for name in (*Measured.__dataclass_fields__, *_ALSO)
        if isinstance(value := values.get(name), int | float) and not isinstance(value, bool)
    }
    if not numbers and measured.consciousness is None:
        raise BadRequestError("give at least one measured value", field="heart_rate_bpm")
    systolic, diastolic = numbers.get("systolic_mmhg"), numbers.get("diastolic_mmhg")
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        raise BadRequestError("diastolic_mmhg: must be less than systolic_mmhg", field="diastolic_mmhg")
    if not all(isfinite(one) for one in numbers.values()):
        raise BadRequestError("a value must be a finite number", field="heart_rate_bpm")
    _scored(measured, Thresholds({}))
    return measured, numbers


def _scored(measured: Measured, own: Thresholds) -> News2:
    try:
        return news2(measured, scale_2=own.flag("spo2_scale_2"))
    except ValueError as error:
        raise BadRequestError(str(error), field=str(error).partition(":")[0]) from None


def _version(rules: RuleSet) -> int:
    """Of somebody for whom nothing was ever set there is no row: that reads as the first version of it."""
    return max(rules.version, 1)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(thresholds: Mapping[str, Json], name: str) -> Any:
    own = thresholds.get(name)
    return None if own is None else own["value"]
