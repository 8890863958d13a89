"""Puts the sample community into an empty database, and writes the file the simulators read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from dispatch import SERVICE_KINDS
from hub.clock import Clock, IdSource
from hub.demo.community import Community, Login, build_community
from hub.errors import HubError
from hub.ports import SYSTEM, Actor, Database, UserRow
from hub.service import Services

__all__ = ["DemoWorld", "load_community", "set_up"]

_PASSWORD_FILE = "demo-password"
_WORLD_FILE = "demo-world.json"
_OPERATOR = Actor(kind="system", name="demo")


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """What `hub demo` needs to go on: the log-ins to print and the simulators' file."""

    logins: tuple[Login, ...]
    password: str
    world_file: Path
    residents: int
    devices: int
    fresh: bool


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
) -> DemoWorld:
    """Loads the community if the database has none yet; a second start finds everything as it was."""
    now = clock()
    community = build_community(seed=seed, today=now.date(), residents=residents)
    password_file = data_dir / _PASSWORD_FILE
    fresh = load_community(database, community, now)
    if fresh or not password_file.exists():
        write_private(password_file, f"liuan-{secrets.randbelow(900_000) + 100_000}\n")
    password = password_file.read_text(encoding="utf-8").strip()
    _users(database, community, password, new_id, hash_password)
    if fresh:
        _day(services, community, now)
    world_file = data_dir / _WORLD_FILE
    write_private(world_file, json.dumps(_world(community, password), ensure_ascii=False, indent=1))
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


def _day(services: Services, community: Community, now: datetime) -> None:
    """Today's services: lunches on the couriers' rounds, a bath, an escort, a nurse's visit."""
    noon = _next_noon(now)
    served = [row for row in community.residents if row["served"] and row["id"] != "R-0005"]
    couriers = ("S-WUQIANG", "S-TANGBIN", "S-HANXUE", "S-PENGFEI")
    for number, resident in enumerate(served[:48]):
        order = _order(
            services, "meal_delivery", resident["id"], noon + timedelta(minutes=number // 4), {"portions": 1}
        )
        if order is not None and number < 24:
            _assign(services, order, couriers[number % len(couriers)])
    bath = _order(services, "bathing", "R-0005", noon + timedelta(hours=2), {"wheelchair": True})
    if bath is not None:
        _assign(services, bath, "S-MAFANG")
        _assign(services, bath, "S-LIUYAN")
    plans = (
        ("medical_escort", "R-0001", timedelta(hours=3), "S-HEMEI"),
        ("nursing_visit", "R-0002", timedelta(hours=1), "S-HELIN"),
        ("housekeeping", "R-0003", timedelta(hours=4), "S-GAOJUN"),
        ("companionship", "R-0004", timedelta(hours=5), "S-YANGHUI"),
        ("safety_visit", served[-1]["id"], timedelta(hours=2), None),
        ("medicine_fetch", served[-2]["id"], timedelta(hours=2), None),
    )
    for kind, resident_id, after, responder in plans:
        order = _order(services, kind, resident_id, noon + after, {})
        if order is not None and responder is not None:
            _assign(services, order, responder)


def _next_noon(now: datetime) -> datetime:
    """Half past eleven in China, today if that is still to come."""
    local = now + timedelta(hours=8)
    noon = datetime.combine(local.date(), time(11, 30), tzinfo=now.tzinfo) - timedelta(hours=8)
    return noon if noon > now else noon + timedelta(days=1)


def _order(services: Services, kind: str, resident_id: str, at: datetime, attributes: dict[str, Any]) -> str | None:
    try:
        return services.care.create_order(
            {
                "kind": kind,
                "resident_id": resident_id,
                "wanted_from": at,
                "wanted_to": at + timedelta(minutes=max(30, SERVICE_KINDS[kind].duration_min)),
                "attributes": attributes,
            },
            _OPERATOR,
        )
    except HubError:
        return None  # a small community may lack somebody of the story


def _assign(services: Services, order_id: str, responder_id: str) -> None:
    services.dispatching.assign_order(order_id, responder_id, _OPERATOR)


def _world(community: Community, password: str) -> dict[str, Any]:
    """The simulators' fleet file: they know nothing of the hub but this and its wires."""
    homes = {row["id"]: row for row in community.residents}
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
            }
            for row in community.devices
        ],
        "operators": [
            {"username": login.username, "password": password, "name": login.name}
            for login in community.logins
            if login.username == "liqiang"
        ],
        "staff": [
            {
                "username": login.username,
                "password": password,
                "name": login.name,
                "responder_id": row["id"],
                "kind": row["kind"],
                "lat": row["lat"],
                "lon": row["lon"],
            }
            for login in community.logins
            for row in community.responders
            if login.role == "staff" and row["id"] == login.person_id
        ],
    }
