"""The rota's use cases: rotations that make shifts, overrides, swaps, holidays. Each method is one transaction.

Shifts are made ahead and kept as rows, so that an alarm at night reads them and reckons nothing. A shift that somebody
touched (by hand, a swap, an override of it) is left alone by its rotation, which says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from dispatch import Reason
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, Json, KeptShift, RotationRow, Transaction
from hub.rota import CHINA, Rotation, Shift, Slot, Swap, SwapAction, against, check_rotation, duties, slots, swap_step
from hub.service.guards import check_version

__all__ = ["MADE_AHEAD", "Made", "RotaDesk"]

MADE_AHEAD = timedelta(days=60)
"""So far ahead the shifts of a rotation are there."""
_TOPPED_UP = timedelta(days=1)
_LONGEST_OVERRIDE = timedelta(days=400)
_MAY_DECIDE = frozenset({"coordinator", "supervisor", "admin"})
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """What a rotation's change made of the shifts. `kept`: touched by somebody, and not what the rotation says."""

    made: int = 0
    changed: int = 0
    removed: int = 0
    kept: tuple[KeptShift, ...] = ()


class RotaDesk:
    """`zone`: the place's time, in which shifts begin and days are counted."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone

    # ---- rotations --------------------------------------------------------------------------------------------------

    def seed_holidays(self) -> int:
        """Makes the holidays brought along that are not there; gives how many. What somebody entered stays."""
        rows: list[Json] = [
            {"id": one.day.isoformat(), "kind": one.kind, "name": one.name, "source": one.source} for one in CHINA
        ]
        with self._database.begin() as tx:
            return tx.reference.make_missing("holidays", rows)

    def preview(self, rotation: Rotation, days: int = 28) -> tuple[Slot, ...]:
        """What a rotation would give from today on, without keeping anything. BadRequestError as `check_rotation`."""
        check_rotation(rotation)
        start = max(self._clock().astimezone(self._zone).date(), rotation.starts_on)
        with self._database.begin() as tx:
            _check_members(tx, rotation)
            return slots(rotation, start, start + timedelta(days=days), tx.rota.calendar(), self._zone)

    def add_rotation(self, fields: Mapping[str, Any], actor: Actor) -> tuple[str, Made]:
        """A new rotation and its shifts. BadRequestError (field), ConflictError where the id is taken."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.reference.insert("rotations", {**fields})
            made = self._follow(tx, str(row["id"]), now)
            tx.audit.add(actor, "rotations.add", f"rotations:{row['id']}", _told(made), now)
        return str(row["id"]), made

    def change_rotation(
        self, rotation_id: str, fields: Mapping[str, Any], actor: Actor, *, version: int | None = None
    ) -> Made:
        """Changes it, and its shifts that have not begun; those that somebody touched stay and are named."""
        now = self._clock()
        with self._database.begin() as tx:
            tx.reference.patch("rotations", rotation_id, {**fields}, version=version)
            made = self._follow(tx, rotation_id, now)
            detail = {"fields": sorted(fields), **_told(made)}
            tx.audit.add(actor, "rotations.change", f"rotations:{rotation_id}", detail, now)
        return made

    def set_holiday(self, day: str, fields: Mapping[str, Any], actor: Actor, *, version: int | None = None) -> None:
        """Enters or changes a day; rotations that go by working days follow at once."""
        now = self._clock()
        with self._database.begin() as tx:
            if tx.reference.get("holidays", day) is None:
                tx.reference.insert("holidays", {"source": "local", **fields, "id": day})
            else:
                tx.reference.patch("holidays", day, {**fields}, version=version)
            for row in tx.rota.rotations():
                if row.rotation.days != "every":
                    self._follow(tx, row.rotation.id, now)
            tx.everyday.care_plans.look_again()  # the jobs move the orders
            tx.audit.add(actor, "holidays.set", f"holidays:{day}", {**fields}, now)

    def top_up(self) -> int:
        """Makes the shifts that have come within reach; gives how many rotations it topped up. For the jobs."""
        now = self._clock()
        behind = (now + MADE_AHEAD - _TOPPED_UP).astimezone(self._zone).date()
        with self._database.begin() as tx:
            ids = [row.rotation.id for row in tx.rota.rotations(behind=behind)]
        for rotation_id in ids:  # each its own transaction: one that fails stands in nobody's way
            with self._database.begin() as tx:
                self._follow(tx, rotation_id, now)
        return len(ids)

    def _follow(self, tx: Transaction, rotation_id: str, now: datetime) -> Made:
        """The rotation's shifts from now on become what it says."""
        row = tx.rota.rotation(rotation_id)
        if row is None:
            raise NotFoundError(f"no rotation {rotation_id}")
        check_rotation(row.rotation)
        wanted = {(slot.starts_at, slot.seat): slot for slot in self._wanted(tx, row, now)}
        changed = 0
        gone: list[str] = []
        kept: list[KeptShift] = []
        for there in tx.rota.made(rotation_id, now):
            slot = wanted.pop((there.slot_at, there.seat), None)
            same = slot is not None and there.gives == (
                slot.responder_id,
                slot.starts_at,
                slot.ends_at,
                row.rotation.role,
                row.rotation.area_id,
            )
            if there.touched:
                kept += [] if same else [there]
            elif slot is None or slot.responder_id is None:
                gone.append(there.id)
            elif not same:
                changed += 1
                tx.rota.remake(there.id, slot, row.rotation)
        new = [(self._new_id(), slot) for slot in wanted.values() if slot.responder_id is not None]
        tx.rota.unmake(gone)
        tx.rota.make(row.rotation, new)
        tx.rota.made_until(rotation_id, (now + MADE_AHEAD).astimezone(self._zone).date())
        return Made(len(new), changed, len(gone), tuple(kept))

    def _wanted(self, tx: Transaction, row: RotationRow, now: datetime) -> list[Slot]:
        today, last = (at.astimezone(self._zone).date() for at in (now, now + MADE_AHEAD))
        # A new rotation gives the shift that is under way too; later on what has begun is left as it is.
        new = row.made_until is None
        first = today - timedelta(minutes=row.rotation.minutes) - _DAY if new else today
        _check_members(tx, row.rotation, missing_only=True)
        gone = tx.rota.inactive(row.rotation.members)
        return [
            replace(slot, responder_id=None) if slot.responder_id in gone else slot
            for slot in slots(row.rotation, first, last, tx.rota.calendar(), self._zone)
            if (slot.ends_at if new else slot.starts_at) > now
        ]

    # ---- shifts and overrides ---------------------------------------------------------------------------------------

    def remove_shift(self, shift_id: str, actor: Actor) -> None:
        """Takes away a shift that was entered by mistake. ConflictError: it has begun, or a rotation makes it."""
        now = self._clock()
        with self._database.begin() as tx:
            shift = tx.rota.shift(shift_id)
            if shift is None:
                raise NotFoundError(f"no shift {shift_id}")
            if shift.starts_at <= now:
                raise ConflictError("the shift has begun: say who is absent instead", code="begun")
            if shift.rotation_id is not None:
                raise ConflictError(
                    "a rotation makes this shift: change the rotation, or say who is absent", code="of-rotation"
                )
            tx.rota.unmake([shift_id])
            tx.audit.add(actor, "shifts.remove", f"shifts:{shift_id}", _shift_detail(shift), now)

    def override(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """Somebody is absent, is stood in for, or is there besides; gives the override's id.

        BadRequestError (field), NotFoundError.
        """
        now = self._clock()
        row = {"responder_id": None, "substitute_id": None, "shift_id": None, "role": None, "area_id": None, **fields}
        row |= {"id": self._new_id(), "made_by": actor.user_id, "made_at": now}
        with self._database.begin() as tx:
            self._fill_from_shift(tx, row)
            _check_override(row, now)
            people = [row[name] for name in ("responder_id", "substitute_id") if row[name] is not None]
            for name in sorted(tx.rota.inactive(people)):
                raise BadRequestError(f"{name}: is no active member of staff", field="substitute_id")
            if row["area_id"] is not None:
                tx.rota.path_of(row["area_id"])
            tx.rota.override_add(row)
            detail = {name: row[name] for name in ("kind", "responder_id", "substitute_id", "reason")}
            detail |= {name: row[name].isoformat() for name in ("starts_at", "ends_at")}
            tx.audit.add(actor, "rota.override", f"rota_overrides:{row['id']}", detail, now)
        return str(row["id"])

    @staticmethod
    def _fill_from_shift(tx: Transaction, row: Json) -> None:
        """An override of one shift need not repeat whose it is and when."""
        if row["shift_id"] is None:
            return
        shift = tx.rota.shift(str(row["shift_id"]))
        if shift is None:
            raise NotFoundError(f"no shift {row['shift_id']}", field="shift_id")
        row["responder_id"] = row["responder_id"] or shift.responder_id
        row["starts_at"] = row.get("starts_at") or shift.starts_at
        row["ends_at"] = row.get("ends_at") or shift.ends_at

    def withdraw_override(self, override_id: str, actor: Actor) -> None:
        """It counts no longer, from now on and for the past alike. NotFoundError: none in force."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.rota.override_withdraw(override_id, actor.user_id, now)
            if row is None:
                raise NotFoundError(f"no override {override_id} in force")
            detail = {"kind": row["kind"], "reason": row["reason"]}
            tx.audit.add(actor, "rota.override.withdraw", f"rota_overrides:{override_id}", detail, now)

    # ---- swaps ------------------------------------------------------------------------------------------------------

    def ask_swap(
        self, shift_id: str, asked_of: str, actor: Actor, *, return_id: str | None = None, note: str | None = None
    ) -> str:
        """Asks somebody to take a shift (and to give another for it); gives the swap's id.

        By whoever has the shift; a coordinator may ask in that person's name. ConflictError says what forbids it.
        """
        now = self._clock()
        with self._database.begin() as tx:
            found = {one: tx.rota.shift(one) for one in sorted(filter(None, (shift_id, return_id)))}
            for wanted, field in ((shift_id, "shift_id"), (return_id, "return_id")):
                if wanted is not None and found[wanted] is None:
                    raise NotFoundError(f"no shift {wanted}", field=field)
            shift = found[shift_id]
            assert shift is not None
            if actor.role not in _MAY_DECIDE and actor.person_id != shift.responder_id:
                raise ConflictError("the shift is somebody else's", code="not-yours")
            if tx.rota.inactive([asked_of]):
                raise BadRequestError(f"{asked_of}: is no active member of staff", field="asked_of")
            if asked_of == shift.responder_id:
                raise BadRequestError("asked_of: has the shift already", field="asked_of")
            swap_id = self._new_id()
            row = {"id": swap_id, "shift_id": shift_id, "return_id": return_id, "asked_by": shift.responder_id}
            tx.rota.swap_add({**row, "asked_of": asked_of, "note": note, "asked_at": now})
            self._check_swap(tx, swap_id, now)
            tx.audit.add(actor, "rota.swap.ask", f"rota_swaps:{swap_id}", {**row, "asked_of": asked_of}, now)
        return swap_id

    def step_swap(
        self,
        swap_id: str,
        action: SwapAction,
        actor: Actor,
        *,
        reason: str | None = None,
        version: int | None = None,
    ) -> None:
        """Agree, decline, withdraw, approve or refuse. With the approval the shifts change hands.

        ForbiddenError, ConflictError as `swap_step`; ConflictError with the reasons where something forbids the swap.
        """
        now = self._clock()
        if action in ("refuse", "decline") and not (reason or "").strip():
            raise BadRequestError("say why", field="reason")
        with self._database.begin() as tx:
            row = tx.rota.swap(swap_id)
            if row is None:
                raise NotFoundError(f"no swap {swap_id}")
            check_version(row.version, version)
            decides = actor.role in _MAY_DECIDE
            state = swap_step(row.swap, action, person_id=actor.person_id, decides=decides)
            if action in ("agree", "approve"):
                self._check_swap(tx, swap_id, now)
            if state == "approved":
                tx.rota.hand_over(row.swap.shift.id, row.swap.asked_of)
                if row.swap.back is not None:
                    tx.rota.hand_over(row.swap.back.id, row.swap.asked_by)
            tx.rota.swap_save(swap_id, state, now, user_id=actor.user_id, reason=reason)
            detail = {"from": row.swap.state, "to": state, "reason": reason}
            tx.audit.add(actor, f"rota.swap.{action}", f"rota_swaps:{swap_id}", detail, now)

    @staticmethod
    def _check_swap(tx: Transaction, swap_id: str, now: datetime) -> None:
        row = tx.rota.swap(swap_id)
        if row is None:
            raise NotFoundError(f"no swap {swap_id}")
        shifts = [one for one in (row.swap.shift, row.swap.back) if one is not None]
        start, end = min(one.starts_at for one in shifts), max(one.ends_at for one in shifts)
        found = tx.rota.slice(start, end)
        reasons = [
            *against(row.swap, duties(found.shifts, found.overrides, start, end), found.overrides, now),
            *_unfit(tx, row.swap),
        ]
        if reasons:
            raise ConflictError(
                "; ".join(dict.fromkeys(one.text for one in reasons)),
                code="swap-impossible",
                reasons=[{"code": one.code, "text": one.text, "values": dict(one.values)} for one in reasons],
            )


def _unfit(tx: Transaction, swap: Swap) -> list[Reason]:
    """Who takes a shift must do its work, where it is: a guard's night is not covered by a courier from elsewhere."""
    found: list[Reason] = []
    for shift, taker in ((swap.shift, swap.asked_of), (swap.back, swap.asked_by)):
        if shift is None:
            continue
        if not tx.rota.has_role(taker, shift.role):
            text = f"does not work as {shift.role}"
            found.append(Reason("role_missing", text, -1.0, {"responder": taker, "role": shift.role}))
        served = tx.rota.serves(taker)
        if shift.area_ids != served and len(shift.area_ids) > 1 and served:
            found.append(Reason("other_areas", "serves other areas", -1.0, {"responder": taker}))
    return found


def _told(made: Made) -> Json:
    return {"made": made.made, "changed": made.changed, "removed": made.removed, "kept": len(made.kept)}


def _shift_detail(shift: Shift) -> Json:
    return {
        "responder_id": shift.responder_id,
        "role": shift.role,
        "starts_at": shift.starts_at.isoformat(),
        "ends_at": shift.ends_at.isoformat(),
    }


def _check_members(tx: Transaction, rotation: Rotation, *, missing_only: bool = False) -> None:
    """BadRequestError names who is not on the staff. `missing_only`: who has left meanwhile leaves a gap instead."""
    for name in sorted(tx.rota.inactive(rotation.members)):
        if not missing_only or tx.reference.get("responders", name) is None:
            raise BadRequestError(f"members: {name} is no active member of staff", field="members")


def _check_override(row: Json, now: datetime) -> None:
    needed = {
        "absent": ("responder_id",),
        "instead": ("responder_id", "substitute_id"),
        "extra": ("substitute_id", "role"),
    }[row["kind"]]
    for name in (*needed, "starts_at", "ends_at"):
        if not row.get(name):
            raise BadRequestError(f"{name}: is missing", field=name)
    for name in {"responder_id", "substitute_id"} - set(needed):
        if row[name] is not None:
            raise BadRequestError(f"{name}: is not taken where the kind is {row['kind']}", field=name)
    if not str(row.get("reason") or "").strip():
        raise BadRequestError("reason: is missing", field="reason")
    if row["ends_at"] <= row["starts_at"]:
        raise BadRequestError("ends_at: must be later than starts_at", field="ends_at")
    if row["ends_at"] <= now:
        raise BadRequestError("ends_at: the span is over; the past is not changed", field="ends_at")
    if row["ends_at"] - row["starts_at"] > _LONGEST_OVERRIDE:
        raise BadRequestError(f"ends_at: at most {_LONGEST_OVERRIDE.days} days after starts_at", field="ends_at")
    if row["responder_id"] is not None and row["responder_id"] == row["substitute_id"]:
        raise BadRequestError("substitute_id: nobody stands in for themselves", field="substitute_id")
