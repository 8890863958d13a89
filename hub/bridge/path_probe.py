"""A press over the broker, as a device makes it: published at QoS 1, and then it waits to be told."""

from __future__ import annotations

import json
import logging
import threading
from datetime import datetime
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from devices.topics import down_topic, up_topic
from hub.bridge.ending import end_loop
from hub.bridge.options import BrokerOptions
from hub.clock import Clock, monotonic
from hub.service.path_tests import Probed

__all__ = ["PathProbe"]

_log = logging.getLogger(__name__)


class PathProbe:
    """Presses as a device that signs in with its own id, and `password` where the broker wants one."""

    def __init__(self, broker: BrokerOptions, clock: Clock, password: str | None = None) -> None:
        self._broker = broker
        self._clock = clock
        self._password = password

    def press(self, device_id: str, ref: str, within_s: float) -> Probed:
        """One test press; waits up to `within_s` each for the connection and for the answer."""
        began = self._clock()
        try:
            return _Press(self._broker, self._clock, device_id, ref, self._password).run(within_s)
        except (OSError, ValueError) as error:
            return Probed(began, None, f"the broker cannot be reached as a device: {error}")


class _Press:
    def __init__(self, broker: BrokerOptions, clock: Clock, device_id: str, ref: str, password: str | None) -> None:
        self._broker, self._clock = broker, clock
        self._device_id, self._ref = device_id, ref
        self._ready, self._told = threading.Event(), threading.Event()
        self._refused: str | None = None
        self._told_at: datetime | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=device_id, protocol=MQTTProtocolVersion.MQTTv311, clean_session=True
        )
        self._client.suppress_exceptions = False
        self._client.connect_timeout = broker.connect_timeout_s
        context = broker.context()
        if context is not None:
            self._client.tls_set_context(context)
        if password is not None:
            self._client.username_pw_set(device_id, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def run(self, within_s: float) -> Probed:
        self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        self._client.loop_start()
        try:
            if not self._ready.wait(within_s):
                why = self._refused or f"no answer within {within_s:g} s"
                return Probed(self._clock(), None, f"the broker does not let the test device in: {why}")
            published_at, until = self._clock(), monotonic() + within_s
            body = {"ref": self._ref, "type": "sos", "observed_at": published_at.isoformat(), "test": True}
            topic = up_topic(self._device_id, "alarm")
            sent = self._client.publish(topic, json.dumps(body), qos=1)
            self._told.wait(max(0.0, until - monotonic()))
            if not sent.is_published():
                return Probed(published_at, None, f"the broker did not take the press within {within_s:g} s")
            return Probed(published_at, self._told_at)
        finally:
            end_loop(self._client, "path test")

    def _on_connect(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            return
        client.subscribe(down_topic(self._device_id, "ack"), qos=1)

    def _on_subscribe(self, _client: Client, _userdata: Any, _mid: int, codes: Any, _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._refused = "its answers cannot be subscribed to"
            return
        self._ready.set()

    def _on_message(self, _client: Client, _userdata: Any, message: Any) -> None:
        try:
            body = json.loads(message.payload)
        except ValueError:
            _log.warning("path test: an answer that is no JSON")
            return
        if body.get("ref") == self._ref and body.get("status") == "received" and self._told_at is None:
            self._told_at = self._clock()
            self._told.set()
