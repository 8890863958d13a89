"""A record that comes again long after is a repeat, though its key is packed: single, in an array, of any family."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from devices import FAMILIES, DeviceRef, Uplink
from hub.ports import Incoming
from hub.store import keep_house
from tests.devices.examples import EXAMPLES, NOW
from tests.service.conftest import World

DAY = timedelta(days=1)


def vitals(at: datetime) -> dict[str, Any]:
    return {"observed_at": at.isoformat(), "heart_rate_bpm": 70}


def send(world: World, device_id: str, body: object, received_at: datetime) -> str:
    uplink = Uplink(json.dumps(body).encode(), received_at, f"care/v1/{device_id}/up/vitals")
    return world.services.ingest.telemetry([Incoming(uplink, device_id, "care", "telemetry")])[0].outcome


def ledger(world: World) -> tuple[int, int]:
    """Keys as they came, keys packed."""
    row = world.row(
        "SELECT (SELECT count(*) FROM uplink_seen) AS n, coalesce(sum(length(keys)), 0) / 10 AS m FROM uplink_packed"
    )
    return row["n"], row["m"]


def test_records_that_are_packed_count_once(world: World) -> None:
    then = world.now
    bodies: list[tuple[str, object]] = [
        ("W1", vitals(then)),
        ("W1", [vitals(then - timedelta(hours=number)) for number in range(40)]),
        ("W2", [vitals(then - 20 * DAY)]),
        ("X-unknown", vitals(then)),
    ]
    outcomes = [send(world, device, body, then) for device, body in bodies]
    assert outcomes == ["accepted", "accepted", "accepted", "quarantined"]
    stored = world.row("SELECT count(*) AS n FROM observations")["n"]
    before, packed = ledger(world)
    assert packed == 0

    keep_house(world.database, then + 5 * DAY)
    kept, packed = ledger(world)
    assert kept + packed == before
    assert kept == 2, "what came weeks late, and what waits in the quarantine, stays as it is"

    again = [send(world, device, body, then + 9 * DAY) for device, body in bodies]
    assert again == ["repeat"] * 4
    assert world.row("SELECT count(*) AS n FROM observations")["n"] == stored
    assert send(world, "W1", vitals(then + timedelta(seconds=1)), then + 9 * DAY) == "accepted"


@pytest.mark.parametrize("at", ["2001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2900-01-01T00:00:00Z"])
def test_a_clock_beyond_all_reason_does_no_harm(world: World, at: str) -> None:
    body = {"observed_at": at, "heart_rate_bpm": 70}
    outcomes = [send(world, "W1", body, world.now) for _ in range(2)]
    assert outcomes == ["accepted", "repeat"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_key_says_the_same_time_whenever_it_comes(family: str) -> None:
    """By that time its block is found: a codec must not take it from the hub's clock."""
    device = DeviceRef("355550001234567" if FAMILIES[family].login else "", family)
    codec = FAMILIES[family].codec
    for uplink in EXAMPLES[family]:
        found: dict[str, datetime] = {}
        for days in (0, 3, 20, 44):
            later = Uplink(uplink.payload, NOW + days * DAY, uplink.topic)
            for event in codec.decode(later, device).events:
                if event.key is not None and event.observed_at is not None:
                    assert found.setdefault(event.key, event.observed_at) == event.observed_at
