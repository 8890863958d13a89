"""Claims, disputes and closed months over HTTP, on a real PostgreSQL; nothing is paid twice, also by two at once."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psycopg
import pytest
from openpyxl import load_workbook

from hub.clock import new_id
from hub.ports import EntryRow
from tests.api.desk import Desk, Json
from tests.api.settlement import MONTH, NEXT, meal, ok, settle_world, visit

BASE = "/api/v1/settlements"


@pytest.fixture(scope="module")
def books(shared: Desk) -> Desk:
    """A month of provider PA: 12 lunches, one twice on a card, one after admission, one flagged, one unproven."""
    settle_world(shared)
    for day in range(1, 13):
        meal(shared, "C1", "R1", f"2026-10-{day:02d}T11:30:00+08:00", "K1")
    meal(shared, "C1", "R2", "2026-10-03T12:10:00+08:00", "K1")
    with shared.database.begin() as tx:
        tx.timeline.add(_status("R2", "2026-10-08T09:00:00+08:00"))
    meal(shared, "C1", "R2", "2026-10-09T11:40:00+08:00", "K2")
    visit(shared, "C1", "R1", "2026-10-05T15:00:00+08:00", 30, flags=["far"])
    visit(shared, "C1", "R1", "2026-10-06T15:00:00+08:00", 30, checked=False)
    visit(shared, "V1", "R1", "2026-10-07T15:00:00+08:00", 30)
    visit(shared, "C2", "R1", "2026-10-07T17:00:00+08:00", 20)
    return shared


def _status(resident: str, at: str) -> EntryRow:
    body = {"from": "home", "to": "hospital", "reason": "住院"}
    return EntryRow(datetime.fromisoformat(at), "resident", resident, "status", body=body)


def claims(desk: Desk, **params: str) -> list[Json]:
    found = ok(desk.seat("coord").get(BASE, params={"limit": "500", **params}))["items"]
    assert isinstance(found, list)
    return found


def test_a_month_from_preview_to_file(books: Desk) -> None:
    manager, boss = books.seat("manager-a"), books.seat("fanglei")
    wanted = {"provider_id": "PA", "month": MONTH}
    preview = ok(manager.post(f"{BASE}/preview", json=wanted))
    assert preview["counts"] == {"claimed": 12, "held": 1, "refused": 3}
    assert {one["code"]: one["n"] for one in preview["refusals"]} == {
        "twice_on_card": 1,
        "admitted": 1,
        "unverified": 1,
    }
    assert preview["payers"] == {"subsidy": 12 * 1350, "long_term_care": 0, "charity": 0, "family": 12 * 150}
    assert claims(books) == []
    # Lunches alone; what changed meanwhile must be looked at again.
    stale = manager.post(BASE, json={**wanted, "kinds": ["meal_delivery"], "digest": preview["digest"]})
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:care-hub:preview-changed")
    lunch = ok(manager.post(BASE, json={**wanted, "kinds": ["meal_delivery"]}), 201)
    assert lunch["counts"] == {"claimed": 12, "held": 0, "refused": 2}
    rest = ok(manager.post(BASE, json=wanted), 201)
    assert rest["counts"] == {"claimed": 0, "held": 1, "refused": 3}, "what was refused is judged anew, once a service"
    assert len(claims(books)) == 16
    refused = claims(books, status="refused")
    assert {one["reasons"][0]["zh"] for one in refused} >= {"同一餐卡同一餐重复申报", "入院后的服务"}
    detail = ok(manager.get(f"{BASE}/{refused[0]['id']}"))
    assert detail["evidence"]["assignments"]
    assert detail["entries"] == []

    held = claims(books, status="held")[0]
    own = manager.post(f"{BASE}/{held['id']}/review", json={"accept": True, "reason": "我在场"})
    assert (own.status_code, own.json()["type"]) == (403, "urn:care-hub:own-claim")
    accepted = ok(boss.post(f"{BASE}/{held['id']}/review", json={"accept": True, "reason": "照片相符"}))
    assert (accepted["status"], accepted["paid_fen"], accepted["price_fen"]) == ("accepted", 3000, 3000)

    month = ok(manager.get(f"{BASE}/months", params={"month": MONTH}))["items"]
    assert [one["provider"]["id"] for one in month] == ["PA"]
    assert month[0]["fen"] == 12 * 1500 + 3000
    statement = ok(manager.get(f"{BASE}/statement", params={"month": MONTH, "provider": "PA"}))
    assert statement["fen"] == month[0]["fen"] == sum(statement["totals"].values())

    closed = ok(manager.post(f"{BASE}/close", json=wanted))
    assert (closed["closed"], closed["held_on"], closed["provider_fen"]) == (13, 0, 12 * 1500 + 3000)
    again = manager.post(f"{BASE}/close", json=wanted)
    assert (again.status_code, again.json()["type"]) == (409, "urn:care-hub:month-closed")
    assert manager.post(BASE, json=wanted).json()["type"] == "urn:care-hub:month-closed"

    text = manager.get(f"{BASE}/export", params={"month": MONTH, "format": "csv", "lang": "en"})
    rows = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"))))
    lines, totals = rows[:-5], rows[-5:]
    assert sum(int(row["Fen"]) for row in lines) == int(totals[-1]["Fen"]) == statement["fen"]
    assert {row["Payer"]: int(row["Fen"]) for row in totals[:-1] if row["Fen"] != "0"} == {
        "Subsidy": statement["totals"]["subsidy"],
        "Family": statement["totals"]["family"],
    }
    assert sum(row["State"] == "refused" for row in lines) == 3
    sheet = load_workbook(
        io.BytesIO(manager.get(f"{BASE}/export", params={"month": MONTH, "format": "xlsx"}).content), read_only=True
    )
    last = list(sheet["合计"].iter_rows(values_only=True))[-1]
    assert last[3] == statement["fen"]

    # A family's dispute of the closed month: its correction stands in the next one, decided by somebody else.
    family = books.seat("chenjing")
    mine = ok(family.get(BASE))["items"]
    assert {one["resident"]["id"] for one in mine} == {"R1"}
    paid = next(one for one in mine if one["kind"] == "meal_delivery")
    disputed = ok(family.post(f"{BASE}/{paid['id']}/disputes", json={"reason": "那天没有送来"}), 201)
    assert (disputed["status"], disputed["disputes"][0]["side"]) == ("closed", "family")
    dispute = disputed["disputes"][0]
    assert manager.post(f"{BASE}/disputes/{dispute['id']}/decide", json={}).status_code == 403
    decide = {"decision": "refused", "reason": "签到地点不符"}
    decided = ok(boss.post(f"{BASE}/disputes/{dispute['id']}/decide", json=decide))
    assert (decided["status"], decided["paid_fen"], decided["entries"][-1]["month"]) == ("closed", 0, NEXT)
    assert boss.post(f"{BASE}/disputes/{dispute['id']}/decide", json=decide).json()["type"] == "urn:care-hub:decided"
    after = ok(manager.get(f"{BASE}/statement", params={"month": MONTH, "provider": "PA"}))
    assert after == statement, "the closed month stays as it was"
    following = ok(manager.get(f"{BASE}/statement", params={"month": NEXT, "provider": "PA"}))
    assert following["fen"] == -1500
    # The provider asks in its turn: paid again, once.
    ok(manager.post(f"{BASE}/{paid['id']}/disputes", json={"reason": "有照片"}), 201)
    asked = ok(boss.get(f"{BASE}/disputes"))["items"]
    assert [one["wants"] for one in asked] == ["paid"]
    back = ok(boss.post(f"{BASE}/disputes/{asked[0]['id']}/decide", json={"decision": "paid", "reason": "照片为证"}))
    assert back["paid_fen"] == 1500
    assert ok(manager.get(f"{BASE}/statement", params={"month": NEXT, "provider": "PA"}))["fen"] == 0
    # What was refused for admission is never paid, whoever decides.
    late = next(one for one in refused if one["reasons"][0]["code"] == "admitted")
    asked_late = ok(manager.post(f"{BASE}/{late['id']}/disputes", json={"reason": "当天还在家"}), 201)["disputes"][0]
    never = boss.post(f"{BASE}/disputes/{asked_late['id']}/decide", json={"decision": "paid", "reason": "x"})
    assert (never.status_code, never.json()["type"]) == (409, "urn:care-hub:cannot-be-paid")


def test_the_database_itself_refuses_what_would_rewrite_the_books(books: Desk) -> None:
    wanted = {"provider_id": "PB", "month": MONTH}
    ok(books.seat("manager-b").post(BASE, json=wanted), 201)
    with psycopg.connect(books.url, autocommit=True) as connection:
        run = connection.execute
        for query in (
            "UPDATE ledger_postings SET fen = fen + 1",
            "DELETE FROM ledger_entries",
            "TRUNCATE ledger_entries CASCADE",
            "DELETE FROM settlement_months",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                run(query.encode())
        with pytest.raises(psycopg.errors.CheckViolation, match="is closed"):
            run("UPDATE settlement_claims SET price_fen = 1 WHERE status = 'closed'")
        with pytest.raises(psycopg.errors.CheckViolation, match="is closed"):
            run(
                "DELETE FROM settlement_shares s USING settlement_claims c"
                " WHERE c.id = s.claim_id AND c.status = 'closed'"
            )
        row = run("SELECT id, claim_id, provider_id FROM ledger_entries WHERE provider_id = 'PB'").fetchone()
        assert row is not None
        one_more = (
            "INSERT INTO ledger_entries (id, provider_id, month, kind, claim_id, at, by_name)"
            " VALUES (gen_random_uuid(), 'PB', '2026-10', 'claim', %s, now(), 'x')"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            run(one_more, (row[1],))
        with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
            run("INSERT INTO ledger_postings (entry_id, account, fen) VALUES (%s, 'x', 5)", (row[0],))
        undo = (
            "WITH e AS (INSERT INTO ledger_entries (id, provider_id, month, kind, claim_id, reverses, at, by_name)"
            " VALUES (gen_random_uuid(), 'PB', '2026-11', 'reversal', %s, %s, now(), 'x') RETURNING id)"
            " INSERT INTO ledger_postings SELECT id, a, f FROM e, (VALUES ('p', 1), ('q', -1)) v (a, f)"
        )
        with pytest.raises(psycopg.errors.CheckViolation, match="does not undo"):
            run(undo, (row[1], row[0]))


def test_what_was_paid_before_midnight_and_before_the_month_counts_and_is_not_read_again(desk: Desk) -> None:
    settle_world(desk)
    visit(desk, "C1", "R1", "2026-09-30T23:40:00+08:00", 40)
    manager = desk.seat("manager-a")
    for month in ("2026-09", MONTH):
        assert ok(manager.post(f"{BASE}/preview", json={"provider_id": "PA", "month": month}))["services"] == (
            1 if month == "2026-09" else 0
        )
    assert ok(manager.post(BASE, json={"provider_id": "PA", "month": "2026-09"}), 201)["counts"]["claimed"] == 1
    ok(manager.post(f"{BASE}/close", json={"provider_id": "PA", "month": "2026-09"}))
    meanwhile = visit(desk, "C1", "R1", "2026-10-01T00:10:00+08:00", 30)
    found = ok(manager.post(BASE, json={"provider_id": "PA", "month": MONTH}), 201)
    assert [(one["code"], one["n"]) for one in found["refusals"]] == [("twice_same_time", 1)]
    with desk.database.begin() as tx:
        times = (
            datetime.fromisoformat("2026-09-01T00:00:00+08:00"),
            datetime.fromisoformat("2026-11-01T00:00:00+08:00"),
        )
        assert [one.order_id for one in tx.settlement.facts("PA", times[0], times[1], {"2026-09"})] == [meanwhile], (
            "refused: again"
        )
        assert tx.settlement.facts("PA", times[0], times[1], {"2026-09", MONTH}) == []


def test_two_who_claim_and_close_at_once_pay_each_service_once(desk: Desk) -> None:
    settle_world(desk)
    for day in range(1, 9):
        meal(desk, "C1", "R1", f"2026-10-{day:02d}T11:30:00+08:00", "K1")
        meal(desk, "C2", "R2", f"2026-10-{day:02d}T11:30:00+08:00", "K1")
    ready = [("manager-a", "PA"), ("manager-b", "PB"), ("fanglei", "PA"), ("coord", "PB")] * 2
    seats = [(desk.seat(name), provider) for name, provider in ready]

    def claim(pair) -> int:  # type: ignore[no-untyped-def]
        client, provider = pair
        return int(client.post(BASE, json={"provider_id": provider, "month": MONTH}).status_code)

    def close(pair) -> int:  # type: ignore[no-untyped-def]
        client, provider = pair
        return int(client.post(f"{BASE}/close", json={"provider_id": provider, "month": MONTH}).status_code)

    with ThreadPoolExecutor(12) as pool:
        made = [pool.submit(claim, pair) for pair in seats]
        shut = [pool.submit(close, pair) for pair in seats[:4]]
        assert {one.result() for one in made} <= {201, 409}
        assert sorted(one.result() for one in shut) == [200, 200, 409, 409]
    with psycopg.connect(desk.url) as connection:
        run = connection.execute
        assert run(
            "SELECT count(*), count(DISTINCT claim_id), count(DISTINCT month) FROM ledger_entries"
        ).fetchone() in (
            (8, 8, 1),
            (0, 0, 0),
        )
        assert run("SELECT sum(fen) FROM ledger_postings").fetchone() in ((0,), (None,))
        meals = run(
            "SELECT count(*), count(DISTINCT service_on) FROM settlement_claims WHERE status <> 'refused'"
        ).fetchone()
        assert meals is not None
        assert meals[0] == meals[1], "one lunch a card and day, whoever came first"


def test_whose_order_it_is_follows_whoever_it_is_given_to(books: Desk) -> None:
    with psycopg.connect(books.url) as connection:
        found = connection.execute(
            "SELECT a.responder_id, o.provider_id FROM orders o JOIN visits v ON v.order_id = o.id"
            " JOIN assignments a ON a.visit_id = v.id GROUP BY 1, 2"
        ).fetchall()
    assert {("C1", "PA"), ("C2", "PB"), ("V1", None)} == set(found)


def test_a_lunch_at_the_counter_is_proven_by_its_tap_and_belongs_to_the_stations_provider(books: Desk) -> None:
    served = "2026-09-15T11:45:00+08:00"
    order_id, visit_id = new_id(), new_id()
    with books.database.begin() as tx:
        tx.reference.upsert("stations", [{"id": "MP", "kind": "meal_point", "name": "西里助餐点", "provider_id": "PA"}])
        tariff = {"kind": "meal_dine_in", "price_fen": 1200, "from_on": "2026-01-01", "provider_id": "PA"}
        tx.reference.insert("tariffs", {"id": "T-MP", **tariff})
    with psycopg.connect(books.url) as connection:
        run = connection.execute
        run(
            "INSERT INTO orders"
            " (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, source, created_at)"
            " VALUES (%s, 'meal_dine_in', 'R1', 'completed', %s, %s, 45, 'operator', %s)",
            (order_id, served, served, served),
        )
        run(
            "INSERT INTO visits (id, order_id, state, planned_start) VALUES (%s, %s, 'completed', %s)",
            (visit_id, order_id, served),
        )
        run(
            "INSERT INTO meal_orders (order_id, station_id, day, meal, mode, result, done_at)"
            " VALUES (%s, 'MP', '2026-09-15', 'lunch', 'dine_in', 'served', %s)",
            (order_id, served),
        )
        run(
            "INSERT INTO meal_servings (resident_id, day, meal, station_id, order_id, mode, card, at, by_name)"
            " VALUES ('R1', '2026-09-15', 'lunch', 'MP', %s, 'dine_in', 'K1', %s, '许洁')",
            (order_id, served),
        )
    made = ok(books.seat("manager-a").post(BASE, json={"provider_id": "PA", "month": "2026-09"}), 201)
    assert (made["counts"]["claimed"], made["fen"]) == (1, 1200)
    claim = claims(books, month="2026-09")[0]
    evidence = ok(books.seat("coord").get(f"{BASE}/{claim['id']}"))["evidence"]["meal"]
    assert (evidence["card"], evidence["result"], evidence["by"]) == ("K1", "served", "许洁")


def test_a_proof_that_was_rejected_is_not_paid(books: Desk) -> None:
    order = visit(books, "C1", "R1", "2026-09-20T15:00:00+08:00", 30, flags=["too_far"])
    with psycopg.connect(books.url) as connection:
        connection.execute(
            "UPDATE visit_checks c SET review = 'rejected', review_reason = '不在现场', reviewed_at = now()"
            " FROM visits v WHERE v.id = c.visit_id AND v.order_id = %s AND c.kind = 'in'",
            (order,),
        )
    wanted = {"provider_id": "PA", "month": "2026-09", "kinds": ["companionship"]}
    made = ok(books.seat("manager-a").post(BASE, json=wanted), 201)
    assert [one["reasons"][0]["code"] for one in made["lines"]] == ["rejected"]
    assert "不在现场" in made["lines"][0]["reasons"][0]["zh"]
