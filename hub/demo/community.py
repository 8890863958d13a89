"""The fictional community 柳岸社区 (Liuan), made from a seed: people, places, devices, staff. Nobody real.

Everything is plain rows for the store's reference tables, so that the same loader serves a customer's own files.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from hub.demo.people import CAST, FIXED_RESIDENTS, LIUAN, STAFF, FixedResident, given_name, surname
from hub.demo.places import GRIDS, area_rows, home_in, station_rows

__all__ = ["Community", "Login", "build_community"]

Row = dict[str, Any]

_WATCHES, _CORDS, _RADARS, _DETECTORS, _ROBOTS = 112, 28, 16, 10, 5
_OTHERS = 2
"""So many pendants, and so many detectors behind a Zigbee gateway, where the community is large."""

_BRACKET = ("watch", 8800000000)
_TCP_WATCHES = (
    *(_BRACKET,) * 6,
    *(("iw", 868000100000000), ("gt06", 868000200000000), ("h02", 4205500000)) * 2,
    *(_BRACKET,) * 2,
)
"""The families of the watches on TCP, in their order, with the number their ids count on from."""
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


def build_community(*, seed: int, today: date, residents: int = 1240) -> Community:
    """The community as of `today`. `residents` (at least the named ones) are aged 60 and over; 15 % of them are served.

    The same seed gives the same community.
    """
    rng = random.Random(seed)
    community = Community()
    community.areas += area_rows()
    community.stations += station_rows()
    _residents(community, rng, today, max(residents, len(FIXED_RESIDENTS)))
    _staff(community, rng, today)
    _contacts(community, rng)
    _devices(community, rng)
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
        grid = rng.randrange(1, GRIDS + 1)
        lat, lon, address, micro = home_in(rng, grid)
        served = len(community.residents) < served_total
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


def _staff(community: Community, rng: random.Random, today: date) -> None:
    lat, lon = LIUAN
    for member in STAFF:
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
                "lat": round(lat + member.up, 6),
                "lon": round(lon + member.right, 6),
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
        Login("zhoumin", "周敏", "operator"),
        Login("liqiang", "李强", "operator"),
        Login("fanglei", "方磊", "supervisor"),
        Login("xujie", "许洁", "coordinator"),
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


# ---- devices --------------------------------------------------------------------------------------------------------


def _devices(community: Community, rng: random.Random) -> None:
    served = [row for row in community.residents if row["served"]]
    by_id = {row["id"]: row for row in served}
    fixed = [row.id for row in FIXED_RESIDENTS]
    others = [row["id"] for row in served if row["id"] not in set(fixed)]

    def pick(first: list[str], count: int) -> list[str]:
        rest = [one for one in others if one not in first]
        return (first + rng.sample(rest, k=min(len(rest), max(0, count - len(first)))))[:count]

    scale = min(1.0, len(served) / 186)
    watches = pick(fixed, round(_WATCHES * scale))
    # Every eighth watch speaks its maker's own TCP protocol; of a large community's, some speak another's.
    own = dict(zip(watches[len(fixed) :: 8], _TCP_WATCHES, strict=False))
    for number, resident_id in enumerate(watches, 1):
        if resident_id in own:
            family, first_id = own[resident_id]
            _device(community, by_id[resident_id], f"{first_id + number}", family, "watch", "智能手表 4G", 300)
        else:
            _device(community, by_id[resident_id], f"W-{number:03d}", "care", "watch", "智能手表", 300)
    for number, resident_id in enumerate(pick(["R-0002"], round(_CORDS * scale)), 1):
        if number > _CORDS - _OTHERS:
            imei = f"{868000300000000 + number}"
            _device(community, by_id[resident_id], imei, "minifinder2", "cord", "一键呼叫吊坠", 3600)
        else:
            _device(community, by_id[resident_id], f"P-{number:03d}", "care", "cord", "浴室拉绳", 3600)
    for number, resident_id in enumerate(pick(["R-0002"], round(_RADARS * scale)), 1):
        _device(community, by_id[resident_id], f"F-{number:03d}", "care", "radar", "跌倒雷达", 120)
    for number, resident_id in enumerate(pick(["R-0003"], round(_DETECTORS * scale)), 1):
        kind, name = ("smoke", "烟感") if number % 2 else ("gas", "燃气报警器")
        family = "zigbee2mqtt" if number > _DETECTORS - _OTHERS else "care"
        _device(community, by_id[resident_id], f"D-{number:03d}", family, kind, name, 3600)
    for number, resident_id in enumerate(pick(["R-0004"], round(_ROBOTS * scale)), 1):
        family, device_id = (
            ("vda5050", f"CareBots:B-{number:03d}") if number == _ROBOTS else ("care", f"B-{number:03d}")
        )
        _device(community, by_id[resident_id], device_id, family, "robot", "陪伴机器人", 60)


def _device(
    community: Community, resident: Row, device_id: str, family: str, kind: str, name: str, interval_s: int
) -> None:
    community.devices.append(
        {
            "id": device_id,
            "family": family,
            "name": name,
            "model": kind,
            "resident_id": resident["id"],
            "area_id": resident["area_id"],
            "profile": {"kind": kind},
            "interval_s": interval_s,
            "upstream": {"watch": "carrier-a" if family == "care" else "carrier-b"}.get(kind, "broker"),
        }
    )
