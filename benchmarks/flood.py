"""Alarms where much else happens: beside steady telemetry, and ten thousand of them in ten seconds.

Measured as in `alarm_latency`: from just before the packet is written until the event has arrived whole at a reader of
`/api/v1/stream`, on the same clock.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import psycopg

from benchmarks.figures import spread
from benchmarks.load import LoadRequest
from benchmarks.machine import cpu_seconds, load_average
from benchmarks.stage import DEVICES, Child, Stage, settle
from tests.fixtures.hub import RunningHub

__all__ = ["beside", "burst"]

_WARM = 20
_PRESSES_A_SECOND = 20.0
_AFTER_S = 5.0


def _cookie(hub: RunningHub) -> str:
    with hub.sign_in("operator") as operator:
        return "; ".join(f"{name}={value}" for name, value in operator.cookies.items())


def _quieten(hub: RunningHub) -> None:
    """As if the presses so far were over: otherwise responders would be called for each while the next are measured."""
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM due")


def _stored(hub: RunningHub) -> int:
    return int(hub.rows("SELECT count(*) AS n FROM alarms WHERE device_id LIKE 'B-%%'")[0]["n"])


def _warm(hub: RunningHub, devices: Child) -> None:
    devices.say(f"go 0 {_WARM}")
    devices.result()
    settle(0.5)
    _quieten(hub)


def _judge(what: str, result: dict[str, Any], seen: dict[str, float], stored: int) -> dict[str, Any]:
    """RuntimeError where a press is not stored, not told, or never reached the page."""
    pressed: dict[str, float] = result["pressed"]
    told: dict[str, float] = result["told"]
    shown = {number: seen.get(f"B-{int(number):04d}") for number in pressed}
    missing = sum(at is None for at in shown.values())
    if missing or stored != len(pressed) + _WARM or len(told) != len(pressed):
        raise RuntimeError(
            f"{what}: {len(pressed)} presses, {stored - _WARM} stored, {len(told)} told, {missing} never on the page"
        )
    return {
        "publish_to_page": spread([at - pressed[number] for number, at in shown.items() if at is not None]),
        "publish_to_told": spread([told[number] - at for number, at in pressed.items()]),
        "lost": 0,
    }


def beside(stage: Stage, presses: int, uplinks_per_second: float) -> dict[str, Any]:
    """`presses`, 20 a second, while `uplinks_per_second` of telemetry are committed."""
    seconds = presses / _PRESSES_A_SECOND
    messages = round((seconds + 4) * uplinks_per_second)
    request: LoadRequest = {
        "url": stage.broker.url_for("bench-load"),
        "client_id": "bench-load",
        "messages": messages,
        "devices": DEVICES,
        "items": 0,
        "per_second": uplinks_per_second,
    }
    with stage.hub() as hub:
        before = load_average()
        with (
            stage.child("presses", stage.broker.url_for("bench-send"), "bench-send", str(_PRESSES_A_SECOND)) as devices,
            stage.child("page", "127.0.0.1", str(hub.http_port), _cookie(hub)) as page,
            stage.child("load") as load,
        ):
            devices.wait_ready()
            page.wait_ready()
            load.say(json.dumps(request))
            load.wait_ready()
            _warm(hub, devices)
            load.say("go")
            settle(2.0)
            groups = {"hub": hub.process.pid if hub.process else None, "database": stage.server.pid}
            cpu = cpu_seconds(groups)
            devices.say(f"go {_WARM} {presses}")
            result = devices.result()
            used = {name: round((after - cpu[name]) / seconds, 2) for name, after in cpu_seconds(groups).items()}
            load.result()
            settle(_AFTER_S)
            seen = page.finish()
        stored = hub.rows("SELECT count(*) AS n FROM uplinks WHERE outcome = 'accepted' AND lane = 'telemetry'")[0]["n"]
        if stored != messages:
            raise RuntimeError(f"beside presses: {messages} uplinks were sent, {stored} stored")
        found = _judge("beside telemetry", result, seen, _stored(hub))
    return {
        "broker": stage.broker_name,
        "uplinks_per_second": uplinks_per_second,
        **found,
        "cores_used": used,
        "load_average": [before, load_average()],
    }


def _whole(hub: RunningHub, presses: int, messages: int) -> None:
    """One incident a device, with a plan of its own to go on with; every uplink once."""
    rows = hub.rows(
        "SELECT count(*) AS incidents, count(DISTINCT device_id) AS devices, sum(alarm_count) AS alarms,"
        " count(*) FILTER (WHERE EXISTS (SELECT FROM due d WHERE d.subject_id = i.id)) AS going_on"
        " FROM incidents i WHERE device_id LIKE 'B-%%' AND class = 'emergency' AND state <> 'closed'"
    )[0]
    wanted = presses + _WARM
    if (rows["incidents"], rows["devices"], int(rows["alarms"])) != (wanted, wanted, wanted):
        raise RuntimeError(f"burst: {wanted} presses of as many devices became {dict(rows)}")
    if rows["going_on"] < presses:
        raise RuntimeError(f"burst: {presses - rows['going_on']} incidents have no step that is due")
    kept = hub.rows("SELECT count(*) AS n FROM uplinks WHERE outcome = 'accepted' AND lane = 'telemetry'")[0]["n"]
    if kept != messages:
        raise RuntimeError(f"burst: {messages} uplinks were sent beside it, {kept} stored")


def burst(stage: Stage, presses: int, per_second: float, uplinks_per_second: float = 0.0) -> dict[str, Any]:
    """`presses` of as many devices without residents, so that each opens an incident of its own, with its plan.

    Beside `uplinks_per_second` of telemetry, where that is not 0. RuntimeError where anything is lost or doubled.
    """
    seconds = presses / per_second
    messages = round((seconds + 6) * uplinks_per_second)
    request: LoadRequest = {
        "url": stage.broker.url_for("bench-load"),
        "client_id": "bench-load",
        "messages": messages,
        "devices": DEVICES,
        "items": 0,
        "per_second": uplinks_per_second,
    }
    with stage.hub() as hub:
        with psycopg.connect(hub.database_url, autocommit=True) as connection:
            connection.execute("UPDATE devices SET resident_id = NULL WHERE id LIKE 'B-%'")
            connection.execute(
                "INSERT INTO devices (id, family, name, area_id)"
                " SELECT 'B-' || lpad(n::text, greatest(4, length(n::text)), '0'), 'care', '智能手表',"
                " (SELECT min(area_id) FROM residents)"
                " FROM generate_series(%s::int, %s::int) n",
                (DEVICES, presses + _WARM - 1),
            )
        before = load_average()
        with (
            ExitStack() as stack,
            stage.child("presses", stage.broker.url_for("bench-send"), "bench-send", str(per_second)) as devices,
            stage.child("page", "127.0.0.1", str(hub.http_port), _cookie(hub)) as page,
        ):
            load = stack.enter_context(stage.child("load")) if messages else None
            devices.wait_ready()
            page.wait_ready()
            if load is not None:
                load.say(json.dumps(request))
                load.wait_ready()
            _warm(hub, devices)
            if load is not None:
                load.say("go")
                settle(2.0)
            groups = {"hub": hub.process.pid if hub.process else None, "database": stage.server.pid}
            cpu = cpu_seconds(groups)
            devices.say(f"go {_WARM} {presses}")
            result = devices.result()
            used = {name: round((after - cpu[name]) / seconds, 2) for name, after in cpu_seconds(groups).items()}
            if load is not None:
                load.result()
            settle(_AFTER_S)
            seen = page.finish()
        _whole(hub, presses, messages)
        found = _judge("burst", result, seen, _stored(hub))
    took = max(result["pressed"].values()) - min(result["pressed"].values())
    return {
        "broker": stage.broker_name,
        "presses": presses,
        "pressed_in_s": round(took, 1),
        "uplinks_per_second": uplinks_per_second,
        **found,
        "cores_used": used,
        "load_average": [before, load_average()],
    }
