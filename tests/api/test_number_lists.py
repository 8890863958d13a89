"""Every number of the supervisor's pages opens exactly what it counts: the number is the length of its list."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import httpx
import psycopg

from hub.api.routes_reports import NUMBERS
from tests.api.desk import Desk, Json
from tests.api.test_reports import fill, ok

TIMES = {"claim": "claimed", "dispatch": "dispatched", "arrive": "arrived", "close": "resolved"}
SERVICES = "/api/v1/reports/services"


def length(client: httpx.Client, path: str, **params: object) -> int:
    """How many rows the list has, over all its pages of three."""
    found, cursor = 0, None
    while True:
        page = ok(client.get(path, params={**params, "limit": 3, **({"cursor": cursor} if cursor else {})}))
        found += len(page["items"])
        cursor = page["next"]
        if cursor is None:
            return found


def test_every_number_of_incidents_is_the_length_of_its_list(desk: Desk) -> None:
    fill(desk)
    fang = desk.seat("fanglei")
    span = {"from": (datetime.now(UTC) - timedelta(days=30)).isoformat(), "to": datetime.now(UTC).isoformat()}
    with psycopg.connect(desk.url) as connection:
        connection.execute("UPDATE incidents SET shelved_until = now() + interval '1 hour' WHERE subject = 'x11'")
        connection.execute("UPDATE incidents SET area_id = NULL, area_path = '{}' WHERE subject IN ('x2', 'x10')")
        connection.execute("UPDATE incidents SET type = 'fall', device_id = 'W2' WHERE subject = 'x3'")
        connection.execute("UPDATE devices SET model = 'M7' WHERE id = 'W2'")

    def rows(number: str, **of: str) -> int:
        return length(fang, "/api/v1/reports/incidents", number=number, **span, **of)

    counts = ok(fang.get("/api/v1/reports/counts", params=span))
    for number in (*NUMBERS, "shelved"):
        assert rows(number) == counts[number], number
    assert counts["shelved"] == 1
    for by in ("all", "priority", "type", "community", "grid"):
        report = ok(fang.get("/api/v1/reports/responses", params={**span, "by": by}))["items"]
        assert sum(row["n"] for row in report) == counts["all"]
        for row in report:
            of = {"by": by, "group": row["group"]}
            assert rows("all", **of) == row["n"], of
            for link, number in TIMES.items():
                assert rows(number, **of) == row[link]["n"], (of, number)
            for number in ("within_15", "within_60", "within_180"):
                assert rows(number, **of) == row[number], (of, number)
    for by in ("community", "grid"):
        for row in ok(fang.get("/api/v1/reports/closed-loop", params={**span, "by": by}))["items"]:
            for number in ("claimed", "resolved", "review_wanted", "review_done", "looped"):
                assert rows(number, by=by, group=row["group"]) == row[number], (row, number)
    models = ok(fang.get("/api/v1/reports/devices", params=span))["items"]
    assert [(row["group"], row["incidents"]) for row in models] == [("care|", 10), ("care|M7", 1)]
    for row in models:
        of = {"by": "model", "group": row["group"]}
        found = (rows("all", **of), rows("unfounded", **of), rows("judged", **of))
        assert found == (row["incidents"], row["false"], row["judged"])
    listed = ok(fang.get("/api/v1/reports/incidents", params={"number": "claimed", **span}))["items"]
    assert sorted(round(one["times"]["claim_s"]) for one in listed) == [10 * n for n in range(1, 11)]
    lines = list(
        csv.DictReader(io.StringIO(fang.get("/api/v1/reports/incidents?number=claimed&format=csv&limit=3").text))
    )
    assert (len(lines), float(lines[0]["claim_s"])) == (10, 10), "the file is the whole list, with the values"
    assert fang.get("/api/v1/reports/incidents", params={"number": "all", "cursor": "nonsense"}).status_code == 422
    assert fang.get("/api/v1/reports/incidents", params={"number": "all", "by": "person"}).status_code == 422


def test_hours_alarms_and_orders_are_what_they_count(desk: Desk) -> None:
    fang = desk.seat("fanglei")
    for n in range(12):
        desk.press("W1" if n % 2 else "W2", ref=f"k{n}")
    day = {"from": (datetime.now(UTC) - timedelta(days=1)).isoformat()}
    hours = ok(fang.get("/api/v1/reports/load", params=day))["items"]
    assert sum(row["alarms"] for row in hours) == 12
    for row in hours:
        end = datetime.fromisoformat(row["hour"]) + timedelta(hours=1)
        of = {"from": row["hour"], "to": end.isoformat()}
        assert length(fang, "/api/v1/reports/alarms", **of) == row["alarms"]
    flooded = ok(fang.get("/api/v1/reports/load", params={**day, "flooded": True}))["items"]
    assert flooded == [row for row in hours if row["flood_min"]]
    actors = ok(fang.get("/api/v1/reports/bad-actors", params=day))["items"]
    assert {one["device"] for one in actors} == {"W1", "W2"}
    for one in actors:
        assert length(fang, "/api/v1/reports/alarms", device=one["device"], **day) == one["alarms"]
    assert fang.get("/api/v1/reports/alarms", params={"device": "W1", "window": "x"}).status_code == 422

    at = datetime.now(UTC) - timedelta(hours=3)
    with psycopg.connect(desk.url) as connection:
        for state, late in (("completed", 0), ("completed", 40), ("requested", None), ("cancelled", None)):
            connection.execute(
                "WITH o AS (INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min,"
                " source, created_at) VALUES (gen_random_uuid(), 'housekeeping', 'R1', %s, %s, %s, 60, 'operator', %s)"
                " RETURNING id) INSERT INTO visits (id, order_id, state, planned_start, started_at)"
                " SELECT gen_random_uuid(), o.id, %s, %s, %s FROM o",
                (
                    state,
                    *[at] * 3,
                    "planned" if state == "requested" else state,
                    at,
                    None if late is None else at + timedelta(minutes=late),
                ),
            )
    counts = ok(fang.get("/api/v1/reports/counts", params=day))
    expected = {"orders": 3, "orders_done": 2, "orders_begun": 2, "orders_punctual": 1}
    assert {name: counts[name] for name in expected} == expected
    for number, n in expected.items():
        assert length(fang, "/api/v1/reports/orders", number=number, **day) == n, number
    sheet = fang.get("/api/v1/reports/orders", params={"number": "orders", "format": "csv"}).text
    assert "陈秀英" in sheet, "a table has names, not objects"


def test_the_load_opens_what_rang_and_what_stands(desk: Desk) -> None:
    zhou = desk.seat("zhoumin")
    desk.press("W1", "sos")
    for _ in range(4):
        desk.press("W2", "tamper")
    assert desk.services.load.look() is not None
    load = ok(zhou.get("/api/v1/load"))
    hour = {"from": (datetime.fromisoformat(load["at"]) - timedelta(hours=1)).isoformat(), "to": load["at"]}
    assert length(zhou, "/api/v1/load/rings", **hour) == load["alarms_last_hour"] == 1
    for seat in load["seats"]:
        assert length(zhou, "/api/v1/load/rings", seat=seat["user"]["id"], **hour) == seat["last_hour"]
    for name, levels in (("critical", ["critical"]), ("high", ["high"]), ("rest", ["medium", "low"])):
        assert length(zhou, "/api/v1/load/rings", priority=levels, **hour) == load["mix"][name]["n"], name
    with psycopg.connect(desk.url) as connection:
        connection.execute(
            "UPDATE incidents SET opened_at = now() - interval '3 days', shelved_until = now() + interval '1 h'"
        )
    load = ok(zhou.get("/api/v1/load"))
    for number in ("live", "stale", "stale_technical", "shelved", "chattering"):
        assert length(zhou, "/api/v1/load/incidents", number=number) == load[number], number
    assert (load["stale"], load["stale_technical"], load["shelved"], load["chattering"]) == (1, 1, 2, 1)
    with psycopg.connect(desk.url) as connection:
        connection.execute("UPDATE incidents SET under_way = true")
        assert length(zhou, "/api/v1/load/incidents", number="under_way") == 0, "shelved"
        connection.execute("UPDATE incidents SET shelved_until = NULL")
        connection.commit()
        assert length(zhou, "/api/v1/load/incidents", number="under_way") == 1, "technical matters are no way"
        duty, off = (length(zhou, "/api/v1/responders", on_duty=at_work) for at_work in (True, False))
        assert duty == connection.execute("SELECT count(*) FROM responders WHERE on_duty").fetchall()[0][0]
        assert duty + off == length(zhou, "/api/v1/responders")
    (row,) = ok(zhou.get("/api/v1/reports/operator-load", params={"by": "hour"}))["items"]
    end = datetime.fromisoformat(row["group"]) + timedelta(hours=1)
    of = {"from": row["group"], "to": end.isoformat()}
    assert length(zhou, "/api/v1/load/rings", counted=True, **of) == row["rings"] == 1
    assert length(zhou, "/api/v1/load/spilled", **of) == row["spilled_out"] == 0
    assert zhou.get("/api/v1/load/rings", params={"from": hour["to"], "to": hour["from"]}).status_code == 422


def test_what_a_silence_held_back_is_its_list(desk: Desk) -> None:
    zhou = desk.seat("zhoumin")
    body = {
        "device_id": "W2",
        "type": "tamper",
        "ends_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "reason": "x",
    }
    made: Json = zhou.post("/api/v1/silences", json=body).json()
    for n in range(3):
        desk.press("W2", "tamper", ref=f"t{n}")
    (one,) = ok(zhou.get("/api/v1/silences"))["items"]
    assert length(zhou, "/api/v1/reports/alarms", window=made["id"]) == one["silenced"] == 3


def test_every_number_of_services_is_the_length_of_its_list(desk: Desk) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    with psycopg.connect(desk.url) as connection:
        connection.execute("INSERT INTO providers (id, name) VALUES ('P1', '柳岸居家')")
        connection.execute("UPDATE residents SET area_id = NULL WHERE id = 'R2'")
        for resident, provider, late in (
            ("R1", "P1", 0),
            ("R1", None, 40),
            ("R1", "P1", 5),
            ("R2", "P1", 0),
            ("R2", None, None),
        ):
            connection.execute(
                "WITH o AS (INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min,"
                " source, created_at, provider_id) VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 60,"
                " 'operator', %s, %s) RETURNING id), v AS (INSERT INTO visits (id, order_id, state, planned_start,"
                " started_at) SELECT gen_random_uuid(), o.id, %s, %s, %s FROM o RETURNING id, order_id), s AS"
                " (INSERT INTO assignments (id, visit_id, responder_id, state, offered_at)"
                " SELECT gen_random_uuid(), v.id, 'S1', 'completed', %s FROM v WHERE %s)"
                " INSERT INTO order_satisfaction (order_id, score, given_by, at)"
                " SELECT v.order_id, 5, 'family', %s FROM v WHERE %s",
                (
                    "safety_visit" if late == 5 else "housekeeping",
                    resident,
                    state := "missed" if late is None else "completed",
                    *[at] * 3,
                    provider,
                    state,
                    at,
                    None if late is None else at + timedelta(minutes=late),
                    at,
                    late is not None,
                    at,
                    late is not None,
                ),
            )
    fang = desk.seat("fanglei")
    seen = 0
    for by in ("all", "community", "grid", "provider", "kind"):
        for row in ok(fang.get(SERVICES, params={"by": by}))["items"]:
            for number in (
                "orders",
                "served",
                "begun",
                "on_time",
                "late_15",
                "late_30",
                "late_60",
                "missed",
                "rated",
                "content",
            ):
                listed = length(fang, f"{SERVICES}/orders", number=number, by=by, group=row["group"])
                assert listed == row[number], (by, row["group"], number)
                seen += listed
        for row in ok(fang.get(f"{SERVICES}/continuity", params={"by": by}))["items"]:
            of = {"by": by, "group": row["group"]}
            for number, n in (("repeated", row["residents"]), ("by_others", row["by_others"]), ("many", row["many"])):
                assert length(fang, f"{SERVICES}/residents", number=number, **of) == n, (of, number)
        if by == "kind":
            continue
        for row in ok(fang.get(f"{SERVICES}/coverage", params={"by": by}))["items"]:
            for number in ("entitled", "planned", "wanted", "covered", "uncovered", "besides"):
                listed = length(fang, f"{SERVICES}/residents", number=number, by=by, group=row["group"])
                assert listed == row[number], (by, row["group"], number)
                seen += listed
        for row in ok(fang.get(f"{SERVICES}/travel", params={"by": by}))["items"]:
            assert length(fang, f"{SERVICES}/routes", by=by, group=row["group"]) == row["routes"]
    assert seen > 100, "there was something to count"
