"""What supervisors count: every number is right, opens its list, and comes as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from hub.api.routes_reports import NUMBERS
from tests.api.desk import Desk, Json


def ok(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def fill(desk: Desk) -> None:
    """Ten closed incidents of R1, claimed after 10, 20, ... 100 s; one open for two days; one technical."""
    now = datetime.now(UTC)
    zhou = desk.user("zhoumin").id
    ident = desk.incident("W1")
    desk.seat("zhoumin").post(f"/api/v1/incidents/{ident}/close", json={"disposition": "test", "summary": "x"})
    with psycopg.connect(desk.url) as connection:
        connection.execute("UPDATE incidents SET opened_at = %s WHERE id = %s", (now - timedelta(days=50), ident))
        for n in range(1, 13):
            opened = now - (timedelta(days=2) if n == 11 else timedelta(hours=n))
            open_still = n == 11
            connection.execute(
                "INSERT INTO incidents (id, subject, class, state, type, types, priority, resident_id, device_id,"
                " area_id, area_path, opened_at, first_alarm_at, last_alarm_at, first_acknowledged_at, resolved_by,"
                " resolved_at, disposition, supervision, policy)"
                " SELECT gen_random_uuid(), %(s)s, %(c)s, %(st)s, 'sos', '{sos}', %(p)s, 'R1', 'W1', 'G3', '{C,G3}',"
                " %(o)s, %(o)s, %(o)s, %(a)s, %(u)s, %(r)s, %(d)s, %(v)s, digest FROM escalation_policies LIMIT 1",
                {
                    "s": f"x{n}",
                    "c": "technical" if n == 12 else "emergency",
                    "st": "open" if open_still else "resolved" if n == 10 else "closed",
                    "p": "critical" if n <= 5 else "high",
                    "o": opened,
                    "a": None if open_still else opened + timedelta(seconds=10 * n),
                    "u": None if open_still else zhou,
                    "r": None if open_still else opened + timedelta(minutes=n),
                    "d": None if open_still else "genuine" if n > 8 else "false",
                    "v": "required" if n == 10 else "done" if n == 9 else "none",
                },
            )


def test_reports(desk: Desk) -> None:
    fill(desk)
    fang = desk.seat("fanglei")
    (row,) = ok(fang.get("/api/v1/reports/responses"))["items"]
    assert (row["n"], row["claim"]["n"]) == (11, 10)
    assert row["claim"] == pytest.approx({"n": 10, "p50": 55, "p90": 91, "p95": 95.5, "p99": 99.1})
    assert (row["within_15"], row["within_60"], row["within_180"]) == (1, 6, 10)
    assert row["arrive"] == {"n": 0, "p50": None, "p90": None, "p95": None, "p99": None}
    by_level = ok(fang.get("/api/v1/reports/responses", params={"by": "priority"}))["items"]
    assert [(one["group"], one["n"]) for one in by_level] == [("critical", 5), ("high", 6)]
    by_grid = ok(fang.get("/api/v1/reports/responses", params={"by": "grid"}))["items"]
    assert [(one["group"], one["name"], one["n"]) for one in by_grid] == [("G3", "第3网格", 11)]
    assert fang.get("/api/v1/reports/responses", params={"by": "person"}).status_code == 422, "no league of persons"

    (loop,) = ok(fang.get("/api/v1/reports/closed-loop"))["items"]
    assert (loop["name"], loop["n"], loop["claimed"], loop["resolved"], loop["looped"]) == ("柳岸", 11, 10, 10, 9)
    assert (loop["review_wanted"], loop["review_done"]) == (2, 1)
    (models,) = ok(fang.get("/api/v1/reports/devices"))["items"]
    assert (models["family"], models["incidents"], models["false"], models["judged"]) == ("care", 11, 8, 10)
    assert ok(fang.get("/api/v1/reports/load"))["items"][-1]["alarms"] == 1

    counts = ok(fang.get("/api/v1/reports/counts"))
    expected = {
        "all": 11,
        "unclaimed": 1,
        "within_60": 6,
        "late_60": 5,
        "genuine": 2,
        "false": 8,
        "review": 1,
        "stale": 1,
    }
    assert {name: counts[name] for name in expected} == expected
    for number in NUMBERS:
        listed = ok(fang.get("/api/v1/reports/incidents", params={"number": number}))["items"]
        assert len(listed) == counts[number], number
    narrow = {"from": (datetime.now(UTC) - timedelta(hours=3, minutes=30)).isoformat(), "area": "G3"}
    assert ok(fang.get("/api/v1/reports/counts", params=narrow))["all"] == 3
    assert ok(fang.get("/api/v1/reports/counts", params={"area": "nowhere"}))["all"] == 0
    backwards = {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert fang.get("/api/v1/reports/counts", params=backwards).status_code == 422


def test_csv_is_read_by_a_spreadsheet_and_runs_nothing(desk: Desk) -> None:
    fill(desk)
    boss = desk.seat("boss")
    assert boss.patch("/api/v1/areas/G3", json={"name": "=HYPERLINK(1)"}).status_code == 200
    answer = boss.get("/api/v1/reports/responses", params={"by": "grid", "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith("\ufeff".encode())
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["name"], row["n"], row["claim_p50"]) == ("'=HYPERLINK(1)", "11", "55")
    lines = boss.get("/api/v1/reports/incidents", params={"number": "false", "format": "csv"}).text.splitlines()
    assert len(lines) == 9
