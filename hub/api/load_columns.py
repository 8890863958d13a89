"""What the columns of people's files mean: headings in Chinese and English, and how each cell becomes a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from dispatch import SKILLS

__all__ = ["COLUMNS", "TABLES", "cell_of", "column_of", "heading_of", "table_named"]

TABLES: Final = ("areas", "stations", "residents", "staff", "crews", "contacts", "devices")
"""In the order in which they lean on one another."""

_TABLE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "areas": ("area", "areas", "grids", "区域", "网格", "社区", "片区"),
    "stations": ("station", "stations", "站点", "照料站", "助餐点", "服务站"),
    "residents": ("resident", "residents", "people", "老人", "居民", "老年人", "服务对象"),
    "staff": ("staff", "responder", "responders", "workers", "人员", "员工", "护理员", "服务人员", "响应人员"),
    "crews": ("crew", "crews", "team", "teams", "班组", "小组"),
    "contacts": ("contact", "contacts", "family", "联系人", "家属", "紧急联系人"),
    "devices": ("device", "devices", "设备", "终端"),
}

Read = Callable[[str], Any]


def _fold(text: str) -> str:
    return re.sub(r"[\s_\-*（）()：:]+", "", text).lower()


def table_named(name: str) -> str | None:
    """The table a sheet or file is about, by its name: the whole of it, or a word of it; None where none fits."""
    folded = _fold(name)
    for table, names in _TABLE_NAMES.items():
        if folded in names:
            return table
    words = [word for word in re.split(r"[\W_\d]+", name.lower()) if word]
    for table, names in _TABLE_NAMES.items():
        if any(word in names for word in words) or any(
            len(one) > 1 and not one.isascii() and one in folded for one in names
        ):
            return table
    return None


# --- cells


def _text(cell: str) -> str:
    return cell


def _number(cell: str) -> float:
    try:
        return float(cell.replace("，", "").replace(",", ""))
    except ValueError:
        raise ValueError(f"{cell!r} is not a number") from None


def _whole(cell: str) -> int:
    found = _number(cell)
    if not found.is_integer():
        raise ValueError(f"{cell!r} is not a whole number")
    return int(found)


_YES: Final = frozenset({"true", "yes", "y", "1", "是", "有", "√", "对"})
_NO: Final = frozenset({"false", "no", "n", "0", "否", "无", "没有", "×"})


def _truth(cell: str) -> bool:
    word = cell.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"{cell!r} is neither yes nor no (是/否)")


_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]\S*)?|(\d{4})(\d{2})(\d{2})")


def _day(cell: str) -> date:
    found = _DAY.fullmatch(cell)
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"{cell!r} is not a day such as 1944-05-01") from None


def _words(cell: str) -> list[str]:
    parts = re.split(r"[;；、|\n]", cell) if re.search(r"[;；、|\n]", cell) else re.split(r"[,，]", cell)
    return [part.strip() for part in parts if part.strip()]


class _OneOf:
    """Our words by the folded words of people; ours stand for themselves. `said`: ours to the first of theirs."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._known = {_fold(said): ours for said, ours in words.items()} | {_fold(one): one for one in words.values()}
        self.said: dict[str, str] = {}
        for said, ours in words.items():
            self.said.setdefault(ours, said)

    def __call__(self, cell: str) -> str:
        found = self._known.get(_fold(cell))
        if found is None:
            raise ValueError(f"{cell!r} is none of {', '.join(self.said)}")
        return found


def _one_of(**words: str) -> _OneOf:
    return _OneOf(words)


def _skills(cell: str) -> list[dict[str, str | None]]:
    """`first_aid` or `护理`, with the day its paper expires after a colon: `nursing:2027-03-31`."""
    by_name = {_fold(name): one.id for one in SKILLS.values() for name in (one.id, one.zh, one.en)}
    found: list[dict[str, str | None]] = []
    for word in _words(cell):
        name, _, until = word.replace("：", ":").partition(":")
        skill = by_name.get(_fold(name))
        if skill is None:
            raise ValueError(f"there is no skill {name!r}; known: {', '.join(sorted(SKILLS))}")
        found.append({"skill": skill, "expires_on": _day(until.strip()).isoformat() if until.strip() else None})
    return found


def _phones(cell: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;；、,，/|\n]", cell) if part.strip()]


_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)(?::00)?")


def _clock(cell: str) -> str:
    found = _CLOCK.fullmatch(cell.strip())
    if found is None:
        raise ValueError(f"{cell!r} is no time of day such as 08:30")
    return f"{int(found[1]):02}:{found[2]}"


