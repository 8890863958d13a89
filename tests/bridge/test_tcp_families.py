"""The gateways of the other families over real sockets: logins, pieces, limits, who may come, who is shown twice."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from devices import FAMILIES, DeviceRef
from hub.bridge import BatchOptions, TcpOptions, bridge_options
from hub.bridge.batches import Batcher
from hub.bridge.descriptors import make_room
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.tcp import TcpGateway
from hub.clock import utc_now
from hub.errors import SettingError, UnavailableError
from hub.ports import DeviceConflict, DeviceRow, Incoming
from hub.settings import load_settings
from simulators.tracker_wires import WIRES, Heard, Here, TrackerWire
from simulators.wire import Fix
from tests.bridge.parts import MemoryIngest
from tests.bridge.tcp_parts import Line
from tests.waiting import wait_until

IMEI = "355550001234567"
HERE = Here(utc_now().replace(microsecond=0), Fix(31.3396, 118.3962), 77)
FAMILY = pytest.mark.parametrize("family", list(WIRES))


class Gateway:
    def __init__(self, family: str, options: TcpOptions, known: Sequence[DeviceRow] | None) -> None:
        self.registry = CollectorRegistry()
        metrics = BridgeMetrics(self.registry)
        self.family = FAMILIES[family]
        self.profile: dict[str, Any] = {}
        self.alarms, self.telemetry = MemoryIngest(replies=self.replies), MemoryIngest(replies=self.replies)
        limits = BatchOptions(size=100, backoff_min_s=0.02, backoff_max_s=0.1)
        self.conflicts: list[DeviceConflict] = []
        self.asked: list[list[str]] = []
        self.away = False
        self.known = None if known is None else {row.id: row for row in known}
        self.lines = [
            Batcher(name, limits, ingest=ingest, quarantine=ingest.keep, metrics=metrics, clock=utc_now)
            for name, ingest in (("alarm", self.alarms), ("telemetry-0", self.telemetry))
        ]
        self.tcp = TcpGateway(
            options,
            self.family,
            alarms=self.lines[0],
            telemetry=self.lines[1],
            metrics=metrics,
            clock=utc_now,
            find_devices=None if known is None else self.find,
            note_conflict=self.conflicts.append,
        )

    def find(self, ids: Collection[str]) -> dict[str, DeviceRow]:
        assert self.known is not None
        self.asked.append(sorted(ids))
        if self.away:
            raise UnavailableError("the database is away")
        return {one: self.known[one] for one in ids if one in self.known}

    def replies(self, item: Incoming) -> Any:
        device = DeviceRef(item.device_id, self.family.name, self.profile)
        return self.family.codec.decode(item.uplink, device).replies

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def closed(self, reason: str) -> float:
        return self.value("hub_bridge_tcp_closed_total", reason=reason)


@contextmanager
def gateway(family: str, known: Sequence[DeviceRow] | None = None, **limits: Any) -> Iterator[Gateway]:
    found = Gateway(family, TcpOptions(family=family, **limits), known)
    found.tcp.start()
    for line in found.lines:
        line.start()
    try:
        yield found
    finally:
        found.alarms.gate.set()
        assert all(line.stop(5) for line in found.lines)
        assert found.tcp.stop(5)


class Tracker(Line):
    """A tracker's end of the connection."""

    def __init__(self, hub: Gateway, wire: TrackerWire | None = None, source: str = "127.0.0.1") -> None:
        super().__init__(hub.tcp.port, source)
        self.heard: list[Heard] = []
        self.wire = wire or WIRES[hub.family.name](IMEI)

    def send(self, data: bytes, size: int | None = None) -> None:
        step = size or len(data) or 1
        for at in range(0, len(data), step):
            self.sock.sendall(data[at : at + step])

    def login(self) -> None:
        hello = self.wire.login()
        if hello:
            self.send(hello)
            assert self.hear() == "login"
        else:
            self.beat()

    def beat(self) -> None:
        self.send(self.wire.beat(HERE))
        assert self.hear() == "beat"

    def hear(self) -> str:
        """The next answer."""
        return self.answer().kind

    def answer(self) -> Heard:
        while not self.heard:  # two answers may come in one piece
            piece = self.sock.recv(4096)
            assert piece, "the hub hung up"
            self.heard += self.wire.feed(piece)
        return self.heard.pop(0)


