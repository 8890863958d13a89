"""The named cast of the sample community, and names for everybody else. All invented."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["CAST", "DESK", "FIXED_RESIDENTS", "LIUAN", "STAFF", "FixedResident", "StaffMember", "given_name", "surname"]

LIUAN: Final = (31.336, 118.392)
"""Where the fictional community lies: latitude, longitude (WGS-84)."""

CAST: Final = ("周敏", "李强", "方磊", "许洁", "李师傅", "老胡", "陈静")


@dataclass(frozen=True, slots=True)
class FixedResident:
    """A resident the story needs."""

    id: str
    name: str
    sex: Literal["f", "m"]
    age: int
    grid: int
    building: int
    address: str | None = None
    lives_alone: bool = False
    ability_level: int = 1
    conditions: tuple[str, ...] = ()
    medications: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    access: Mapping[str, str] = field(default_factory=dict)
    notes: str | None = None


FIXED_RESIDENTS: Final = (
    FixedResident(
        "R-0001",
        "王桂兰",
        "f",
        79,
        2,
        5,
        conditions=("高血压",),
        medications=("氨氯地平",),
        notes="充电时常误按",
    ),
    FixedResident(
        "R-0002",
        "陈秀英",
        "f",
        82,
        3,
        3,
        address="柳岸新村西里 3 幢 2 单元 501",
        lives_alone=True,
        ability_level=2,
        conditions=("心房颤动", "骨质疏松", "高血压"),
        medications=("华法林", "氨氯地平"),
        allergies=("青霉素",),
        flags=("服华法林",),
        access={
            "gate": "东门进，第二排右转",
            "lift": "无",
            "key_with": "李师傅（502 室）有钥匙",
            "door_note": "防盗门，先按门铃",
        },
        notes="浴室有跌倒雷达和拉绳",
    ),
    FixedResident(
        "R-0003", "赵德福", "m", 84, 3, 8, lives_alone=True, conditions=("慢阻肺",), medications=("噻托溴铵",)
    ),
    FixedResident(
        "R-0004",
        "赵国华",
        "m",
        79,
        3,
        6,
        lives_alone=True,
        conditions=("糖尿病",),
        medications=("二甲双胍",),
        notes="午餐少盐",
    ),
    FixedResident(
        "R-0005",
        "孙桂英",
        "f",
        86,
        4,
        2,
        ability_level=3,
        conditions=("高血压", "脑梗后遗症"),
        medications=("氨氯地平",),
        flags=("使用轮椅",),
        access={"lift": "有", "door_note": "子女中午在家"},
    ),
    FixedResident("R-0006", "钱玉兰", "f", 83, 1, 4, conditions=("关节炎",), notes="有时到食堂吃，有时请人送"),
    FixedResident("R-0007", "冯学文", "m", 81, 2, 9, conditions=("冠心病",), medications=("阿司匹林",)),
)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who can go. `skills`: (skill, whether it rests on a paper that expires)."""

    id: str
    name: str
    kind: str
    sex: Literal["f", "m"]
    skills: tuple[tuple[str, bool], ...]
    username: str | None = None
    area_id: str = "LJ-HB-LA"
    station_id: str | None = None
    mode: Literal["foot", "bike", "car", "van"] = "bike"
    up: float = 0.0
    right: float = 0.0
    on_duty: bool = True


_OFFICER: Final = (("first_response", False), ("safety_visit", False))
_CARER: Final = (
    ("care", True),
    ("housekeeping", False),
    ("companionship", False),
    ("escort", False),
    ("errands", False),
)
_COURIER: Final = (("meal_delivery", True), ("errands", False))
_BATH: Final = (("bathing", True), ("care", True))
_NURSE: Final = (("nursing", True), ("first_aid", True), ("medical_escort", False))

