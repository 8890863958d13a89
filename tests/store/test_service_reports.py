"""Reports on services: each number counts what it says, opens its list, and reads no year to tell of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import psycopg
import pytest

from hub.api.routes_service_reports import CoverNumber, OrderNumber
from hub.api.service_numbers import MEANINGS
from hub.clock import new_id
from hub.embedded import EmbeddedPostgres
from hub.errors import BadRequestError
from hub.ports import RowsWanted, ServiceSpan
from hub.store import PostgresDatabase
from hub.store.reads import ReadsPostgres
from hub.store.reads_service_reports import _orders
from hub.store.session import connect
from tests.fixtures.postgres import fresh_database
from tests.store.test_plans_of_queries import explain, whole

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
NINE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # nine o'clock there
MIN = timedelta(minutes=1)

PLACES = """
INSERT INTO areas (id, kind, name, path) VALUES ('C', 'community', '柳岸', '{C}');
INSERT INTO areas (id, parent_id, kind, name, path)
VALUES ('G1', 'C', 'grid', '第1网格', '{C,G1}'), ('G2', 'C', 'grid', '第2网格', '{C,G2}');
INSERT INTO residents (id, name, area_id) VALUES
    ('R1', '陈秀英', 'G1'), ('R2', '赵国华', 'G1'), ('R3', '何大爷', 'G2'), ('R4', '吴奶奶', 'G2'),
    ('R5', '周爷爷', 'G2');
UPDATE residents SET status = 'deceased' WHERE id = 'R5';
INSERT INTO providers (id, name) VALUES ('P1', '柳岸居家'), ('P2', '康护');
INSERT INTO responders (id, name, kind, provider_id) VALUES
    ('S1', '孙伟', 'carer', 'P1'), ('S2', '何琳', 'carer', 'P1'), ('S3', '吴强', 'carer', 'P2'),
    ('S4', '李芳', 'carer', 'P2'), ('S5', '王芳', 'carer', 'P2');
INSERT INTO service_kinds (id, zh, en, duration_min) VALUES
    ('home_care', '居家照护', 'Home care', 60), ('meal_delivery', '助餐', 'Meals', 10),
    ('device_repair', '维修', 'Repair', 30)
