"""Whatever arrives: no exception, no flood of events, nothing a database or JSON could not keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.codecs.care import MAX_ITEMS
from devices.model import Decoded
from devices.topics import UP_CHANNELS
from hub.decode import to_json
from tests.devices.captures import rows
from tests.devices.examples import al_frame, care_bytes, watch, watch_text

_CHANNELS = st.sampled_from([*UP_CHANNELS, "weather"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-22T07:15:04Z", "9999-12-31T23:59:59-14:00", "sos", "1e400", "\x00", "0"])
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        "ref",
        "type",
        "observed_at",
        "fix",
        "battery_pct",
        "test",
        "note",
        "cancels",
        "buffered",
        "heart_rate_bpm",
        "spo2_pct",
        "steps",
        "wearing",
        "online",
        "rssi_dbm",
        "firmware",
        "state",
        "id",
    ]
)
_FIXES = st.dictionaries(
    st.sampled_from(["lat", "lon", "accuracy_m", "source", "crs", "observed_at"]), _JSON, max_size=6
)
_BODIES = st.dictionaries(_NAMES, _JSON | _FIXES, max_size=8)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _keepable(decoded: Decoded, size: int) -> None:
    assert isinstance(decoded.error, str | None)
    assert len(decoded.events) <= MAX_ITEMS
    for event in decoded.events:
        text = json.dumps(to_json(event), allow_nan=False, ensure_ascii=False)
        assert all("\x00" not in found for found in _texts(json.loads(text)))
        text.encode("utf-8")
        assert len(text) < 20 * size + 40_000
        assert event.key is None or (len(event.key) < 200 and event.key.isascii())
        assert event.ref is None or 1 <= len(event.ref) <= 64
        assert event.observed_at is None or isinstance(event.observed_at, datetime)
    for reply in decoded.replies:
        assert reply.payload


@settings(max_examples=300, deadline=None)
@given(_CHANNELS, st.binary(max_size=200))
def test_any_bytes(channel: str, payload: bytes) -> None:
    _keepable(care_bytes(channel, payload), len(payload))


@settings(max_examples=500, deadline=None)
@given(_CHANNELS, _BODIES | st.lists(_BODIES | _JSON, max_size=4) | _JSON)
@example("alarm", {"type": "sos", "fix": {"lat": 31.9, "lon": 118.8, "source": ["gnss"], "crs": {}}})
def test_any_json(channel: str, body: Any) -> None:
    payload = json.dumps(body).encode()
    decoded = care_bytes(channel, payload)
    _keepable(decoded, len(payload))
    if channel == "alarm":  # each object on the alarm channel is an alarm, whatever it holds
        objects = (
            [body]
            if isinstance(body, dict)
            else [item for item in body if isinstance(item, dict)]
            if isinstance(body, list)
            else []
        )
        assert len(decoded.events) == len(objects)
        assert all(event.kind == "alarm" and event.type for event in decoded.events)
    else:
        assert all(event.kind != "alarm" for event in decoded.events)


def test_deep_nests_and_endless_numbers() -> None:
    for deep in (b'{"note":' + b"[" * 5000 + b"]" * 5000 + b"}", b"[" * 200_000, b'{"a":' * 100_000):
        for channel in UP_CHANNELS:
            _keepable(care_bytes(channel, deep), len(deep))
    for endless in (
        b'{"type":"sos","battery_pct":' + b"9" * 10_000 + b"}",
        b'{"type":"sos","ref":1' + b"0" * 5000 + b"}",
    ):
        _keepable(care_bytes("alarm", endless), len(endless))


def test_a_few_hundred_levels_beside_an_alarm_do_not_cost_it() -> None:
    decoded = care_bytes("alarm", b'{"type":"sos","ref":"a","x":' + b"[" * 300 + b"]" * 300 + b"}")
    assert [event.type for event in decoded.events] == ["sos"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda inner: b"[3G*5550001234*0010*" + inner + b"]"))
def test_any_watch_bytes(payload: bytes) -> None:
    _keepable(watch(payload), len(payload))


_FIELD = st.text(st.characters(blacklist_characters=",[]", blacklist_categories=["Cs"]), max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["AL", "AL_LTE", "UD", "UD2", "WT", "LK", "bphrt", "GS1", "TEMP"]), st.lists(_FIELD, max_size=30)
)
def test_any_watch_fields(word: str, fields: list[str]) -> None:
    decoded = watch_text(",".join([word, *fields]))
    _keepable(decoded, 1000)
    assert len(decoded.events) >= 1
    if word.startswith("AL"):
        assert all(event.kind == "alarm" for event in decoded.events)
        assert len(decoded.replies) == 1


_VALID = [row["frame"].encode() for row in rows("captures/watch_frames.jsonl")] or [
    f"[3G*5550001234*0000*{al_frame('00010000')}]".encode()
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_VALID), st.integers(0, 10**6), st.binary(max_size=3), st.integers(0, 3))
def test_mutated_frames(frame: bytes, at: int, put: bytes, cut: int) -> None:
    at %= len(frame)
    mutated = frame[:at] + put + frame[at + cut :]
    decoded = watch(mutated)
    _keepable(decoded, len(mutated))
    head, _, _ = frame.partition(b",")
    if (
        head.split(b"*")[-1].startswith(b"AL")
        and at > len(head)
        and not set(put) & set(b"[]")
        and mutated.endswith(b"]")
    ):
        # However an alarm frame is damaged behind its first word, it stays an alarm and gets its answer.
        assert decoded.events
        assert all(event.kind == "alarm" for event in decoded.events)
        assert len(decoded.replies) == 1