STAFF: Final = (
    StaffMember(
        "S-SUNWEI",
        "孙伟",
        "grid_officer",
        "m",
        (*_OFFICER, ("device_service", False)),
        "sunwei",
        "LA-G3",
        None,
        "bike",
        0.003,
        0.006,
    ),
    StaffMember("S-QIANLI", "钱丽", "grid_officer", "f", _OFFICER, "qianli", "LA-G1", None, "bike", 0.003, -0.006),
    StaffMember("S-ZHOUTAO", "周涛", "grid_officer", "m", _OFFICER, "zhoutao", "LA-G2", None, "foot", 0.002, 0.0),
    StaffMember("S-WUYAN", "吴艳", "grid_officer", "f", _OFFICER, "wuyan", "LA-G4", None, "bike", -0.003, -0.005),
    StaffMember("S-ZHENGKAI", "郑凯", "grid_officer", "m", _OFFICER, "zhengkai", "LA-G5", None, "bike", -0.003, 0.001),
    StaffMember("S-FENGJIE", "冯洁", "grid_officer", "f", _OFFICER, "fengjie", "LA-G6", None, "foot", -0.002, 0.006),
    StaffMember(
        "S-HELIN", "何琳", "nurse", "f", _NURSE, "helin", station_id="ST-CLINIC", mode="bike", up=0.0011, right=0.0021
    ),
    StaffMember(
        "S-SHENRUO",
        "申若谷",
        "doctor",
        "m",
        (),
        "shenruo",
        station_id="ST-CLINIC",
        up=0.0011,
        right=0.0021,
        on_duty=False,
    ),
    StaffMember(
        "S-MAFANG", "马芳", "carer", "f", _BATH, "mafang", station_id="ST-CARE", mode="van", up=0.0006, right=-0.0012
    ),
    StaffMember(
        "S-LIUYAN", "刘燕", "carer", "f", _BATH, "liuyan", station_id="ST-CARE", mode="van", up=0.0006, right=-0.0012
    ),
    StaffMember(
        "S-GAOJUN",
        "高军",
        "carer",
        "m",
        (*_CARER, ("bathing", True)),
        "gaojun",
        station_id="ST-CARE",
        up=0.0004,
        right=-0.0010,
    ),
    StaffMember(
        "S-HEMEI",
        "何梅",
        "carer",
        "f",
        (*_CARER, ("medical_escort", False)),
        "hemei",
        station_id="ST-CARE",
        up=0.0002,
        right=-0.0014,
    ),
    StaffMember(
        "S-WUQIANG", "吴强", "courier", "m", _COURIER, "wuqiang", station_id="ST-MEAL", up=-0.0008, right=0.0009
    ),
    StaffMember(
        "S-TANGBIN", "唐斌", "courier", "m", _COURIER, "tangbin", station_id="ST-MEAL", up=-0.0009, right=0.0010
    ),
    StaffMember("S-HANXUE", "韩雪", "courier", "f", _COURIER, "hanxue", station_id="ST-MEAL", up=-0.0008, right=0.0011),
    StaffMember(
        "S-PENGFEI", "彭飞", "courier", "m", _COURIER, "pengfei", station_id="ST-MEAL", up=-0.0007, right=0.0009
    ),
    StaffMember(
        "S-CANTEEN", "沈师傅", "cook", "m", (("meal_service", True),), station_id="ST-MEAL", up=-0.0008, right=0.0009
    ),
    StaffMember(
        "S-LAOHU", "老胡", "guard", "m", (("first_response", False),), "laohu", "LA-G3", None, "foot", 0.0035, 0.0085
    ),
    StaffMember(
        "S-LISHIFU",
        "李师傅",
        "neighbour",
        "m",
        (("first_response", False),),
        "lishifu",
        "LA-G3",
        None,
        "foot",
        0.0033,
        0.0042,
    ),
    StaffMember("S-CHENJING", "陈静", "family", "f", (), None, "LJ-HB-LA", None, "car", 0.48, -1.15, False),
    StaffMember(
        "S-YANGHUI",
        "杨慧",
        "volunteer",
        "f",
        (("companionship", False), ("errands", False)),
        "yanghui",
        mode="foot",
        up=0.001,
        right=0.003,
    ),
)

DESK: Final = (
    StaffMember("S-ZHOUMIN", "周敏", "operator", "f", (), mode="foot", station_id="ST-CARE", on_duty=False),
    StaffMember("S-LIQIANG", "李强", "operator", "m", (), mode="foot", station_id="ST-CARE", on_duty=False),
    StaffMember("S-FANGLEI", "方磊", "supervisor", "m", (), mode="car", station_id="ST-CARE", on_duty=False),
    StaffMember("S-XUJIE", "许洁", "station_manager", "f", (), mode="foot", station_id="ST-CARE", on_duty=False),
)
"""Those at the desk: on the rota and reached by telephone, sent to nobody."""

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
    "杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_FEMALE: Final = (
    "秀英 桂兰 玉兰 凤英 淑珍 桂英 玉珍 秀兰 秀珍 淑英 玉梅 素珍 兰英 翠英 金凤 "
    "月娥 桂芳 美英 秀华 玉华 惠珍 爱珍 雪梅 菊花 巧云 彩霞 慧芳 文英 瑞芳 春梅"
)
_MALE: Final = (
    "建国 国华 德福 志强 永福 明德 国强 德明 文华 家福 长贵 福生 金生 传宝 学文 "
    "正平 大勇 国庆 保国 宝山 玉山 春生 荣华 庆华 成林 兴旺 恒昌 守义 继忠 维民"
)


def surname(rng: random.Random) -> str:
    """A family name, the common ones more often."""
    return _SURNAMES[min(int(rng.expovariate(1 / 22)), len(_SURNAMES) - 1)]


def given_name(rng: random.Random, sex: str) -> str:
    """A given name as this generation has them."""
    return rng.choice((_FEMALE if sex == "f" else _MALE).split())
