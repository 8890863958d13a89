"""The trackers' wires: the hub reads what the simulators send, its answers are understood, both name a press alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import FAMILIES, Decoded, DeviceRef, Uplink
from devices.dialects import DIALECTS, Order, answer_of
from simulators.device import DeviceSpec, Shared
from simulators.ledger import Ledger
from simulators.pace import Pace
from simulators.tracker import Tracker
from simulators.tracker_wires import WIRES, Heard, Here, crc_x25
from simulators.wire import Fix, WireError

ID = "355550001234567"
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MEANT = [(family, word) for family, wire in WIRES.items() for word in wire.ALARMS]
places = st.none() | st.builds(Fix, lat=st.floats(1, 80), lon=st.floats(1, 170))
# Within one year: "23 11 26" is another day to whoever reads its date the other way round, and the page says who wins.
times = st.integers(0, 26 * 10**6).map(lambda seconds: datetime.fromtimestamp(1_767_225_600 + seconds, UTC))


def decode(family: str, payload: bytes) -> Decoded:
    return FAMILIES[family].codec.decode(Uplink(payload, NOW), DeviceRef(ID, family))


@pytest.mark.parametrize(("family", "word"), MEANT)
@settings(max_examples=20)
@given(at=times, fix=places, battery=st.integers(1, 100))
def test_the_hub_reads_every_alarm(family: str, word: str, at: datetime, fix: Fix | None, battery: int) -> None:
    wire, here = WIRES[family](ID), Here(at, fix, battery)
    frame = wire.alarm(word, here)
    assert wire.alarm(word, here) == frame, "a repeat is the same press"
    framer = FAMILIES[family].framer
    assert framer is not None
    cut = framer()
    assert [*cut.feed(frame), *cut.flush()] == [frame]
    decoded = decode(family, frame)
    alarms = [event for event in decoded.events if event.kind == "alarm"]
    assert [event.type for event in alarms] == [word]
    if fix is None:
        assert alarms[0].fix is None
    else:
        assert alarms[0].observed_at == at
        assert alarms[0].ref == wire.ref(word, here)
        assert alarms[0].fix is not None
        assert alarms[0].fix.lat == pytest.approx(fix.lat, abs=2e-5)
        assert alarms[0].fix.lon == pytest.approx(fix.lon, abs=2e-5)
    answers = [heard for reply in decoded.replies for heard in wire.feed(reply.payload)]
    assert [heard.kind for heard in answers] == ["alarm"]
    assert all(reply.after_commit for reply in decoded.replies)


@pytest.mark.parametrize("family", WIRES)
def test_logins_heartbeats_and_positions(family: str) -> None:
    wire, here = WIRES[family](ID), Here(NOW, Fix(31.9, 118.8), 77)
    hello = wire.login()
    if FAMILIES[family].login and hello:
        decoded = FAMILIES[family].codec.decode(Uplink(hello, NOW), DeviceRef("", family))
        assert decoded.events[0].device_id == ID
        assert [heard.kind for reply in decoded.replies for heard in wire.feed(reply.payload)] == ["login"]
        assert not any(reply.after_commit for reply in decoded.replies)
    beat = decode(family, wire.beat(here))
    assert [event.kind for event in beat.events] == ["heartbeat"]
    assert [heard.kind for reply in beat.replies for heard in wire.feed(reply.payload)] == ["beat"]
    place = decode(family, wire.position(here))
    assert [event.kind for event in place.events] == ["location"]
    assert "faults" not in place.events[0].attributes
    assert place.events[0].fix is not None
    assert not [heard for reply in place.replies for heard in wire.feed(reply.payload) if heard.kind == "alarm"]


@pytest.mark.parametrize(
    ("family", "command"), [(family, name) for family in ("iw", "gt06", "h02") for name in DIALECTS[family].names]
)
def test_a_command_is_understood_and_its_answer_too(family: str, command: str) -> None:
    order = Order(ID, "018f-1", command, {"seconds": 60, "text": "您好"}, at=NOW)
    (heard,) = WIRES[family](ID).feed(DIALECTS[family].encode(order).payload)
    assert heard.kind == "command"
    (event,) = decode(family, heard.reply).events
    answer = answer_of(family, event)
    assert answer is not None
    assert answer.token == DIALECTS[family].token(order)


@pytest.mark.parametrize("family", WIRES)
@settings(max_examples=20)
@given(chunks=st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_are_read_or_refused(family: str, chunks: list[bytes]) -> None:
    wire = WIRES[family](ID)
    for chunk in chunks:
        try:
            assert all(isinstance(heard, Heard) for heard in wire.feed(chunk))
        except WireError:
            wire.forget()


def test_the_checksum_is_that_of_the_page() -> None:
    assert crc_x25(b"123456789") == 0x906E


def test_an_id_that_is_no_imei_is_refused() -> None:
    for wire in WIRES.values():
        with pytest.raises(WireError):
            wire("w-1")


class Hub:
    """The hub's side of a tracker's connection: answers as the codec says, alarms only when `taking`."""

    def __init__(self, family: str) -> None:
        self.family = FAMILIES[family]
        self.taking = True
        self.alarms = 0
        self.pressing = asyncio.Event()
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.family.framer is not None
        self.connections += 1
        framer, device_id = self.family.framer(), ""
        while chunk := await reader.read(4096):
            for frame in framer.feed(chunk):
                decoded = self.family.codec.decode(Uplink(frame, NOW), DeviceRef(device_id, self.family.name))
                device_id = device_id or decoded.events[0].device_id
                alarm = any(event.kind == "alarm" for event in decoded.events)
                self.alarms += alarm
                if self.alarms >= 3:
                    self.pressing.set()
                for reply in decoded.replies if self.taking or not alarm else ():
                    writer.write(reply.payload)
        writer.close()


@contextmanager
def shared_with(port: int, family: str) -> Iterator[Shared]:
    yield Shared(
        pace=Pace(),
        ledger=Ledger(),
        broker=None,
        run="t",
        ports={family: ("127.0.0.1", port)},
        repeat_s=(0.05, 0.1),
        retry_s=(0.02, 0.1),
    )


@pytest.mark.parametrize("family", WIRES)
def test_it_repeats_until_the_answer(family: str) -> None:
    async def play() -> None:
        hub = Hub(family)
        hub.taking = False
        listener = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        with shared_with(port, family) as shared:
            device = Tracker(DeviceSpec(ID, "watch", family, interval_s=0.1), shared)
            life = asyncio.create_task(device.run())
            async with asyncio.timeout(20):
                press = device.press("sos")
                await hub.pressing.wait()
                assert not press.told.is_set()
                hub.taking = True
                await press.told.wait()
            assert [entry.told for entry in shared.ledger.entries()] == ["received"]
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            await device.close()
        listener.close()
        await listener.wait_closed()

    asyncio.run(play())
