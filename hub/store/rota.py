"""The rota's rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hub.errors import ConflictError, NotFoundError
from hub.ports.records import Json
from hub.ports.rota import KeptShift, RotaSlice, RotationRow, SwapRow
from hub.rota import Calendar, Cover, Override, Person, Rotation, Shift, Slot, Swap, SwapState
from hub.store.session import Session, as_json, is_uuid

__all__ = ["RotaDrawer"]

_BESIDE_ROTATION = ("made_until", "version")


def _served(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "area_ids": frozenset(row["area_ids"])}


def _rotation(row: Mapping[str, Any]) -> RotationRow:
    fields = {name: value for name, value in row.items() if name not in _BESIDE_ROTATION}
    return RotationRow(
        Rotation(**{**fields, "members": tuple(row["members"])}), **{name: row[name] for name in _BESIDE_ROTATION}
    )


class RotaDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def slice(self, start: datetime, end: datetime, *, role: str | None = None) -> RotaSlice:
        span = {"from": start, "to": end}
        shifts = [Shift(**_served(row)) for row in self._session.all("rota_shifts", role=role, **span)]
        overrides = [Override(**_served(row)) for row in self._session.all("rota_overrides_in", **span)]
        named = {one.responder_id for one in shifts} | {one.substitute_id for one in overrides if one.substitute_id}
        people = [Person(**_served(row)) for row in self._session.all("rota_people", role=role, ids=sorted(named))]
        return RotaSlice(shifts, overrides, people)

    def rostered(self, responder_id: str, at: datetime, within: timedelta) -> bool:
        row = self._session.one("rota_rostered", id=responder_id, since=at - within, until=at + within)
        return row is not None

    def path_of(self, area_id: str) -> tuple[str, ...]:
        row = self._session.one("area_path_of", id=area_id)
        if row is None:
            raise NotFoundError(f"no area {area_id}", field="area_id")
        return tuple(row["path"])

    def calendar(self) -> Calendar:
        return Calendar({date.fromisoformat(row["id"]): row["kind"] for row in self._session.all("rota_holidays")})

    def holiday_names(self, first: date, last: date) -> list[Json]:
        return list(self._session.all("rota_holiday_names", first=first.isoformat(), last=last.isoformat()))

    def area_names(self, area_ids: Collection[str]) -> dict[str, str]:
        if not area_ids:
            return {}
        return {row["id"]: row["name"] for row in self._session.all("rota_area_names", ids=sorted(area_ids))}

    def below(self, area_id: str) -> set[str]:
        return {row["id"] for row in self._session.all("rota_below", id=area_id)}

    def colleagues(self, responder_id: str) -> list[Json]:
        return list(self._session.all("rota_colleagues", id=responder_id))

    def covers(self) -> list[Cover]:
        return [Cover(**{**row, "path": tuple(row["path"])}) for row in self._session.all("rota_covers")]

    def rotations(self, *, behind: date | None = None) -> list[RotationRow]:
        return [_rotation(row) for row in self._session.all("rota_rotations", behind=behind)]

    def rotation(self, rotation_id: str) -> RotationRow | None:
        row = self._session.one("rota_rotation", id=rotation_id)
        return _rotation(row) if row else None

    def inactive(self, responder_ids: Collection[str]) -> set[str]:
        return {row["id"] for row in self._session.all("rota_inactive", ids=sorted(responder_ids))}

    def made(self, rotation_id: str, after: datetime) -> list[KeptShift]:
        return [KeptShift(**row) for row in self._session.all("rota_made", id=rotation_id, after=after)]

    def make(self, rotation: Rotation, slots: Sequence[tuple[str, Slot]]) -> None:
        rows = [
            {
                "id": row_id,
                "responder_id": slot.responder_id,
                "starts_at": slot.starts_at,
                "ends_at": slot.ends_at,
                "seat": slot.seat,
            }
            for row_id, slot in slots
            if slot.responder_id is not None
        ]
        if rows:
            self._session.run(
                "rota_make",
                rows=as_json(rows),
                role=rotation.role,
                area_id=rotation.area_id,
                rotation_id=rotation.id,
            )

    def remake(self, shift_id: str, slot: Slot, rotation: Rotation) -> None:
        self._session.run(
            "rota_remake",
            id=shift_id,
            responder_id=slot.responder_id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            role=rotation.role,
            area_id=rotation.area_id,
        )

    def unmake(self, shift_ids: Collection[str]) -> None:
        if shift_ids:
            self._session.run("rota_unmake", ids=list(shift_ids))

    def made_until(self, rotation_id: str, day: date) -> None:
        self._session.run("rota_made_until", id=rotation_id, day=day)

    def shift(self, shift_id: str) -> Shift | None:
        row = self._session.one("rota_shift", id=shift_id) if is_uuid(shift_id) else None
        return Shift(**_served(row)) if row else None

    def hand_over(self, shift_id: str, responder_id: str) -> None:
        self._session.run("rota_hand_over", id=shift_id, responder_id=responder_id)

    def has_role(self, responder_id: str, role: str) -> bool:
        return bool(self._session.value("rota_has_role", id=responder_id, role=role))

    def serves(self, responder_id: str) -> frozenset[str]:
        row = self._session.one("rota_serves", id=responder_id)
        return frozenset(row["area_ids"]) if row else frozenset()

    def override_add(self, row: Json) -> None:
        self._session.run("rota_override_add", **row)

    def override_withdraw(self, override_id: str, user_id: str | None, at: datetime) -> Json | None:
        if not is_uuid(override_id):
            return None
        return self._session.one("rota_override_withdraw", id=override_id, user_id=user_id, at=at)

    def overrides_view(self, start: datetime, end: datetime) -> list[Json]:
        return [row["view"] for row in self._session.all("rota_overrides_view", **{"from": start, "to": end})]

    def swap_add(self, row: Json) -> None:
        if self._session.one("rota_swap_add", **row) is None:
            raise ConflictError("this shift is in a swap that is not decided yet", code="swap-open")

    def swap(self, swap_id: str) -> SwapRow | None:
        row = self._session.one("rota_swap", id=swap_id) if is_uuid(swap_id) else None
        if row is None:
            return None
        # In the order of ids, as everywhere: two approvals then never wait for one another in a ring.
        wanted = sorted(one for one in (row["shift_id"], row["return_id"]) if one is not None)
        shifts = {one: self.shift(one) for one in wanted}
        shift, back = shifts[row["shift_id"]], shifts.get(row["return_id"])
        if shift is None:
            return None
        swap = Swap(shift, row["asked_by"], row["asked_of"], back, row["state"])
        return SwapRow(row["id"], swap, row["asked_at"], row["version"])

    def swap_save(
        self, swap_id: str, state: SwapState, at: datetime, *, user_id: str | None, reason: str | None
    ) -> None:
        self._session.run("rota_swap_save", id=swap_id, state=state, at=at, user_id=user_id, reason=reason)

    def swaps_view(
        self, *, swap_id: str | None = None, person_id: str | None = None, open_only: bool = False, limit: int = 200
    ) -> list[Json]:
        rows = self._session.all("rota_swaps_view", id=swap_id, person_id=person_id, open_only=open_only, limit=limit)
        return [row["view"] for row in rows]
