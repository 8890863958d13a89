"""Reports on services over HTTP: meanings, lists, CSV; a provider's account within its provider."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import get_args

import httpx
import psycopg

from hub.api.routes_service_reports import CoverNumber, FaceNumber, OrderNumber
from hub.api.service_numbers import MEANINGS
from tests.api.desk import Desk, Json

REPORTS = "/api/v1/reports/services"


def ok(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def fill(desk: Desk) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    with psycopg.connect(desk.url) as connection:
        connection.execute("INSERT INTO providers (id, name) VALUES ('P1', '=柳岸居家'), ('P2', '康护')")
        connection.execute("UPDATE users SET provider_id = 'P1' WHERE username = 'coord'")
        for resident, provider, late in (("R1", "P1", 0), ("R1", "P1", 40), ("R1", "P2", None)):
            connection.execute(
                "WITH o AS (INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min,"
                " source, created_at, provider_id) VALUES (gen_random_uuid(), 'housekeeping', %s, %s, %s, %s, 60,"
                " 'operator', %s, %s) RETURNING id) INSERT INTO visits (id, order_id, state, planned_start, started_at)"
                " SELECT gen_random_uuid(), o.id, %s, %s, %s FROM o",
                (
                    resident,
                    "missed" if late is None else "completed",
                    at,
                    at,
                    at,
                    provider,
                    "missed" if late is None else "completed",
                    at,
                    None if late is None else at + timedelta(minutes=late),
                ),
            )


def test_numbers_have_meanings_lists_and_csv(desk: Desk) -> None:
    fill(desk)
    fang = desk.seat("fanglei")
    (row,) = ok(fang.get(REPORTS))["items"]
    assert (row["orders"], row["on_time"], row["late_30"], row["missed"]) == (3, 1, 1, 1)
    told = {one["name"]: one for one in ok(fang.get(f"{REPORTS}/definitions"))["items"]}
    for number in (*get_args(OrderNumber), *get_args(CoverNumber), *get_args(FaceNumber)):
        assert all(told[number][part] for part in ("zh", "en", "zh_means", "en_means")), number
        assert told[number]["list"], number
    for number in get_args(OrderNumber):
        assert len(ok(fang.get(f"{REPORTS}/orders", params={"number": number}))["items"]) == row[number]
    answer = fang.get(REPORTS, params={"by": "provider", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {one["name"] for one in rows} == {"'=柳岸居家", "康护"}, "a spreadsheet runs nothing"
    (cover,) = ok(fang.get(f"{REPORTS}/coverage"))["items"]
    assert (cover["wanted"], cover["besides"]) == (0, 1)
    assert len(ok(fang.get(f"{REPORTS}/residents", params={"number": "besides"}))["items"]) == 1
    for part in ("continuity", "travel", "routes", "programmes"):
        assert isinstance(ok(fang.get(f"{REPORTS}/{part}"))["items"], list)
    assert len(fang.get(f"{REPORTS}/definitions", params={"format": "csv"}).text.splitlines()) == len(MEANINGS) + 1
    for bad in ({"by": "responder"}, {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}):
        assert fang.get(REPORTS, params=bad).status_code == 422


def test_an_account_of_a_provider_counts_within_its_provider(desk: Desk) -> None:
    fill(desk)
    coord = desk.seat("coord")
    (row,) = ok(coord.get(REPORTS))["items"]
    assert (row["orders"], row["missed"]) == (2, 0)
    assert ok(coord.get(REPORTS, params={"by": "provider"}))["items"][0]["name"] == "=柳岸居家"
    assert coord.get(REPORTS, params={"provider": "P2"}).status_code == 403
    assert ok(coord.get(f"{REPORTS}/orders", params={"number": "missed"}))["items"] == []
    assert [one["id"] for one in ok(coord.get(f"{REPORTS}/definitions"))["providers"]] == ["P1"]
    assert coord.get(f"{REPORTS}/programmes").status_code == 403, "the programme is the district's"
    assert desk.seat("zhoumin").get(REPORTS).status_code == 403
