"""A courier at a closed door is a weak sign: with no motion and a door unopened it is an alarm, alone it is none."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hub.clock import new_id
from tests.service.conftest import World
from tests.service.test_ruling import incidents, ruled, says


def meal(world: World, state: str, outcome: str | None, resident: str = "R1") -> None:
    """A lunch that was wanted in the last hour, as it ended."""
    order = new_id()
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, carers, source,"
            " created_at)"
            " VALUES (%s, 'meal_delivery', %s, %s, %s, %s, 10, 1, 'plan', %s)",
            (order, resident, state, world.now - timedelta(hours=1), world.now - timedelta(minutes=1), world.now),
        )
        connection.execute(
            "INSERT INTO visits (id, order_id, state, planned_start, ended_at, outcome)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (new_id(), order, state, world.now - timedelta(hours=1), world.now - timedelta(minutes=2), outcome),
        )


@pytest.mark.parametrize(
    ("state", "outcome", "raised"),
    [
        ("missed", None, True),
        ("aborted", "no_answer", True),
        ("aborted", "not_found", True),
        ("aborted", "refused", False),
        ("completed", "completed", False),
    ],
)
def test_an_uneaten_meal_adds_up_with_what_else_is_missing(
    world: World, state: str, outcome: str | None, raised: bool
) -> None:
    says(world, "door_open")
    ruled(world)
    world.now += timedelta(hours=18)
    says(world, "motion")
    ruled(world)
    assert incidents(world) == []
    world.now += timedelta(hours=7)
    meal(world, state, outcome)
    says(world, "present")  # a radar sees somebody, which is no sign of moving; it is why the resident is looked at
    ruled(world, 60)
    found = incidents(world)
    assert [one["type"] for one in found] == (["inactivity"] if raised else [])
    if raised:
        alarm = world.row("SELECT attributes FROM alarms")
        assert alarm["attributes"]["rule"] == "weak_signs"
        said = {reason["code"] for reason in alarm["attributes"]["reasons"]}
        assert {"missed_meal", "no_motion", "door_unopened"} <= said, "one incident with every reason"
