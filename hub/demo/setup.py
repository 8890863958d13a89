"""Puts the sample community into an empty database, and writes the file the simulators read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final

from hub.clock import Clock, IdSource
from hub.demo.community import Community, Login, build_community
from hub.demo.day import STOPPED_AT, lunch_so_far, ordinary_day, story_day
from hub.demo.night import ServicesAt, last_night, played_last_night
from hub.demo.organisation import cover_rows, plan_rows, rotation_rows
from hub.demo.people import FIXED_RESIDENTS
from hub.demo.services import (
    CANTEEN,
    CANTEEN_STATION,
    dish_rows,
    entitlement_rows,
    provider_rows,
    set_going,
    tariff_rows,
)
from hub.ports import SYSTEM, Actor, Database, UserRow
from hub.service import Services

__all__ = ["DemoWorld", "Story", "load_community", "set_up"]

_PASSWORD_FILE = "demo-password"
_WORLD_FILE = "demo-world.json"
_DEMO: Final = Actor(kind="system", name="demo")
_NIGHT_OPERATOR: Final = "liqiang"
_PROVIDER_OF: Final = {CANTEEN_STATION: CANTEEN, "ST-CARE": "PV-CARE", "ST-CLINIC": "PV-CARE"}
_CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """What `hub demo` needs to go on: the log-ins to print and the simulators' file."""

    logins: tuple[Login, ...]
    password: str
    world_file: Path
    residents: int
    devices: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What the ten minutes need beside the people: a night that has been, and telephones that can be answered.

    `telephone`: what the simulated exchange must know to prove itself and to check who calls.
    """

    services_at: ServicesAt
    zone: tzinfo
    telephone: Mapping[str, str]


def set_up(
    database: Database,
    services: Services,
    *,
    data_dir: Path,
    clock: Clock,
    new_id: IdSource,
    hash_password: Callable[[str], str],
    write_private: Callable[[Path, str], None],
    seed: int,
    residents: int,
    story: Story | None = None,
) -> DemoWorld:
    """Loads the community if the database has none yet; a second start finds everything as it was.

    `story`: the community is made ready for its ten minutes: rota, a plan of its own, last night, a lunch round under
    way. Each start gives it that round anew.
    """
    now = clock()
    community = build_community(seed=seed, today=now.date(), residents=residents, lively=story is not None)
    password_file = data_dir / _PASSWORD_FILE
    fresh = load_community(database, community, now)
    if fresh or not password_file.exists():
        write_private(password_file, f"liuan-{secrets.randbelow(900_000) + 100_000}\n")
    password = password_file.read_text(encoding="utf-8").strip()
    _users(database, community, password, new_id, hash_password)
    if story is not None:
        _make_ready(database, services, community, story, now, new_id, fresh=fresh)
    elif fresh:
        ordinary_day(services, community, now, _CHINA)
    world_file = data_dir / _WORLD_FILE
    world = _world(community, password) | ({} if story is None else {"telephone": dict(story.telephone)})
    write_private(world_file, json.dumps(world, ensure_ascii=False, indent=1))
    return DemoWorld(
        logins=tuple(community.logins),
        password=password,
        world_file=world_file,
        residents=len(community.residents),
        devices=len(community.devices),
        fresh=fresh,
    )


def load_community(database: Database, community: Community, now: datetime) -> bool:
    """Writes all reference rows in one transaction; False where the community is there already."""
    with database.begin() as tx:
        if tx.residents.get(community.residents[0]["id"]) is not None:
            return False
        for table, rows in community.tables():
            tx.reference.upsert(table, rows)
        tx.audit.add(SYSTEM, "demo.load", None, {"residents": len(community.residents)}, now)
    return True


def _make_ready(
    database: Database,
    services: Services,
    community: Community,
    story: Story,
    now: datetime,
    new_id: IdSource,
    *,
    fresh: bool,
) -> None:
    if fresh:
        today = now.astimezone(story.zone).date()
        first = today.replace(day=1)
        served = [row for row in community.residents if row["served"]]
        with database.begin() as tx:
            tx.reference.upsert("providers", provider_rows())
            for station_id, provider_id in _PROVIDER_OF.items():
                tx.reference.patch("stations", station_id, {"provider_id": provider_id}, version=None)
            for member in community.responders:
                if (provider := _PROVIDER_OF.get(member["station_id"] or "")) is not None:
                    tx.reference.patch("responders", member["id"], {"provider_id": provider}, version=None)
            tx.reference.upsert("tariffs", tariff_rows(first))
            tx.reference.upsert("entitlements", entitlement_rows(served, first))
            tx.reference.upsert("meal_dishes", dish_rows())
            tx.reference.upsert("rotations", rotation_rows(now, story.zone))
            tx.reference.upsert("rota_cover", cover_rows())
            tx.reference.upsert("response_plans", plan_rows())
        services.rota.top_up()
        set_going(services, _DEMO, today, story.zone)
        _last_night(database, community, story, now)
    _home_again(database, services)
    with database.begin() as tx:
        under_way = any(order.kind == "meal_delivery" for order, _ in tx.orders.open_of_resident(STOPPED_AT))
    if not under_way:
        lunch_so_far(database, story.services_at, community, now, story.zone)
        story_day(database, services, community, now, story.zone, new_id)


def _last_night(database: Database, community: Community, story: Story, now: datetime) -> None:
    watches = [row for row in community.devices if row["model"] == "watch" and row["family"] == "care"]
    with database.begin() as tx:
        user = tx.users.by_name(_NIGHT_OPERATOR)
    if user is not None and watches:
        operator = Actor(kind="operator", name=user.name, role=user.role, user_id=user.id)
        at = last_night(now, story.zone)
        played_last_night(database, story.services_at, watches[len(watches) // 2], operator, at)


def _home_again(database: Database, services: Services) -> None:
    """Whoever the last showing sent to hospital has come home."""
    for fixed in FIXED_RESIDENTS:
        with database.begin() as tx:
            resident = tx.residents.get(fixed.id)
        if resident is not None and resident.status == "hospital":
            services.care.set_resident_status(fixed.id, "home", "出院回家", _DEMO)


def _users(
    database: Database, community: Community, password: str, new_id: IdSource, hash_password: Callable[[str], str]
) -> None:
    password_hash: str | None = None
    with database.begin() as tx:
        for login in community.logins:
            if tx.users.by_name(login.username) is not None:
                continue
            # One password for the whole demo, so one hash will do.
            password_hash = password_hash or hash_password(password)
            tx.users.insert(
                UserRow(
                    id=new_id(),
                    username=login.username,
                    name=login.name,
                    role=login.role,  # type: ignore[arg-type]  # the literal table of the community
                    person_id=login.person_id,
                    password_hash=password_hash,
                )
            )


def _world(community: Community, password: str) -> dict[str, Any]:
    """The simulators' fleet file: they know nothing of the hub but this and its wires."""
    homes = {row["id"]: row for row in community.residents}
    staff = {row["id"]: row for row in community.responders}

    def account(login: Login) -> dict[str, Any]:
        return {"username": login.username, "password": password, "name": login.name, "role": login.role}

    return {
        "residents": [{"id": row["id"], "name": row["name"]} for row in community.residents if row["served"]],
        "devices": [
            {
                "id": row["id"],
                "kind": row["model"],
                "family": row["family"],
                "resident_id": row["resident_id"],
                "resident": homes[row["resident_id"]]["name"],
                "name": row["name"],
                "lat": homes[row["resident_id"]]["lat"],
                "lon": homes[row["resident_id"]]["lon"],
                "area": row["area_id"].rsplit("-", 1)[0],
                "interval_s": row["interval_s"],
                "network": row["upstream"],
                "still": row["resident_id"] == STOPPED_AT,
            }
            for row in community.devices
            if row["id"] not in community.dark
        ],
        "operators": [account(login) for login in community.logins if login.username == _NIGHT_OPERATOR],
        "staff": [
            {
                **account(login),
                "responder_id": row["id"],
                "kind": row["kind"],
                "lat": row["lat"],
                "lon": row["lon"],
            }
            for login in community.logins
            if login.role == "staff" and (row := staff.get(login.person_id or "")) is not None
        ],
        "people": [account(login) for login in community.logins],
        "phones": [
            *({"number": row["phone"], "name": row["name"]} for row in community.responders),
            *({"number": row["phone"], "name": row["name"]} for row in community.contacts),
        ],
    }
