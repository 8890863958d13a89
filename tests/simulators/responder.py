"""The smallest possible hub: notes every uplink, and answers alarms when (and as) the test wants."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

Answer = Callable[[str, dict[str, Any], int], str | None]
"""(device_id, alarm, how often this ref was seen) -> the status to answer, or None for silence."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class EchoHub:
    """`seen` holds every alarm message in order, `uplinks` everything else as (topic, body)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port = parts.port or 1883
        self._where = (parts.hostname or "127.0.0.1", self.port)
        self.answer: Answer = lambda _device, _alarm, _times: "received"
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.uplinks: list[tuple[str, Any]] = []
        self._times: dict[tuple[str, str], int] = {}
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"hub-echo-{id(self)}")
        self._client.on_message = self._arrived
        self._client.on_connect = lambda client, *_: client.subscribe("care/v1/+/up/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    def __enter__(self) -> EchoHub:
        self._client.connect(*self._where)
        self._client.loop_start()
        assert self._subscribed.wait(10), "the broker confirmed no subscription"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, device_id: str, body: dict[str, Any], channel: str = "ack") -> None:
        self._client.publish(f"care/v1/{device_id}/down/{channel}", json.dumps(body), qos=1)

    def of(self, device_id: str, channel: str) -> list[Any]:
        return [body for topic, body in list(self.uplinks) if topic == f"care/v1/{device_id}/up/{channel}"]

    def alarms_of(self, device_id: str) -> list[dict[str, Any]]:
        return [alarm for device, alarm in list(self.seen) if device == device_id]

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        _, _, device_id, _, channel = message.topic.split("/")
        if message.retain:
            return
        try:
            body = json.loads(message.payload)
        except ValueError:
            self.tell(device_id, {"ref": None, "status": "rejected", "reason": "not JSON"})
            return
        if channel != "alarm":
            self.uplinks.append((message.topic, body))
            return
        key = (device_id, body["ref"])
        self._times[key] = self._times.get(key, 0) + 1
        self.seen.append((device_id, body))
        status = self.answer(device_id, body, self._times[key])
        if status is not None:
            self.tell(device_id, {"ref": body["ref"], "status": status})
