"""What is to be done at a visit, by kind of service: the list that a carer ticks. To add a task: one line. Pure.

A kind's own record (`attributes.tasks` of a service kind) or an order's (`attributes.tasks`, from its care plan) may
name others: `[{"code", "zh", "en"}]` or codes of this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["VISIT_TASKS", "VisitTask", "tasks_of"]

_MOST: Final = 40


@dataclass(frozen=True, slots=True)
class VisitTask:
    """One thing to do, in both languages."""

    code: str
    zh: str
    en: str


_ALL: Final = tuple(
    VisitTask(*row)
    for row in (
        ("vitals", "测量生命体征", "Vital signs"),
        ("medication_check", "核对用药", "Medication checked"),
        ("wound_care", "伤口护理", "Wound care"),
        ("skin_check", "检查皮肤", "Skin checked"),
        ("injection", "注射或换管", "Injection or catheter"),
        ("health_advice", "健康指导", "Health advice"),
        ("water_temperature", "水温 38–40 ℃", "Water 38-40 °C"),
        ("non_slip", "防滑、扶手就位", "Non-slip mat, grab rails"),
        ("bath", "洗浴", "Bath"),
        ("hair", "洗头", "Hair washed"),
        ("nails", "修剪指甲", "Nails"),
        ("dry_dress", "擦干更衣", "Dried and dressed"),
        ("after_check", "浴后观察", "Watched after the bath"),
        ("kitchen", "厨房", "Kitchen"),
        ("bathroom", "卫生间", "Bathroom"),
        ("floors", "地面", "Floors"),
        ("laundry", "洗衣", "Laundry"),
        ("rubbish", "倒垃圾", "Rubbish"),
        ("talk", "聊天", "Conversation"),
        ("walk", "陪同散步", "A walk together"),
        ("mood", "了解情绪", "Mood"),
        ("registered", "挂号就诊", "Registered and seen"),
        ("doctor_word", "记下医嘱", "The doctor's advice written down"),
        ("medicine_handed", "药品交到老人手中", "Medicine handed over"),
        ("receipt", "票据交清", "Receipt handed over"),
        ("there_and_back", "安全往返", "There and back safely"),
        ("errand_done", "事项办妥", "Errand done"),
        ("device_fixed", "设备恢复", "Device works again"),
        ("device_tested", "测试呼叫", "Test call"),
        ("seen_well", "见到老人，状态正常", "Seen, and well"),
        ("home_safe", "用火用电用气安全", "Fire, power and gas are safe"),
    )
)
_KNOWN: Final[Mapping[str, VisitTask]] = {one.code: one for one in _ALL}

VISIT_TASKS: Final[Mapping[str, tuple[VisitTask, ...]]] = {
    kind: tuple(_KNOWN[code] for code in codes.split())
    for kind, codes in {
        "nursing_visit": "vitals medication_check skin_check wound_care injection health_advice",
        "bathing": "water_temperature non_slip bath hair skin_check nails dry_dress after_check",
        "housekeeping": "kitchen bathroom floors laundry rubbish",
        "companionship": "talk walk mood",
        "medical_escort": "registered doctor_word medicine_handed there_and_back",
        "medicine_fetch": "medicine_handed receipt",
        "escort": "there_and_back",
        "errands": "errand_done receipt",
        "device_repair": "device_fixed device_tested",
        "safety_visit": "seen_well home_safe",
    }.items()
}


def tasks_of(kind: str, *own: Any) -> tuple[VisitTask, ...]:
    """The list of a visit: the last of `own` (the kind's record, the order's) that names any, else the table's.

    What cannot be read in a record is left out: a slip there must not take the list from a carer's hand.
    """
    for given in reversed(own):
        named = [task for one in given if (task := _task(one)) is not None] if isinstance(given, list) else []
        if named:
            return tuple({one.code: one for one in named}.values())[:_MOST]
    return VISIT_TASKS.get(kind, ())


def _task(one: Any) -> VisitTask | None:
    if isinstance(one, str):
        return _KNOWN.get(one)
    if not isinstance(one, dict) or not isinstance(code := one.get("code"), str) or not 0 < len(code) <= 64:
        return None
    known = _KNOWN.get(code)
    zh, en = one.get("zh") or (known and known.zh), one.get("en") or (known and known.en)
    if not isinstance(zh or en, str):
        return None
    return VisitTask(code, str(zh or en)[:120], str(en or zh)[:120])
