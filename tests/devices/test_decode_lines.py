from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devices.registry import UnknownFamilyError
from hub.decode import decode_lines
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW, al_frame

_LK = "[3G*5550001234*0009*LK,5,1,80]"
_AL = f"[3G*5550001234*0000*{al_frame('00010000')}]"
_FIELDS = ["device_id", "kind", "type", "observed_at", "fix", "vitals", "battery_pct", "ref", "buffered", "attributes"]


def _run(family: str, *lines: str | bytes, **options: bool) -> tuple[list[dict[str, Any]], bool, list[str]]:
    decoding = decode_lines(family, lines, received_at=NOW, **options)
    found = [json.loads(result.to_text()) for result in decoding]
    return found, decoding.any_error, decoding.warnings


def _mqtt(channel: str, payload: object) -> str:
    return json.dumps({"topic": f"care/v1/w-1/up/{channel}", "payload": payload}, ensure_ascii=False)


def test_text_frames() -> None:
    found, any_error, _ = _run("watch", _LK + "\n", "\r\n", _AL + "\r\n")
    assert not any_error
    assert [one["replies"] for one in found] == [["[3G*5550001234*0002*LK]"], ["[3G*5550001234*0002*AL]"]]
    assert list(found[0]) == ["events", "replies", "error"]
    assert list(found[1]["events"][0]) == _FIELDS
    assert found[1]["events"][0] | {"attributes": {}} == {
        "device_id": "5550001234", "kind": "alarm", "type": "sos", "fix": None,
        "observed_at": "2026-11-22T07:15:04+00:00",
        "vitals": {"steps": 1840}, "battery_pct": 41, "ref": "221126071504-00010000",
        "buffered": False, "attributes": {},
    }  # fmt: skip


def test_a_bad_line_gives_its_error_and_the_rest_goes_on() -> None:
    found, any_error, _ = _run("watch", _LK, "nonsense", _AL)
    assert any_error
    assert [one["error"] is None for one in found] == [True, False, True]
    assert found[1]["events"] == []
    assert found[1]["error"].startswith("line 2: not a [VV*ID*LEN*content] frame")


def test_hex_in_hex_out() -> None:
    found, any_error, _ = _run("watch", _LK.encode().hex(" "), "5b3", hex=True)
    assert bytes.fromhex(found[0]["replies"][0]) == b"[3G*5550001234*0002*LK]"
    assert any_error
    assert "not hex digits" in found[1]["error"]


def test_bytes_that_are_no_text_survive() -> None:
    found, any_error, _ = _run("watch", b"[3G*5550001234*0000*TK,\xff\xfe\x00]", "[3G*5550001234*0000*TK,\udcff]")
    assert not any_error
    assert [one["events"][0]["attributes"]["bytes"] for one in found] == [3, 1]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_a_stream_gives_an_object_for_each_frame_as_it_completes(chunk: int) -> None:
    raw = (_LK + "\r\n" + _AL + _LK).encode()
    lines = [raw[start : start + chunk].hex() for start in range(0, len(raw), chunk)]
    found, any_error, warnings = _run("watch", *lines, stream=True)
    assert (any_error, warnings) == (False, [])
    assert [one["events"][0]["kind"] for one in found] == ["heartbeat", "alarm", "heartbeat"]
    assert found[1]["replies"] == ["[3G*5550001234*0002*AL]"]


def test_results_of_a_stream_come_before_the_next_chunk_is_read() -> None:
    def chunks() -> Any:
        yield _LK.encode().hex()
        raise AssertionError("read ahead")

    assert next(decode_lines("watch", chunks(), stream=True, received_at=NOW)).error is None


def test_a_stream_that_ends_inside_a_frame() -> None:
    found, any_error, warnings = _run("watch", _LK.encode().hex(), b"xyz[3G*55".hex(), "zz", stream=True)
    assert [one["error"] is None for one in found] == [True, False]
    assert any_error
    assert warnings == [
        "the stream ended inside a frame: 6 bytes were left",
        "3 bytes of the stream belonged to no frame",
    ]


def test_a_frame_held_by_an_open_bracket_is_saved_at_the_end() -> None:
    frame = f"[3G*5550001234*0001*{al_frame('00010000', tail='0,1,Caf[e,aa:bb:cc:dd:ee:01,-50')}]"
    found, _, warnings = _run("watch", frame.encode().hex(), stream=True)
    assert [one["events"][0]["type"] for one in found] == ["sos"]
    assert warnings == []


@needs("captures/framing_vectors.jsonl")
def test_captured_streams() -> None:
    for row in rows("captures/framing_vectors.jsonl"):
        if row["protocol"] == "watch":
            found, any_error, _ = _run("watch", row["stream_hex"], stream=True)
            assert found
            assert not any_error


