"""The hub's own press over the broker: it ends when it said it would, whatever the broker does."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.bridge import BrokerOptions, PathProbe
from hub.clock import monotonic, utc_now
from tests.fixtures.certificates import Authority
from tests.waiting import wait_until

CONNACK = bytes((0x20, 2, 0, 0))


@contextmanager
def broker_that_falls_dumb(folder: Path) -> Iterator[int]:
    """A broker with TLS that takes one client, leaves it, and says nothing to whoever connects then; gives its port."""
    certificate, key = Authority(folder).issue("broker", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            accepted, _ = listening.accept()
            with context.wrap_socket(accepted, server_side=True) as client:
                client.recv(4096)
                client.sendall(CONNACK)
                client.recv(4096)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield listening.getsockname()[1]
        serving.join(20)


# paho does not close a socket whose handshake fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_falls_dumb_does_not_hold_the_probe(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with broker_that_falls_dumb(tmp_path) as port:
        options = BrokerOptions("127.0.0.1", port, tls=True, ca_file=tmp_path / "ca.crt")
        began = monotonic()
        found = PathProbe(options, utc_now).press("path-test", "r-1", 4.0)
        took_s = monotonic() - began
        left = [one.name for one in set(threading.enumerate()) - before]
    assert found.told_at is None
    assert found.error == "the broker does not let the test device in: no answer within 4 s"
    assert "path test ending" in left, "paho's own end would have waited: at a handshake, half a minute"
    assert took_s < 15
    wait_until(lambda: not (set(threading.enumerate()) - before), 40, what="the end of the thread that was left")
