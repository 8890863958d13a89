"""How many messages a second one connection takes when taking costs nothing: paho's own threaded loop beside our lane.

Same broker, same load, same run: processes of their own publish N messages at QoS 1 while the subscriber is connected,
and each subscriber acknowledges every message itself (paho by `ack` in its callback, the lane through its batcher with
an ingest that does nothing). The rate is taken from the first to the last message at the subscriber; where broker or
senders are the narrower place, CPU time a message tells the two apart.

    python -m benchmarks.bridge_throughput [--messages 50000] [--senders 2] [--broker embedded|mqtt://…] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from devices.topics import TELEMETRY_FILTERS
from hub.bridge.batches import Batcher
from hub.bridge.client import LaneClient
from hub.bridge.intake import care_route
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.options import BatchOptions, BrokerOptions
from hub.clock import utc_now
from hub.embedded import EmbeddedBroker
from hub.ports.records import Incoming, Outcome
from hub.settings import parse_mqtt_url

BODY = b'{"observed_at": "2026-11-22T07:15:04.250Z", "heart_rate_bpm": 72, "spo2_pct": 97, "steps": %d}'
WINDOW = 500


class Meter:
    """Counts messages; knows when the first and the last came."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.count = 0
        self.first = self.last = 0.0
        self.done = threading.Event()

    def add(self, count: int) -> None:
        self.last = time.perf_counter()
        if not self.count:
            self.first = self.last
        self.count += count
        if self.count >= self.expected:
            self.done.set()


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text.encode())) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, part = divmod(size, 128)
        length += bytes([part | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def send(url: str, messages: int, number: int) -> None:
    """One sender, in a process of its own: PUBLISH packets in bulk, at most WINDOW without their PUBACK."""
    address = parse_mqtt_url(url)
    client_id = f"load-{number}"
    flags = 2 | (0x80 if address.username else 0) | (0x40 if address.password else 0)
    login = "".join(part for part in (address.username, address.password) if part)
    texts = [client_id, *(text for text in (address.username, address.password) if text)] if login else [client_id]
    topic = _text(f"care/v1/{client_id}/up/vitals")
    with socket.create_connection((address.host, address.port), 20) as broker:
        broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connect = _text("MQTT") + bytes([4, flags, 0, 60]) + b"".join(_text(text) for text in texts)
        broker.sendall(_packet(0x10, connect))
        if broker.recv(4)[3:4] != b"\0":
            raise SystemExit("the broker refused the sender")
        acked = sent = held = 0
        while acked < messages:
            room = min(WINDOW - (sent - acked), messages - sent)
            if room:
                broker.sendall(
                    b"".join(
                        _packet(0x32, topic + struct.pack("!H", index % 65_535 + 1) + BODY % index)
                        for index in range(sent, sent + room)
                    )
                )
                sent += room
            piece = broker.recv(65_536)
            if not piece:
                raise SystemExit("the broker hung up on the sender")
            acks, held = divmod(held + len(piece), 4)
            acked += acks
        broker.sendall(_packet(0xE0, b""))


def paho_threaded(url: str, meter: Meter) -> Callable[[], None]:
    """The floor: paho as its manual shows it."""
    address = parse_mqtt_url(url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub-telemetry", clean_session=False, manual_ack=True)
    if address.username:
        client.username_pw_set(address.username, address.password)
    subscribed = threading.Event()
    client.on_connect = lambda *_: client.subscribe([(topic, 1) for topic in TELEMETRY_FILTERS])
    client.on_subscribe = lambda *_: subscribed.set()

    def on_message(_client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        meter.add(1)

    client.on_message = on_message
    client.connect(address.host, address.port)
    client.loop_start()
    if not subscribed.wait(20):
        raise SystemExit("the floor's subscription did not come about")

    def end() -> None:
        client.disconnect()
        client.loop_stop()

    return end


def our_lane(url: str, meter: Meter) -> Callable[[], None]:
    address = parse_mqtt_url(url)
    metrics = BridgeMetrics(CollectorRegistry())
    limits = BatchOptions(size=500, linger_s=0.02)
    taken = Outcome("accepted")

    def ingest(batch: Sequence[Incoming]) -> list[Outcome]:
        meter.add(len(batch))
        return [taken] * len(batch)

    batcher = Batcher("telemetry", limits, ingest=ingest, quarantine=lambda *_: None, metrics=metrics, clock=utc_now)
    client = LaneClient(
        "telemetry",
        "hub-telemetry",
        BrokerOptions(address.host, address.port, address.username, address.password),
        filters=TELEMETRY_FILTERS,
        batcher=batcher,
        limits=limits,
        route=care_route("telemetry"),
        metrics=metrics,
        clock=utc_now,
    )
    batcher.start()
    client.start()
    deadline = time.monotonic() + 20
    while not client.connected:
        if time.monotonic() > deadline:
            raise SystemExit(f"the lane did not connect: {client.state().error}")
        time.sleep(0.01)

    def end() -> None:
        batcher.stop(5)
        client.stop(5)

    return end


def measure(
    name: str, begin: Callable[[str, Meter], Callable[[], None]], url: str, args: argparse.Namespace
) -> dict[str, Any]:
    each = args.messages // args.senders
    meter = Meter(each * args.senders)
    end = begin(url, meter)
    cpu = time.process_time()
    senders = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.bridge_throughput", "--send", url, str(each), str(number)])
        for number in range(args.senders)
    ]
    try:
        if not meter.done.wait(300):
            raise SystemExit(f"{name}: only {meter.count} of {meter.expected} arrived")
    finally:
        for sender in senders:
            sender.wait(60)
    cpu = time.process_time() - cpu
    end()
    return {
        "subscriber": name,
        "messages": meter.count,
        "per_second": round(meter.count / (meter.last - meter.first)),
        "cpu_us_per_message": round(cpu / meter.count * 1e6, 1),
        "per_second_and_core": round(meter.count / cpu),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--broker", default="embedded", help="`embedded`, or an mqtt:// URL that may write care/v1/#")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--send", nargs=3, metavar=("URL", "N", "NUMBER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.send:
        send(args.send[0], int(args.send[1]), int(args.send[2]))
        return
    folder = Path(tempfile.mkdtemp(prefix="care-hub-benchmark-"))
    broker = EmbeddedBroker(folder) if args.broker == "embedded" else None
    try:
        url = broker.start() if broker else args.broker
        results = [
            measure("paho, threaded loop", paho_threaded, url, args),
            measure("lane", our_lane, url, args),
        ]
    finally:
        if broker:
            broker.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'subscriber':<22}{'messages':>10}{'per s':>10}{'us CPU each':>13}{'per s and core':>16}")
    for row in results:
        print(
            f"{row['subscriber']:<22}{row['messages']:>10}{row['per_second']:>10}{row['cpu_us_per_message']:>13}"
            f"{row['per_second_and_core']:>16}"
        )
    if args.json:
        args.json.write_text(json.dumps({"broker": args.broker, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
