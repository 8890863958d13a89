"""A watch gateway over real sockets, and watches that speak to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from devices import FAMILIES, DeviceRef
from hub.bridge import BatchOptions, TcpOptions
from hub.bridge.batches import Batcher
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.tcp import TcpGateway
from hub.clock import utc_now
from hub.ports.commands import DeviceConflict
from hub.ports.records import DeviceRow, Incoming
from tests.bridge.parts import MemoryIngest

__all__ = [
    "ALARM", "ID", "LINK", "OTHER", "POSITION", "UPDATE", "Gateway", "Watch", "frame", "gateway", "linked",
    "replies_of",
]  # fmt: skip

ID = "8800000015"
OTHER = "8800000016"


def frame(content: str, device_id: str = ID, vendor: str = "3G") -> bytes:
    return f"[{vendor}*{device_id}*{len(content):04X}*{content}]".encode()


LINK = frame("LK,50,100,98")
POSITION = "220414,134652,A,22.571707,N,113.8613968,E,0.1,0.0,100,7,60,90,1000,50,0000,4,1,460,0,9360,4082,131"
ALARM = frame(f"AL,{POSITION}".replace(",0000,", ",00010000,"))
UPDATE = frame(f"UD,{POSITION}")


def replies_of(item: Incoming) -> Any:
    return FAMILIES["watch"].codec.decode(item.uplink, DeviceRef(item.device_id, "watch")).replies


def _finder(is_known: Callable[[str], bool]) -> Callable[[Collection[str]], dict[str, DeviceRow]]:
    def find(ids: Collection[str]) -> dict[str, DeviceRow]:
        return {one: DeviceRow(one, "watch", None, None) for one in ids if is_known(one)}

    return find


class Gateway:
    """A gateway with both lines; `alarms` and `telemetry` are their ingests."""

    def __init__(self, options: TcpOptions, is_known: Callable[[str], bool] | None) -> None:
        self.registry = CollectorRegistry()
        metrics = BridgeMetrics(self.registry)
        self.alarms = MemoryIngest(replies=replies_of)
        self.telemetry = MemoryIngest(replies=replies_of)
        limits = BatchOptions(size=100, backoff_min_s=0.02, backoff_max_s=0.1)
        self.conflicts: list[DeviceConflict] = []
        self.lines = [
            Batcher(name, limits, ingest=ingest, quarantine=ingest.keep, metrics=metrics, clock=utc_now)
            for name, ingest in (("alarm", self.alarms), ("telemetry-0", self.telemetry))
        ]
        self.tcp = TcpGateway(
            options,
            FAMILIES["watch"],
            alarms=self.lines[0],
            telemetry=self.lines[1],
            metrics=metrics,
            clock=utc_now,
            find_devices=None if is_known is None else _finder(is_known),
            note_conflict=self.conflicts.append,
        )

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def connect(self) -> Watch:
        return Watch(self.tcp.port)


class Line:
    """A device's end of a connection from `source`."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ended(self) -> bool:
        """The other side closed the connection."""
        self.sock.settimeout(10)
        try:
            while self.sock.recv(4096):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self.sock.close()


class Watch(Line):
    """A watch's end of the connection."""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            piece = self.sock.recv(size - len(out))
            if not piece:
                break
            out += piece
        return out

    def hears(self, expected: bytes) -> bool:
        return self.read(len(expected)) == expected

    def silent(self) -> bool:
        """Nothing has come; asks the gateway for a sign of life first, so that what was on its way would be here."""
        self.send(LINK)
        answer = frame("LK").lower()
        return self.read(len(answer)).lower() == answer


@contextmanager
def gateway(is_known: Callable[[str], bool] | None = None, **limits: Any) -> Iterator[Gateway]:
    found = Gateway(TcpOptions(**limits), is_known)
    found.tcp.start()
    for line in found.lines:
        line.start()
    try:
        yield found
    finally:
        found.alarms.gate.set()
        found.telemetry.gate.set()
        assert all(line.stop(5) for line in found.lines)
        assert found.tcp.stop(5)


def linked(watch: Watch, data: bytes = LINK, device_id: str = ID) -> None:
    """Introduces a watch."""
    watch.send(data)
    assert watch.read(len(frame("LK", device_id))).lower() == frame("LK", device_id).lower()
