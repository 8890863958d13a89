"""Whose rows are whose: an account of a provider meets nobody of another provider, and no emergency, anywhere."""

from __future__ import annotations

import json

import httpx
import pytest

from hub.api.provider_roles import OF_PROVIDERS
from hub.api.roles import TABLE
from tests.api.desk import Desk
from tests.api.provider_day import DAY, ProviderDay, provider_day
from tests.api.settlement import MONTH, add_user, ok, settle_world, visit
from tests.waiting import wait_until

BASE = "/api/v1"


days: dict[str, ProviderDay] = {}
"""The day of the desk, by its database."""


@pytest.fixture(scope="module")
def two(shared: Desk) -> Desk:
    """R1 is served by PA, R2 by PB; R2's order, claim and emergency are nobody else's business."""
    settle_world(shared)
    visit(shared, "C1", "R1", "2026-10-05T10:00:00+08:00")
    visit(shared, "C2", "R2", "2026-10-05T10:00:00+08:00")
    with shared.database.begin() as tx:
        tx.reference.upsert("contacts", [{"id": "K2", "resident_id": "R2", "name": "赵小华", "phone": "13800000009"}])
        tx.reference.upsert("crews", [{"id": "B2", "name": "东门助浴组", "members": ["C2"]}])
        tx.reference.insert(
            "shifts",
            {
                "responder_id": "C2",
                "starts_at": "2026-10-05T00:00:00Z",
                "ends_at": "2026-10-05T08:00:00Z",
                "role": "夜",
            },
        )
    for name, provider in (("manager-a", "PA"), ("manager-b", "PB")):
        ok(shared.seat(name).post(f"{BASE}/settlements", json={"provider_id": provider, "month": MONTH}), 201)
    shared.press("W2")
    days[shared.url] = provider_day(shared)
    return shared


def ids_of(desk: Desk) -> dict[str, str]:
    """What is PB's, by the name of the path's parameter."""
    boss = desk.seat("boss")
    order = next(one for one in ok(boss.get(f"{BASE}/orders"))["items"] if one["resident"]["id"] == "R2")
    claim = next(one for one in ok(boss.get(f"{BASE}/settlements"))["items"] if one["provider"]["id"] == "PB")
    return {
        "resident_id": "R2",
        "order_id": order["id"],
        "visit_id": order["visit"]["id"],
        "assignment_id": order["visit"]["assignments"][0]["id"],
        "claim_id": claim["id"],
        "account_id": "volunteer:V1",
        "plan_id": days[desk.url].only_b,
        "round_id": days[desk.url].rounds["PB"],
    }


RECORDS = {
    "contacts": "K2",
    "responders": "C2",
    "crews": "B2",
    "providers": "PB",
    "entitlements": "E-R2",
    "stations": "KB",
    "meal-dishes": "DB",
}
FOREIGN = (
    "R2",
    "赵国华",
    "C2",
    "K2",
    "赵小华",
    "B2",
    "东门",
    "PB",
    "E-R2",
    "W2",
    "KB",
    "DB",
    "东坡肉",
    "C3",
    "送餐C3",
    "770770770",  # long enough to stand in no id by chance
)


def _leaks(answer: httpx.Response) -> list[str]:
    text = answer.text
    return [word for word in FOREIGN if f'"{word}"' in text or (len(word) > 2 and word in text)]


