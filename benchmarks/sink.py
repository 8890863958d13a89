"""The plain subscriber: paho's threaded loop, QoS 1, a callback that only counts.

python -m benchmarks.sink URL MESSAGES      "ready" when subscribed; the moment (CLOCK_MONOTONIC) of the last one
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hub.settings import parse_mqtt_url

__all__: list[str] = []


def main() -> None:
    address, expected = parse_mqtt_url(sys.argv[1]), int(sys.argv[2])
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-sink", clean_session=True)
    if address.username:
        client.username_pw_set(address.username, address.password)
    subscribed, done = threading.Event(), threading.Event()
    count = 0
    ended = 0.0

    def on_message(_client: Any, _userdata: Any, _message: Any) -> None:
        nonlocal count, ended
        count += 1
        if count == expected:
            ended = time.monotonic()
            done.set()

    client.on_connect = lambda *_: client.subscribe("care/v1/+/up/vitals", 1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = on_message
    client.connect(address.host, address.port)
    client.loop_start()
    if not subscribed.wait(20):
        raise SystemExit("the subscription did not come about")
    print("ready", flush=True)
    if not done.wait(120):
        raise SystemExit(f"only {count} of {expected} arrived")
    print(ended, flush=True)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
