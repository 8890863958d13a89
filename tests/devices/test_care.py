from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.alarm_types import ALARM_TYPES
from devices.codecs.care import MAX_ITEMS
from devices.commands import ack_reply, care_command, command_payload
from devices.model import Decoded, Event
from tests.devices.examples import care, care_bytes

_AT = "2026-11-22T15:15:04+08:00"
_SOS: dict[str, Any] = {"ref": "a-17", "type": "sos", "observed_at": _AT}


def _one(decoded: Decoded) -> Event:
    assert decoded.error is None
    assert len(decoded.events) == 1
    return decoded.events[0]


def _told(decoded: Decoded) -> list[dict[str, Any]]:
    assert all(reply.topic == "care/v1/w-1/down/ack" and reply.after_commit for reply in decoded.replies)
    return [json.loads(reply.payload) for reply in decoded.replies]


class TestAlarms:
    def test_a_full_alarm(self) -> None:
        fix = {"lat": 31.90112, "lon": 118.82457, "accuracy_m": 12, "source": "wifi"}
        decoded = care("alarm", _SOS | {"fix": fix, "battery_pct": 64, "test": True, "note": "厨房"})
        event = _one(decoded)
        assert (event.device_id, event.kind, event.type, event.ref) == ("w-1", "alarm", "sos", "a-17")
        assert event.observed_at == datetime(2026, 11, 22, 7, 15, 4, tzinfo=UTC)
        assert event.fix is not None
        assert (event.fix.lat, event.fix.lon, event.fix.accuracy_m, event.fix.source) == (
            31.90112,
            118.82457,
            12,
            "wifi",
        )
        assert (event.battery_pct, event.test, event.note, event.buffered) == (64, True, "厨房", False)
        assert event.attributes == {}
        assert _told(decoded) == [{"ref": "a-17", "status": "received"}]

    @pytest.mark.parametrize("word", sorted(ALARM_TYPES))
    def test_every_type_of_the_table(self, word: str) -> None:
        assert _one(care("alarm", _SOS | {"type": word, "cancels": "a-1"})).type == word
        assert _one(care("alarm", _SOS | {"type": f" {word.upper().replace('_', '-')} "})).type == word

    @pytest.mark.parametrize(
        ("word", "code"), [("sos_v2", "sos_v2"), ("求救", "求救"), (7, None), (None, None), ("", "")]
    )
    def test_an_unknown_type_is_assistance_with_the_word(self, word: object, code: object) -> None:
        event = _one(care("alarm", _SOS | {"type": word}))
        assert event.type == "assistance"
        assert event.attributes["code"] == code
        assert "type" in event.attributes["faults"]

    def test_an_alarm_that_says_nothing_at_all(self) -> None:
        decoded = care("alarm", {})
        event = _one(decoded)
        assert (event.type, event.key, event.ref, event.observed_at) == ("assistance", None, None, None)
        assert _told(decoded) == [{"ref": None, "status": "received"}]

    @pytest.mark.parametrize(
        ("side", "fault"),
        [
            ({"fix": {"lat": 131, "lon": 31}}, "fix"),
            ({"fix": {"lat": 0, "lon": 0}}, "fix"),
            ({"fix": {"lat": "north"}}, "fix"),
            ({"fix": [31.9, 118.8]}, "fix"),
            ({"fix": {"lat": 31.9, "lon": 118.8, "crs": "mars"}}, "fix"),
            ({"fix": {"lat": 31.9, "lon": 118.8, "source": "psychic"}}, "fix.source"),
            ({"fix": {"lat": 31.9, "lon": 118.8, "accuracy_m": "good"}}, "fix.accuracy_m"),
            ({"battery_pct": 142}, "battery_pct"),
            ({"battery_pct": "full"}, "battery_pct"),
            ({"battery_pct": 10**400}, "battery_pct"),
            ({"observed_at": None}, "observed_at"),
            ({"observed_at": "yesterday"}, "observed_at"),
            ({"observed_at": "2026-11-22T15:15:04"}, "observed_at"),
            ({"observed_at": "1970-01-01T00:00:09Z"}, "observed_at"),
            ({"observed_at": 1_795_000_000}, "observed_at"),
            ({"observed_at": "0001-01-01T00:00:00+14:00"}, "observed_at"),
            ({"note": {"a": 1}}, "note"),
            ({"test": "true"}, "test"),
            ({"ref": None}, "ref"),
            ({"ref": ["a"]}, "ref"),
            ({"ref": 17}, "ref"),
            ({"ref": "r" * 65}, "ref"),
            ({"type": "cancel"}, "cancels"),
        ],
    )
    def test_a_bad_side_field_never_costs_the_alarm(self, side: dict[str, Any], fault: str) -> None:
        decoded = care("alarm", _SOS | side)
        event = _one(decoded)
        assert event.kind == "alarm"
        assert event.type == side.get("type", "sos")
        assert not event.test
        assert list(event.attributes["faults"]) == [fault]
        assert event.attributes["faults"][fault]
        assert [told["status"] for told in _told(decoded)] == ["received"]

    def test_a_refused_position_stays_readable(self) -> None:
        event = _one(care("alarm", _SOS | {"fix": {"lat": 131, "lon": 31}}))
        assert event.fix is None
        assert event.attributes["fix_as_sent"] == {"lat": 131, "lon": 31}

    def test_a_ref_too_long_is_echoed_so_that_the_device_stops(self) -> None:
        decoded = care("alarm", _SOS | {"ref": "r" * 70})
        assert _one(decoded).ref == "r" * 64
        assert _told(decoded) == [{"ref": "r" * 70, "status": "received"}]

    def test_numbers_as_ref_are_text(self) -> None:
        decoded = care("alarm", _SOS | {"ref": 17})
        assert _one(decoded).ref == "17"
        assert _told(decoded)[0]["ref"] == "17"

    def test_unknown_fields_stay_beside_the_alarm(self) -> None:
        event = _one(care("alarm", _SOS | {"room": "bath", "gas_ppm": 812, "raw": {"a": [1]}}))
        assert event.attributes["extra"] == {"room": "bath", "gas_ppm": 812, "raw": '{"a": [1]}'}

    def test_text_that_a_database_cannot_keep_is_mended(self) -> None:
        event = _one(care_bytes("alarm", rb'{"ref":"a\u0000b","type":"sos","note":"\ud800x","\u0000":"\u0000"}'))
        whole = json.dumps([event.ref, event.note, dict(event.attributes)])
        assert "\\u0000" not in whole
        assert "\\ud800" not in whole

    def test_a_cancel_names_what_it_cancels(self) -> None:
        event = _one(care("alarm", _SOS | {"type": "cancel", "ref": "a-18", "cancels": "a-17"}))
        assert (event.type, event.cancels, event.ref) == ("cancel", "a-17", "a-18")

    def test_the_topic_says_who_speaks_whatever_the_body_says(self) -> None:
        assert _one(care("alarm", _SOS | {"device_id": "w-999"})).device_id == "w-1"