def test_no_list_and_no_look_up_shows_another_providers_rows(two: Desk) -> None:
    manager = two.seat("manager-a")
    ids = ids_of(two)
    query = {"month": MONTH, "metric": "heart_rate_bpm", "wait": "0", "format": "csv"}
    by_station = {f"{BASE}/meals/menus", f"{BASE}/meals/list"}
    found: list[str] = []
    looked = 0
    for method, template in sorted(OF_PROVIDERS):
        if method != "GET" or template.endswith("/stream"):
            continue
        path, plain = template, True
        for name, ident in ids.items():
            if f"{{{name}}}" in path:
                path, plain = path.replace(f"{{{name}}}", ident), False
        table = template.removeprefix(f"{BASE}/").partition("/")[0]
        if "{record_id}" in path:
            if table not in RECORDS:
                continue
            path, plain = path.replace("{record_id}", RECORDS[table]), False
        if "{" in path:
            continue
        numbers = {"orders": "orders", "residents": "covered"}
        wanted = {**query, "number": numbers.get(path.rpartition("/")[2], "covered")}
        if path.endswith("/statement"):
            wanted["provider"] = "PB"
        if path.startswith((f"{BASE}/meals/", f"{BASE}/plans", f"{BASE}/routes")):
            wanted |= {"date": DAY, "meal": "lunch", "station": "KB", "from": DAY}
        answer = manager.get(path, params=wanted)
        looked += 1
        if path.endswith("/statement") or path in by_station or not plain:
            if answer.status_code != 404:
                found.append(f"{path}: {answer.status_code}")
        elif answer.status_code != 200:
            found.append(f"{path}: {answer.status_code} {answer.text[:200]}")
        elif leaks := _leaks(answer):
            found.append(f"{path}: {leaks}")
    assert found == []
    assert looked >= 40
    # The same words are there for the district, so that looking for them means something.
    boss = two.seat("boss")
    assert _leaks(boss.get(f"{BASE}/orders"))
    assert _leaks(boss.get(f"{BASE}/settlements"))
    assert _leaks(boss.get(f"{BASE}/routes", params={"date": DAY}))
    assert _leaks(boss.get(f"{BASE}/meals/unanswered", params={"date": DAY}))


def test_the_own_rows_are_there(two: Desk) -> None:
    manager = two.seat("manager-a")
    assert [one["id"] for one in ok(manager.get(f"{BASE}/residents"))["items"]] == ["R1"]
    assert ok(manager.get(f"{BASE}/residents/R1"))["name"] == "陈秀英"
    assert [one["id"] for one in ok(manager.get(f"{BASE}/responders"))["items"]] == ["C1"]
    assert {one["resident"]["id"] for one in ok(manager.get(f"{BASE}/orders"))["items"]} == {"R1"}
    assert {one["provider"]["id"] for one in ok(manager.get(f"{BASE}/settlements"))["items"]} == {"PA"}
    assert [
        one["provider"]["id"] for one in ok(manager.get(f"{BASE}/settlements/months", params={"month": MONTH}))["items"]
    ] == ["PA"]
    assert manager.get(f"{BASE}/orders", params={"provider": "PB"}).status_code == 403
    assert ok(manager.get(f"{BASE}/session"))["user"]["provider_id"] == "PA"


def test_emergencies_stay_with_the_districts_desk(two: Desk) -> None:
    manager = two.seat("manager-a")
    assert ok(manager.get(f"{BASE}/incidents", params={"state": "live"}))["items"] == []
    assert ok(two.seat("boss").get(f"{BASE}/incidents", params={"state": "live"}))["items"]
    counts = ok(manager.get(f"{BASE}/summary"))
    assert set(counts["unclaimed"].values()) == {0}
    for path in ("alarms", "devices", "calls", "consents", "handovers", "reports/responses", "users", "audit", "load"):
        assert manager.get(f"{BASE}/{path}").status_code == 403, path


def test_what_is_not_opened_is_closed(two: Desk) -> None:
    """Every operation of the table that the role may call and that is not in the list of providers."""
    assert set(TABLE) >= OF_PROVIDERS
    manager = two.seat("manager-a")
    open_anyway: list[str] = []
    for (method, template), access in TABLE.items():
        if access == "public" or "coordinator" not in access or (method, template) in OF_PROVIDERS:
            continue
        path = template
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + "00000000-0000-0000-0000-000000000000" + rest.partition("}")[2]
        answer = manager.request(method, path, json={} if method != "GET" else None)
        if (answer.status_code, answer.json().get("type")) != (403, "urn:care-hub:provider-account"):
            open_anyway.append(f"{method} {template}: {answer.status_code}")
    assert open_anyway == []


