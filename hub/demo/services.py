"""Who gives the services of the sample community, what they cost, who pays, and what comes again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from hub.demo.people import FIXED_RESIDENTS, STAFF
from hub.errors import HubError
from hub.ports import Actor
from hub.service import Services

__all__ = ["CANTEEN", "CANTEEN_STATION", "dish_rows", "entitlement_rows", "provider_rows", "set_going", "tariff_rows"]

Row = dict[str, Any]

CANTEEN: Final = "PV-CANTEEN"
CANTEEN_STATION: Final = "ST-MEAL"
_MEALS: Final = ["meal_delivery", "meal_dine_in"]


def provider_rows() -> list[Row]:
    """Who runs the care station and its nurse; who runs the canteen."""
    return [
        {
            "id": "PV-CARE",
            "name": "柳岸居家养老服务中心",
            "kind": "nonprofit",
            "phone": "0553-5550101",
            "contact": "许洁",
        },
        {
            "id": CANTEEN,
            "name": "柳岸社区食堂",
            "kind": "company",
            "phone": "0553-5550102",
            "contact": "沈师傅",
            "kinds": _MEALS,
        },
    ]


def tariff_rows(from_on: date) -> list[Row]:
    """Prices in fen from a day on; a lunch is 15 yuan at the table and 16 at the door."""
    prices = (
        ("meal_delivery", "visit", 1600),
        ("meal_dine_in", "visit", 1500),
        ("bathing", "visit", 12000),
        ("nursing_visit", "visit", 9000),
        ("medical_escort", "hour", 4000),
        ("housekeeping", "hour", 3500),
        ("companionship", "hour", 2500),
    )
    return [
        {
            "id": f"TF-{kind.upper().replace('_', '-')}",
            "kind": kind,
            "unit": unit,
            "price_fen": fen,
            "from_on": from_on.isoformat(),
            "note": "柳岸社区 2026 年公示价",
        }
        for kind, unit, fen in prices
    ]


def entitlement_rows(served: Sequence[Row], from_on: date) -> list[Row]:
    """Meals: the subsidy pays six tenths of 22 a month, the family the rest. Baths, nursing: long-term care insurance
    for those who need it. The family agrees to pay what nobody else does.
    """
    rows: list[Row] = []
    for resident in served:
        common = {"resident_id": resident["id"], "from_on": from_on.isoformat()}
        ident = str(resident["id"]).removeprefix("R-")
        rows.append(
            {
                **common,
                "id": f"EN-{ident}-MEAL",
                "payer": "subsidy",
                "kinds": _MEALS,
                "unit": "visits",
                "quota": 22,
                "copay_percent": 40,
                "priority": 10,
            }
        )
        if resident["ability_level"] >= 2:
            rows.append(
                {
                    **common,
                    "id": f"EN-{ident}-CARE",
                    "payer": "long_term_care",
                    "kinds": ["bathing", "nursing_visit"],
                    "unit": "visits",
                    "quota": 8,
                    "copay_percent": 10,
                    "priority": 20,
                }
            )
        rows.append(
            {
                **common,
                "id": f"EN-{ident}-OWN",
                "payer": "family",
                "kinds": [],
                "unit": "visits",
                "quota": None,
                "copay_percent": 0,
                "priority": 90,
            }
        )
    return rows


def dish_rows() -> list[Row]:
    """What the canteen cooks."""
    dishes: tuple[tuple[str, str, str, list[str]], ...] = (
        ("D-PORK", "红烧肉套餐", "Braised pork, rice, greens", []),
        ("D-FISH", "清蒸鱼套餐（少盐）", "Steamed fish, little salt", ["low_salt"]),
        ("D-SOFT", "软食套餐", "Soft food", ["soft"]),
    )
    return [
        {"id": ident, "station_id": CANTEEN_STATION, "name": zh, "name_en": en, "diets": diets, "price_fen": 1500}
        for ident, zh, en, diets in dishes
    ]


def set_going(services: Services, actor: Actor, today: date, zone: tzinfo) -> None:
    """Care plans from tomorrow on, the visit programme with the month's visits so far, tomorrow's lunch menu."""
    tomorrow = today + timedelta(days=1)
    plans: tuple[tuple[str, str, str, time, time], ...] = (
        ("bathing", "R-0005", "FREQ=WEEKLY", time(14), time(16)),
        ("nursing_visit", "R-0005", "FREQ=WEEKLY;INTERVAL=2", time(9), time(11)),
        ("companionship", "R-0003", "FREQ=WEEKLY", time(15), time(17)),
        ("housekeeping", "R-0001", "FREQ=WEEKLY;INTERVAL=2", time(9), time(12)),
    )
    for kind, resident_id, rule, begins, ends in plans:
        fields = {
            "kind": kind,
            "resident_id": resident_id,
            "rule": rule,
            "starts_on": tomorrow,
            "begins": begins,
            "ends": ends,
        }
        _tried(lambda fields=fields: services.everyday.care_plans.add(fields, actor))
    programme = {
        "id": "liuan-alone",
        "zh": "独居老人探访",
        "en": "Visits to those who live alone",
        "groups": ["lives_alone"],
        "area_ids": ["LJ-HB-LA"],
        "per_month": {"low": 1, "medium": 2, "high": 4},
    }
    _tried(lambda: services.everyday.programmes.add(programme, actor))
    _visited_so_far(services, str(programme["id"]), today, zone)
    dishes = [{"dish_id": row["id"], "portions": 60} for row in dish_rows()]
    _tried(lambda: services.meals.kitchen.set_menu(CANTEEN_STATION, tomorrow, "lunch", dishes, actor))


def _visited_so_far(services: Services, programme_id: str, today: date, zone: tzinfo) -> None:
    """Two in three have been visited this month, each by the officer of their grid; nobody of the story."""
    desk = services.everyday.programmes
    officers = {member.area_id: member for member in STAFF if member.kind == "grid_officer"}
    story = {resident.id for resident in FIXED_RESIDENTS}
    for n, one in enumerate(sorted(desk.month(programme_id), key=lambda one: one.person.id)):
        officer = next((o for area, o in officers.items() if (one.person.area_id or "").startswith(area)), None)
        if officer is None or one.person.id in story or not one.pending or n % 3 == 0:
            continue
        who = Actor(kind="responder", name=officer.name, role="staff", person_id=officer.id)
        day = max(today.replace(day=1), today - timedelta(days=n % 12))
        at = datetime.combine(day, time(9 + n % 7, 5 * (n % 12)), tzinfo=zone)
        resident = one.person.id
        _tried(lambda resident=resident, who=who, at=at: desk.record(programme_id, resident, "well", who, at=at))


def _tried(act: Any) -> None:
    try:
        act()
    except HubError:
        return  # a small community may lack somebody of the story
