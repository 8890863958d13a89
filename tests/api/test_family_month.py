"""What a family may see and say of a month, and whom an order names as payer: over HTTP, on a real database."""

from __future__ import annotations

import psycopg
import pytest

from tests.api.desk import Desk, Json, soon
from tests.api.settlement import MONTH, ok, settle_world, visit

BASE = "/api/v1/settlements"


@pytest.fixture(scope="module")
def month(shared: Desk) -> tuple[Desk, dict[str, str]]:
    """Two visits at R1's, the second named the charity fund, which is asked last by itself; one at R2's."""
    settle_world(shared)
    orders = {
        "plain": visit(shared, "C1", "R1", "2026-10-05T10:00:00+08:00"),
        "named": visit(shared, "C1", "R1", "2026-10-06T10:00:00+08:00"),
        "unentitled": visit(shared, "C1", "R1", "2026-10-07T10:00:00+08:00"),
        "other": visit(shared, "C1", "R2", "2026-10-05T12:00:00+08:00"),
    }
    with shared.database.begin() as tx:
        fund = {"resident_id": "R1", "payer": "charity", "priority": 900, "from_on": "2026-01-01"}
        tx.reference.insert("entitlements", {"id": "E-fund", **fund})
    with psycopg.connect(shared.url) as connection:
        for name, payer in (("named", "charity"), ("unentitled", "long_term_care")):
            connection.execute("UPDATE orders SET payer_hint = %s WHERE id = %s", (payer, orders[name]))
    ok(shared.seat("manager-a").post(BASE, json={"provider_id": "PA", "month": MONTH}), 201)
    return shared, orders


def _claims(desk: Desk, seat: str) -> dict[str, Json]:
    return {one["order_id"]: one for one in ok(desk.seat(seat).get(BASE, params={"month": MONTH}))["items"]}


def test_whom_the_order_names_pays_first_and_the_line_says_so(month: tuple[Desk, dict[str, str]]) -> None:
    desk, orders = month
    claims = _claims(desk, "boss")
    payers = {name: [share["payer"] for share in claims[order]["shares"]] for name, order in orders.items()}
    assert payers["plain"] == payers["other"] == payers["unentitled"] == ["subsidy", "family"]
    assert payers["named"] == ["charity"]
    codes = {name: [why["code"] for why in claims[order]["reasons"]] for name, order in orders.items()}
    assert "payer_named" in codes["named"]
    assert "payer_not_entitled" in codes["unentitled"]
    assert not {"payer_named", "payer_not_entitled"} & set(codes["plain"])


def test_who_may_name_the_payer(month: tuple[Desk, dict[str, str]]) -> None:
    desk, _ = month
    wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": soon(days=2)}
    for seat, payer, status in (
        ("chenjing", "charity", 403),
        ("chenjing", "family", 201),
        ("coord", "charity", 201),
        ("coord", "nobody", 422),
    ):
        answer = desk.seat(seat).post("/api/v1/orders", json={**wanted, "payer_hint": payer})
        assert answer.status_code == status, (seat, payer, answer.text)


def test_a_family_sees_and_disputes_its_own_residents_claims_alone(month: tuple[Desk, dict[str, str]]) -> None:
    desk, orders = month
    family, every = desk.seat("chenjing"), _claims(desk, "boss")
    assert set(_claims(desk, "chenjing")) == {orders["plain"], orders["named"], orders["unentitled"]}
    assert {one["resident"]["id"] for one in ok(family.get("/api/v1/orders"))["items"]} == {"R1"}
    foreign, mine = every[orders["other"]]["id"], every[orders["plain"]]["id"]
    assert family.get(f"{BASE}/{foreign}").status_code == 404
    assert family.post(f"{BASE}/{foreign}/disputes", json={"reason": "没有来过"}).status_code == 404
    assert family.post(f"/api/v1/orders/{orders['other']}/satisfaction", json={"score": 1}).status_code == 404
    said = ok(family.post(f"{BASE}/{mine}/disputes", json={"reason": "没有来过"}), 201)
    assert [(one["side"], one["decision"]) for one in said["disputes"]] == [("family", None)]
    assert family.post(f"{BASE}/{mine}/disputes", json={"reason": "再说一次"}).status_code == 409
    assert family.post(f"{BASE}/disputes/{said['disputes'][0]['id']}/decide", json={}).status_code == 403
    decided = {"decision": "paid", "reason": "门口有签到和照片"}
    ok(desk.seat("fanglei").post(f"{BASE}/disputes/{said['disputes'][0]['id']}/decide", json=decided))
    answer = ok(family.get(f"{BASE}/{mine}"))["disputes"][0]
    assert (answer["decision"], answer["decision_reason"]) == ("paid", "门口有签到和照片")