@FAMILY
def test_an_alarm_is_answered_after_its_commit_and_not_before(family: str) -> None:
    with gateway(family) as hub, closing(Tracker(hub)) as device:
        device.login()
        hub.alarms.gate.clear()
        device.send(device.wire.alarm("sos", HERE))
        assert hub.alarms.entered.acquire(timeout=10)
        device.beat()  # the next thing it hears is this: nothing was promised
        hub.alarms.gate.set()
        assert device.hear() == "alarm"
        (taken,) = hub.alarms.order
    assert (taken.device_id, taken.family, taken.lane) == (IMEI, family, "tcp")


@FAMILY
@pytest.mark.parametrize("size", [1, 7])
def test_frames_in_pieces_glued_and_between_garbage(family: str, size: int) -> None:
    with gateway(family) as hub, closing(Tracker(hub)) as device:
        device.login()
        device.send(b"\x00\xff\x01" + device.wire.position(HERE) + device.wire.alarm("sos", HERE), size)
        assert device.hear() in ("alarm", "other")
        wait_until(lambda: hub.alarms.order)
        wait_until(lambda: any(item.device_id == IMEI for item in hub.telemetry.order))


@pytest.mark.parametrize("family", ["iw", "gt06"])
def test_an_alarm_before_any_login_is_kept_and_not_promised(family: str) -> None:
    with gateway(family) as hub, closing(Tracker(hub)) as device:
        frame = device.wire.alarm("sos", HERE)
        device.send(frame)
        wait_until(lambda: hub.alarms.quarantined)
        assert hub.alarms.quarantined[0][0].uplink.payload == frame
        assert hub.alarms.order == []
        device.login()
        device.send(frame)
        assert device.hear() == "alarm"
        assert [item.device_id for item in hub.alarms.order] == [IMEI]


@FAMILY
def test_whoever_is_not_added_is_refused_where_that_is_set(family: str) -> None:
    with gateway(family, known=[], unknown="refuse") as hub, closing(Tracker(hub)) as device:
        device.send(device.wire.login() or device.wire.beat(HERE))
        assert device.ended()
        wait_until(lambda: hub.closed("unknown device") == 1)
    known = [DeviceRow(IMEI, family, None, None)]
    with gateway(family, known=known, unknown="refuse") as hub, closing(Tracker(hub)) as device:
        device.login()
        assert hub.asked == [[IMEI]]


def test_a_database_that_is_away_turns_nobody_away() -> None:
    with gateway("iw", known=[], unknown="refuse") as hub:
        hub.away = True
        with closing(Tracker(hub)) as device:
            device.login()


def test_devices_that_come_together_are_looked_up_together() -> None:
    known = [DeviceRow(f"35555000123{number:04d}", "iw", None, None) for number in range(40)]
    with gateway("iw", known=known, unknown="refuse") as hub:
        devices = [Tracker(hub, WIRES["iw"](row.id)) for row in known]
        for device in devices:
            device.send(device.wire.login())
        for device in devices:
            assert device.hear() == "login"
            device.close()
        assert sorted(one for ids in hub.asked for one in ids) == sorted(row.id for row in known)
        assert len(hub.asked) < len(known)


def test_the_devices_profile_decides_what_it_is_told() -> None:
    profile = {"utc_offset_minutes": 480}
    with (
        gateway("iw", known=[DeviceRow(IMEI, "iw", None, None, profile)]) as hub,
        closing(Tracker(hub)) as device,
    ):
        device.send(device.wire.login())
        assert device.answer().text.endswith(",8")


def test_one_address_does_not_take_everything() -> None:
    with gateway("h02", max_per_address=2) as hub:
        devices = [Tracker(hub, WIRES["h02"](f"420555012{number}")) for number in range(3)]
        for device in devices[:2]:
            device.beat()
        assert devices[2].ended()
        wait_until(lambda: hub.closed("address full") == 1)
        with closing(Tracker(hub, source="127.0.0.2")) as elsewhere:
            elsewhere.beat()
        devices[0].close()
        wait_until(lambda: hub.tcp.state().connections == 1)
        with closing(Tracker(hub)) as later:
            later.beat()
        for device in devices:
            device.close()


def test_two_addresses_are_shown_when_both_speak() -> None:
    with gateway("h02") as hub, closing(Tracker(hub)) as first:
        first.beat()
        with closing(Tracker(hub, source="127.0.0.2")) as second:
            second.beat()
            second.beat()
            assert hub.conflicts == [], "the older one may be a line that broke unnoticed"
            first.beat()
            wait_until(lambda: hub.conflicts)
            second.beat()
            first.beat()
    (found,) = hub.conflicts  # told once a minute at most
    assert (found.device_id, found.kind, found.addresses) == (IMEI, "two_addresses", ("127.0.0.1", "127.0.0.2"))