class TestRepeats:
    def _key(self, **change: object) -> str | None:
        return _one(care("alarm", _SOS | change)).key

    def test_a_repeat_has_the_same_key_however_it_is_written(self) -> None:
        assert self._key() is not None
        assert self._key() == self._key(observed_at="2026-11-22T07:15:04Z", battery_pct=3, type="SOS")

    @pytest.mark.parametrize(
        "change",
        [{"ref": "a-18"}, {"type": "fall"}, {"type": "new_word"}, {"observed_at": "2026-11-22T15:15:05+08:00"}],
    )
    def test_another_ref_type_or_time_is_another_alarm(self, change: dict[str, object]) -> None:
        assert self._key(**change) not in (None, self._key())

    def test_another_device_is_another_alarm(self) -> None:
        assert care("alarm", _SOS, "w-2").events[0].key != self._key()

    def test_two_unknown_words_are_two_alarms(self) -> None:
        assert self._key(type="new_word") != self._key(type="other_word")

    @pytest.mark.parametrize(
        "change", [{"ref": None}, {"observed_at": None}, {"observed_at": "1970-01-01T00:00:09Z"}, {"observed_at": 9}]
    )
    def test_without_ref_or_a_set_clock_there_is_no_key(self, change: dict[str, object]) -> None:
        assert self._key(**change) is None

    def test_a_time_nobody_can_read_still_tells_presses_apart(self) -> None:
        first, second = self._key(observed_at="22.11.2026 15:15:04"), self._key(observed_at="22.11.2026 15:15:05")
        assert first is not None
        assert second is not None
        assert first != second


