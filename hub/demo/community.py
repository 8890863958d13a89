"""The fictional community 柳岸社区 (Liuan), made from a seed: people, places, devices, staff. Nobody real.

Everything is plain rows for the store's reference tables, so that the same loader serves a customer's own files.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from hub.demo.devices import device_rows
from hub.demo.people import CAST, DESK, FIXED_RESIDENTS, LIUAN, STAFF, FixedResident, given_name, surname
from hub.demo.places import GRIDS, area_rows, home_in, station_rows

__all__ = ["Community", "Login", "build_community"]

Row = dict[str, Any]

_CONDITIONS: Final = (
    "高血压",
    "糖尿病",
    "冠心病",
    "慢阻肺",
    "骨质疏松",
    "关节炎",
    "白内障",
    "轻度认知障碍",
    "脑梗后遗症",
    "心房颤动",
)
_MEDICATIONS: Final = {
    "高血压": "氨氯地平",
    "糖尿病": "二甲双胍",
    "冠心病": "阿司匹林",
    "慢阻肺": "噻托溴铵",
    "骨质疏松": "钙片",
    "心房颤动": "华法林",
}


_WALK_FROM: Final = {"S-LISHIFU": ("R-0002", 0.0011, 0.0011)}
"""Who is how far (degrees north, east) from whose door: the neighbour with the key is out, four minutes away."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account the demo makes. `person_id`: the responder, contact or resident behind it."""

    username: str
    name: str
    role: str
    person_id: str | None = None


@dataclass(slots=True)
class Community:
    """All rows, table by table, in an order that satisfies their references."""

    areas: list[Row] = field(default_factory=list)
    stations: list[Row] = field(default_factory=list)
    residents: list[Row] = field(default_factory=list)
    responders: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    crews: list[Row] = field(default_factory=list)
    devices: list[Row] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    dark: frozenset[str] = frozenset()
    """Devices that are there and say nothing."""

    def tables(self) -> list[tuple[str, list[Row]]]:
        """(table, rows) in the order of writing."""
        return [
            ("areas", self.areas),
            ("stations", self.stations),
            ("residents", self.residents),
            ("responders", self.responders),
            ("contacts", self.contacts),
            ("crews", self.crews),
            ("devices", self.devices),
        ]


def build_community(*, seed: int, today: date, residents: int = 1240, lively: bool = False) -> Community:
    """The community as of `today`. `residents` (at least the named ones) are aged 60 and over; 15 % of them are served.

    The same seed gives the same community. `lively`: as `device_rows` says, and the neighbour with the key is out.
    """
    rng = random.Random(seed)
    community = Community()
    community.areas += area_rows()
    community.stations += station_rows()
    _residents(community, rng, today, max(residents, len(FIXED_RESIDENTS)))
    _staff(community, rng, today, lively=lively)
    _contacts(community, rng)
    devices = device_rows([row for row in community.residents if row["served"]], rng, lively=lively)
    community.devices += devices.rows
    community.dark = devices.dark
    return community


# ---- people ---------------------------------------------------------------------------------------------------------


def _phone(rng: random.Random) -> str:
    return f"13{rng.choice('89')}0000{rng.randrange(10_000):04d}"  # 0000: a block no carrier gives to people


def _residents(community: Community, rng: random.Random, today: date, count: int) -> None:
    served_total = round(count * 186 / 1240)
    alone_total = round(count * 64 / 1240)
    for fixed in FIXED_RESIDENTS:
        community.residents.append(_fixed(rng, fixed, today))
    alone = sum(row["lives_alone"] for row in community.residents)
    taken = {row["name"] for row in community.residents} | {member.name for member in STAFF} | set(CAST)
    while len(community.residents) < count:
        number = len(community.residents) + 1
        sex = rng.choice("fffmm")
        name = surname(rng) + given_name(rng, sex)
        if name in taken:
            continue
        served = len(community.residents) < served_total
        # Two of five served live in the third grid, where the story is.
        grid = 3 if served and rng.random() < 0.3 else rng.randrange(1, GRIDS + 1)
        lat, lon, address, micro = home_in(rng, grid)
        conditions = rng.sample(_CONDITIONS, k=rng.choice((0, 1, 1, 2, 2, 3))) if served else []
        lives_alone = served and alone < alone_total and rng.random() < 0.6
        alone += lives_alone
        community.residents.append(
            {
                "id": f"R-{number:04d}",
                "name": name,
                "sex": sex,
                "born_on": _born(rng, today, rng.randrange(66, 94) if served else rng.randrange(60, 88)),
                "phone": _phone(rng),
                "address": address,
                "area_id": f"LA-G{grid}-M{micro}",
                "lat": lat,
                "lon": lon,
                "lives_alone": lives_alone,
                "served": served,
                "ability_level": rng.choice((0, 0, 1, 1, 2, 3)) if served else 0,
                "conditions": conditions,
                "medications": [_MEDICATIONS[one] for one in conditions if one in _MEDICATIONS],
                "allergies": ["青霉素"] if rng.random() < 0.08 else [],
                "languages": ["zh"],
                "flags": ["独居"] if lives_alone else [],
                "access": {"lift": "有" if rng.random() < 0.3 else "无"},
            }
        )