_DAYS_OF: Final[Mapping[str, int]] = {
    **{name: n for n, names in enumerate(("一", "二", "三", "四", "五", "六", "日天"), 1) for name in names},
    **{name: n for n, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)},
    **{str(n): n for n in range(1, 8)},
}


def _weekday(word: str) -> int:
    name = re.sub(r"^(周|星期|礼拜)", "", word.strip().lower())
    found = _DAYS_OF.get(name) or _DAYS_OF.get(name[:3])
    if found is None:
        raise ValueError(f"{word!r} is no day of the week (周一, Mon, 1)")
    return found


def _weekdays(cell: str) -> list[int]:
    """`周一至周五`, `Mon-Fri;Sun` or `1、3、5`: 1 is Monday."""
    found: set[int] = set()
    for word in _words(cell):
        first, last = (re.split(r"[-–~至到]", word, maxsplit=1) * 2)[:2]
        low, high = _weekday(first), _weekday(last)
        found |= set(range(low, high + 1)) if low <= high else {*range(low, 8), *range(1, high + 1)}
    return sorted(found)


_SEX = _one_of(女="f", 女性="f", female="f", 男="m", 男性="m", male="m")
_AREA_KIND = _one_of(
    市="city", 区="district", 区县="district", 街道="street", 镇="street", 社区="community", 网格="grid",
    微网格="micro_grid", 楼栋="micro_grid",
)  # fmt: skip
_STATION_KIND = _one_of(
    照料站="care_station", 照料中心="care_station", 服务站="care_station", 助餐点="meal_point", 食堂="meal_point",
    卫生站="clinic", 卫生服务中心="clinic", 社工站="social_work",
)  # fmt: skip
_CONTACT_KIND = _one_of(
    家属="family",
    子女="family",
    邻居="neighbour",
    保安="guard",
    门卫="guard",
    物业="guard",
    医生="doctor",
    其他="other",
)
_STAFF_KIND = _one_of(
    网格员="grid_officer", 护理员="carer", 护工="carer", 护士="nurse", 骑手="courier", 送餐员="courier", 保安="guard",
    邻居="neighbour", 家属="family", 志愿者="volunteer", 医生="doctor", 救护车="ambulance",
)  # fmt: skip
_MODE = _one_of(步行="foot", 骑行="bike", 电动车="bike", 汽车="car", 面包车="van")

