"""In the shadow of another centre everything is taken and nothing leaves: not by the broker, not on a connection."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from devices.model import Reply
from hub.bridge import TcpOptions
from tests.bridge.parts import MemoryIngest, broker_options, device, numbered, running_lane
from tests.bridge.test_tcp import ALARM, LINK, gateway
from tests.fixtures.brokers import Broker
from tests.waiting import wait_until


def test_no_reply_leaves_by_the_broker(broker: Broker) -> None:
    ingest = MemoryIngest(replies=lambda item: (Reply(b"got " + item.uplink.payload, "care/v1/w-001/down/ack"),))
    said: list[str | None] = []
    with (
        running_lane(broker, ingest, options=broker_options(broker, mute=True)) as lane,
        device(broker, listen=True) as watch,
    ):
        watch.publish(numbered(5))
        wait_until(lambda: len(ingest.rows) == 5, 20)
        lane.wait_acknowledged()
        lane.client.publish("care/v1/w-001/down/command", b"{}", said.append)
        assert said
        assert said[0] is not None
        assert "shadow" in said[0]
    with running_lane(broker, MemoryIngest()) as loud, device(broker, listen=True) as watch:
        loud.client.publish("care/v1/w-001/down/ack", b"the end")
        wait_until(lambda: watch.told)
        assert watch.told == [b"the end"], "nothing of what the muted lane wanted to say came before"


@pytest.mark.parametrize("mute", [True, False])
def test_no_byte_leaves_on_a_devices_connection(mute: bool) -> None:
    with gateway(mute=mute) as found, closing(socket.create_connection(("127.0.0.1", found.tcp.port), 10)) as watch:
        watch.sendall(LINK + ALARM)
        wait_until(lambda: len(found.alarms.rows) == 1 and len(found.telemetry.rows) == 1, 20)
        watch.shutdown(socket.SHUT_WR)
        watch.settimeout(20)
        heard = b""
        while piece := watch.recv(4096):
            heard += piece
        assert (heard == b"") == mute


def test_the_options_say_so() -> None:
    assert TcpOptions().mute is False
