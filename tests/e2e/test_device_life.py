"""The life of a device on a running hub with a site's broker: added, signed in, silent, heard again, thrown out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import MakeHub, RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.mosquitto


class Device:
    """A device of somebody else's making, as far as MQTT goes."""

    def __init__(self, broker: MosquittoBroker, name: str, secret: str) -> None:
        self.name = name
        self.connected = False
        self.refused = False
        self._status = f"care/v1/{name}/up/status"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.username_pw_set(name, secret)
        self._client.will_set(self._status, '{"online": false}', qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self.refused = bool(getattr(reason, "is_failure", False))
        self.connected = not self.refused

    def _on_disconnect(self, *_: object) -> None:
        self.connected = False

    def alive(self) -> None:
        self._client.publish(self._status, '{"online": true, "battery_pct": 71}', qos=1, retain=True)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def kept(broker: MosquittoBroker) -> dict[str, bytes]:
    """What somebody who subscribes now is told at once of how devices are."""
    found: dict[str, bytes] = {}
    heard: list[bool] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="hub")
    client.username_pw_set("hub", broker.url_of("hub").partition("hub:")[2].rpartition("@")[0])

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == "care/v1/PROBE/up/status":
            heard.append(True)  # the broker sends in order: what it kept came before
        elif message.retain:
            found[message.topic] = message.payload

    client.on_message = on_message
    client.on_connect = lambda one, *_: one.subscribe("care/v1/+/up/status", qos=1)
    client.on_subscribe = lambda one, *_: one.publish("care/v1/PROBE/up/status", b"", qos=1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    wait_until(lambda: heard, 30, what="the broker to have told what it keeps")
    client.disconnect()
    client.loop_stop()
    return found


@pytest.fixture
def hub(make_hub: MakeHub, mosquitto_broker: MosquittoBroker) -> RunningHub:
    return make_hub(
        mosquitto_broker,
        residents=30,
        HUB_BROKER__PASSWORD_FILE=str(mosquitto_broker.password_file),
        HUB_BROKER__PID_FILE=str(mosquitto_broker.pid_file),
    )


@pytest.fixture
def devices() -> Iterator[list[Device]]:
    found: list[Device] = []
    yield found
    for one in found:
        one.close()


def test_added_heard_silent_back_and_thrown_out(
    hub: RunningHub, mosquitto_broker: MosquittoBroker, devices: list[Device], tmp_path: Path
) -> None:
    files = tmp_path / "devices.csv"
    files.write_text("id,family,interval_s\nLIFE-1,care,2\nLIFE-2,care,3600\n")
    loaded = hub.hub("device", "add", "--file", str(files))
    assert loaded.returncode == 0, loaded.stderr
    secrets = dict(line.split(",") for line in loaded.stdout.splitlines())
    # The hub that runs has told the broker: nobody edits a file.
    wait_until(lambda: "LIFE-2:" in mosquitto_broker.password_file.read_text(), what="the broker's new lines")

    def sign_in(name: str) -> Device:
        def admitted() -> Device | None:
            one = Device(mosquitto_broker, name, secrets[name])
            wait_until(lambda: one.connected or one.refused, what="the broker's answer")
            if one.connected:
                return one
            one.close()
            return None

        found = wait_until(admitted, what=f"{name} to be admitted")
        devices.append(found)
        return found

    one, two = sign_in("LIFE-1"), sign_in("LIFE-2")
    one.alive()
    two.alive()
    wait_until(lambda: hub.rows("SELECT 1 FROM devices WHERE id = 'LIFE-1' AND online"), what="the first sign of life")
    # Written with the next beat of the supervision: until then nobody's silence is held against them.
    wait_until(
        lambda: hub.rows("SELECT 1 FROM hearing WHERE way = 'mqtt' AND up"), 30, what="the way to count as heard"
    )

    def incident() -> list[dict[str, object]]:
        return hub.rows("SELECT state FROM incidents WHERE subject = 'device:LIFE-1'")

    wait_until(incident, 25, what="its silence to become an incident")
    assert incident()[0]["state"] == "open"
    one.alive()
    wait_until(lambda: incident()[0]["state"] == "closed", 30, what="the incident to close by itself")

    with hub.sign_in("admin") as admin:
        answer = admin.post("/api/v1/devices/LIFE-2/revoke", json={"reason": "lost on the bus"})
        assert answer.status_code == 200, answer.text
    wait_until(lambda: not two.connected, what="the revoked device to be thrown out")
    assert one.connected
    assert "LIFE-2:" not in mosquitto_broker.password_file.read_text()
    # Its last will was kept when it was thrown out, and is wiped: nobody shall take it for a device that is there.
    wait_until(lambda: set(kept(mosquitto_broker)) == {"care/v1/LIFE-1/up/status"}, 40, what="its status to be wiped")
    assert not hub.rows("SELECT 1 FROM quarantine WHERE device_id = 'LIFE-2' AND octet_length(payload) = 0")
