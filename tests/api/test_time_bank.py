"""Volunteers' hours: banked once, given, spent, taken back; never below nothing, also when everybody spends at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from hub.clock import new_id, utc_now
from hub.service import TimeBanking
from tests.api.desk import Desk, Json
from tests.api.settlement import ok, settle_world, visit

BASE = "/api/v1"


@pytest.fixture(scope="module")
def bank(shared: Desk) -> Desk:
    settle_world(shared)
    visit(shared, "V1", "R1", "2026-10-05T10:00:00+08:00", 60)
    visit(shared, "V1", "R1", "2026-10-06T10:00:00+08:00", 45)
    visit(shared, "V1", "R1", "2026-10-07T10:00:00+08:00", 50, flags=["far"])
    visit(shared, "C1", "R1", "2026-10-08T10:00:00+08:00", 60)
    return shared


def mine(desk: Desk, who: str = "volunteer-1") -> Json:
    found = ok(desk.seat(who).get(f"{BASE}/my/hours"))
    assert isinstance(found, dict)
    return found


def test_hours_are_banked_once_and_flagged_ones_wait(bank: Desk) -> None:
    first = mine(bank)
    assert (first["account"]["balance_min"], first["account"]["visits"]) == (105, 2)
    assert [one["flags"] for one in first["waiting"]] == [["far"]]
    assert mine(bank)["account"]["balance_min"] == 105
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _n: bank.services.time_banking.bank(), range(6))) == 0
    waiting = ok(bank.seat("coord").get(f"{BASE}/time-bank/waiting"))["items"][0]
    review = f"{BASE}/time-bank/visits/{waiting['visit_id']}/review"
    body = {"responder_id": "V1", "accept": True, "reason": "社区确认在场"}
    ok(bank.seat("coord").post(review, json=body))
    assert bank.seat("coord").post(review, json=body).status_code == 404
    after = mine(bank)
    assert (after["account"]["balance_min"], after["waiting"]) == (155, [])
    assert bank.seat("helin").get(f"{BASE}/my/hours").json()["type"] == "urn:care-hub:no-volunteer"


def test_hours_are_given_spent_and_taken_back(bank: Desk) -> None:
    volunteer, coordinator, boss = bank.seat("volunteer-1"), bank.seat("coord"), bank.seat("fanglei")
    before = mine(bank)["account"]["balance_min"]
    given = ok(
        volunteer.post(
            f"{BASE}/my/hours/gifts", json={"to_kind": "resident", "to_id": "R1", "minutes": 60, "note": "谢谢"}
        ),
        201,
    )
    assert given["balance_min"] == before - 60
    assert given["lines"][0]["with"]["name"] == "陈秀英"
    wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": "2027-01-05T10:00:00+08:00"}
    order = ok(coordinator.post(f"{BASE}/orders", json={**wanted, "duration_min": 40}), 201)
    resident = bank.seat("chenxiuying")
    paid = ok(resident.post(f"{BASE}/my/hours/spending", json={"order_id": order["id"]}), 201)
    assert (paid["balance_min"], paid["lines"][0]["kind"]) == (20, "spent")
    twice = coordinator.post(
        f"{BASE}/time-bank/spending", json={"account": "resident:R1", "order_id": order["id"], "minutes": 1}
    )
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:care-hub:twice")
    too_much = resident.post(f"{BASE}/my/hours/spending", json={"minutes": 21, "note": "陪诊"})
    assert (too_much.status_code, too_much.json()["type"]) == (409, "urn:care-hub:not-enough-hours")
    assert resident.post(f"{BASE}/my/hours/spending", json={"minutes": 5}).json()["field"] == "note"
    gift_id = given["lines"][0]["id"]
    gone = boss.post(f"{BASE}/time-bank/entries/{gift_id}/reverse", json={"reason": "给错人"})
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:care-hub:not-enough-hours")
    spent_id = paid["lines"][0]["id"]
    ok(boss.post(f"{BASE}/time-bank/entries/{spent_id}/reverse", json={"reason": "扣错了"}))
    # What was given back may be spent on the same order again, and again only once.
    seats = [bank.seat("chenxiuying") for _ in range(4)]
    spend = f"{BASE}/my/hours/spending"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda seat: seat.post(spend, json={"order_id": order["id"]}), seats))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    anew = next(one for one in answers if one.status_code == 201).json()["lines"][0]["id"]
    ok(boss.post(f"{BASE}/time-bank/entries/{anew}/reverse", json={"reason": "工单取消"}))
    ok(boss.post(f"{BASE}/time-bank/entries/{gift_id}/reverse", json={"reason": "给错人"}))
    assert mine(bank)["account"]["balance_min"] == before
    again = boss.post(f"{BASE}/time-bank/entries/{gift_id}/reverse", json={"reason": "给错人"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:care-hub:twice")
    own = volunteer.post(f"{BASE}/my/hours/gifts", json={"to_kind": "volunteer", "to_id": "V1", "minutes": 1})
    assert (own.status_code, own.json()["field"]) == (422, "to_id")
    page = ok(coordinator.get(f"{BASE}/time-bank"))
    assert page["totals"]["given_min"] == page["totals"]["held_min"] + page["totals"]["spent_min"] == before


def test_everybody_spends_the_same_hours_at_once(bank: Desk) -> None:
    before = mine(bank)["account"]["balance_min"]
    seats = [bank.seat("volunteer-1") for _ in range(8)]
    gift = {"to_kind": "volunteer", "to_id": "V2", "minutes": 40}
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda seat: seat.post(f"{BASE}/my/hours/gifts", json=gift).status_code, seats))
    assert codes.count(201) == before // 40
    assert set(codes) <= {201, 409}
    assert mine(bank)["account"]["balance_min"] == before % 40
    assert mine(bank, "volunteer-2")["account"]["balance_min"] == before - before % 40
    # Two who give one another hours at once do not lock each other out.
    other = bank.seat("volunteer-2")
    back = {"to_kind": "volunteer", "to_id": "V1", "minutes": 1}
    with ThreadPoolExecutor(8) as pool:
        pairs = [(seats[n], {**gift, "minutes": 1}) if n % 2 else (other, back) for n in range(8)]
        done = list(pool.map(lambda one: one[0].post(f"{BASE}/my/hours/gifts", json=one[1]).status_code, pairs))
    assert set(done) == {201}


def test_the_database_itself_lets_no_account_run_below_nothing(bank: Desk) -> None:
    with psycopg.connect(bank.url) as connection:
        run = connection.execute
        run("INSERT INTO time_entries (id, kind, at, by_name) VALUES (%s, 'spent', now(), 'x')", (entry := new_id(),))
        with pytest.raises(psycopg.errors.CheckViolation, match="no_debt"):
            run(
                "INSERT INTO time_postings VALUES (%s, 'volunteer:V1', -100000), (%s, 'bank:spent', 100000)",
                (entry, entry),
            )


def test_hours_expire_where_the_site_wants_it(bank: Desk) -> None:
    held = mine(bank)["account"]["balance_min"] + mine(bank, "volunteer-2")["account"]["balance_min"]
    assert TimeBanking(bank.database, utc_now, new_id).expire() == 0
    later = TimeBanking(bank.database, lambda: utc_now() + timedelta(days=40), new_id, timedelta(days=30))
    assert later.expire() == held
    assert later.expire() == 0
    assert mine(bank)["account"]["balance_min"] == 0
