"""How long a press takes to an operator's screen, beside what the same machine needs for the bare minimum.

The floor of a sample: one message to the broker and back (paho, QoS 1 both ways), then one durable commit of one row,
one after the other. Floor and presses take turns in blocks, so that both see the same machine.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.figures import spread
from benchmarks.machine import cpu_seconds, load_average
from benchmarks.stage import Stage, settle
from hub.settings import parse_mqtt_url
from tests.fixtures.hub import RunningHub

__all__ = ["PER_SECOND", "measure"]

PER_SECOND = 20.0
BLOCKS = 3
SEEN_WITHIN_S = 3.0


class _Floor:
    """A client that publishes, a client that is subscribed, and a connection that commits a row."""

    def __init__(self, stage: Stage, database_url: str) -> None:
        self._database = psycopg.connect(database_url, autocommit=True)
        self._database.execute("CREATE TABLE floor (n bigint, at timestamptz DEFAULT now(), body text)")
        self._back = threading.Event()
        subscribed = threading.Event()
        self._taker = _client(stage, "bench-sink")
        self._taker.on_subscribe = lambda *_: subscribed.set()
        self._taker.on_message = lambda *_: self._back.set()
        self._taker.subscribe("floor/echo", 1)
        if not subscribed.wait(10):
            raise RuntimeError("the floor's subscription did not come about")
        self._sender = _client(stage, "bench-send")

    def sample(self, number: int) -> tuple[float, float]:
        """Seconds of the way through the broker, and of the commit."""
        self._back.clear()
        begun = time.monotonic()
        self._sender.publish("floor/echo", b"x" * 120, qos=1)
        if not self._back.wait(10):
            raise RuntimeError("the floor's message did not come back")
        between = time.monotonic()
        self._database.execute("INSERT INTO floor (n, body) VALUES (%s, %s)", (number, "x" * 120))
        return between - begun, time.monotonic() - between

    def close(self) -> None:
        for client in (self._sender, self._taker):
            client.disconnect()
            client.loop_stop()
        self._database.close()


def _client(stage: Stage, client_id: str) -> mqtt.Client:
    """paho, connected, its loop running; without Nagle's algorithm, which would put 40 ms onto every second message."""
    address = parse_mqtt_url(stage.broker.url_for(client_id))
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
    if address.username:
        client.username_pw_set(address.username, address.password)
    connected = threading.Event()
    client.on_socket_open = lambda _client, _userdata, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.on_connect = lambda *_: connected.set()
    client.connect(address.host, address.port)
    client.loop_start()
    if not connected.wait(10):
        raise RuntimeError("the floor did not connect")
    return client


def _floor_block(floor: _Floor, first: int, count: int) -> list[tuple[float, float]]:
    begin = time.monotonic()
    samples: list[tuple[float, float]] = []
    for number in range(count):
        settle(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        samples.append(floor.sample(first + number))
    return samples


def _quieten(hub: RunningHub) -> None:
    """As if the presses so far were over: ten seconds later responders would be called for each, in the next block."""
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM due")


def measure(stage: Stage, presses: int) -> dict[str, Any]:
    """`presses` by as many devices of as many residents; RuntimeError where one never arrived."""
    each = presses // BLOCKS
    echoes: list[tuple[float, float]] = []
    pressed: dict[str, float] = {}
    told: dict[str, float] = {}
    with stage.hub() as hub, hub.sign_in("operator") as operator:
        cookie = "; ".join(f"{name}={value}" for name, value in operator.cookies.items())
        load_before = load_average()
        with (
            stage.child("presses", stage.broker.url_for("bench-load"), "bench-load", str(PER_SECOND)) as devices,
            stage.child("page", "127.0.0.1", str(hub.http_port), cookie) as page,
        ):
            devices.wait_ready()
            page.wait_ready()
            # The first presses of a fresh hub pay for connections and plans: they are taken, and not counted.
            devices.say(f"go 0 {_WARM}")
            devices.result()
            floor = _Floor(stage, hub.database_url)
            try:
                _floor_block(floor, 0, _WARM)
                _quieten(hub)
                cpu = 0.0
                for block in range(BLOCKS):
                    echoes += _floor_block(floor, block * each, each)
                    before = cpu_seconds({"hub": hub.process.pid if hub.process else None})["hub"]
                    devices.say(f"go {_WARM + block * each} {each}")
                    result = devices.result()
                    pressed |= result["pressed"]
                    told |= result["told"]
                    settle(0.3)
                    _quieten(hub)
                    cpu += cpu_seconds({"hub": hub.process.pid if hub.process else None})["hub"] - before
            finally:
                floor.close()
            settle(SEEN_WITHIN_S)
            seen: dict[str, float] = page.finish()
        count = hub.rows("SELECT count(*) AS n FROM alarms WHERE device_id LIKE 'B-%%'")[0]["n"]
    shown = {number: seen.get(f"B-{int(number):04d}") for number in pressed}
    lost = [number for number, at in shown.items() if at is None]
    if lost or count != len(pressed) + _WARM or len(told) != len(pressed):
        raise RuntimeError(
            f"{len(pressed)} presses: {count - _WARM} stored, {len(told)} told, {len(lost)} never on the page"
        )
    both = spread([echo + commit for echo, commit in echoes])
    page_spread = spread([at - pressed[number] for number, at in shown.items() if at is not None])
    return {
        "broker": stage.broker_name,
        "per_second": PER_SECOND,
        "floor_echo": spread([echo for echo, _ in echoes]),
        "floor_commit": spread([commit for _, commit in echoes]),
        "floor": both,
        "publish_to_page": page_spread,
        "publish_to_told": spread([told[number] - at for number, at in pressed.items()]),
        "p99_ratio": round(page_spread["p99_ms"] / both["p99_ms"], 2),
        "hub_cpu_ms_per_press": round(cpu / len(pressed) * 1000, 2),
        "load_average": [load_before, load_average()],
    }


_WARM = 20
