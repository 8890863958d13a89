"""What each family can be told, and what its answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import FAMILIES, DeviceRef, Event, Uplink
from devices.codecs.minifinder2 import Minifinder2Codec, minifinder2_frame
from devices.dialects import DIALECTS, Answer, Order, answer_of, commands_of, token_of

ID = "355550001234567"
FIELDS = {"seconds": 60, "text": "您好", "number": "110", "level": 3}
EVERY = [(family, command) for family, dialect in DIALECTS.items() for command in dialect.names]


def order(command: str, family: str = "watch", **fields: Any) -> Order:
    device = "wang:pixel" if family == "owntracks" else ID
    return Order(device, "018f-1", command, fields, at=datetime(2026, 11, 22, 7, 15, 4, tzinfo=UTC))


@pytest.mark.parametrize(("family", "command"), EVERY)
def test_every_command_can_be_said(family: str, command: str) -> None:
    told = order(command, family, **FIELDS)
    reply = DIALECTS[family].encode(told)
    assert reply.payload
    assert bool(reply.topic) == (DIALECTS[family].via == "mqtt")
    assert token_of(family, told)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in DIALECTS])
def test_who_only_reports_cannot_be_told(family: str) -> None:
    assert commands_of(family) == ()
    with pytest.raises(ValueError, match="they cannot be told anything"):
        token_of(family, order("locate"))


@pytest.mark.parametrize(
    ("family", "command", "says"),
    [
        ("iw", "speak", "text: "),
        ("iw", "set_interval", "seconds: "),
        ("iw", "dance", "have no command 'dance'"),
        ("gt06", "set_interval", "seconds: "),
        ("h02", "set_interval", "seconds: "),
        ("minifinder2", "set_interval", "seconds: "),
        ("minifinder2", "set_sos_number", "number: "),
        ("minifinder2", "measure", "have no command 'measure'"),
        ("care", "call", "number: "),
        ("watch", "call", "number: "),
    ],
)
def test_a_wrong_one_is_refused_before_it_leaves(family: str, command: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        token_of(family, order(command, family))


def test_the_frames_are_those_of_the_page() -> None:
    assert DIALECTS["h02"].encode(order("locate")).payload == b"*HQ,355550001234567,D1,071504,60,1#"
    assert DIALECTS["iw"].encode(order("locate")).payload == f"IWBP16,{ID},{order('locate').serial}#".encode()
    sent = DIALECTS["gt06"].encode(order("locate")).payload
    assert sent[:4] == b"\x78\x78\x12\x80"
    assert b"WHERE#\x00\x02" in sent


@pytest.mark.parametrize(
    ("command", "fields", "body"),
    [
        ("find", {}, "04 0113"),
        ("reboot", {}, "04 0112"),
        ("locate", {}, "02 0545 1400b400"),
        ("set_interval", {"seconds": 60}, "02 0d44 58020080 3c000000 2c010000"),
        ("set_interval", {"seconds": 900}, "02 0d44 58020080 84030000 84030000"),
        ("set_sos_number", {"number": "+8613900000000"}, "02 1030 e0 2b38363133393030303030303030"),
        ("set_sos_number", {"number": "120", "slot": 3}, "02 0530 e2 313230"),
    ],
)
def test_a_pendant_is_told_with_a_number_and_answers_with_it(command: str, fields: dict[str, Any], body: str) -> None:
    told = order(command, "minifinder2", **fields)
    sent = DIALECTS["minifinder2"].encode(told).payload
    assert (sent[:2], sent[8:]) == (b"\xab\x10", bytes.fromhex(body))
    (heard,) = Minifinder2Codec().decode(Uplink(sent, told.at), DeviceRef(ID)).events
    assert "faults" not in heard.attributes

    def answered(content: bytes) -> Answer | None:
        frame = minifinder2_frame(content, int.from_bytes(sent[6:8], "little"))
        (event,) = Minifinder2Codec().decode(Uplink(frame, told.at), DeviceRef(ID)).events
        return answer_of("minifinder2", event)

    token = token_of("minifinder2", told)
    assert answered(b"\x7f\x01\x00") == Answer(token, "taken")
    assert answered(bytes((sent[8],))) == Answer(token, "taken")  # a newer generation repeats the type alone
    refused = answered(b"\x7f\x01\x26")
    assert refused is not None
    assert (refused.token, refused.state) == (token, "failed")
    assert "function not supported" in (refused.reason or "")


@pytest.mark.parametrize("family", DIALECTS)
@given(
    ref=st.none() | st.text(max_size=20),
    attributes=st.dictionaries(
        st.sampled_from(["command", "content", "status", "reason", "index", "code"]),
        st.none() | st.text(max_size=20) | st.integers(),
    ),
)
def test_any_reply_is_understood_or_left(family: str, ref: str | None, attributes: dict[str, Any]) -> None:
    answer = answer_of(family, Event(ID, "reply", ref=ref, attributes=attributes))
    assert answer is None or answer.state in ("done", "taken", "failed")
    assert answer_of(family, Event(ID, "status", ref=ref, attributes=attributes)) is None
