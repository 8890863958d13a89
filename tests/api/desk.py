"""A whole API on a real PostgreSQL and a real uvicorn, with people who are signed in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from devices import FAMILIES, Uplink
from dispatch import SERVICE_KINDS, HaversineTravel
from hub.api import ApiServer, create_api, create_server, hash_password
from hub.api.deps import Hub, actor_of
from hub.api.sessions import SessionKind
from hub.api.signin import LIMITS, Limit
from hub.clock import new_id, utc_now
from hub.feed import Feed
from hub.ports import Incoming, Outcome, Role, UserRow
from hub.service import Services, build_services
from hub.settings import HttpSettings, Settings
from hub.store.listen import Listener
from hub.store.postgres import PostgresDatabase
from hub.store.reads import ReadsPostgres
from hub.store.reference import seed_catalogue
from tests.waiting import wait_until

__all__ = ["PASSWORD", "SAME", "Desk", "Events", "Json", "open_desk"]

Json = dict[str, Any]
PASSWORD = "correct horse battery"
SAME = {"Sec-Fetch-Site": "same-origin"}

_PEOPLE: tuple[tuple[str, Role, str | None], ...] = (
    ("zhoumin", "operator", None),
    ("liqiang", "operator", None),
    ("coord", "coordinator", None),
    ("fanglei", "supervisor", None),
    ("boss", "admin", None),
    ("bridge", "integrator", None),
    ("sunwei", "staff", "S1"),
    ("helin", "staff", "S2"),
    ("wuqiang", "staff", "S3"),
    ("chenjing", "family", "K1"),
    ("chenxiuying", "resident", "R1"),
)


@cache
def password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass
class Events:
    """An open stream, read in its own thread."""

    response: httpx.Response
    got: list[tuple[str, str | None, Json]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        name, ident, data = "", None, ""
        try:
            for line in self.response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("id: "):
                    ident = line.removeprefix("id: ")
                elif line.startswith("data: "):
                    data = line.removeprefix("data: ")
                elif not line and name:
                    self.got.append((name, ident, json.loads(data)))
                    name, ident, data = "", None, ""
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    def named(self, name: str) -> list[Json]:
        return [data for had, _, data in list(self.got) if had == name]

    @property
    def place(self) -> str | None:
        """What a browser would send as Last-Event-ID."""
        return next((ident for _, ident, _ in reversed(list(self.got)) if ident), None)

    def wait_for(self, name: str, count: int = 1, seconds: float = 10.0) -> list[Json]:
        return wait_until(
            lambda: found if len(found := self.named(name)) >= count else [], seconds, what=f"{count} {name}"
        )


@dataclass
class Desk:
    """Everything a test needs: clients, the parts behind them, presses of devices."""

    url: str
    base: str
    app: FastAPI
    database: PostgresDatabase
    services: Services
    feed: Feed
    server: ApiServer
    registry: CollectorRegistry
    ready: Json
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        found: Hub = self.app.state.hub
        return found

    def anonymous(self, **headers: str) -> httpx.Client:
        # Plain http; reading the machine's certificates would take longer than the test.
        client = httpx.Client(base_url=self.base, headers=headers, timeout=20, verify=False)
        self._clients.append(client)
        return client

    def user(self, username: str) -> UserRow:
        with self.database.begin() as tx:
            user = tx.users.by_name(username)
        assert user is not None
        return user

    def seat(self, username: str) -> httpx.Client:
        """A browser of our own pages, signed in (without the cost of the hash)."""
        kind: SessionKind = "console" if self.user(username).role not in ("staff", "family", "resident") else "phone"
        token, _row = self.hub.sessions.open(self.user(username), kind, on_duty=True)
        client = self.anonymous(**SAME)
        client.cookies.set("hub_session", token)
        return client

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()

    def press(self, device: str = "W1", alarm_type: str = "sos", ref: str | None = None, **fields: Any) -> Outcome:
        body = {"ref": ref or new_id()[-12:], "type": alarm_type, "observed_at": utc_now().isoformat(), **fields}
        incoming = Incoming(
            uplink=Uplink(payload=json.dumps(body).encode(), received_at=utc_now(), topic=f"care/v1/{device}/up/alarm"),
            device_id=device,
            family="care",
            lane="alarm",
        )
        return self.services.ingest.alarms([incoming])[0]

    def incident(self, device: str = "W1", alarm_type: str = "sos") -> str:
        """Presses and gives the id of the live incident."""
        self.press(device, alarm_type)
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT incident_id::text FROM alarms WHERE device_id = %s ORDER BY received_at DESC, id DESC LIMIT 1",
                (device,),
            ).fetchone()
        assert row is not None
        assert row[0] is not None
        return str(row[0])

    @contextmanager
    def stream(self, client: httpx.Client, path: str = "/api/v1/stream", **headers: str) -> Iterator[Events]:
        request = client.build_request("GET", path, headers=headers, timeout=httpx.Timeout(20, read=None))
        response = client.send(request, stream=True)
        assert response.status_code == 200, response.read()
        events = Events(response)
        thread = threading.Thread(target=events.read)
        thread.start()
        try:
            yield events
        finally:
            # Closing a response that another thread reads is not enough: the socket itself must end.
            stream = response.extensions.get("network_stream")
            if stream is not None:
                sock = stream.get_extra_info("socket")
                if sock is not None:
                    with suppress(OSError):
                        sock.shutdown(2)
            thread.join(10)
            response.close()


def load(database: PostgresDatabase, services: Services) -> None:
    """A small place: two residents with a contact each, three responders, devices, an account a role."""
    person = {"sex": "f", "born_on": "1944-05-01", "address": "西里 3 幢 501", "area_id": "G3"}
    home = {"lat": 31.3396, "lon": 118.3962}
    tables: tuple[tuple[str, list[Json]], ...] = (
        ("areas", [{"id": "C", "kind": "community", "name": "柳岸", **home}]),
        ("areas", [{"id": "G3", "parent_id": "C", "kind": "grid", "name": "第3网格"}]),
        ("stations", [{"id": "ST1", "kind": "care_station", "name": "柳岸照料站", "area_id": "C", **home}]),
        ("residents", [{"id": "R1", "name": "陈秀英", "lives_alone": True, "phone": "13900000001", **home, **person}]),
        ("residents", [{"id": "R2", "name": "赵国华", "phone": "13900000002", **home, **person}]),
        ("responders", [_responder("S1", "孙伟", "grid_officer", ["first_response"])]),
        ("responders", [_responder("S2", "何琳", "nurse", ["nursing", "first_aid"])]),
        ("responders", [_responder("S3", "吴强", "courier", ["meal_delivery"])]),
        ("contacts", [{"id": "K1", "resident_id": "R1", "name": "陈静", "phone": "13800000003", "relation": "女儿"}]),
        ("crews", [{"id": "B1", "name": "助浴组", "vehicle": "van", "members": ["S2"]}]),
    )
    with database.begin() as tx:
        for table, rows in tables:
            tx.reference.upsert(table, rows)
        seed_catalogue(tx.reference, SERVICE_KINDS.values())
        for username, role, person_id in _PEOPLE:
            tx.users.insert(UserRow(new_id(), username, username, role, person_id, password_hash=password_hash()))
        boss = tx.users.by_name("boss")
    assert boss is not None
    actor = actor_of(boss)
    for device, resident in (("W1", "R1"), ("P1", "R1"), ("W2", "R2")):
        services.devices.add(device, "care", resident, actor)


def _responder(ident: str, name: str, kind: str, skills: list[str]) -> Json:
    held = [{"skill": skill, "expires_on": None} for skill in skills]
    place = {"lat": 31.3390, "lon": 118.3960}
    return {"id": ident, "name": name, "kind": kind, "skills": held, "area_ids": ["C"], "on_duty": True, **place}


@contextmanager
def open_desk(url: str, *, throttle: tuple[Limit, ...] = LIMITS, patience: float = 5.0) -> Iterator[Desk]:
    """The API on the database at `url`; its schema is there already."""
    registry = CollectorRegistry()
    with PostgresDatabase(url, patience=patience) as database, Listener(url, ["care_hub_feed"]) as bell:
        services = build_services(
            database,
            clock=utc_now,
            new_id=new_id,
            codecs={name: family.codec for name, family in FAMILIES.items()},
            travel=HaversineTravel(),
            sample=lambda _id: False,
            hash_secret=lambda secret: f"hash:{len(secret)}",
        )
        load(database, services)
        reads = ReadsPostgres(database)
        feed = Feed(reads, bell.wait, utc_now)
        feed.start()
        assert feed.wait_ready(10)
        ready: Json = {"ready": True, "database": True}
        settings = Settings(http=HttpSettings(port=0))
        app = create_api(
            database=database,
            reads=reads,
            services=services,
            feed=feed,
            settings=settings,
            clock=utc_now,
            readiness=lambda: ready,
            registry=registry,
            throttle=throttle,
        )
        server = create_server(app, feed, settings.http)
        thread = threading.Thread(target=server.run, name="test-server")
        thread.start()
        desk: Desk | None = None
        try:
            wait_until(lambda: server.started, 10, what="the server")
            port = server.servers[0].sockets[0].getsockname()[1]
            base = f"http://127.0.0.1:{port}"
            desk = Desk(url, base, app, database, services, feed, server, registry, ready)
            yield desk
        finally:
            if desk is not None:
                desk.close_clients()
            server.should_exit = True
            thread.join(10)
            feed.end_streams()
            bell.close()
            feed.close()
        assert not thread.is_alive()


def soon(**span: float) -> str:
    """A time from now on, as text."""
    return (datetime.now(UTC) + timedelta(**span)).isoformat()
