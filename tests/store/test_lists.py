"""Lists are complete, in order and stable while they are paged; filters find what they name, and refuse the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.alarms.model import PRIORITIES
from hub.errors import BadRequestError, NotFoundError
from hub.ports import AlarmFilter, IncidentFilter, OrderFilter, Page
from hub.store import PostgresDatabase, ReadsPostgres
from tests.store.paging import all_pages
from tests.store.rows import (
    CITY,
    GRID,
    STREET,
    add_user,
    assignment,
    at,
    incident,
    opened,
    populate,
)


def many(database: PostgresDatabase, count: int = 23) -> list[str]:
    """Live incidents of every priority, several opened at the very same moment."""
    rows = [
        incident(None, subject=f"device:D-{number}", priority=PRIORITIES[number % 4], opened_at=at(-(number // 3)))
        for number in range(count)
    ]
    with database.begin() as tx:
        assert len(tx.incidents.insert_many([(row, None, [CITY]) for row in rows])) == count
    ordered = sorted(rows, key=lambda row: (PRIORITIES.index(row.priority), row.opened_at, row.id))
    return [row.id for row in ordered]


def test_the_queue_is_urgent_first_and_complete(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    expected = many(database)
    where = IncidentFilter(states=["live"])
    for limit in (1, 4, 23, 500):
        assert all_pages(lambda size, cursor: reads.incidents(where, size, cursor), limit) == expected


@pytest.mark.parametrize("limit", [1, 5])
def test_the_history_is_newest_first_and_stable_while_new_ones_come(
    database: PostgresDatabase, reads: ReadsPostgres, limit: int
) -> None:
    populate(database)
    expected = set(many(database))
    added: list[str] = []

    def fetch(size: int, cursor: str | None) -> Page:
        page = reads.incidents(IncidentFilter(), size, cursor)
        row = incident(None, subject=f"device:N-{len(added)}", opened_at=at(60 + len(added)))
        with database.begin() as tx:
            tx.incidents.insert(row, fix=None, area_path=[])
        added.append(row.id)
        return page

    found = all_pages(fetch, limit)
    assert len(found) == len(set(found)), "nothing twice"
    assert set(found) == expected, "nothing is pushed out or in by what comes on top"


def test_filters_of_incidents(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    operator = add_user(database, "chen")
    first = opened(database)
    second = opened(database, incident("R-2", priority="high", type="fall", types=("fall",)))
    low = opened(database, incident("R-2", alarm_class="technical", type="low_battery", priority="low", area_id=None))
    with database.begin() as tx:
        tx.incidents.save(replace(first, state="acknowledged", acknowledged_by=operator))
        tx.assignments.insert(assignment(incident_id=second.id))

    def found(**where: Any) -> set[str]:
        return {item["id"] for item in reads.incidents(IncidentFilter(**where), 100, None).items}

    assert found() == {first.id, second.id, low.id}
    assert found(states=["open"]) == {second.id, low.id}
    assert found(states=["resolved"]) == set()
    assert found(states=["acknowledged", "closed"]) == {first.id}
    assert found(classes=["technical"]) == {low.id}
    assert found(priorities=["critical", "high"]) == {first.id, second.id}
    assert found(area_id=STREET) == {first.id, second.id, low.id}
    assert found(area_id="999") == set()
    assert found(assignee=operator) == {first.id}
    assert found(assignee="S-1") == {second.id}
    assert found(resident_id="R-1") == {first.id}
    assert found(supervision="required") == set()
    assert found(q="秀英") == {first.id}
    assert found(q="100%") == set()
    assert found(q="_") == set(), "a search word is no pattern"
    assert found(q="' OR 1=1 --") == set()


def test_a_foreign_cursor_is_a_bad_request(reads: ReadsPostgres) -> None:
    calls: list[Callable[[str], Page]] = [
        lambda cursor: reads.incidents(IncidentFilter(), 10, cursor),
        lambda cursor: reads.incidents(IncidentFilter(states=["live"]), 10, cursor),
        lambda cursor: reads.alarms(AlarmFilter(), 10, cursor),
        lambda cursor: reads.orders(OrderFilter(), 10, cursor),
        lambda cursor: reads.records("shifts", 10, cursor),
        lambda cursor: reads.calls(None, 10, cursor),
    ]
    for cursor in ("x", "WzFd", "e30", "中", "WyJhIiwiYiIsImMiXQ", "-" * 400):
        for call in calls:
            with pytest.raises(BadRequestError) as caught:
                call(cursor)
            assert caught.value.extra["field"] == "cursor"


def test_a_limit_out_of_bounds_is_a_bad_request(reads: ReadsPostgres) -> None:
    for limit in (0, -1, 501):
        with pytest.raises(BadRequestError) as caught:
            reads.incidents(IncidentFilter(), limit, None)
        assert caught.value.extra["field"] == "limit"


def test_conditions_on_registers(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)

    def found(table: str, **where: str | None) -> list[str]:
        return [item["id"] for item in reads.records(table, 100, None, **where).items]

    assert found("residents", area=CITY, q="王") == ["R-1"]
    assert found("residents", area="999") == []
    assert found("residents", status="home", served=None) == ["R-1", "R-2"]
    for number in ("13800138000", "+86 138 0013 8000", "008613800138000", "013800138000"):
        assert found("residents", phone=number) == ["R-1"], number
    for number in ("", "8000", "13800138001", "%"):
        assert found("residents", phone=number) == [], number
    assert found("contacts", phone="13900139000") == ["C-2"]
    assert found("contacts", resident_id="R-1", has_key="true") == ["C-1"]
    assert found("devices", resident_id="R-1") == ["W-1"]
    assert found("devices", area=STREET) == ["W-1", "W-2"], "a device is where its resident lives"
    assert found("responders", area=CITY) == ["S-1"]
    assert found("areas", area=STREET) == [STREET, GRID]
    assert found("areas", parent_id=CITY) == [STREET]
    with pytest.raises(BadRequestError) as caught:
        found("residents", shoe_size="40")
    assert caught.value.extra["field"] == "shoe_size"
    with pytest.raises(BadRequestError):
        found("users", password_hash="x")
    with pytest.raises(BadRequestError):
        found("shifts", responder_id="S-1", starts_at="soon")
    with pytest.raises(NotFoundError):
        found("sessions")
