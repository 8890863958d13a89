"""Claiming (抢单): only who is qualified, of its provider, on shift and free then; and whose people a station's are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from hub.errors import ConflictError
from hub.ports import Actor
from tests.service.day_world import DAY, DayWorld, at
from tests.store.rows import Racers


def _me(carer: str) -> Actor:
    return Actor(kind="responder", name=carer, role="staff", person_id=carer)


def _claim(day: DayWorld, order_id: str, carer: str) -> str:
    return day.world.services.everyday.open_orders.claim(order_id, carer, _me(carer))


def _shown(day: DayWorld, carer: str) -> set[str]:
    return {one["id"] for one in day.world.services.everyday.open_orders.near(carer)}


def _refused(day: DayWorld, order_id: str, carer: str, code: str) -> ConflictError:
    assert order_id not in _shown(day, carer), "what cannot be claimed is not shown"
    with pytest.raises(ConflictError) as told:
        _claim(day, order_id, carer)
    assert told.value.code == code, told.value.detail
    assert day.world.rows("SELECT 1 FROM assignments a JOIN visits v ON v.id = a.visit_id"
                          " WHERE v.order_id = %s AND a.responder_id = %s", order_id, carer) == []  # fmt: skip
    return told.value


def _open(day: DayWorld, resident: str, begins: str, ends: str, **fields: Any) -> str:
    return day.order("companionship", resident, begins, ends, open_to="claim", **fields)


def test_nobody_is_in_two_homes_at_once(day: DayWorld) -> None:
    day.carer("A", "companionship")
    first = _open(day, "D1", "10:00", "10:00", duration_min=60)
    second = _open(day, "D2", "10:30", "10:30", duration_min=60)
    after = _open(day, "D3", "11:00", "11:00", duration_min=30)
    assert {first, second, after} <= _shown(day, "A")
    _claim(day, first, "A")
    told = _refused(day, second, "A", "overlap")
    visit = told.extra["visit"]
    assert isinstance(visit, dict)
    assert (visit["resident"], visit["order_id"]) == ("老人1", first)
    assert (visit["starts_at"], visit["ends_at"]) == (
        at("10:00").astimezone(day.world.now.tzinfo).isoformat(),
        at("11:00").astimezone(day.world.now.tzinfo).isoformat(),
    )
    assert "老人1" in told.detail
    assert "10:00-11:00" in told.detail
    _claim(day, after, "A")  # right after it is no overlap
    # Called off, the time is free again.
    day.world.services.care.cancel_order(first, day.coordinator, "家属改期")
    _claim(day, day.order("companionship", "D4", "09:45", "09:45", open_to="claim", duration_min=60), "A")


def test_a_wide_window_is_planned_where_there_is_time(day: DayWorld) -> None:
    day.carer("A", "companionship", shift=("08:00", "12:00"))
    given = day.order("companionship", "D1", "09:00", "09:30", duration_min=60)
    day.world.services.dispatching.assign_order(given, "A", day.coordinator)
    wide = _open(day, "D2", "09:00", "11:00", duration_min=60)
    assert wide in _shown(day, "A")
    _claim(day, wide, "A")
    assert day.visit(wide)["planned_start"] == at("10:00")
    assert day.visit(wide)["planned_end"] == at("11:00")
    told = _refused(day, _open(day, "D3", "09:00", "11:00", duration_min=90), "A", "overlap")
    assert "老人1" in told.detail


def test_the_rota_says_who_is_there(day: DayWorld) -> None:
    day.carer("A", "companionship", shift=("08:00", "12:00"))
    late = _open(day, "D1", "13:00", "13:30", duration_min=30)
    told = _refused(day, late, "A", "off-shift")
    assert "08:00-12:00" in told.detail
    # Just past the end of the shift is past it; a window that reaches back into it is planned there.
    edge = _open(day, "D2", "11:45", "12:00", duration_min=30)
    _refused(day, edge, "A", "off-shift")
    ahead = _open(day, "D2", "07:00", "09:00", duration_min=30)
    _claim(day, ahead, "A")
    assert day.visit(ahead)["planned_start"] == at("08:00")
    # Ill: out of everything, whatever the shifts say.
    fine = _open(day, "D3", "10:00", "10:30", duration_min=30)
    assert fine in _shown(day, "A")
    override = {
        "kind": "absent",
        "responder_id": "A",
        "starts_at": at("09:45"),
        "ends_at": at("12:00"),
        "reason": "病假",
    }
    day.world.services.rota.override(override, day.coordinator)
    _refused(day, fine, "A", "absent")
    # Without a rota (a volunteer) the time is their own, unless they are off duty and it is for now.
    day.carer("V", "companionship", shift=None, kind="volunteer", on_duty=False)
    _claim(day, late, "V")
    soon = day.world.now + timedelta(minutes=20)
    now = {"kind": "companionship", "resident_id": "D4", "wanted_from": soon, "wanted_to": soon, "open_to": "claim"}
    urgent = day.world.services.care.create_order(now, day.coordinator)
    _refused(day, urgent, "V", "off-duty")
    with day.world.database.begin() as tx:
        tx.responders.set_on_duty("V", True)
    _claim(day, urgent, "V")


def test_two_claims_of_one_person_at_once_and_one_wins(day: DayWorld) -> None:
    day.carer("A", "companionship")
    orders = [_open(day, f"D{n}", "10:00", "10:00", duration_min=60) for n in (1, 2, 3)]

    def claim(order_id: str) -> str:
        try:
            return _claim(day, order_id, "A")
        except ConflictError as told:
            return told.code

    got = Racers().run(*(lambda one=one: claim(one) for one in orders))
    assert sorted(one for one in got if one == "overlap") == ["overlap", "overlap"], got
    assert len(day.world.rows("SELECT id FROM assignments WHERE responder_id = 'A'")) == 1


def test_an_order_claimed_for_the_same_time_is_not_published_over(day: DayWorld) -> None:
    day.carer("A", "companionship")
    planned = day.order("companionship", "D1", "10:00", "10:00", duration_min=60)
    plan_id = day.plan()
    assert day.planned(plan_id)[planned][0] == ("A",)
    taken = _open(day, "D2", "10:30", "10:30", duration_min=60)
    _claim(day, taken, "A")
    later = _open(day, "D3", "11:30", "11:30", duration_min=60)
    _claim(day, later, "A")
    with pytest.raises(ConflictError) as stale:
        day.publish(plan_id)
    assert stale.value.code == "stale"
    visits = stale.value.extra["visits"]
    assert isinstance(visits, list)
    assert [one["order_id"] for one in visits] == [taken]
    day.world.services.care.cancel_order(taken, day.coordinator, "家属改期")
    day.publish(plan_id)  # the other one stands in nobody's way
    assert set(day.stands()) == {planned, later}


def test_a_plan_and_a_claim_at_once_and_one_wins(day: DayWorld) -> None:
    day.carer("A", "companionship")
    day.order("companionship", "D1", "10:00", "10:00", duration_min=60)
    plan_id = day.plan()
    open_order = _open(day, "D2", "10:30", "10:30", duration_min=60)

    def publish() -> str:
        try:
            day.publish(plan_id)
        except ConflictError as told:
            return str(told.code)
        return "published"

    def claim() -> str:
        try:
            _claim(day, open_order, "A")
        except ConflictError as told:
            return str(told.code)
        return "claimed"

    told = Racers().run(publish, claim)
    assert sorted(told) in (["overlap", "published"], ["claimed", "stale"])


def _providers(day: DayWorld) -> None:
    """PA has a station and a man of its own elsewhere; PB another station. `S` names no provider, its station does."""
    with day.world.database.begin() as tx:
        names = {"PA": "柳岸服务", "PB": "东门服务", "PC": "无人服务"}
        tx.reference.upsert("providers", [{"id": one, "name": name} for one, name in names.items()])
        tx.reference.upsert(
            "stations",
            [
                {"id": f"ST-{one}", "kind": "care_station", "name": one, "area_id": "C", "provider_id": one}
                for one in ("PA", "PB")
            ],
        )
    day.carer("S", "companionship", station_id="ST-PA")
    day.carer("B", "companionship", station_id="ST-PB")
    # Lent to the other's station, still of the own provider.
    day.carer("L", "companionship", station_id="ST-PB", provider_id="PA")
    day.carer("N", "companionship")


def test_an_order_of_a_provider_is_claimed_by_its_people_alone(day: DayWorld) -> None:
    _providers(day)
    with day.world.database.begin() as tx:
        assert [tx.responders.provider_of(one) for one in ("S", "B", "L", "N")] == ["PA", "PB", "PA", None]
    theirs = _open(day, "D1", "10:00", "10:30", station_id="ST-PA", duration_min=30)
    for stranger in ("B", "N"):
        _refused(day, theirs, stranger, "other-provider")
    assert theirs in _shown(day, "L")
    _claim(day, theirs, "S")
    assert day.world.row("SELECT provider_id FROM orders WHERE id = %s", theirs)["provider_id"] == "PA"
    nobodys = _open(day, "D2", "12:00", "12:30", duration_min=30)
    _claim(day, nobodys, "B")
    assert day.world.row("SELECT provider_id FROM orders WHERE id = %s", nobodys)["provider_id"] == "PB"


def test_a_plan_gives_a_providers_orders_to_the_people_of_its_stations(day: DayWorld) -> None:
    """The planner, the desk's check of a swap, and the words for what is left out, by the same rule as claiming."""
    _providers(day)
    with day.world.database.begin() as tx:
        assert {one.id: one.provider_id for one in tx.day_plans.carers(date(2026, 3, 2)) if one.id in "SBLN"} == {
            "S": "PA",
            "B": "PB",
            "L": "PA",
            "N": None,
        }
    orders = [
        day.order("companionship", f"D{n}", "10:00", "10:05", station_id="ST-PA", duration_min=60) for n in (1, 2)
    ]
    nobodys = day.order("companionship", "D3", "10:00", "10:05", provider_id="PC", duration_min=60)
    plan_id = day.plan()
    stands = day.planned(plan_id)
    assert {who for order in orders for who in stands[order][0]} == {"S", "L"}
    assert [(one["order_id"], one["code"]) for one in day.row(plan_id).unplanned] == [(nobodys, "no-provider")]
    day.publish(plan_id)
    visit = str(day.visit(orders[0])["id"])
    checked = day.world.services.day.replans.check(DAY, {"kind": "swap", "visit_id": visit, "responder_id": "B"}, None)
    assert [(one["code"], one["hard"]) for one in checked["conflicts"] if one["code"] == "provider"] == [
        ("provider", True)
    ]
    assert not checked["allowed"]