class TestBodies:
    @pytest.mark.parametrize(
        "payload",
        [
            b"",
            b"\x00",
            b"sos",
            b'{"ref": "a-19", "ty',
            b"[1, 2",
            b"12",
            b'"sos"',
            b"null",
            b"true",
            b"\xff\xfe\x00",
            b"{}}",
        ],
    )
    @pytest.mark.parametrize("channel", ["alarm", "vitals"])
    def test_what_cannot_be_parsed_is_rejected_with_a_reason(self, channel: str, payload: bytes) -> None:
        decoded = care_bytes(channel, payload)
        assert decoded.events == ()
        assert decoded.error
        assert _told(decoded) == [{"ref": None, "status": "rejected", "reason": decoded.error}]

    @pytest.mark.parametrize(
        "payload",
        [
            b'\xef\xbb\xbf{"ref":"a","type":"sos"}',
            b' \r\n{"ref":"a","type":"sos"}\r\n\x00',
            b'{"ref":"a","type":"sos","battery_pct":NaN}',
            '{"ref":"a","type":"sos","note":"厨房"}'.encode("gb18030"),
        ],
    )
    def test_harmless_slips_of_small_firmwares_are_forgiven(self, payload: bytes) -> None:
        event = _one(care_bytes("alarm", payload))
        assert (event.type, event.ref) == ("sos", "a")
        assert event.note in (None, "厨房")

    def test_an_array_gives_each_its_event_and_its_answer_in_order(self) -> None:
        body = [_SOS | {"ref": f"a-{n}"} for n in range(3)]
        decoded = care("alarm", body)
        assert [event.ref for event in decoded.events] == ["a-0", "a-1", "a-2"]
        assert [told["ref"] for told in _told(decoded)] == ["a-0", "a-1", "a-2"]

    def test_one_bad_element_does_not_cost_the_others(self) -> None:
        decoded = care("alarm", [_SOS, "sos", _SOS | {"ref": "a-18"}])
        assert [event.ref for event in decoded.events] == ["a-17", "a-18"]
        assert [(told["ref"], told["status"]) for told in _told(decoded)] == [
            ("a-17", "received"),
            (None, "rejected"),
            ("a-18", "received"),
        ]
        assert decoded.error is not None
        assert "item 1" in decoded.error

    def test_more_than_the_limit_is_said(self) -> None:
        at_limit = care("vitals", [{"heart_rate_bpm": 70, "observed_at": _AT}] * MAX_ITEMS)
        assert (len(at_limit.events), at_limit.error) == (500, None)
        beyond = care("vitals", [{"heart_rate_bpm": 70, "observed_at": _AT}] * (MAX_ITEMS + 1))
        assert len(beyond.events) == 500
        assert beyond.error == "501 items: only the first 500 were taken"
        assert _told(beyond)[-1]["status"] == "rejected"

    def test_an_empty_array_is_no_fault(self) -> None:
        assert care("vitals", []) == Decoded()

    def test_an_array_is_stored_telemetry(self) -> None:
        assert [event.buffered for event in care("vitals", [{"observed_at": _AT, "steps": 1}]).events] == [True]

    @pytest.mark.parametrize(
        ("at", "late"), [("2026-11-22T07:19:30Z", False), ("2026-11-22T03:00:00Z", True), (None, False)]
    )
    def test_an_alarm_in_an_array_is_stored_only_when_it_is_old(self, at: str | None, late: bool) -> None:
        assert care("alarm", [_SOS | {"observed_at": at}]).events[0].buffered is late

    def test_the_sender_may_say_that_a_record_was_stored(self) -> None:
        assert _one(care("vitals", {"observed_at": _AT, "steps": 1, "buffered": True})).buffered

    def test_a_retained_alarm_is_marked(self) -> None:
        event = _one(care("alarm", _SOS, retained=True))
        assert event.buffered
        assert event.attributes["retained"] is True

    def test_a_foreign_topic_is_an_error_without_answer(self) -> None:
        decoded = care("alarm", _SOS, "hub-1")
        assert decoded.error is not None
        assert decoded.replies == ()

    def test_an_unknown_channel_is_unsupported_not_an_error(self) -> None:
        event = _one(care("weather", {"rain": True}))
        assert event.kind == "unsupported"
        assert event.attributes == {"channel": "weather", "body": {"rain": True}}


