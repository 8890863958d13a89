"""The table of what each kind of service needs to know. To add a field: one line; `dispatch.particulars` checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["PARTICULARS", "FieldType", "Particular", "Particulars"]

FieldType = Literal["text", "number", "money_fen", "time", "flag", "choice", "choices", "lines", "photo"]


@dataclass(frozen=True, slots=True)
class Particular:
    """One thing to be said.

    `choices`: code -> Chinese, English. `lines`: several short texts; `money_fen`: whole fen; `photo`: the id of a
    photo of the visit. `low`, `high` bound a number.
    """

    name: str
    zh: str
    en: str
    type: FieldType = "text"
    required: bool = False
    choices: Mapping[str, tuple[str, str]] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Particulars:
    """`order`: with the order; `done`: after the visit."""

    order: tuple[Particular, ...] = ()
    done: tuple[Particular, ...] = ()


def _choice(name: str, zh: str, en: str, choices: Mapping[str, tuple[str, str]], **more: Any) -> Particular:
    return Particular(name, zh, en, "choice", choices=choices, **more)


def _choices(name: str, zh: str, en: str, choices: Mapping[str, tuple[str, str]], **more: Any) -> Particular:
    return Particular(name, zh, en, "choices", choices=choices, **more)


_PAYING: Final = {
    "family": ("家属代付", "Family pays"),
    "advance": ("先行垫付", "Carer advances"),
    "insurance": ("医保卡", "Insurance card"),
    "none": ("无需付款", "Nothing to pay"),
}
_PAID: Final = (
    Particular("amount_paid_fen", "实付金额", "Amount paid", "money_fen", required=True, low=0, high=10_000_000),
    Particular("receipt_photo", "票据照片", "Receipt photo", "photo"),
)
_VITALS: Final = {
    "blood_pressure": ("血压", "Blood pressure"),
    "heart_rate_bpm": ("心率", "Heart rate"),
    "spo2_pct": ("血氧", "Oxygen saturation"),
    "temperature_c": ("体温", "Temperature"),
    "respiration_rpm": ("呼吸", "Respiration"),
    "glucose_mmol_l": ("血糖", "Glucose"),
}

PARTICULARS: Final[Mapping[str, Particulars]] = {
    "medical_escort": Particulars(
        (
            Particular("place", "就诊医院", "Hospital or clinic", required=True),
            Particular("department", "科室/医生", "Department or doctor"),
            Particular("appointment_at", "预约时间", "Appointment", "time"),
            _choice(
                "way",
                "怎么去",
                "How to get there",
                {
                    "walk": ("步行", "On foot"),
                    "bus": ("公交", "Bus"),
                    "taxi": ("出租车", "Taxi"),
                    "wheelchair_van": ("无障碍车", "Wheelchair van"),
                    "family_car": ("家属车", "Family's car"),
                },
            ),
            Particular("bring", "要带的东西", "What to bring", "lines"),
            Particular("return_home", "送回家", "Bring home again", "flag"),
        ),
        (
            Particular("returned_at", "到家时间", "Home again at", "time"),
            Particular("doctor_said", "医嘱", "What the doctor said"),
            Particular("next_appointment_at", "下次预约", "Next appointment", "time"),
            Particular("amount_paid_fen", "垫付金额", "Amount advanced", "money_fen", low=0, high=10_000_000),
            Particular("receipt_photo", "票据照片", "Receipt photo", "photo"),
        ),
    ),
    "medicine_fetch": Particulars(
        (
            Particular("pharmacy", "取药地点", "Pharmacy or clinic", required=True),
            Particular("prescription", "药品清单", "Prescription list", "lines", required=True),
            _choice("pay_by", "付款方式", "Paid by", _PAYING),
            Particular("card_from", "医保卡在谁手里", "Who has the insurance card"),
        ),
        (
            *_PAID,
            Particular("fetched", "取到的药品", "What was fetched", "lines", required=True),
            Particular("missing", "缺货", "Out of stock", "lines"),
            Particular("handed_to", "交给谁", "Handed to"),
        ),
    ),
    "nursing_visit": Particulars(
        (
            _choice(
                "procedure",
                "护理项目",
                "Procedure",
                {
                    "injection": ("注射", "Injection"),
                    "wound_care": ("伤口换药", "Wound care"),
                    "pressure_sore": ("压疮护理", "Pressure sore care"),
                    "catheter": ("导尿管护理", "Catheter care"),
                    "stomach_tube": ("鼻饲管护理", "Feeding tube care"),
                    "blood_sample": ("采血", "Blood sample"),
                    "assessment": ("护理评估", "Assessment"),
                    "other": ("其他", "Other"),
                },
            ),
            Particular("doctor_order", "医嘱单", "Doctor's order"),
            Particular("materials", "所需耗材", "Materials", "lines"),
        ),
        (Particular("done", "护理记录", "What was done"), Particular("next_on", "下次护理", "Next time", "time")),
    ),
    "vitals_round": Particulars(
        (_choices("measure", "测量项目", "To be measured", _VITALS),),
        (Particular("found", "情况", "How the person was"),),
    ),
    "bathing": Particulars(
        (
            _choice(
                "place",
                "助浴方式",
                "Where",
                {
                    "van": ("助浴车", "Bathing van"),
                    "home": ("家中浴室", "At home"),
                    "bed": ("床上擦浴", "Bed bath"),
                    "station": ("助浴点", "Bathing station"),
                },
            ),
            _choice(
                "hot_water",
                "热水",
                "Hot water",
                {
                    "home": ("家中热水", "From the home"),
                    "van": ("车载热水", "From the van"),
                    "station": ("助浴点", "At the station"),
                },
            ),
            _choice(
                "consent_by",
                "谁同意",
                "Who consents",
                {"resident": ("本人", "Resident"), "family": ("家属", "Family"), "guardian": ("监护人", "Guardian")},
            ),
            Particular("family_present", "家属在场", "Family present", "flag"),
            Particular("parking", "车辆停放", "Where the van stands"),
            Particular("skin", "皮肤情况", "Skin"),
        ),
        (
            Particular("water_c", "水温（℃）", "Water, °C", "number", low=30, high=45),
            Particular("skin", "皮肤所见", "Skin found"),
        ),
    ),
    "housekeeping": Particulars(
        (
            _choices(
                "work",
                "做什么",
                "What to do",
                {
                    "floors": ("扫地拖地", "Floors"),
                    "kitchen": ("厨房", "Kitchen"),
                    "bathroom": ("卫生间", "Bathroom"),
                    "laundry": ("洗衣", "Laundry"),
                    "bed": ("换床单", "Bed linen"),
                    "windows": ("擦窗", "Windows"),
                    "cooking": ("做饭", "Cooking"),
                },
            ),
            Particular("own_tools", "家中有清洁工具", "Tools are there", "flag"),
        ),
    ),
    "companionship": Particulars(
        (
            _choices(
                "what",
                "一起做什么",
                "What together",
                {
                    "talk": ("聊天", "Talking"),
                    "walk": ("散步", "Walking"),
                    "reading": ("读报", "Reading"),
                    "games": ("下棋打牌", "Games"),
                    "phone": ("学用手机", "Using the phone"),
                },
            ),
            Particular("topics", "喜欢聊什么", "Likes to talk about"),
        ),
        (
            _choice(
                "mood",
                "情绪",
                "Mood",
                {"good": ("好", "Good"), "low": ("低落", "Low"), "worrying": ("令人担心", "Worrying")},
            ),
        ),
    ),
    "escort": Particulars(
        (
            Particular("destination", "去哪里", "Where to", required=True),
            _choice(
                "aid",
                "助行工具",
                "Walking aid",
                {
                    "none": ("不需要", "None"),
                    "stick": ("拐杖", "Stick"),
                    "walker": ("助行器", "Walker"),
                    "wheelchair": ("轮椅", "Wheelchair"),
                },
            ),
            Particular("return_home", "送回家", "Bring home again", "flag"),
        ),
        (Particular("returned_at", "到家时间", "Home again at", "time"),),
    ),
    "errands": Particulars(
        (
            Particular("what", "办什么事", "What is to be done", required=True),
            Particular("where", "在哪里办", "Where"),
            Particular("list", "清单", "List", "lines"),
            Particular("budget_fen", "预算", "Budget", "money_fen", low=0, high=1_000_000),
            _choice("pay_by", "付款方式", "Paid by", _PAYING),
        ),
        (*_PAID, Particular("handed_to", "交给谁", "Handed to")),
    ),
}
"""By kind. A kind without a line needs nothing but whom and when; meals have their own (`dispatch.meals`)."""
