"""How the sample community is organised: who is on duty when, and what it does when somebody living alone calls.

Plain rows for the reference tables, like those of `hub.demo.community`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any, Final

from hub.alarms import BUILT_IN_PLANS
from hub.alarms.plans import AccessProcedure, Party, PlanClocks, PlanConditions, ResponsePlan, VoiceStep
from hub.alarms.plans_json import PLAN_FIELDS, plan_to_json

__all__ = ["cover_rows", "plan_rows", "rotation_rows"]

Row = dict[str, Any]

_ALL_DAY: Final = 1440
_WORKING_DAY: Final = 12 * 60
_COMMUNITY: Final = "LJ-HB-LA"
_OFFICERS: Final = ("S-QIANLI", "S-ZHOUTAO", "S-SUNWEI", "S-WUYAN", "S-ZHENGKAI", "S-FENGJIE")
_DAY_STAFF: Final = (
    ("NURSE", "护士白班", "nurse", ("S-HELIN",)),
    ("CARERS", "护理员白班", "carer", ("S-MAFANG", "S-LIUYAN", "S-GAOJUN", "S-HEMEI")),
    ("COURIERS", "送餐员白班", "courier", ("S-WUQIANG", "S-TANGBIN", "S-HANXUE", "S-PENGFEI")),
    ("CANTEEN", "社区食堂", "cook", ("S-CANTEEN",)),
    ("VOLUNTEERS", "志愿者", "volunteer", ("S-YANGHUI",)),
    ("MANAGER", "站长", "station_manager", ("S-XUJIE",)),
)
_USUAL: Final = next(plan for plan in BUILT_IN_PLANS if plan.id == "emergency")


def rotation_rows(now: datetime, zone: tzinfo) -> list[Row]:
    """The rotations as of `now`: officers, guard, supervisor round the clock, the desk in shifts, others by day.

    A community that is first shown later in the day, or at night, has its day then: a courier who goes home at seven
    shows nobody anything at ten in the evening.
    """
    local = now.astimezone(zone)
    begins = 7 if 7 <= local.hour <= 10 else (local.hour - 3) % 24
    first = local.date().replace(day=1)

    def rotation(name: str, title: str, role: str, members: tuple[str, ...], **more: Any) -> Row:
        return {
            "id": f"ROTA-{name}",
            "name": title,
            "role": role,
            "area_id": _COMMUNITY,
            "rule": "FREQ=DAILY",
            "starts_on": first.isoformat(),
            "begins": "08:00",
            "minutes": _ALL_DAY,
            "members": list(members),
            "seats": len(members),
            **more,
        }

    rows = [
        rotation(f"G{number}", f"第{number}网格网格员", "grid_officer", (officer,), area_id=f"LA-G{number}")
        for number, officer in enumerate(_OFFICERS, 1)
    ]
    rows += [
        rotation("GUARD", "西里东门门卫", "guard", ("S-LAOHU",), area_id="LA-G3"),
        rotation("SUPERVISOR", "带班领导", "supervisor", ("S-FANGLEI",)),
        # 李强 by day, 周敏 by night.
        rotation("DESK-DAY", "值守席白班", "operator", ("S-LIQIANG",), minutes=_WORKING_DAY),
        rotation("DESK-NIGHT", "值守席夜班", "operator", ("S-ZHOUMIN",), begins="20:00", minutes=_WORKING_DAY),
    ]
    day = {"begins": f"{begins:02d}:00", "minutes": _WORKING_DAY}
    return rows + [rotation(name, title, role, members, **day) for name, title, role, members in _DAY_STAFF]


def cover_rows() -> list[Row]:
    """What must never be open: an officer in each grid, somebody at the desk."""
    rows = [
        {"id": f"COVER-G{number}", "role": "grid_officer", "area_id": f"LA-G{number}"}
        for number in range(1, len(_OFFICERS) + 1)
    ]
    rows.append({"id": "COVER-DESK", "role": "operator", "area_id": _COMMUNITY})
    return [{**row, "begins": "00:00", "minutes": _ALL_DAY, "people": 1} for row in rows]


def plan_rows() -> list[Row]:
    """The community's own plan for those who live alone: the same by day and by night, its guard never sleeps."""
    usual = {tier.code: tier for tier in _USUAL.tiers}
    # It has one guard, and gives those nearby half a minute longer.
    parties = (Party("keyholder"), Party("guard", most=1), Party("grid_officer", most=1), Party("contact"))
    near = replace(usual["near"], parties=parties, wait_s=90)
    plan = ResponsePlan(
        id="liuan_alone",
        zh="柳岸独居老人呼救",
        en="Liuan: somebody living alone calls for help",
        conditions=PlanConditions(
            types=("sos", "fall", "voice_help"), classes=("emergency",), area_id=_COMMUNITY, flags=("lives_alone",)
        ),
        voice=VoiceStep(seconds=45),
        tiers=(near, usual["qualified"], usual["above"]),
        access=AccessProcedure(
            zh="先按门铃；无人应答时由持钥匙邻居开门；无钥匙时请门卫到场，并拨打 110 由民警见证开门，全程记录。",
            en="Ring first; without an answer the neighbour with the key opens; without a key the guard comes and the"
            " police, called on 110, witness the opening. Everything is written down.",
        ),
        clocks=PlanClocks(on_scene_s=900),
    )
    body = plan_to_json(plan)
    fields = {name: body[name] for name in PLAN_FIELDS}
    return [{"id": plan.id, **fields, "edited": True, "note": "柳岸社区自订 · the community's own"}]