def _born(rng: random.Random, today: date, age: int) -> str:
    return (
        date(today.year - age, 1, 1) + timedelta(days=rng.randrange(0, max(1, today.timetuple().tm_yday)))
    ).isoformat()


def _fixed(rng: random.Random, fixed: FixedResident, today: date) -> Row:
    lat, lon, address, micro = home_in(rng, fixed.grid, fixed.building)
    return {
        "id": fixed.id,
        "name": fixed.name,
        "sex": fixed.sex,
        "born_on": _born(rng, today, fixed.age),
        "phone": _phone(rng),
        "address": fixed.address or address,
        "area_id": f"LA-G{fixed.grid}-M{micro}",
        "lat": lat,
        "lon": lon,
        "lives_alone": fixed.lives_alone,
        "served": True,
        "ability_level": fixed.ability_level,
        "conditions": list(fixed.conditions),
        "medications": list(fixed.medications),
        "allergies": list(fixed.allergies),
        "languages": ["zh", "芜湖话"],
        "flags": (["独居"] if fixed.lives_alone else []) + list(fixed.flags),
        "access": dict(fixed.access),
        "notes": fixed.notes,
    }


def _staff(community: Community, rng: random.Random, today: date, *, lively: bool) -> None:
    homes = {row["id"]: row for row in community.residents}
    for member in (*STAFF, *DESK):
        lat, lon = LIUAN[0] + member.up, LIUAN[1] + member.right
        if lively and member.id in _WALK_FROM:
            door, north, east = _WALK_FROM[member.id]
            lat, lon = homes[door]["lat"] + north, homes[door]["lon"] + east
        community.responders.append(
            {
                "id": member.id,
                "name": member.name,
                "kind": member.kind,
                "phone": _phone(rng),
                "sex": member.sex,
                "skills": [
                    {"skill": skill, "expires_on": (today + timedelta(days=400)).isoformat() if paper else None}
                    for skill, paper in member.skills
                ],
                "languages": ["zh"],
                "area_ids": [member.area_id],
                "station_id": member.station_id,
                "mode": member.mode,
                "lat": round(lat, 6),
                "lon": round(lon, 6),
                "on_duty": member.on_duty,
            }
        )
        if member.username:
            community.logins.append(Login(member.username, member.name, "staff", member.id))
    community.crews.append(
        {
            "id": "CREW-BATH",
            "name": "助浴组",
            "vehicle": "皖B·助浴01",
            "equipment": ["移动浴槽", "热水车"],
            "members": ["S-MAFANG", "S-LIUYAN"],
        }
    )
    community.logins += [
        Login("zhoumin", "周敏", "operator", "S-ZHOUMIN"),
        Login("liqiang", "李强", "operator", "S-LIQIANG"),
        Login("fanglei", "方磊", "supervisor", "S-FANGLEI"),
        Login("xujie", "许洁", "coordinator", "S-XUJIE"),
        Login("admin", "管理员", "admin"),
        Login("chenjing", "陈静", "family", "C-CHENJING"),
        Login("zhaoguohua", "赵国华", "resident", "R-0004"),
    ]


def _contacts(community: Community, rng: random.Random) -> None:
    community.contacts += [
        _contact("C-LI", "R-0002", "李师傅", "邻居", "neighbour", 1, True, "S-LISHIFU", rng),
        _contact("C-CHENJING", "R-0002", "陈静", "女儿（合肥）", "family", 2, False, "S-CHENJING", rng),
        _contact("C-HU", "R-0002", "老胡", "门卫", "guard", 3, False, "S-LAOHU", rng),
    ]
    for resident in community.residents:
        if not resident["served"] or resident["id"] == "R-0002":
            continue
        relation = rng.choice(("儿子", "女儿", "侄女", "外孙"))
        name = resident["name"][0] + given_name(rng, "m" if relation in ("儿子", "外孙") else "f")
        community.contacts.append(
            _contact(
                f"C-{resident['id']}-1", resident["id"], name, relation, "family", 1, rng.random() < 0.5, None, rng
            )
        )


def _contact(
    contact_id: str,
    resident_id: str,
    name: str,
    relation: str,
    kind: str,
    position: int,
    has_key: bool,
    responder_id: str | None,
    rng: random.Random,
) -> Row:
    return {
        "id": contact_id,
        "resident_id": resident_id,
        "name": name,
        "relation": relation,
        "phone": _phone(rng),
        "kind": kind,
        "has_key": has_key,
        "position": position,
        "responder_id": responder_id,
    }