class TestTelemetry:
    def test_vitals(self) -> None:
        sent = {
            "heart_rate_bpm": 72, "spo2_pct": 97.5, "systolic_mmhg": 131, "diastolic_mmhg": 78, "temperature_c": 36.6,
            "respiration_rpm": 15, "glucose_mmol_l": 5.4, "steps": 1840,
        }  # fmt: skip
        event = _one(care("vitals", sent | {"observed_at": _AT, "wearing": True, "battery_pct": 55.4}))
        assert event.kind == "vitals"
        assert dict(event.vitals) == sent | {"wearing": 1.0}
        assert (event.battery_pct, event.attributes) == (55, {})

    @pytest.mark.parametrize("filler", [0, -1, "", None, 0.0, "0", "-1"])
    def test_fillers_are_no_value(self, filler: object) -> None:
        event = _one(care("vitals", {"observed_at": _AT, "heart_rate_bpm": filler, "spo2_pct": 96}))
        assert dict(event.vitals) == {"spo2_pct": 96}
        assert event.attributes == {}

    def test_no_steps_are_steps(self) -> None:
        assert dict(_one(care("vitals", {"observed_at": _AT, "steps": 0})).vitals) == {"steps": 0}

    @pytest.mark.parametrize("value", [900, -40, "fast", True, [72], 1e300, float("nan"), "1_0"])
    def test_what_is_out_of_range_is_dropped_with_its_reason(self, value: object) -> None:
        event = _one(care("vitals", {"observed_at": _AT, "heart_rate_bpm": value, "spo2_pct": 96}))
        assert dict(event.vitals) == {"spo2_pct": 96}
        assert list(event.attributes["faults"]) == ["heart_rate_bpm"]

    def test_dangerous_values_are_not_out_of_range(self) -> None:
        sent = {
            "heart_rate_bpm": 24,
            "spo2_pct": 61,
            "systolic_mmhg": 240,
            "diastolic_mmhg": 150,
            "temperature_c": 41.9,
        }
        assert dict(_one(care("vitals", sent | {"observed_at": _AT})).vitals) == sent

    def test_what_lies_on_the_bedside_table_measures_nobody(self) -> None:
        event = _one(care("vitals", {"observed_at": _AT, "spo2_pct": 95, "steps": 12, "wearing": False}))
        assert dict(event.vitals) == {"steps": 12, "wearing": 0.0}
        assert event.attributes["faults"] == {"spo2_pct": "95: not worn"}

    @pytest.mark.parametrize("crs", ["gcj02", "GCJ-02", "bd09"])
    def test_chinese_datums_are_converted_and_remembered(self, crs: str) -> None:
        there = {"gcj02": (31.17530398, 121.53154186), "bd09": (31.18091, 121.53805)}[
            "bd09" if crs == "bd09" else "gcj02"
        ]
        event = _one(care("location", {"observed_at": _AT, "fix": {"lat": there[0], "lon": there[1], "crs": crs}}))
        assert event.fix is not None
        assert event.fix.lat == pytest.approx(31.1774276, abs=1e-6 if crs != "bd09" else 1e-3)
        assert event.fix.lon == pytest.approx(121.5272106, abs=1e-6 if crs != "bd09" else 1e-3)
        assert event.attributes["crs"] == crs.lower().replace("-", "")

    @pytest.mark.parametrize("accuracy", [0, -1, None, ""])
    def test_no_receiver_is_exact(self, accuracy: object) -> None:
        fix = {"lat": 31.9, "lon": 118.8, "accuracy_m": accuracy}
        event = _one(care("location", {"observed_at": _AT, "fix": fix}))
        assert event.fix is not None
        assert event.fix.accuracy_m is None
        assert event.fix.source == "gnss"
        assert event.attributes == {}

    def test_a_location_without_position_says_so(self) -> None:
        event = _one(care("location", {"observed_at": _AT}))
        assert (event.fix, event.attributes) == (None, {"faults": {"fix": "missing"}})

    def test_activity(self) -> None:
        event = _one(care("activity", {"observed_at": _AT, "state": "in_bed"}))
        assert (event.kind, event.attributes) == ("activity", {"state": "in_bed"})

    def test_status_and_last_will(self) -> None:
        event = _one(care("status", {"online": True, "battery_pct": 80, "rssi_dbm": -71, "firmware": "1.4"}))
        assert (event.kind, event.battery_pct, event.observed_at) == ("status", 80, None)
        assert event.attributes == {"online": True, "rssi_dbm": -71, "firmware": "1.4"}
        will = _one(care("status", {"online": False}, retained=True))
        assert will.attributes == {"online": False, "retained": True}
        assert not will.buffered

    def test_wiping_a_retained_status_says_nothing(self) -> None:
        assert care_bytes("status", b"") == Decoded()

    def test_reply(self) -> None:
        event = _one(care("reply", {"id": "c-801", "status": "done", "seconds": 300}))
        assert (event.kind, event.ref, event.attributes) == ("reply", "c-801", {"status": "done", "seconds": 300})

    def test_the_key_is_device_channel_time_and_content(self) -> None:
        body = {"observed_at": _AT, "heart_rate_bpm": 72}
        key = _one(care("vitals", body)).key
        assert key is not None
        assert key == _one(care("vitals", body)).key
        assert key == care("vitals", [body]).events[0].key
        assert key != _one(care("vitals", body | {"heart_rate_bpm": 73})).key
        assert key != _one(care("activity", body)).key
        assert key != care("vitals", body, "w-2").events[0].key
        assert _one(care("vitals", {"heart_rate_bpm": 72})).key is None

    def test_telemetry_gets_no_answer(self) -> None:
        assert care("vitals", {"observed_at": _AT, "steps": 1}).replies == ()


class TestDownlinks:
    def test_ack(self) -> None:
        reply = ack_reply("w-1", "a-17", "hold", message="我们马上联系您")
        assert reply.topic == "care/v1/w-1/down/ack"
        assert json.loads(reply.payload) == {"ref": "a-17", "status": "hold", "message": "我们马上联系您"}

    def test_command(self) -> None:
        reply = care_command("w-1", "c-801", "set_interval", {"seconds": 300})
        assert reply.topic == "care/v1/w-1/down/command"
        assert json.loads(reply.payload) == {"id": "c-801", "command": "set_interval", "seconds": 300}

    @pytest.mark.parametrize(
        ("command_id", "command", "params"),
        [
            ("", "locate", {}),
            ("x" * 65, "locate", {}),
            ("c", "Locate", {}),
            ("c", "", {}),
            ("c", "locate", {"id": "d"}),
        ],
    )
    def test_bad_commands_are_refused(self, command_id: str, command: str, params: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"command|parameter"):
            command_payload(command_id, command, params)
