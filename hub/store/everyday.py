"""Rows of everyday services: kinds, care plans, the visit programme, what follows an order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from dispatch import ServiceKind
from hub.errors import NotFoundError
from hub.ports.everyday import (
    Aftercare,
    CarePlanFilter,
    CarePlanRow,
    CarePlans,
    Kinds,
    MemberRow,
    PauseRow,
    ProgrammeRow,
    Programmes,
    ResultRow,
    ReturnVisitRow,
    SatisfactionRow,
    VisitedPerson,
)
from hub.ports.records import Json, OrderRow, VisitRow
from hub.store.session import Session, as_json, is_uuid

__all__ = ["AftercareDrawer", "CarePlansDrawer", "EverydayDrawers", "KindsDrawer", "ProgrammesDrawer"]


def _kind(row: Json) -> ServiceKind:
    special = row.pop("attributes")
    return ServiceKind(
        **{**row, "skills": frozenset(row["skills"]), "any_skills": frozenset(row["any_skills"])},
        same_sex=bool(special.get("same_sex")),
        gate=bool(special.get("gate")),
        deliver_within_min=special.get("deliver_within_min"),
    )


def _pair(row: Json) -> tuple[OrderRow, VisitRow]:
    return msgspec.convert(row["order"], OrderRow), msgspec.convert(row["visit"], VisitRow)


class KindsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, kind_id: str) -> ServiceKind | None:
        row = self._session.one("kinds_all", id=kind_id)
        return _kind(row) if row else None

    def all(self) -> dict[str, ServiceKind]:
        return {row["id"]: _kind(row) for row in self._session.all("kinds_all", id=None)}


def _plan(row: Json) -> CarePlanRow:
    return CarePlanRow(**{**row, "exdates": tuple(row["exdates"]), "rdates": tuple(row["rdates"])})


def _plan_params(row: CarePlanRow) -> dict[str, Any]:
    params = {name: getattr(row, name) for name in row.__slots__}
    return {**params, "exdates": list(row.exdates), "rdates": list(row.rdates), "attributes": as_json(row.attributes)}


class CarePlansDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: CarePlanRow) -> None:
        self._session.run("care_plans_insert", **_plan_params(row))

    def get(self, plan_id: str, *, lock: bool = False) -> CarePlanRow | None:
        if not is_uuid(plan_id):
            return None
        row = self._session.one("care_plans_get_locked" if lock else "care_plans_get", id=plan_id)
        return _plan(row) if row else None

    def save(self, row: CarePlanRow) -> None:
        if not self._session.run("care_plans_save", **_plan_params(row)):
            raise NotFoundError(f"there is no care plan {row.id}")

    def pauses(self, plan_id: str) -> list[PauseRow]:
        return [PauseRow(**row) for row in self._session.all("care_plan_pauses", id=plan_id)]

    def add_pause(self, row: PauseRow) -> None:
        self._session.run("care_plan_pause", **asdict(row))

    def end_pause(self, plan_id: str, pause_id: str, to_on: date | None) -> bool:
        if not is_uuid(pause_id):
            return False
        if to_on is None:
            return bool(self._session.run("care_plan_pause_gone", id=pause_id, plan_id=plan_id))
        return bool(self._session.run("care_plan_pause_ends", id=pause_id, plan_id=plan_id, to_on=to_on))

    def due(self, horizon: date, today: date, limit: int) -> list[str]:
        rows = self._session.all("care_plans_due", horizon=horizon, today=today, limit=limit)
        return [row["id"] for row in rows]

    def of_resident(self, resident_id: str) -> list[CarePlanRow]:
        return [_plan(row) for row in self._session.all("care_plans_of_resident", resident_id=resident_id)]

    def look_again(self) -> int:
        return self._session.run("care_plans_look_again")

    def orders(self, plan_id: str, since: date) -> list[tuple[OrderRow, VisitRow]]:
        return [_pair(row) for row in self._session.all("care_plans_orders", id=plan_id, since=since)]

    def views(self, where: CarePlanFilter, limit: int, after: str | None) -> list[Json]:
        return self._views(where, limit, after, None)

    def view(self, plan_id: str) -> Json | None:
        found = self._views(CarePlanFilter(), 1, None, plan_id) if is_uuid(plan_id) else []
        return found[0] if found else None

    def _views(self, where: CarePlanFilter, limit: int, after: str | None, plan_id: str | None) -> list[Json]:
        rows = self._session.all("care_plan_views", **asdict(where), limit=limit, after=after, plan_id=plan_id)
        return [row["view"] for row in rows]


def _programme(row: Json) -> ProgrammeRow:
    return ProgrammeRow(**{**row, "groups": tuple(row["groups"]), "area_ids": tuple(row["area_ids"])})


class ProgrammesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, programme_id: str, *, lock: bool = False) -> ProgrammeRow | None:
        if lock:
            row = self._session.one("programmes_get_locked", id=programme_id)
        else:
            row = self._session.one("programmes_all", id=programme_id, active=None)
        return _programme(row) if row else None

    def all(self, *, active: bool | None = None) -> list[ProgrammeRow]:
        return [_programme(row) for row in self._session.all("programmes_all", id=None, active=active)]

    def made(self, programme_id: str, until: date | None) -> None:
        self._session.run("programmes_made", id=programme_id, until=until)

    def people(
        self,
        programme: ProgrammeRow,
        since: datetime,
        until: datetime,
        *,
        grown_old_by: date,
        flags: Collection[str],
        below: Collection[str] | None = None,
        resident_id: str | None = None,
    ) -> list[VisitedPerson]:
        rows = self._session.all(
            "programme_people",
            programme_id=programme.id,
            since=since,
            until=until,
            grown_old_by=grown_old_by,
            flags=sorted(flags),
            area_ids=list(programme.area_ids),
            below=None if below is None else sorted(below),
            resident_id=resident_id,
        )
        return [
            VisitedPerson(**{**row, "flags": frozenset(row["flags"]), "area_path": tuple(row["area_path"])})
            for row in rows
        ]

    def put_member(self, row: MemberRow) -> None:
        self._session.run("programme_members_put", **asdict(row))

    def drop_member(self, programme_id: str, resident_id: str) -> bool:
        return bool(self._session.run("programme_members_drop", programme_id=programme_id, resident_id=resident_id))

    def add_result(self, row: ResultRow) -> None:
        self._session.run("programme_results_add", **asdict(row))

    def results(self, programme_id: str, resident_id: str | None, since: datetime, limit: int) -> list[Json]:
        rows = self._session.all(
            "programme_results", programme_id=programme_id, resident_id=resident_id, since=since, limit=limit
        )
        return [row["view"] for row in rows]

    def orders(self, programme_id: str, since: date, residents: Collection[str]) -> list[tuple[OrderRow, VisitRow]]:
        rows = self._session.all("programme_orders", id=programme_id, since=since, residents=sorted(residents))
        return [_pair(row) for row in rows]

    def holders(self, programme_id: str, month: date) -> set[str]:
        last = (month.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        rows = self._session.all("programme_holders", id=programme_id, first=month.replace(day=1), last=last)
        return {row["resident_id"] for row in rows}

    def open_order(self, programme_id: str, resident_id: str, until: datetime) -> str | None:
        found = self._session.value(
            "programme_open_order", programme_id=programme_id, resident_id=resident_id, until=until
        )
        return None if found is None else str(found)


class AftercareDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def satisfaction(self, order_id: str) -> SatisfactionRow | None:
        row = self._session.one("satisfaction_get", id=order_id)
        return SatisfactionRow(**row) if row else None

    def put_satisfaction(self, row: SatisfactionRow) -> None:
        self._session.run("satisfaction_put", **asdict(row))

    def return_visit(self, order_id: str) -> ReturnVisitRow | None:
        row = self._session.one("return_visits_get", id=order_id)
        return ReturnVisitRow(**row) if row else None

    def put_return_visit(self, row: ReturnVisitRow) -> None:
        self._session.run("return_visits_put", **asdict(row))

    def draw(self, since: datetime, now: datetime, within: timedelta, share: float) -> int:
        return self._session.run("return_visits_draw", since=since, now=now, within=within, share=share)

    def due(self, until: datetime, limit: int, after: tuple[datetime, str] | None) -> list[Json]:
        at, ident = after or (None, None)
        return self._session.all("return_visits_due", until=until, limit=limit, after_at=at, after_id=ident)

    def open_to_claim(
        self, now: datetime, area_ids: Collection[str], responder_id: str, limit: int
    ) -> list[tuple[OrderRow, VisitRow]]:
        rows = self._session.all(
            "orders_to_claim", now=now, area_ids=sorted(area_ids), responder_id=responder_id, limit=limit
        )
        return [_pair(row) for row in rows]


class EverydayDrawers:
    """`hub.ports.Everyday`."""

    def __init__(self, session: Session) -> None:
        self.kinds: Kinds = KindsDrawer(session)
        self.care_plans: CarePlans = CarePlansDrawer(session)
        self.programmes: Programmes = ProgrammesDrawer(session)
        self.aftercare: Aftercare = AftercareDrawer(session)