@pytest.mark.parametrize("mqtt", [True, False])
def test_mqtt_payload_as_object_array_or_text(mqtt: bool) -> None:
    body = {"ref": "a-17", "type": "sos", "observed_at": "2026-11-22T15:15:04+08:00", "note": "厨房"}
    text = json.dumps(body, ensure_ascii=False)
    found, any_error, _ = _run("care", _mqtt("alarm", body), _mqtt("alarm", [body]), _mqtt("alarm", text), mqtt=mqtt)
    assert not any_error
    assert [one["events"][0]["ref"] for one in found] == ["a-17"] * 3
    assert found[0]["events"][0]["attributes"] == {"note": "厨房"}
    assert found[0]["replies"] == [{"topic": "care/v1/w-1/down/ack", "payload": {"ref": "a-17", "status": "received"}}]


def test_mqtt_as_a_subscriber_prints_it() -> None:
    found, any_error, _ = _run("care", 'care/v1/w-1/up/vitals {"observed_at": "2026-11-22T07:15:04Z", "wearing": true}')
    assert not any_error
    assert found[0]["events"][0]["vitals"] == {"wearing": True}
    strict, any_error, _ = _run("care", 'care/v1/w-1/up/vitals {"steps": 1}', mqtt=True)
    assert any_error
    assert strict[0]["events"] == []


def test_a_name_with_blanks_as_a_subscriber_prints_it() -> None:
    found, any_error, _ = _run("zigbee2mqtt", 'zigbee2mqtt/kitchen smoke {"smoke": true, "battery": 87}')
    assert not any_error
    (event,) = found[0]["events"]
    assert (event["type"], event["attributes"]["friendly_name"]) == ("smoke", "kitchen smoke")
    plain, any_error, _ = _run("zigbee2mqtt", "zigbee2mqtt/door/availability offline")
    assert not any_error
    assert plain[0]["events"][0]["attributes"]["online"] is False


def test_mqtt_retained_and_hex() -> None:
    line = {"topic": "care/v1/w-1/up/status", "payload": b'{"online": false}'.hex(), "retained": True}
    found, _, _ = _run("care", json.dumps(line), mqtt=True, hex=True)
    assert found[0]["events"][0]["attributes"] == {"online": False, "retained": True}


def test_what_is_set_on_an_alarm_is_not_hidden() -> None:
    found, _, _ = _run("care", _mqtt("alarm", {"ref": "b", "type": "cancel", "cancels": "a", "test": True}))
    assert found[0]["events"][0]["attributes"] | {"faults": 0} == {"cancels": "a", "test": True, "faults": 0}


@pytest.mark.parametrize("line", ["{", "[]", '{"topic": "x"}', '{"topic": 5, "payload": {}}', '"x"', "5", "\ud800"])
def test_mqtt_lines_that_are_none(line: str) -> None:
    found, any_error, _ = _run("care", line.encode("utf-8", "surrogatepass"), mqtt=True)
    assert any_error
    assert "topic" in found[0]["error"]


def test_a_rejected_body_shows_its_answer() -> None:
    found, any_error, _ = _run("care", _mqtt("alarm", '{"ref": "a-19", "ty'), mqtt=True)
    assert any_error
    assert found[0]["replies"][0]["payload"] | {"reason": ""} == {"ref": None, "status": "rejected", "reason": ""}


def test_unknown_families_and_options_that_do_not_fit() -> None:
    with pytest.raises(UnknownFamilyError, match="known: care watch"):
        decode_lines("toaster", [], received_at=NOW)
    with pytest.raises(ValueError, match="not spoken over a TCP stream"):
        decode_lines("care", [], stream=True, received_at=NOW)
    with pytest.raises(ValueError, match="not both"):
        decode_lines("watch", [], stream=True, mqtt=True, received_at=NOW)


def _document(name: str) -> str:
    return (Path(__file__).resolve().parents[2] / "docs" / "wire" / name).read_text("utf-8")


def test_the_examples_of_the_watch_document_are_true() -> None:
    frames = re.findall(r"^(\[.*\])$", _document("watch.md"), re.MULTILINE)
    found, any_error, _ = _run("watch", *frames)
    assert not any_error
    assert [[event["type"] for event in one["events"]] for one in found] == [["sos", "fall"], [None]]
    assert all(one["replies"][0] in _document("watch.md") for one in found)


def test_the_examples_of_the_care_document_are_true() -> None:
    text = _document("care-v1.md")
    examples = re.findall(r"^up/(\w+) +([\[{].*(?:\n {10,}.*)*)$", text[text.index("## 8.") :], re.MULTILINE)
    assert len(examples) == 7
    found, _, _ = _run("care", *(_mqtt(channel, body) for channel, body in examples))
    assert [one["error"] is None for one in found] == [True, True, True, True, True, False, True]
    assert all(not {"faults", "extra"} & set(event["attributes"]) for one in found for event in one["events"])
    for one in found:
        for reply in one["replies"]:
            assert json.dumps(reply["payload"]) in text
