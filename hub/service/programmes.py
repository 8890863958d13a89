"""The visit programme (探访关爱): its records, what one tap means, and who was not visited yet.

A tap never changes where a resident is: "in hospital" would silence the resident's own devices. It becomes a matter for
the desk, where a person sets the status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from dispatch import GROUPS, LIVE_ASSIGNMENT_STATES, RISKS, Risk, VisitResult
from hub.alarms import Priority
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import (
    Actor,
    AssignmentRow,
    Database,
    Json,
    MemberRow,
    ProgrammeRow,
    ResultRow,
    Transaction,
)
from hub.service.ordering import kind_of, order_entry, stand_down
from hub.service.programme_people import Participant, coverage_row, participant_json, participants
from hub.service.raising import Raising, again_where_raced
from hub.service.reporting import report
from hub.service.visit_states import settle_visit

__all__ = ["ProgrammeDesk"]

TABLE: Final = "programmes"
_OLDEST_TAP: Final = timedelta(days=31)
_MATTERS: Final[Mapping[VisitResult, tuple[Priority, str]]] = {
    "needs_help": ("high", "探访：需要帮助 needs help"),
    "moved": ("low", "探访：据称已搬走，请核实 said to have moved, please verify"),
    "in_hospital": ("low", "探访：据称住院，请核实 said to be in hospital, please verify"),
}
_NOT_SEEN: Final = "探访：连续两次无人应门 nobody at home twice in a row"


class ProgrammeDesk:
    """`zone`: the site's time, in which months are counted."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._zone = zone

    def today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    # ---- the programmes ---------------------------------------------------------------------------------------------

    def add(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """A new programme; gives its id. BadRequestError with the field; ConflictError where the id is taken."""
        row: Json = {"kind": "safety_visit", **fields, "id": fields.get("id") or self._new_id()}
        for name in ("zh", "en", "groups", "per_month"):
            if not row.get(name):
                raise BadRequestError(f"{name}: is missing", field=name)
        with self._database.begin() as tx:
            if tx.reference.get(TABLE, str(row["id"])) is not None:
                raise ConflictError(f"programme {row['id']} is there already", field="id", value=row["id"])
            _check(tx, row)
            tx.reference.insert(TABLE, _written(row))
            tx.audit.add(actor, "programmes.add", f"{TABLE}:{row['id']}", {"fields": sorted(fields)}, self._clock())
        return str(row["id"])

    def change(self, programme_id: str, changes: Mapping[str, Any], actor: Actor, *, version: int | None) -> None:
        """Changes what is given; its orders that nobody counts on follow within minutes."""
        with self._database.begin() as tx:
            found = tx.reference.get(TABLE, programme_id)
            if found is None:
                raise NotFoundError(f"no programme {programme_id}")
            _check(tx, {**found, **changes})
            tx.reference.patch(TABLE, programme_id, _written({**changes}), version=version)
            tx.everyday.programmes.made(programme_id, None)
            detail = {"fields": sorted(changes)}
            tx.audit.add(actor, "programmes.change", f"{TABLE}:{programme_id}", detail, self._clock())

    def decide(
        self, programme_id: str, resident_id: str, stands: str | None, risk: Risk | None, reason: str, actor: Actor
    ) -> None:
        """A person puts somebody in or out, or sets the risk; `stands` None: as the groups say again."""
        now = self._clock()
        with self._database.begin() as tx:
            _programme(tx, programme_id)
            if tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            if stands is None:
                tx.everyday.programmes.drop_member(programme_id, resident_id)
            else:
                row = MemberRow(
                    programme_id, resident_id, "in" if stands == "in" else "out", risk, reason, now, actor.user_id
                )
                tx.everyday.programmes.put_member(row)
            tx.everyday.programmes.made(programme_id, None)
            detail = {"resident_id": resident_id, "stands": stands, "risk": risk}
            tx.audit.add(actor, "programmes.member", f"{TABLE}:{programme_id}", detail, now)

    # ---- one tap ----------------------------------------------------------------------------------------------------

    def record(
        self,
        programme_id: str,
        resident_id: str,
        result: VisitResult,
        actor: Actor,
        *,
        at: datetime | None = None,
        note: str | None = None,
        by_phone: bool = False,
    ) -> tuple[str, str | None]:
        """What came of a visit; gives (id of the result, incident it opened or joined).

        `at` is when it was tapped: no later than now, and at most a month back. "Needs help", "moved", "in hospital",
        and the second time that nobody is at home open a matter. ForbiddenError: a resident of somebody else's areas.
        """
        return again_where_raced(lambda: self._record(programme_id, resident_id, result, actor, at, note, by_phone))

    def _record(
        self,
        programme_id: str,
        resident_id: str,
        result: VisitResult,
        actor: Actor,
        at: datetime | None,
        note: str | None,
        by_phone: bool,
    ) -> tuple[str, str | None]:
        now = self._clock()
        happened = now if at is None else max(min(at, now), now - _OLDEST_TAP)
        responder_id = actor.person_id if actor.kind == "responder" else None
        with self._database.begin() as tx:
            _programme(tx, programme_id)
            resident = tx.residents.get(resident_id)
            if resident is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            if responder_id is not None:
                _serves(tx, responder_id, resident.area_path)
            incident_id = self._matter(tx, programme_id, resident_id, result, note, actor, now)
            order_id = None
            if result != "not_home":
                order_id = self._settle(tx, programme_id, resident_id, result, responder_id, actor, happened, now)
            row = ResultRow(
                id=self._new_id(),
                programme_id=programme_id,
                resident_id=resident_id,
                result=result,
                at=happened,
                recorded_at=now,
                note=note,
                by_phone=by_phone,
                responder_id=responder_id,
                recorded_by=actor.user_id,
                order_id=order_id,
                incident_id=incident_id,
            )
            tx.everyday.programmes.add_result(row)
        return row.id, incident_id

    def _matter(
        self,
        tx: Transaction,
        programme_id: str,
        resident_id: str,
        result: VisitResult,
        note: str | None,
        actor: Actor,
        now: datetime,
    ) -> str | None:
        priority, words = _MATTERS.get(result, (None, ""))
        if result == "not_home":
            last = tx.everyday.programmes.results(programme_id, resident_id, now - _OLDEST_TAP, 1)
            if last and last[0]["result"] == "not_home" and last[0]["incident_id"] is None:
                priority, words = "medium", _NOT_SEEN
        if priority is None:
            return None
        attributes = {"channel": "visit", "programme_id": programme_id, "result": result}
        said = " · ".join(part for part in (words, note) if part)
        return report(
            tx,
            self._raising,
            self._new_id,
            now,
            actor,
            note=said,
            priority=priority,
            attributes=attributes,
            resident_id=resident_id,
        )

    def _settle(
        self,
        tx: Transaction,
        programme_id: str,
        resident_id: str,
        result: VisitResult,
        responder_id: str | None,
        actor: Actor,
        at: datetime,
        now: datetime,
    ) -> str | None:
        """The order of this visit, where there is one, is done: by whoever tapped, whoever was to go."""
        end_of_day = datetime.combine(at.astimezone(self._zone).date(), time.max, tzinfo=self._zone)
        order_id = tx.everyday.programmes.open_order(programme_id, resident_id, end_of_day)
        found = tx.orders.get(order_id, lock=True) if order_id else None
        if found is None:
            return None
        order, visit = found
        rows = [row for row in tx.assignments.of_visit(visit.id) if row.state in LIVE_ASSIGNMENT_STATES]
        for row in rows:
            if row.responder_id != responder_id and row.state != "on_scene":
                stand_down(tx, order, row, now, actor, "somebody else has been there")
        mine = next((row for row in rows if row.responder_id == responder_id), None)
        if responder_id is None:
            tx.orders.save(
                replace(order, state="completed", version=order.version + 1),
                replace(visit, state="completed", ended_at=at, outcome=result, version=visit.version + 1),
            )
        else:
            done = _done(mine, self._new_id(), visit.id, responder_id, result, at)
            if mine is None:
                tx.assignments.insert(done)
            else:
                tx.assignments.save(done)
                tx.due.clear("assignment", done.id)
            settle_visit(tx, order, visit, now, outcome=result)
        tx.timeline.add(order_entry(now, order, "completed", actor, {"outcome": result, "at": at.isoformat()}))
        return order.id

    # ---- looking ----------------------------------------------------------------------------------------------------

    def month(
        self,
        programme_id: str,
        month: date | None = None,
        *,
        area_id: str | None = None,
    ) -> list[Participant]:
        """Who takes part in a month, of an area and all below it. NotFoundError."""
        today = self.today()
        with self._database.begin() as tx:
            programme = _programme(tx, programme_id)
            below = None if area_id is None else [area_id]
            return participants(tx, programme, month or today, today, self._zone, below=below)

    def mine(self, responder_id: str) -> list[Json]:
        """Whom an officer has still to visit this month in the areas served, over all programmes; behind first."""
        today = self.today()
        items: list[Json] = []
        with self._database.begin() as tx:
            me = tx.responders.get(responder_id)
            if me is None:
                raise NotFoundError(f"no responder {responder_id}")
            for programme in tx.everyday.programmes.all(active=True):
                found = participants(tx, programme, today, today, self._zone, below=me.area_ids or None)
                for one in found:
                    if (one.pending or one.behind) and one.person.id not in {x["resident"]["id"] for x in items}:
                        names = {"programme_zh": programme.zh, "programme_en": programme.en}
                        items.append({"programme_id": programme.id, **names, **participant_json(one)})
        order = {risk: n for n, risk in enumerate(RISKS)}
        items.sort(key=lambda one: (not one["behind"], order[one["risk"]], one["resident"]["name"]))
        return items

    def results(self, programme_id: str, resident_id: str | None, days: int, limit: int) -> list[Json]:
        """What was tapped in the last days, the newest first."""
        since = self._clock() - timedelta(days=days)
        with self._database.begin() as tx:
            _programme(tx, programme_id)
            return tx.everyday.programmes.results(programme_id, resident_id, since, limit)

    def coverage(self, programme_id: str, month: date | None = None, area_id: str | None = None) -> list[Json]:
        """By grid: people, visits wanted and done, who was not visited yet this month, who is behind."""
        found = self.month(programme_id, month, area_id=area_id)
        by_area: dict[str | None, list[Participant]] = {}
        for one in found:
            by_area.setdefault(one.person.area_id, []).append(one)
        paths = {one.person.area_id: one.person.area_path for one in found}
        with self._database.begin() as tx:
            names = tx.rota.area_names({area for path in paths.values() for area in path})
        rows = [coverage_row(area, paths[area], names, group) for area, group in by_area.items()]
        return sorted(rows, key=lambda row: (-int(row["not_visited"]), str(row["path"]), str(row["area"])))


def _done(
    mine: AssignmentRow | None, row_id: str, visit_id: str, responder_id: str, result: str, at: datetime
) -> AssignmentRow:
    row = mine or AssignmentRow(id=row_id, responder_id=responder_id, state="offered", offered_at=at, visit_id=visit_id)
    return replace(
        row,
        state="completed",
        accepted_at=row.accepted_at or at,
        on_scene_at=row.on_scene_at or at,
        ended_at=at,
        outcome=result,
        version=row.version + 1 if mine else 1,
    )


def _programme(tx: Transaction, programme_id: str) -> ProgrammeRow:
    found = tx.everyday.programmes.get(programme_id)
    if found is None:
        raise NotFoundError(f"no programme {programme_id}")
    return found


def _serves(tx: Transaction, responder_id: str, area_path: Sequence[str]) -> None:
    me = tx.responders.get(responder_id)
    if me is None:
        raise ForbiddenError("this account is not a responder's")
    if me.area_ids and not me.area_ids & set(area_path):
        raise ForbiddenError("this resident does not live in your areas")


def _written(row: Json) -> Json:
    return {
        name: value.isoformat() if isinstance(value, time) else value
        for name, value in row.items()
        if value is not None
    }


def _check(tx: Transaction, row: Mapping[str, Any]) -> None:
    unknown = sorted(set(row["groups"]) - GROUPS.keys())
    if unknown:
        raise BadRequestError(f"groups: {', '.join(unknown)}; known: {', '.join(GROUPS)}", field="groups")
    if not row["groups"]:
        raise BadRequestError("groups: name at least one", field="groups")
    for risk, visits in row["per_month"].items():
        if risk not in RISKS:
            raise BadRequestError(f"per_month: {risk} is no risk; they are {', '.join(RISKS)}", field="per_month")
        if not isinstance(visits, int) or not 0 <= visits <= 31:
            raise BadRequestError(f"per_month: {risk} must be from 0 to 31", field="per_month")
    if not any(row["per_month"].values()):
        raise BadRequestError("per_month: nobody would be visited", field="per_month")
    if kind_of(tx, row["kind"]).carers != 1:
        raise BadRequestError("kind: a visit of the programme is one person's", field="kind")
    begins, ends = str(row.get("begins") or "09:00")[:5], str(row.get("ends") or "17:00")[:5]
    if ends < begins:
        raise BadRequestError("ends: lies before begins", field="ends")
    for area in row.get("area_ids") or ():
        tx.rota.path_of(area)
