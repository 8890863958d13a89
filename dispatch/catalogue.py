"""The catalogue: skills, kinds of service and what each needs, and who may answer which alarm. To add one: one line.

The kinds here are what a site begins with: the hub writes those it lacks into its database and reads them from there.

助医 is two things in practice: escort to the clinic and fetching medicine, which a trained carer does; nursing at home
(护理上门) needs a registered nurse. They are different kinds with different skills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["RESPONSE_SKILLS", "SERVICE_KINDS", "SKILLS", "VOLUNTEER_KINDS", "ServiceKind", "Skill", "response_skills"]


@dataclass(frozen=True, slots=True)
class Skill:
    """What somebody can do. `credential`: it rests on a paper that expires, and is worth nothing after that day."""

    id: str
    zh: str
    en: str
    credential: bool = False


SKILLS: Final[Mapping[str, Skill]] = {
    skill.id: skill
    for skill in (
        Skill("first_response", "应急响应", "First response"),
        Skill("first_aid", "急救", "First aid", credential=True),
        Skill("nursing", "护理（注册护士）", "Nursing (registered nurse)", credential=True),
        Skill("care", "照护", "Personal care", credential=True),
        Skill("bathing", "助浴", "Bathing", credential=True),
        Skill("meal_delivery", "送餐", "Meal delivery", credential=True),
        Skill("meal_service", "堂食服务", "Meal service", credential=True),
        Skill("medical_escort", "陪诊", "Medical escort"),
        Skill("housekeeping", "家政", "Housekeeping"),
        Skill("companionship", "陪伴", "Companionship"),
        Skill("escort", "助行", "Escort"),
        Skill("errands", "代办", "Errands"),
        Skill("safety_visit", "探访", "Safety visit"),
        Skill("device_service", "设备维护", "Device service"),
    )
}


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """One kind of service.

    `skills` are all needed, of `any_skills` one. `duration_min` as planned; personal care is never planned below 30 min
    (NICE NG21). `carers` at once. `same_sex`: the carer must be of the resident's sex. `gate`: vital signs and
    consent before it begins. `deliver_within_min`: minutes from the kitchen to the door. `active` False: it can no
    longer be ordered; what is ordered is still done. `price_fen` (None: none is kept) is for a visit or an hour.
    """

    id: str
    zh: str
    en: str
    skills: frozenset[str]
    any_skills: frozenset[str]
    duration_min: int
    carers: Literal[1, 2] = 1
    personal: bool = False
    priority: Literal["high", "medium", "low"] = "low"
    same_sex: bool = False
    gate: bool = False
    deliver_within_min: int | None = None
    active: bool = True
    price_fen: int | None = None
    price_per: Literal["visit", "hour"] = "visit"


def _kind(
    id: str,
    zh: str,
    en: str,
    *,
    duration_min: int,
    skills: tuple[str, ...] = (),
    any_skills: tuple[str, ...] = (),
    carers: Literal[1, 2] = 1,
    personal: bool = False,
    priority: Literal["high", "medium", "low"] = "low",
    same_sex: bool = False,
    gate: bool = False,
    deliver_within_min: int | None = None,
) -> tuple[str, ServiceKind]:
    kind = ServiceKind(
        id=id,
        zh=zh,
        en=en,
        skills=frozenset(skills),
        any_skills=frozenset(any_skills),
        duration_min=duration_min,
        carers=carers,
        personal=personal,
        priority=priority,
        same_sex=same_sex,
        gate=gate,
        deliver_within_min=deliver_within_min,
    )
    return id, kind


SERVICE_KINDS: Final[Mapping[str, ServiceKind]] = dict(
    (
        _kind(
            "meal_delivery",
            "助餐（送餐）",
            "Meal, delivered",
            skills=("meal_delivery",),
            duration_min=5,
            priority="medium",
            deliver_within_min=45,
        ),
        _kind("meal_dine_in", "助餐（堂食）", "Meal at the canteen", skills=("meal_service",), duration_min=45),
        _kind(
            "medical_escort",
            "助医（陪诊）",
            "Medical escort",
            any_skills=("medical_escort", "nursing"),
            duration_min=180,
            priority="medium",
        ),
        _kind(
            "medicine_fetch",
            "助医（代取药）",
            "Medicine fetched",
            any_skills=("medical_escort", "errands", "nursing"),
            duration_min=45,
            priority="medium",
        ),
        _kind(
            "nursing_visit",
            "护理上门",
            "Nursing at home",
            skills=("nursing",),
            duration_min=45,
            personal=True,
            priority="high",
        ),
        _kind(
            "vitals_round",
            "助医（巡诊测量）",
            "Vitals round",
            any_skills=("nursing", "care", "safety_visit"),
            duration_min=15,
            priority="medium",
        ),
        _kind(
            "bathing",
            "助浴",
            "Bathing",
            skills=("bathing",),
            duration_min=60,
            carers=2,
            personal=True,
            priority="medium",
            same_sex=True,
            gate=True,
        ),
        _kind("housekeeping", "助洁（家政）", "Housekeeping", skills=("housekeeping",), duration_min=120),
        _kind(
            "companionship",
            "情感陪护",
            "Companionship",
            any_skills=("companionship", "care"),
            duration_min=60,
        ),
        _kind("escort", "助行", "Escort", any_skills=("escort", "medical_escort", "care"), duration_min=90),
        _kind("errands", "代办", "Errands", any_skills=("errands", "housekeeping"), duration_min=45),
        _kind(
            "device_repair",
            "设备维修",
            "Device repair",
            any_skills=("device_service",),
            duration_min=40,
        ),
        _kind(
            "safety_visit",
            "探访",
            "Safety visit",
            any_skills=("safety_visit", "first_response", "care", "nursing"),
            duration_min=20,
        ),
    )
)

VOLUNTEER_KINDS: Final = frozenset({"companionship", "errands", "escort", "housekeeping", "safety_visit"})
"""What volunteers may do: low risk, nothing to do with the body, medicine or food, and nobody is paid for it."""

_AT_THE_DOOR: Final = frozenset({"first_response", "first_aid", "nursing"})
_THE_BODY: Final = frozenset({"nursing", "first_aid", "care"})
_THE_FLAT: Final = frozenset({"first_response"})
_THE_DEVICE: Final = frozenset({"device_service"})
_WHOEVER_CARES: Final = _AT_THE_DOOR | {"care"}

RESPONSE_SKILLS: Final[Mapping[str, frozenset[str]]] = {
    "sos": _AT_THE_DOOR,
    "fall": _AT_THE_DOOR,
    "voice_help": _AT_THE_DOOR,
    "smoke": _THE_FLAT,
    "gas": _THE_FLAT,
    "assistance": _WHOEVER_CARES,
    "inactivity": _WHOEVER_CARES,
    "water_leak": _THE_FLAT,
    "heart_rate_high": _THE_BODY,
    "heart_rate_low": _THE_BODY,
    "heart_rate_abnormal": _THE_BODY,
    "spo2_low": _THE_BODY,
    "blood_pressure_high": _THE_BODY,
    "blood_pressure_low": _THE_BODY,
    "fever": _THE_BODY,
    "bed_exit": _WHOEVER_CARES,
    "medication_missed": _WHOEVER_CARES,
    "wandering": _WHOEVER_CARES,
    "door": _WHOEVER_CARES,
    "geofence_enter": _WHOEVER_CARES,
    "low_battery": _THE_DEVICE,
    "power_off": _THE_DEVICE,
    "power_fail": _THE_DEVICE,
    "device_fault": _THE_DEVICE,
    "off_wrist": _THE_DEVICE,
    "tamper": _THE_DEVICE,
    "robot_stuck": _THE_DEVICE,
    "offline": _THE_DEVICE,
    "test_call": _THE_DEVICE,
}


def response_skills(alarm_type: str) -> frozenset[str]:
    """Any one of these skills will do to answer an alarm of this type; for a type not in the table: whoever cares."""
    return RESPONSE_SKILLS.get(alarm_type, _WHOEVER_CARES)
