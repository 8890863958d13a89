"""Rows to begin with: a small community, and values made from few words."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.alarms.model import Alarm, Incident, Reason
from hub.clock import new_id
from hub.ports import AssignmentRow, EntryRow, OrderRow, UserRow, VisitRow
from hub.store import PostgresDatabase

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FIX = {"lat": 31.23, "lon": 121.48, "accuracy_m": 8.0, "source": "gnss", "observed_at": "2026-11-22T07:59:58+00:00"}
CITY, STREET, GRID = "310000", "310101-01", "310101-01-001"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def key(word: str) -> bytes:
    return blake2b(word.encode(), digest_size=16).digest()


def populate(database: PostgresDatabase) -> None:
    """Three areas, two residents with a key holder, two responders, two devices."""
    with database.begin() as tx:
        tx.reference.upsert(
            "areas",
            [
                {"id": GRID, "parent_id": STREET, "kind": "grid", "name": "一网格"},
                {"id": STREET, "parent_id": CITY, "kind": "street", "name": "外滩街道"},
                {"id": CITY, "kind": "city", "name": "上海"},
            ],
        )
        tx.reference.upsert(
            "responders",
            [
                {"id": "S-1", "name": "孙强", "kind": "grid_officer", "on_duty": True, "area_ids": [STREET]},
                {
                    "id": "S-2",
                    "name": "周敏",
                    "kind": "nurse",
                    "on_duty": True,
                    "lat": 31.2,
                    "lon": 121.4,
                    "skills": [{"skill": "nursing", "expires_on": "2027-01-31"}, {"skill": "first_response"}],
                },
                {"id": "S-3", "name": "下班", "kind": "carer", "on_duty": False},
            ],
        )
        tx.reference.upsert(
            "residents",
            [
                {
                    "id": "R-1",
                    "name": "王秀英",
                    "sex": "f",
                    "born_on": "1940-05-02",
                    "phone": "+86 138-0013-8000",
                    "address": "中山东一路 1 号 201",
                    "area_id": GRID,
                    "lat": 31.23,
                    "lon": 121.48,
                    "lives_alone": True,
                    "allergies": ["青霉素"],
                    "flags": ["空巢"],
                    "access": {"gate": "1234#", "key_with": "S-1"},
                },
                {"id": "R-2", "name": "李国华", "area_id": GRID},
            ],
        )
        tx.reference.upsert(
            "contacts",
            [
                {
                    "id": "C-1",
                    "resident_id": "R-1",
                    "name": "孙强",
                    "kind": "guard",
                    "has_key": True,
                    "position": 2,
                    "responder_id": "S-1",
                },
                {
                    "id": "C-2",
                    "resident_id": "R-1",
                    "name": "王芳",
                    "kind": "family",
                    "phone": "13900139000",
                    "position": 1,
                },
            ],
        )
        tx.devices.adopt_unknown({"W-1": "care", "W-2": "care"}, NOW)
        tx.reference.upsert(
            "devices",
            [
                {"id": "W-1", "family": "care", "name": "手表", "resident_id": "R-1", "adopted": True},
                {"id": "W-2", "family": "care", "resident_id": "R-2", "adopted": True},
            ],
        )
        tx.reference.upsert(
            "service_kinds", [{"id": "meal_delivery", "zh": "送餐", "en": "Meal delivery", "duration_min": 15}]
        )


def user(name: str, role: Any = "operator", **fields: Any) -> UserRow:
    return UserRow(
        **{
            "id": new_id(),
            "username": name,
            "name": name.title(),
            "role": role,
            "person_id": None,
            "password_hash": "argon2:x",
            **fields,
        }
    )


def add_user(database: PostgresDatabase, name: str, role: Any = "operator") -> str:
    row = user(name, role)
    with database.begin() as tx:
        tx.users.insert(row)
    return row.id


def incident(resident: str | None = "R-1", **fields: Any) -> Incident:
    base: dict[str, Any] = {
        "id": new_id(),
        "subject": f"resident:{resident}",
        "alarm_class": "emergency",
        "state": "open",
        "type": "sos",
        "types": ("sos",),
        "priority": "critical",
        "opened_at": NOW,
        "first_alarm_at": NOW,
        "last_alarm_at": NOW,
        "resident_id": resident,
        "device_id": "W-1" if resident == "R-1" else None,
        "area_id": GRID,
        "reasons": (Reason("class_default", "sos is critical", {"type": "sos"}),),
    }
    return Incident(**{**base, **fields})


def alarm(ref: str | None = "a-1", **fields: Any) -> Alarm:
    base: dict[str, Any] = {
        "id": new_id(),
        "device_id": "W-1",
        "resident_id": "R-1",
        "type": "sos",
        "alarm_class": "emergency",
        "priority": "critical",
        "received_at": NOW,
        "observed_at": NOW,
        "ref": ref,
    }
    return Alarm(**{**base, **fields})


def opened(database: PostgresDatabase, row: Incident | None = None) -> Incident:
    """An incident with one press and its line on the timeline."""
    row = row or incident()
    press = alarm(f"a-{row.id[-6:]}", device_id=row.device_id, resident_id=row.resident_id, received_at=row.opened_at)
    with database.begin() as tx:
        assert tx.incidents.insert(row, fix=FIX, area_path=[CITY, STREET, GRID])
        tx.alarms.add_many([(press, key(row.id), row.id)])
        tx.timeline.add(entry(row.id, "raised"))
    return row


def entry(incident_id: str, kind: str = "noted", **fields: Any) -> EntryRow:
    return EntryRow(**{"at": NOW, "subject_kind": "incident", "subject_id": incident_id, "kind": kind, **fields})


def assignment(responder: str = "S-1", **fields: Any) -> AssignmentRow:
    return AssignmentRow(**{"id": new_id(), "responder_id": responder, "state": "offered", "offered_at": NOW, **fields})


def order(resident: str = "R-1", **fields: Any) -> tuple[OrderRow, VisitRow]:
    row = OrderRow(
        **{
            "id": new_id(),
            "kind": "meal_delivery",
            "resident_id": resident,
            "state": "requested",
            "wanted_from": NOW,
            "wanted_to": at(3600),
            "duration_min": 15,
            "carers": 1,
            "source": "phone",
            "created_at": NOW,
            **fields,
        }
    )
    return row, VisitRow(id=new_id(), order_id=row.id, state="planned", planned_start=row.wanted_from)


@dataclass
class Racers:
    """Threads that begin together; `run` gives their results and raises the first error."""

    results: list[Any] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def run(self, *works: Callable[[], Any], seconds: float = 20.0) -> list[Any]:
        gate = threading.Barrier(len(works))
        self.results = [None] * len(works)

        def race(number: int, work: Callable[[], Any]) -> None:
            try:
                gate.wait(seconds)
                self.results[number] = work()
            except BaseException as error:
                self.errors.append(error)

        threads = [threading.Thread(target=race, args=pair) for pair in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds)
        assert not any(thread.is_alive() for thread in threads), "a racer hangs"
        if self.errors:
            raise self.errors[0]
        return self.results