ON CONFLICT DO NOTHING;
"""


def order(
    connection: psycopg.Connection[Any],
    resident: str,
    state: str,
    late: float | None = None,
    *,
    by: tuple[str, ...] = (),
    provider: str | None = None,
    kind: str = "home_care",
    at: datetime = NINE,
    score: int | None = None,
    promised: float | None = None,
) -> None:
    """One order wanted from nine to half past; `late`: minutes after the window at which it began."""
    ident, visit = new_id(), new_id()
    begin_by = at + 30 * MIN + (timedelta(minutes=promised) if promised is not None else timedelta())
    started = None if late is None else begin_by + late * MIN
    connection.execute(
        "INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, source, created_at,"
        " provider_id) VALUES (%s, %s, %s, %s, %s, %s, 60, 'operator', %s, %s)",
        (ident, kind, resident, state, at, at + 30 * MIN, at, provider),
    )
    connection.execute(
        "INSERT INTO visits (id, order_id, state, planned_start, started_at, promised_from, promised_to)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            visit,
            ident,
            "planned" if state in ("requested", "assigned") else "in_service" if state == "in_service" else state,
            at,
            started,
            None if promised is None else at + promised * MIN,
            None if promised is None else begin_by,
        ),
    )
    for name in by:
        connection.execute(
            "INSERT INTO assignments (id, visit_id, responder_id, state, offered_at)"
            " VALUES (gen_random_uuid(), %s, %s, 'completed', %s)",
            (visit, name, at),
        )
    if score is not None:
        connection.execute(
            "INSERT INTO order_satisfaction (order_id, score, given_by, at, complaint)"
            " VALUES (%s, %s, 'family', %s, %s)",
            (ident, score, at, score == 1),
        )


def span(days: float = 1, **more: Any) -> ServiceSpan:
    start = NINE - timedelta(days=days)
    end = NINE + timedelta(days=1)
    return ServiceSpan(start, end, date(2026, 11, 19), date(2026, 11, 21), NOW, **more)


@pytest.fixture(scope="module")
def town(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(postgres_server, template_database) as url, connect(url, "test") as connection:
        connection.execute(PLACES.encode())
        yield connection


@pytest.fixture
def reads(town: psycopg.Connection[Any]) -> Iterator[ReadsPostgres]:
    town.execute("DELETE FROM order_satisfaction; DELETE FROM assignments; DELETE FROM visits; DELETE FROM orders")
    town.execute("DELETE FROM routes; DELETE FROM day_plans; DELETE FROM entitlements; DELETE FROM care_plans")
    with PostgresDatabase(town.info.dsn + f" password={town.info.password}", min_size=0, max_size=1) as database:
        yield ReadsPostgres(database)


def fill(town: psycopg.Connection[Any]) -> None:
    order(town, "R1", "completed", -20, by=("S1",), provider="P1", score=5)
    order(town, "R1", "completed", 14.9, by=("S1",), provider="P1", score=4)
    order(town, "R2", "completed", 15, by=("S2",), provider="P1", score=2)
    order(town, "R2", "completed", 30, by=("S2",), provider="P1")
    order(town, "R3", "completed", 60, by=("S3",), provider="P2", score=1)
    order(town, "R3", "in_service", -50, provider="P2")
    order(town, "R3", "aborted", 0, provider="P2")
    order(town, "R3", "missed", provider="P2")
    order(town, "R4", "assigned")
    order(town, "R4", "requested", at=NOW - 70 * MIN)
    order(town, "R4", "requested", at=NOW + 60 * MIN)
    order(town, "R4", "cancelled")
    order(town, "R4", "completed", 5, kind="meal_delivery", promised=60)
    order(town, "R1", "completed", 5, kind="device_repair")


def test_each_number_counts_what_it_says_and_opens_its_list(
    town: psycopg.Connection[Any], reads: ReadsPostgres
) -> None:
    fill(town)
    (row,) = reads.service_report(span(), "all")
    expected = {"orders": 12, "cancelled": 1, "due": 11, "served": 6, "begun": 8, "early": 1, "on_time": 4}
    expected |= {"late_15": 1, "late_30": 1, "late_60": 1, "missed": 2, "waiting": 1, "aborted": 1}
    expected |= {"rated": 4, "content": 2, "discontent": 2, "complaints": 1}
    assert {name: row[name] for name in expected} == expected
    assert row["score"] == 3.0
    assert row["begun"] == sum(row[name] for name in ("early", "on_time", "late_15", "late_30", "late_60"))
    for number in get_args(OrderNumber):
        assert len(reads.service_list(span(), number, RowsWanted(500)).items) == row[number], number
        assert MEANINGS[number].report == "orders"
    late = reads.service_list(span(), "late_30", RowsWanted(10)).items[0]
    assert (late["resident"]["name"], late["late_min"], late["area"], late["provider"]) == (
        "赵国华",
        30,
        "第1网格",
        "柳岸居家",
    )
    assert not any("responder" in key or "carer" in key for key in late), "no league of persons"


def test_by_area_provider_and_kind_and_only_within_them(town: psycopg.Connection[Any], reads: ReadsPostgres) -> None:
    fill(town)
    found = {row["group"]: row["orders"] for row in reads.service_report(span(), "grid")}
    assert found == {"G1": 4, "G2": 8}
    assert {row["name"]: row["served"] for row in reads.service_report(span(), "provider")} == {
        "柳岸居家": 4,
        "康护": 1,
        None: 1,
    }
    assert {row["name_en"]: row["orders"] for row in reads.service_report(span(), "kind")}["Meals"] == 1
    (row,) = reads.service_report(span(area_id="G2", provider_id="P2"), "all")
    assert (row["orders"], row["missed"]) == (4, 1)
    assert reads.service_report(span(provider_id="nobody"), "all") == []
    assert reads.service_list(span(kind="meal_delivery"), "on_time", RowsWanted(10)).items[0]["late_min"] == 5, (
        "the promise counts"
    )
    with pytest.raises(BadRequestError, match="by: one of"):
        reads.service_report(span(), "responder")
    with pytest.raises(BadRequestError):
        reads.travel_report(span(), "kind")


def test_coverage_counts_who_should_be_served_and_was(town: psycopg.Connection[Any], reads: ReadsPostgres) -> None:
    fill(town)
    for name, resident, to_on in (
        ("e1", "R1", None),
        ("e2", "R3", None),
        ("e3", "R4", date(2026, 11, 1)),
        ("e5", "R5", None),
    ):
        town.execute(
            "INSERT INTO entitlements (id, resident_id, payer, from_on, to_on)"
            " VALUES (%s, %s, 'subsidy', '2026-01-01', %s)",
            (name, resident, to_on),
        )
    for resident, provider in (("R1", "P1"), ("R3", "P1"), ("R4", "P2")):
        town.execute(
            "INSERT INTO care_plans (id, resident_id, kind, rule, starts_on, begins, ends, provider_id,"
            " created_at, changed_at)"
            " VALUES (gen_random_uuid(), %s, 'home_care', 'FREQ=DAILY', '2026-01-01', '09:00', '09:30', %s, %s, %s)",
            (resident, provider, NINE, NINE),
        )
    (row,) = reads.cover_report(span(), "all")
    counts = {name: row[name] for name in get_args(CoverNumber)}
    # R4 has a plan and only a meal, which is a service too; R2 was served without either; R5 is dead.
    assert counts == {"entitled": 2, "planned": 3, "wanted": 3, "covered": 3, "uncovered": 0, "besides": 1}
    for number in get_args(CoverNumber):
        assert len(reads.cover_list(span(), number, RowsWanted(100)).items) == row[number], number
    (care,) = reads.cover_report(span(kind="home_care"), "all")
    assert (care["covered"], care["uncovered"]) == (2, 1)
    assert [
        one["resident"]["id"] for one in reads.cover_list(span(kind="home_care"), "uncovered", RowsWanted(10)).items
    ] == ["R4"]
    by = {
        one["name"]: (one["planned"], one["covered"], one["uncovered"])
        for one in reads.cover_report(span(), "provider")
    }
    assert by["柳岸居家"] == (2, 1, 1), "R3 is planned with them and served by the others"
    (own,) = reads.cover_report(span(provider_id="P1"), "all")
    assert (own["planned"], own["covered"], own["besides"]) == (2, 1, 1)
    assert {one["group"]: one["wanted"] for one in reads.cover_report(span(), "grid")} == {"G1": 1, "G2": 2}


def test_continuity_is_by_who_is_named_else_by_who_came_most(
    town: psycopg.Connection[Any], reads: ReadsPostgres
) -> None:
    for name in ("S1", "S1", "S2"):
        order(town, "R1", "completed", 0, by=(name,), provider="P1")
    town.execute("UPDATE residents SET regular_responders = '{S3}' WHERE id = 'R2'")
    for name in ("S1", "S2", "S3", "S4"):
        order(town, "R2", "completed", 0, by=(name, "S5"), provider="P2")
    order(town, "R3", "completed", 0, by=("S1",), provider="P1")
    for name in ("S1", "S2"):
        order(town, "R4", "completed", 0, by=(name,), kind="meal_delivery")
    (row,) = reads.continuity_report(span(), "all")
    assert (row["residents"], row["visits"], row["by_regular"], row["by_others"], row["many"]) == (2, 7, 3, 2, 1)
    assert row["carers"] == {"mean": 3.5, "p50": 3.5, "p90": pytest.approx(4.7), "most": 5}
    assert [one["resident"]["id"] for one in reads.continuity_list(span(), "many", RowsWanted(10)).items] == ["R2"]
    assert len(reads.continuity_list(span(), "repeated", RowsWanted(10)).items) == row["residents"]
    assert len(reads.continuity_list(span(), "by_others", RowsWanted(10)).items) == 2
    assert {one["name"]: one["visits"] for one in reads.continuity_report(span(), "provider")} == {
        "柳岸居家": 3,
        "康护": 4,
    }
    town.execute("UPDATE residents SET regular_responders = '{}' WHERE id = 'R2'")
    assert reads.continuity_report(span(), "all")[0]["by_regular"] == 6, "S5 was there each time"


def test_travel_is_shared_out_among_areas_by_stops(town: psycopg.Connection[Any], reads: ReadsPostgres) -> None:
    order(town, "R1", "assigned", provider="P1")
    order(town, "R1", "assigned", provider="P1", at=NINE + 60 * MIN)
    order(town, "R3", "assigned", provider="P1")
    for state in ("published", "superseded"):
        plan = "SELECT id FROM day_plans ORDER BY created_at DESC LIMIT 1"
        town.execute(
            "INSERT INTO day_plans (id, day, state, seconds, created_at)"
            " VALUES (gen_random_uuid(), '2026-11-20', %s, 5, now())",
            (state,),
        )
        town.execute(
            "INSERT INTO routes (id, plan_id, day, responder_id, leave_at, back_at, travel_s, service_s)"
            f" SELECT gen_random_uuid(), ({plan}), '2026-11-20', 'S1', %s, %s, 1800, 7200",
            (NINE, NINE),
        )
        town.execute(
            "INSERT INTO route_stops (route_id, sequence, visit_id, arrive_at, start_at, leave_at)"
            f" SELECT x.id, row_number() OVER (ORDER BY v.id), v.id, %s, %s, %s"
            f" FROM routes x, visits v WHERE x.plan_id = ({plan})",
            (NINE, NINE, NINE),
        )
    (row,) = reads.travel_report(span(), "all")
    assert (row["routes"], row["stops"], row["travel_min"], row["service_min"], row["travel_share"]) == (
        1,
        3,
        30,
        120,
        0.2,
    )
    grids = {one["group"]: (one["stops"], one["travel_min"]) for one in reads.travel_report(span(), "grid")}
    assert grids == {"G1": (2, 20), "G2": (1, 10)}
    assert [one["name"] for one in reads.travel_report(span(), "provider")] == ["柳岸居家"]
    assert reads.travel_report(span(provider_id="P2"), "all") == []
    (listed,) = reads.travel_list(span(area_id="G1"), RowsWanted(10)).items
    assert (listed["stops"], listed["travel_min"]) == (2, 20)
    assert "孙伟" not in str(listed)


# Truncated, the tables are new to the planner. Where one held a handful of rows when it was last looked at, a foreign
# key's check would read it from one end to the other, for each of 20,000 rows.
YEAR = """
TRUNCATE orders, visits, assignments, order_satisfaction CASCADE;
INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, source, created_at)
SELECT gen_random_uuid(), 'home_care', 'R' || n % 4 + 1, 'completed', at, at + interval '30 minutes', 60, 'operator', at
FROM (SELECT n, timestamptz '2025-11-24T00:00Z' + n * interval '26 minutes' AS at FROM generate_series(1, 20000) n) f;
INSERT INTO visits (id, order_id, state, planned_start, started_at)
SELECT gen_random_uuid(), id, 'completed', wanted_from, wanted_from FROM orders;
INSERT INTO assignments (id, visit_id, responder_id, state, offered_at)
SELECT gen_random_uuid(), id, 'S1', 'completed', planned_start FROM visits;
INSERT INTO order_satisfaction (order_id, score, given_by, at) SELECT id, 5, 'family', wanted_from FROM orders;
ANALYZE orders; ANALYZE visits; ANALYZE assignments; ANALYZE order_satisfaction;
"""


def test_a_day_is_told_without_reading_the_year(town: psycopg.Connection[Any], reads: ReadsPostgres) -> None:
    town.execute(YEAR.encode())
    a_day = ServiceSpan(NINE - timedelta(days=1), NINE, date(2026, 11, 19), date(2026, 11, 20), NOW)
    assert reads.service_report(a_day, "all")[0]["orders"] == 56
    big = {"orders", "visits", "assignments", "order_satisfaction"}
    params = _orders(a_day)
    assert whole(explain(town, "service_report", **params)) & big == set()
    assert whole(explain(town, "continuity_report", passing=[], many=4, **params)) & big == set()
    page = {"code": "", "limit": 201, "skip": 0}
    assert whole(explain(town, "service_list", number="late_60", **page, **params)) & big == set()
    cover = {name: params[name] for name in ("start", "end", "area_id", "provider_id", "by", "service")}
    assert (
        whole(explain(town, "cover_report", first_day=a_day.first_day, last_day=a_day.last_day, **cover)) & big == set()
    )
