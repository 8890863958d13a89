"""The use cases on a real PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from devices import FAMILIES, Uplink
from dispatch import SERVICE_KINDS, HaversineTravel
from hub.clock import new_id
from hub.embedded import EmbeddedPostgres
from hub.planning.warm import WarmPlanner
from hub.ports import Actor, Incoming, Outcome, UserRow
from hub.service import Services, build_services
from hub.store.postgres import PostgresDatabase
from hub.store.reference import seed_catalogue
from tests.service.day_world import DayWorld

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@dataclass
class World:
    """A small place: two residents, three responders, two operators, one supervisor."""

    database: PostgresDatabase
    services: Services
    url: str
    now: datetime = START
    actors: dict[str, Actor] = field(default_factory=dict)
    refs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Time passes; whatever falls due meanwhile is carried out, in order, at its own time."""
        end = self.now + timedelta(seconds=seconds)
        while True:
            next_at = self.services.escalating.next_at()
            if next_at is None or next_at > end:
                break
            self.now = max(self.now, next_at)
            self.services.escalating.run_due()
        self.now = end

    def press(
        self, device: str = "W1", alarm_type: str = "sos", *, ref: str | None = None, lane: str = "alarm", **fields: Any
    ) -> Outcome:
        ref = ref or f"r{next(self.refs)}"
        body = {"ref": ref, "type": alarm_type, "observed_at": self.now.isoformat(), **fields}
        return self.uplink(f"care/v1/{device}/up/alarm", json.dumps(body).encode(), device, lane=lane)

    def uplink(
        self, topic: str, payload: bytes, device: str, *, family: str = "care", lane: str = "alarm", dup: bool = False
    ) -> Outcome:
        incoming = Incoming(
            uplink=Uplink(payload=payload, received_at=self.now, topic=topic),
            device_id=device,
            family=family,
            lane=lane,  # type: ignore[arg-type]
            dup=dup,
        )
        take = self.services.ingest.alarms if lane == "alarm" else self.services.ingest.telemetry
        return take([incoming])[0]

    def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query, params).fetchall()

    def row(self, query: str, *params: Any) -> dict[str, Any]:
        found = self.rows(query, *params)
        assert len(found) == 1, found
        return found[0]

    def kinds(self, incident_id: object) -> list[str]:
        """The incident's timeline, oldest first."""
        return [
            row["kind"]
            for row in self.rows(
                "SELECT kind FROM timeline WHERE subject_kind = 'incident' AND subject_id = %s ORDER BY seq",
                str(incident_id),
            )
        ]

    def told(self, device: str) -> list[tuple[str, str]]:
        """What waits in the outbox for a device: (ref, status)."""
        return [
            (row["body"]["ref"], row["body"]["status"])
            for row in self.rows("SELECT body FROM outbox WHERE channel = 'device' AND target = %s ORDER BY id", device)
            # Commands wait there too: a call for help without a position asks for one.
            if "ref" in row["body"]
        ]


RESIDENT = {"sex": "f", "born_on": "1944-05-01", "phone": "13900000001", "address": "西里 3 幢 501", "area_id": "G3"}


def _load(world: World) -> None:
    places = [
        ("areas", [{"id": "C", "kind": "community", "name": "柳岸"}]),
        ("areas", [{"id": "G3", "parent_id": "C", "kind": "grid", "name": "第3网格"}]),
    ]
    people = [
        (
            "residents",
            [{"id": "R1", "name": "陈秀英", "lat": 31.3396, "lon": 118.3962, "lives_alone": True, **RESIDENT}],
        ),
        ("residents", [{"id": "R2", "name": "赵国华", "lat": 31.3300, "lon": 118.3900, **RESIDENT}]),
        ("responders", [_responder("S1", "孙伟", "grid_officer", ["first_response"], 31.3390, 118.3960)]),
        ("responders", [_responder("S2", "何琳", "nurse", ["nursing", "first_aid"], 31.3370, 118.3940)]),
        ("responders", [_responder("S3", "吴强", "courier", ["meal_delivery"], 31.3350, 118.3930)]),
    ]
    with world.database.begin() as tx:
        for table, rows in [*places, *people]:
            tx.reference.upsert(table, rows)
        seed_catalogue(tx.reference, SERVICE_KINDS.values())
        for name, role, person in (
            ("zhoumin", "operator", None),
            ("liqiang", "operator", None),
            ("fanglei", "supervisor", None),
            ("sunwei", "staff", "S1"),
            ("helin", "staff", "S2"),
            ("wuqiang", "staff", "S3"),
        ):
            user = UserRow(new_id(), name, name, role, person, password_hash="x")  # type: ignore[arg-type]
            tx.users.insert(user)
            kind = "responder" if role == "staff" else "operator"
            world.actors[name] = Actor(
                kind=kind,  # type: ignore[arg-type]
                name=name,
                user_id=user.id,
                role=role,  # type: ignore[arg-type]
                person_id=person,
            )
    for device, resident in (("W1", "R1"), ("P1", "R1"), ("W2", "R2")):
        world.services.devices.add(device, "care", resident, world.actors["fanglei"])
    world.services.devices.add("9900000072", "watch", "R1", world.actors["fanglei"])


def _responder(id: str, name: str, kind: str, skills: list[str], lat: float, lon: float) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "kind": kind,
        "skills": [{"skill": skill, "expires_on": None} for skill in skills],
        "area_ids": ["C"],
        "lat": lat,
        "lon": lon,
        "on_duty": True,
    }


@contextmanager
def open_world(database_url: str, *, shadow: bool = False) -> Iterator[World]:
    with PostgresDatabase(database_url) as database:
        holder: list[World] = []
        services = build_services(
            database,
            clock=lambda: holder[0].now,
            new_id=new_id,
            codecs={name: family.codec for name, family in FAMILIES.items()},
            travel=HaversineTravel(),
            sample=lambda _id: False,
            hash_secret=lambda secret: f"hash:{len(secret)}",
            shadow=shadow,
        )
        world = World(database, services, database_url)
        holder.append(world)
        _load(world)
        yield world


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with open_world(database_url) as world:
        yield world


@pytest.fixture(scope="module")
def planner() -> Iterator[WarmPlanner]:
    """The process that plans days: the tests of a module share it, for it takes a while to be ready."""
    planner = WarmPlanner(nice=0)
    yield planner
    planner.close()


@pytest.fixture
def day(world: World, planner: WarmPlanner) -> DayWorld:
    """A day to plan with ten homes, and nobody yet who goes there."""
    found = DayWorld(world, planner)
    for number in range(1, 11):
        found.resident(number)
    return found


@pytest.fixture(scope="module")
def shared_world(
    postgres_server: EmbeddedPostgres, template_database: str, request: pytest.FixtureRequest
) -> Iterator[World]:
    """One world for the tests of a module, which put it back as it was themselves."""
    name = f"service_{request.module.__name__.rpartition('.')[2]}"
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER hub TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
        try:
            with open_world(urlunsplit(urlsplit(postgres_server.url)._replace(path=f"/{name}"))) as world:
                yield world
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