Column = tuple[Read, tuple[str, ...]]
_PLACE: Final[Mapping[str, Column]] = {
    "lat": (_number, ("latitude", "纬度")),
    "lon": (_number, ("lng", "longitude", "经度")),
    "crs": (_one_of(国测局="gcj02", 高德="gcj02", 百度="bd09", WGS="wgs84", GPS="wgs84"), ("坐标系", "datum")),
}
_AREA: Final[Column] = (_text, ("area", "区域", "网格", "网格编号", "区域编号", "所属区域", "所属网格"))

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    "areas": {
        "id": (_text, ("编号", "代码", "code", "网格编号", "区域编号")),
        "name": (_text, ("名称", "区域名称", "网格名称")),
        "kind": (_AREA_KIND, ("type", "类型", "级别", "层级")),
        "parent_id": (_text, ("parent", "上级", "上级编号", "上级区域", "所属区域")),
        "households": (_whole, ("户数", "户")),
        **_PLACE,
    },
    "stations": {
        "id": (_text, ("编号", "代码", "code", "站点编号")),
        "name": (_text, ("名称", "站点名称")),
        "kind": (_STATION_KIND, ("type", "类型")),
        "area_id": _AREA,
        "address": (_text, ("地址",)),
        "phone": (_text, ("电话", "联系电话")),
        **_PLACE,
    },
    "residents": {
        "id": (_text, ("编号", "老人编号", "居民编号", "code")),
        "name": (_text, ("姓名",)),
        "id_number": (_text, ("身份证号", "身份证", "身份证号码", "证件号码", "公民身份号码", "idcard")),
        "sex": (_SEX, ("gender", "性别")),
        "born_on": (_day, ("birthday", "出生日期", "生日", "出生年月日")),
        "phone": (_text, ("电话", "手机", "联系电话", "手机号")),
        "address": (_text, ("地址", "住址", "家庭住址")),
        "area_id": _AREA,
        "lives_alone": (_truth, ("独居", "是否独居")),
        "served": (_truth, ("服务对象", "是否服务")),
        "ability_level": (_whole, ("能力等级", "自理等级")),
        "conditions": (_words, ("疾病", "慢性病", "病史")),
        "medications": (_words, ("用药", "常用药")),
        "allergies": (_words, ("过敏", "过敏史")),
        "diets": (_words, ("饮食", "膳食")),
        "languages": (_words, ("语言", "方言")),
        "hearing": (_text, ("听力", "沟通方式")),
        "flags": (_words, ("标签", "类别")),
        "notes": (_text, ("note", "备注")),
        **_PLACE,
    },
    "staff": {
        "id": (_text, ("编号", "工号", "人员编号", "code")),
        "name": (_text, ("姓名",)),
        "kind": (_STAFF_KIND, ("role", "类型", "岗位", "类别")),
        "phone": (_text, ("电话", "手机", "联系电话")),
        "sex": (_SEX, ("gender", "性别")),
        "skills": (_skills, ("skill", "技能", "资质")),
        "languages": (_words, ("语言", "方言")),
        "area_ids": (_words, ("areas", "area", "服务区域", "负责网格", "区域", "网格")),
        "station_id": (_text, ("station", "站点", "所属站点")),
        "mode": (_MODE, ("交通方式", "出行方式")),
        "active": (_truth, ("在职",)),
        **_PLACE,
    },
    "crews": {
        "id": (_text, ("编号", "班组编号", "code")),
        "name": (_text, ("名称", "班组", "班组名称")),
        "vehicle": (_text, ("车辆", "车牌", "车牌号")),
        "equipment": (_words, ("设备", "装备")),
        "members": (_words, ("成员", "人员", "成员工号", "people")),
        "days": (_weekdays, ("出车日", "工作日", "星期", "weekdays")),
        "begins": (_clock, ("开始", "开始时间", "上班", "from")),
        "ends": (_clock, ("结束", "结束时间", "下班", "to")),
        "active": (_truth, ("启用", "在用")),
    },
    "contacts": {
        "id": (_text, ("编号", "code")),
        "resident_id": (_text, ("resident", "老人编号", "居民编号", "老人")),
        "name": (_text, ("姓名", "联系人", "联系人姓名")),
        "relation": (_text, ("关系", "与老人关系")),
        "phone": (_text, ("电话", "手机", "联系电话")),
        "other_phones": (_phones, ("其他电话", "备用电话", "第二电话")),
        "kind": (_CONTACT_KIND, ("type", "类型", "类别")),
        "hours": (_text, ("可联系时间", "联系时间", "方便时间")),
        "languages": (_words, ("语言", "方言")),
        "consented_on": (_day, ("同意日期", "同意联系日期")),
        "has_key": (_truth, ("key", "钥匙", "有钥匙", "持有钥匙")),
        "position": (_whole, ("order", "顺序", "呼叫顺序")),
        "confirmed_on": (_day, ("核实日期", "确认日期")),
    },
    "devices": {
        "id": (_text, ("编号", "设备编号", "设备号", "imei", "device", "deviceid")),
        "family": (_text, ("协议", "设备类型", "type", "类型")),
        "name": (_text, ("名称", "设备名称")),
        "model": (_text, ("型号",)),
        "resident_id": (_text, ("resident", "老人编号", "居民编号", "老人")),
        "area_id": _AREA,
        "profile_id": (_text, ("profile", "档案", "设备档案", "配置", "设备配置")),
        "upstream": (_text, ("上游", "网关", "运营商", "carrier", "bridge")),
        "interval_s": (_whole, ("interval", "上报间隔", "间隔")),
    },
}
"""Table -> our field -> how a cell is read, and the headings people write beside our own word."""


def column_of(table: str, heading: str) -> str | None:
    """Our field of a heading, None where we know none. Our own words go before other people's."""
    folded = _fold(heading)
    columns = COLUMNS[table]
    for name in columns:
        if folded == _fold(name):
            return name
    return next((name for name, (_, others) in columns.items() if folded in map(_fold, others)), None)


def heading_of(table: str, name: str, language: str) -> str:
    """What stands above a column that we write: the first Chinese word for it, or our own."""
    words = COLUMNS[table][name][1]
    return next((word for word in words if not word.isascii()), name) if language == "zh" else name


def cell_of(table: str, name: str, value: Any, language: str) -> str:
    """A value as a cell that `COLUMNS` reads back as the same value; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    if isinstance(value, list):
        return ";".join(_skill(one) if isinstance(one, dict) else str(one) for one in value)
    read = COLUMNS[table][name][0]
    if language == "zh" and isinstance(read, _OneOf):
        return read.said.get(str(value), str(value))
    return str(value)


def _skill(held: Mapping[str, Any]) -> str:
    return f"{held['skill']}:{held['expires_on']}" if held.get("expires_on") else str(held["skill"])
