"""Two independent readings of the same pages: what the simulators send the hub must read, and the other way."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.care import CareCodec
from devices.codecs.watch import WatchCodec
from devices.model import DeviceRef, Uplink
from simulators import wire
from simulators.bracket import ALARM_BITS, Frame, FrameReader, Position, encode_frame, encode_position, status_word
from tests.simulators.test_bracket import positions
from tests.simulators.test_wire import EPOCH

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
DEVICE = DeviceRef("w-1", "care", {})
fixes = st.builds(wire.Fix, lat=st.floats(1, 80), lon=st.floats(1, 170), accuracy_m=st.none() | st.floats(1, 1e4))
alarms = st.builds(
    wire.Alarm,
    ref=st.text("abcdefghij-0123456789", min_size=1, max_size=64),
    type=st.sampled_from([word for word in wire.ALARM_TYPES if word != "cancel"]),
    observed_at=st.integers(0, 10**9).map(lambda seconds: datetime.fromtimestamp(EPOCH.timestamp() + seconds, UTC)),
    fix=st.none() | fixes,
    battery_pct=st.none() | st.integers(1, 100),
    test=st.booleans(),
)


def uplink(payload: bytes, channel: str = "") -> Uplink:
    return Uplink(payload, NOW, wire.up_topic("w-1", channel) if channel else "")


@given(alarms)
def test_the_hub_reads_every_alarm_a_simulator_sends(alarm: wire.Alarm) -> None:
    decoded = CareCodec().decode(uplink(wire.encode_alarm(alarm), "alarm"), DEVICE)
    assert decoded.error is None
    (event,) = decoded.events
    assert (event.kind, event.type, event.ref) == ("alarm", alarm.type, alarm.ref)
    assert event.observed_at == alarm.observed_at
    assert event.battery_pct == alarm.battery_pct
    if alarm.fix is not None:
        assert event.fix is not None
        assert (event.fix.lat, event.fix.lon) == (alarm.fix.lat, alarm.fix.lon)
    acks = [wire.decode_ack(reply.payload) for reply in decoded.replies]
    assert [(ack.ref, ack.status) for ack in acks] == [(alarm.ref, "received")]
    assert wire.parse_topic(decoded.replies[0].topic) == ("w-1", "down", "ack")


def test_the_hub_reads_the_telemetry_a_simulator_sends() -> None:
    for channel, body in (
        ("vitals", wire.vitals(NOW, {"heart_rate_bpm": 72, "steps": 10, "wearing": True})),
        ("location", wire.location(NOW, wire.Fix(31.9, 118.8, 12.0))),
        ("activity", wire.activity(NOW, "in_bed")),
        ("status", wire.status(online=True, battery_pct=80, rssi_dbm=-70, firmware="x", observed_at=NOW)),
        ("reply", wire.reply(wire.Command("c-1", "find"), NOW, "done")),
    ):
        decoded = CareCodec().decode(uplink(wire.dump(body), channel), DEVICE)
        assert decoded.error is None, channel
        assert [event.kind for event in decoded.events] == [channel]
        assert "faults" not in decoded.events[0].attributes, channel


def test_a_body_cut_off_is_answered_so_that_a_simulator_understands() -> None:
    decoded = CareCodec().decode(uplink(b'{"ref": "a-19", "ty', "alarm"), DEVICE)
    ack = wire.decode_ack(decoded.replies[0].payload)
    assert (ack.ref, ack.status) == (None, "rejected")


@given(positions, st.sampled_from(sorted(ALARM_BITS)))
def test_the_hub_reads_every_bracket_alarm_and_its_reply_is_understood(here: Position, type_: str) -> None:
    position = Position(here.observed_at, None, here.battery_pct, here.steps, status_word(type_))
    frame = encode_frame(Frame("8800000015", encode_position("AL", position)))
    decoded = WatchCodec().decode(uplink(frame), DeviceRef("8800000015", "watch", {}))
    (event,) = decoded.events
    assert (event.kind, event.type, event.observed_at) == ("alarm", type_, here.observed_at)
    replies = [frame for reply in decoded.replies for frame in FrameReader().feed(reply.payload)]
    assert replies == [Frame("8800000015", "AL")]
