"""care/v1 from the sender's side."""

from __future__ import annotations

import contextlib
import json
import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import wire

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)

ids = st.text(string.ascii_letters + string.digits + "_.:-", min_size=1, max_size=64).filter(wire.is_device_id)
words = st.text(min_size=1, max_size=64)
moments = st.builds(
    lambda millis, zone: (EPOCH + timedelta(milliseconds=millis)).astimezone(zone),
    st.integers(0, 10**12 * 3),
    st.sampled_from([UTC, timezone(timedelta(hours=8))]),
)
fixes = st.builds(
    wire.Fix,
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    accuracy_m=st.none() | st.floats(0.1, 1e5),
    source=st.sampled_from(wire.FIX_SOURCES),
    crs=st.none() | st.sampled_from(wire.CRS),
)
alarms = st.builds(
    wire.Alarm,
    ref=words,
    type=st.sampled_from(wire.ALARM_TYPES),
    observed_at=moments,
    fix=st.none() | fixes,
    battery_pct=st.none() | st.integers(0, 100),
    test=st.booleans(),
    note=st.none() | st.text(),
    cancels=st.none() | words,
)


@given(alarms)
def test_an_alarm_comes_back_as_it_went(alarm: wire.Alarm) -> None:
    assert wire.decode_alarms(wire.encode_alarm(alarm)) == [alarm]


@given(alarms)
def test_a_repeat_is_the_same_bytes(alarm: wire.Alarm) -> None:
    assert wire.encode_alarm(alarm) == wire.encode_alarm(alarm)


@given(st.builds(wire.Ack, ref=st.none() | words, status=st.sampled_from(wire.TOLD), reason=st.none() | st.text()))
def test_an_answer_comes_back_as_it_went(ack: wire.Ack) -> None:
    assert wire.decode_ack(wire.encode_ack(ack)) == ack


@given(
    words,
    words,
    st.dictionaries(words.filter(lambda word: word not in ("id", "command")), st.integers() | st.text(), max_size=4),
)
def test_a_command_comes_back_as_it_went(name: str, word: str, values: dict[str, int | str]) -> None:
    command = wire.Command(name, word, values)
    assert wire.decode_command(wire.encode_command(command)) == command


@given(ids, st.sampled_from(wire.UP_CHANNELS))
def test_topics_come_back_as_they_went(device_id: str, channel: str) -> None:
    assert wire.parse_topic(wire.up_topic(device_id, channel)) == (device_id, "up", channel)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    for decode in (wire.decode_alarms, wire.decode_ack, wire.decode_command):
        with contextlib.suppress(wire.WireError):
            assert decode(payload) is not None


def test_an_alarm_has_the_documented_fields() -> None:
    moment = datetime(2026, 11, 22, 15, 15, 4, tzinfo=timezone(timedelta(hours=8)))
    alarm = wire.Alarm("a-17", "sos", moment, wire.Fix(31.90112, 118.82457, 12), battery_pct=64)
    assert json.loads(wire.encode_alarm(alarm)) == {
        "ref": "a-17",
        "type": "sos",
        "observed_at": "2026-11-22T15:15:04.000+08:00",
        "fix": {"lat": 31.90112, "lon": 118.82457, "accuracy_m": 12, "source": "gnss"},
        "battery_pct": 64,
    }


def test_telemetry_has_the_documented_fields() -> None:
    moment = datetime(2026, 11, 22, 7, 20, tzinfo=UTC)
    at = "2026-11-22T07:20:00.000+00:00"
    assert wire.vitals(moment, {"heart_rate_bpm": 72, "wearing": True}) == {
        "observed_at": at,
        "heart_rate_bpm": 72,
        "wearing": True,
    }
    assert wire.location(moment, wire.Fix(1, 2, crs="gcj02"))["fix"]["crs"] == "gcj02"
    assert wire.activity(moment, "in_bed") == {"observed_at": at, "state": "in_bed"}
    assert wire.status(online=False) == {"online": False}
    assert wire.reply(wire.Command("c-1", "find"), moment, "done") == {"id": "c-1", "observed_at": at, "status": "done"}


@pytest.mark.parametrize("device_id", ["", "hub-1", "a/b", "a b", "x" * 65, "a+", "#"])
def test_bad_device_ids_are_refused(device_id: str) -> None:
    with pytest.raises(wire.WireError, match="no device id"):
        wire.up_topic(device_id, "alarm")


@pytest.mark.parametrize(
    ("refused", "what"),
    [
        (lambda: wire.encode_alarm(wire.Alarm("", "sos", datetime.now(UTC))), "ref"),
        (lambda: wire.encode_alarm(wire.Alarm("a", "sos", EPOCH.replace(tzinfo=None))), "no offset"),
        (lambda: wire.encode_alarm(wire.Alarm("a", "sos", datetime.now(UTC), wire.Fix(91, 0))), "not on the earth"),
        (lambda: wire.vitals(datetime.now(UTC), {"pulse": 3}), "vitals field"),
        (lambda: wire.dump([]), "array of 0"),
        (lambda: wire.dump([{}] * 501), "array of 501"),
        (lambda: wire.decode_ack(b'{"ref": "a", "status": "ok"}'), "ack.status"),
        (lambda: wire.decode_command(b'{"command": "find"}'), "command.id"),
        (lambda: wire.decode_alarms(b"[]"), "array of 0"),
    ],
)
def test_what_the_wire_does_not_allow_is_named(refused: object, what: str) -> None:
    assert callable(refused)
    with pytest.raises(wire.WireError, match=what):
        refused()