def test_writes_to_another_providers_rows_find_nothing(two: Desk) -> None:
    manager, ids = two.seat("manager-a"), ids_of(two)
    for path, body in (
        (f"orders/{ids['order_id']}/assign", {"responder_id": "C1"}),
        (f"orders/{ids['order_id']}/cancel", {"reason": "x"}),
        (f"settlements/{ids['claim_id']}/review", {"accept": False, "reason": "x"}),
        (f"settlements/{ids['claim_id']}/disputes", {"reason": "x"}),
        ("settlements", {"provider_id": "PB", "month": MONTH}),
        ("settlements/preview", {"provider_id": "PB", "month": MONTH}),
        ("settlements/close", {"provider_id": "PB", "month": MONTH}),
    ):
        assert manager.post(f"{BASE}/{path}", json=body).status_code == 404, path
    wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": "2027-01-05T10:00:00+08:00"}
    order = ok(two.seat("boss").post(f"{BASE}/orders", json=wanted), 201)
    assigned = ok(two.seat("boss").post(f"{BASE}/orders/{order['id']}/assign", json={"responder_id": "C1"}))
    assert assigned["provider_id"] == "PA", "an order belongs to the provider of whoever it is given to"
    candidates = ok(manager.get(f"{BASE}/orders/{order['id']}/candidates"))
    assert {one["responder"]["id"] for one in candidates["items"]} <= {"C1"}
    other = manager.post(f"{BASE}/orders/{order['id']}/assign", json={"responder_id": "C2"})
    assert other.status_code == 404


def test_the_stream_of_a_provider_carries_its_orders_alone(two: Desk) -> None:
    manager, boss = two.seat("manager-a"), two.seat("boss")
    made = []
    with two.stream(manager) as events, two.stream(boss) as all_events:
        events.wait_for("hb")
        all_events.wait_for("hb")
        for responder in ("C2", "C1"):
            wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": "2027-02-05T10:00:00+08:00"}
            order = ok(boss.post(f"{BASE}/orders", json=wanted), 201)
            ok(boss.post(f"{BASE}/orders/{order['id']}/assign", json={"responder_id": responder}))
            made.append(order["id"])
        two.press("W2")
        own = lambda: {one["order"]["id"] for one in events.named("order.updated")}  # noqa: E731
        wait_until(lambda: made[1] in own(), 20, what="the own order")
        wait_until(
            lambda: all_events.named("incident.updated") or all_events.named("incident.raised"), 20, what="the press"
        )
        assert made[0] not in own()
        assert {name for name, _, _ in events.got} <= {"hb", "order.updated"}
        assert "C2" not in json.dumps([body for _, _, body in events.got])


def test_an_account_of_a_provider_is_made_by_the_rules(two: Desk) -> None:
    boss = two.seat("boss")
    new = {"username": "pa-2", "name": "许洁", "password": "correct horse 2", "role": "coordinator"}
    wrong = boss.post(f"{BASE}/users", json={**new, "role": "operator", "provider_id": "PA"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "provider_id")
    unknown = boss.post(f"{BASE}/users", json={**new, "provider_id": "PX"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "provider_id")
    made = ok(boss.post(f"{BASE}/users", json={**new, "provider_id": "PA"}), 201)
    seat = two.seat("pa-2")
    assert ok(seat.get(f"{BASE}/orders"))
    moved = ok(boss.patch(f"{BASE}/users/{made['id']}", json={"provider_id": "PB"}))
    assert moved["provider_id"] == "PB"
    assert seat.get(f"{BASE}/orders").status_code == 401, "other rights, another session"
    add_user(two, "staff-a", "staff", "PA", "C1")
    assert two.seat("staff-a").get(f"{BASE}/my/tasks").status_code == 200