def test_a_device_that_comes_back_by_the_same_address_is_no_conflict() -> None:
    with gateway("h02") as hub, closing(Tracker(hub)) as first, closing(Tracker(hub)) as second:
        for device in (first, second, first, second):
            device.beat()
        assert hub.conflicts == []


def proxied(source: str, port: int = 4711) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + port.to_bytes(2, "big") + b"\x13\x89"
    return b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + len(addresses).to_bytes(2, "big") + addresses


def test_behind_a_balancer_the_devices_own_address_counts() -> None:
    with gateway("h02", proxy_protocol=True, max_per_address=1) as hub:
        with closing(Tracker(hub)) as one, closing(Tracker(hub)) as other, closing(Tracker(hub)) as same:
            one.send(proxied("10.0.0.1") + one.wire.beat(HERE))
            assert one.hear() == "beat"
            other.send(proxied("10.0.0.2"), 3)
            other.beat()
            same.send(proxied("10.0.0.1"))
            assert same.ended()
        wait_until(lambda: hub.closed("address full") == 1)
        for broken in (
            b"*HQ,4205550123,HTBT,77#" + b" " * 20,
            proxied("10.0.0.3")[:20],
            b"\r\n\r\n\x00\r\nQUIT\n\x99\x11\x00\x00",
        ):
            with closing(Tracker(hub)) as bare:
                bare.send(broken)
                bare.sock.shutdown(socket.SHUT_WR)
                assert bare.ended()
        wait_until(lambda: hub.closed("no proxy header") == 3)
        with closing(Tracker(hub)) as check:
            check.send(b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")  # the balancer's own look whether we are there
            check.beat()


def test_devices_that_can_speak_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    with gateway("h02", tls_cert=cert, tls_key=key) as hub:
        context = ssl.create_default_context(cafile=str(cert))
        with closing(Tracker(hub)) as device:
            device.sock = context.wrap_socket(device.sock, server_hostname="127.0.0.1")
            device.beat()
    with pytest.raises(SettingError, match="HUB_TCP__TLS_CERT"):
        Gateway("h02", TcpOptions(family="h02", tls_cert=key, tls_key=key), None)


def test_a_slow_login_and_a_slow_frame_end() -> None:
    with gateway("gt06", first_frame_s=0.2) as hub, closing(Tracker(hub)) as device:
        device.send(device.wire.login()[:-1])
        assert device.ended()
        wait_until(lambda: hub.closed("no frame") == 1)
    with gateway("gt06", frame_s=0.3, pause_s=0.2, idle_s=60) as hub, closing(Tracker(hub)) as device:
        device.login()
        device.send(b"\x78\x78")
        wait_until(lambda: hub.closed("slow frame") + hub.value("hub_bridge_tcp_garbage_bytes_total") >= 1)


def test_a_flood_that_is_no_frame_ends() -> None:
    with gateway("minifinder2", max_garbage=2000) as hub, closing(Tracker(hub)) as device:
        device.login()
        with contextlib.suppress(OSError):  # reset or broken pipe, as the moment has it
            for _ in range(1000):
                device.send(b"\xff" * 1000)
        wait_until(lambda: hub.closed("garbage") == 1)


@pytest.mark.parametrize("family", ["watch", *WIRES])
def test_each_family_has_its_port_and_its_patience(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"HUB_TCP__{family.upper()}_PORT", "0")
    (options,) = bridge_options(load_settings(), "mqtt://127.0.0.1").tcp
    assert (options.family, options.port) == (family, 0)
    assert options.idle_s >= 15 * 60
    other = Gateway("h02", TcpOptions(family="h02"), None)
    other.tcp.start()
    try:
        if family != "watch":
            taken = Gateway(family, TcpOptions(family=family, port=other.tcp.port), None)
            with pytest.raises(SettingError, match=f"HUB_TCP__{family.upper()}_PORT"):
                taken.tcp.start()
    finally:
        assert other.tcp.stop(5)


def test_ports_that_meet_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_TCP__IW_PORT", "5093")
    monkeypatch.setenv("HUB_TCP__H02_PORT", "5093")
    with pytest.raises(SettingError, match=r"HUB_TCP__\w+_PORT: each family needs a port of its own"):
        load_settings()


def test_room_for_connections_is_made_or_the_lack_of_it_said(caplog: pytest.LogCaptureFixture) -> None:
    assert make_room(10) == 10
    assert caplog.text == ""
    room = make_room(50_000_000)
    assert 0 < room < 50_000_000
    assert "HUB_TCP__MAX_CONNECTIONS: the system allows" in caplog.text
