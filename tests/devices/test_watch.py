from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.codecs.watch_table import ALARM_BITS
from devices.model import Decoded, Event
from tests.devices.captures import document, needs, rows
from tests.devices.examples import al_frame, watch, watch_text

_FRAMES = "captures/watch_frames.jsonl"
_OUR_WORD = {"device_removed": "off_wrist", "geofence_exit": "wandering"}
_EXTRA_ANSWERS = {"bphrt": "bphrt"}  # the vendor's document wants these; the decoder the captures were run on is silent


def _types(decoded: Decoded) -> list[str | None]:
    return [event.type for event in decoded.events if event.kind == "alarm"]


def _one(decoded: Decoded) -> Event:
    assert decoded.error is None
    assert len(decoded.events) == 1
    return decoded.events[0]


def _texts(decoded: Decoded) -> list[str]:
    return [reply.payload.decode() for reply in decoded.replies]


@needs(_FRAMES)
@pytest.mark.parametrize("row", rows(_FRAMES), ids=lambda row: str(row["id"]))
class TestCaptures:
    def test_canonical_truth(self, row: dict[str, Any]) -> None:
        truth = row["expect"]["canonical"]
        decoded = watch(row["frame"].encode())
        assert decoded.error is None
        assert {event.device_id for event in decoded.events} == {row["watch"]["device_id"]}
        assert all(event.attributes["trust"] == "unauthenticated" for event in decoded.events)
        if "alarms" not in truth:
            self._short_message(truth, _one(decoded))
            return
        assert _types(decoded) == [_OUR_WORD.get(word, word) for word in truth["alarms"]]
        for event in decoded.events:
            assert event.observed_at == datetime.fromisoformat(truth["time_utc"])
            assert (event.fix is not None) == truth["fix"]
            if event.fix is not None:
                assert (event.fix.lat, event.fix.lon) == (truth["lat"], truth["lon"])
            assert event.battery_pct == truth["battery"]
            assert event.vitals["steps"] == truth["steps"]
            assert event.buffered == truth["buffered"]
            assert event.attributes.get("speed_kmh") == truth["speed_kmh"]
            assert event.attributes["gsm_pct"] == truth["gsm"]
            assert event.attributes["states"] == truth["states"]
            assert event.key is not None

    @staticmethod
    def _short_message(truth: dict[str, Any], event: Event) -> None:
        names = {
            "heart_rate": "heart_rate_bpm",
            "systolic": "systolic_mmhg",
            "diastolic": "diastolic_mmhg",
            "steps": "steps",
        }
        assert dict(event.vitals) == {names[word]: value for word, value in truth.items() if word in names}
        assert event.battery_pct == truth.get("battery")
        assert (event.kind == "heartbeat") >= truth.get("heartbeat", False)
        assert event.kind != "unsupported"
        assert event.key is None

    def test_what_is_heard_around(self, row: dict[str, Any]) -> None:
        """Cells, stations and course, which only the oracle tells."""
        event = watch(row["frame"].encode()).events[-1]
        for truth in row["expect"]["traccar_decoded"]:
            network = truth.get("network", {})
            cells = {(one["mcc"], one["mnc"], one["lac"], one["cid"]) for one in network.get("cells", ())}
            found = event.attributes.get("cells", ())
            assert {(one["mcc"], one["mnc"], one["lac"], one["cell"]) for one in found} == cells
            stations = {one["mac"].lower(): one["rssi"] for one in network.get("wifi", ())}
            if stations or not row["id"].endswith("Decode-049"):  # it misses those of a frame without cells
                assert {one["mac"]: one["rssi_dbm"] for one in event.attributes.get("wifi", ())} == stations
            if truth.get("valid"):
                assert event.attributes["course_deg"] == truth["course"]

    def test_replies(self, row: dict[str, Any]) -> None:
        decoded = watch(row["frame"].encode())
        expected = [reply["text"] for reply in row["expect"]["traccar_reply"]]
        content = _EXTRA_ANSWERS.get(row["watch"]["type"])
        if content:
            expected = [f"[{row['watch']['vendor']}*{row['watch']['device_id']}*{len(content):04x}*{content}]"]
        assert _texts(decoded) == expected
        assert all(reply.after_commit for reply in decoded.replies if "*AL]" in reply.payload.decode())


@needs("captures/alarm_codes.json")
def test_every_published_alarm_bit_is_in_the_table() -> None:
    table = document("captures/alarm_codes.json")["watch_status_bits"]["alarm"]
    assert {int(bit): _OUR_WORD.get(word, word) for bit, word in table.items()} == dict(ALARM_BITS)


class TestAlarms:
    @pytest.mark.parametrize("bit", range(16, 32))
    @pytest.mark.parametrize("state", [0, 0x0001, 0x0004, 0x001F, 0xFFFF])
    def test_each_alarm_bit_alone_whatever_the_state_bits(self, bit: int, state: int) -> None:
        event = _one(watch_text(al_frame(f"{1 << bit | state:08x}")))
        assert event.kind == "alarm"
        assert event.type == ALARM_BITS.get(bit, "assistance")
        assert event.attributes.get("code") == (None if bit in ALARM_BITS else f"bit {bit}")

    def test_every_bit_is_an_event_with_a_key_of_its_own(self) -> None:
        decoded = watch_text(al_frame("ffff0000"))
        assert len(decoded.events) == 16
        assert _types(decoded)[:7] == list(ALARM_BITS.values())
        assert len({event.key for event in decoded.events}) == 16
        assert _texts(decoded) == ["[3G*5550001234*0002*AL]"]

    @pytest.mark.parametrize("status", ["00000000", "00000010", "00000001", "0000", "0010"])
    def test_an_alarm_frame_without_alarm_bit_is_assistance(self, status: str) -> None:
        event = _one(watch_text(al_frame(status)))
        assert (event.type, event.attributes["code"]) == ("assistance", status)

    def test_the_oldest_firmware_means_its_low_battery(self) -> None:
        assert _types(watch_text(al_frame("0001", word="AL"))) == ["low_battery"]
        assert _types(watch_text(al_frame("0000", word="UD"))) == []
        assert _types(watch_text(al_frame("0001", word="UD"))) == []

    @pytest.mark.parametrize("word", ["AL", "AL_LTE", "AL_WCDMA", "ALCUSTOMER1", "al_lte"])
    def test_every_kind_of_alarm_frame_is_answered_al_after_the_commit(self, word: str) -> None:
        decoded = watch_text(al_frame("00010000", word=word), "SG")
        assert _types(decoded) == ["sos"]
        assert _texts(decoded) == ["[SG*5550001234*0002*AL]"]
        assert decoded.replies[0].after_commit

    @pytest.mark.parametrize(
        "content",
        [
            "AL",
            "AL,",
            "AL,221126",
            "AL,221126,071504,V",
            "AL,x,y,z,a,b,c,d",
            "AL_LTE" + "," * 40,
            al_frame("xyz"),
            al_frame(""),
        ],
    )
    def test_a_broken_alarm_frame_is_still_an_alarm(self, content: str) -> None:
        decoded = watch_text(content)
        event = _one(decoded)
        assert (event.kind, event.type) == ("alarm", "assistance")
        assert event.attributes["faults"]
        assert _texts(decoded) == ["[3G*5550001234*0002*AL]"]

    @pytest.mark.parametrize(
        "head", ["3G*5550001234*zzzz*", "3G*5550001234**", "3G*5550001234*", "3G*5550001234*00001*"]
    )
    def test_a_broken_length_does_not_cost_an_alarm(self, head: str) -> None:
        assert _types(watch(f"[{head}{al_frame('00210000')}]".encode())) == ["sos", "fall"]

    def test_a_position_frame_with_an_alarm_bit_is_an_alarm_without_answer(self) -> None:
        decoded = watch_text(al_frame("00200000", word="UD_LTE", valid="A"))
        assert _types(decoded) == ["fall"]
        assert decoded.replies == ()

    def test_stored_positions_are_marked(self) -> None:
        for word, stored in (
            ("UD", False),
            ("UD_LTE", False),
            ("UD2", True),
            ("UD2_LTE", True),
            ("UD3", True),
            ("WT", False),
        ):
            assert _one(watch_text(al_frame("00000000", word=word))).buffered is stored, word

    def test_the_key_is_id_date_time_and_status(self) -> None:
        key = _one(watch_text(al_frame("00010000"))).key
        assert key is not None
        assert key == _one(watch_text(al_frame("00010000", word="AL", battery="7", tail="0,0,9"))).key
        assert key != _one(watch_text(al_frame("00010001"))).key
        assert key != _one(watch_text(al_frame("00010000").replace("071504", "071505"))).key
        assert key != _one(watch_text(al_frame("00010000"), device_id="5550009999")).key

    @pytest.mark.parametrize(
        "time", ["000000,000000", "010100,000003", "321326,071504", "2211,071504", "22１126,071504", ","]
    )
    def test_a_clock_that_was_never_set_gives_no_key(self, time: str) -> None:
        event = _one(watch_text(al_frame("00010000").replace("221126,071504", time)))
        assert (event.type, event.observed_at, event.key) == ("sos", None, None)
        assert "observed_at" in event.attributes["faults"]

    def test_a_profile_may_replace_entries_of_the_table(self) -> None:
        frame = f"[3G*5550001234*0000*{al_frame('01400000')}]".encode()
        assert _types(watch(frame)) == ["heart_rate_abnormal", "assistance"]
        assert _types(watch(frame, {"alarm_bits": {"22": "fall", "24": "spo2_low"}})) == ["fall", "spo2_low"]
        assert _types(watch(frame, {"alarm_bits": {22: "no such word"}}))[0] == "assistance"
        assert _types(watch(frame, {"alarm_bits": "nonsense"})) == ["heart_rate_abnormal", "assistance"]


class TestPositions:
    def _place(self, lat: str, ns: str, lon: str, ew: str) -> tuple[float, float] | None:
        content = al_frame("00000000", word="UD", valid="A").replace(
            "31.901120,N,118.824570,E", f"{lat},{ns},{lon},{ew}"
        )
        event = _one(watch_text(content))
        return None if event.fix is None else (event.fix.lat, event.fix.lon)

    def test_letters_only_ever_make_a_number_negative(self) -> None:
        assert self._place("31.5", "N", "118.5", "E") == (31.5, 118.5)
        assert self._place("31.5", "S", "118.5", "W") == (-31.5, -118.5)
        assert self._place("-31.5", "N", "-118.5", "E") == (-31.5, -118.5)
        assert self._place("-31.5", "S", "-118.5", "W") == (-31.5, -118.5)
        assert self._place(" 31.5", "", "018.5", "") == (31.5, 18.5)

    @pytest.mark.parametrize(
        "place",
        [
            ("0.0", "N", "0.0", "E"),
            ("91", "N", "1", "E"),
            ("", "N", "", "E"),
            ("nan", "N", "1", "E"),
            ("1e999", "", "1", ""),
        ],
    )
    def test_a_fix_that_cannot_be_is_none(self, place: tuple[str, str, str, str]) -> None:
        assert self._place(*place) is None

    def test_without_fix_the_fillers_go_and_the_rest_stays(self) -> None:
        event = _one(watch_text(al_frame("00000008", word="UD", tail="1,1,460,0,9360,4082,131,0")))
        assert event.fix is None
        assert not {"speed_kmh", "course_deg", "altitude_m", "unconfirmed_position"} & set(event.attributes)
        assert (event.battery_pct, event.vitals["steps"], event.attributes["tumbles"]) == (41, 1840, 2)
        assert event.attributes["cells"] == [{"mcc": 460, "mnc": 0, "lac": 9360, "cell": 4082, "level": 131}]
        assert event.attributes["states"] == ["worn_or_strap_state"]

    def test_a_last_known_place_without_fix_is_shown_but_is_no_fix(self) -> None:
        content = al_frame("00010000", valid="A").replace(",A,", ",V,")
        event = _one(watch_text(content))
        assert event.fix is None
        assert event.attributes["unconfirmed_position"] == {"lat": 31.90112, "lon": 118.82457}

    @pytest.mark.parametrize(
        ("tail", "wifi", "cells", "accuracy"),
        [
            ("0,0", 0, 0, None),
            ("0,2,a,aa:bb:cc:dd:ee:01,-50,b,aa:bb:cc:dd:ee:02,-60,8.5", 2, 0, 8.5),
            ("1,1,460,0,9360,4082,131,0,40.7", 0, 1, 40.7),
            ("1,1,460,0,9360,4082,131,1,Name, with, commas,aa:bb:cc:dd:ee:01,-50,12", 1, 1, 12),
            ("1,1,460,0,9360,4082,,,00", 0, 1, None),
            ("2,1,FFFF,FFFF,FFFE,3B882A2,132,1,2,3,0", 0, 0, None),
            ("2,1,460,11,FFFF,FFFFFFF,132,7A1C,5D2E40B,118,,10", 0, 1, None),
            ("2,1,460,0,9360,4082,131,2147483647,2147483647,0,0,5.5", 0, 1, 5.5),
            ("9,1,460,0,9360", 0, 0, None),
            ("99999999999999999999,1,460", 0, 0, None),
            ("-5,1,460", 0, 0, None),
            ("", 0, 0, None),
        ],
    )
    def test_what_is_around(self, tail: str, wifi: int, cells: int, accuracy: float | None) -> None:
        event = _one(watch_text(al_frame("00000000", word="UD", valid="A", tail=tail)))
        assert len(event.attributes.get("wifi", [])) == wifi
        assert len(event.attributes.get("cells", [])) == cells
        assert event.fix is not None
        assert event.fix.accuracy_m == accuracy

    def test_hexadecimal_cells_and_addresses_without_leading_zeros(self) -> None:
        tail = "2,1,460,11,7A1C,5D2E40B,118,9360,40820,131,1,a,2:bb:c:dd:ee:0,-50,8.5"
        event = _one(watch_text(al_frame("00000000", word="UD", tail=tail), "SG"))
        assert event.attributes["wifi"] == [{"mac": "02:bb:0c:dd:ee:00", "rssi_dbm": -50}]
        assert event.attributes["cells"] == [
            {"mcc": 460, "mnc": 11, "lac": 0x7A1C, "cell": 0x5D2E40B, "level": 118},
            {"mcc": 460, "mnc": 11, "lac": 9360, "cell": 40820, "level": 131},
        ]

    def test_battery_nought_is_believed_only_with_the_low_battery_bits(self) -> None:
        assert _one(watch_text(al_frame("00000000", word="UD", battery="0"))).battery_pct is None
        assert _one(watch_text(al_frame("00020001", battery="0"))).battery_pct == 0
        assert _one(watch_text(al_frame("00000000", word="UD", battery="255"))).attributes["faults"]


class TestMessages:
    @pytest.mark.parametrize(
        ("content", "vitals", "reply"),
        [
            ("heart,71", {"heart_rate_bpm": 71}, None),
            ("PULSE,72", {"heart_rate_bpm": 72}, None),
            ("BLOOD,121,79", {"systolic_mmhg": 121, "diastolic_mmhg": 79}, None),
            (
                "bphrt,121,79,66,165,1,80,60",
                {"systolic_mmhg": 121, "diastolic_mmhg": 79, "heart_rate_bpm": 66},
                "bphrt",
            ),
            ("bphrt,121,79,0,,,,", {"systolic_mmhg": 121, "diastolic_mmhg": 79}, "bphrt"),
            ("btemp2,1,36.6", {"temperature_c": 36.6}, "btemp2"),
            ("TEMP,36.6", {"temperature_c": 36.6}, None),
            ("oxygen,0,97", {"spo2_pct": 97}, "oxygen,1"),
            ("heart,0", {}, None),
            ("bphrt,0,0,0,,,,", {}, "bphrt"),
            ("oxygen,0,0", {}, "oxygen,1"),
        ],
    )
    def test_measurements(self, content: str, vitals: dict[str, float], reply: str | None) -> None:
        decoded = watch_text(content)
        event = _one(decoded)
        assert (event.kind, dict(event.vitals)) == ("vitals", vitals)
        assert event.attributes.get("measurement_failed", False) == (not vitals)
        assert _texts(decoded) == ([f"[3G*5550001234*{len(reply):04x}*{reply}]"] if reply else [])

    def test_a_value_nobody_can_have_is_dropped_with_its_reason(self) -> None:
        event = _one(watch_text("heart,999"))
        assert dict(event.vitals) == {}
        assert event.attributes["faults"] == {"heart_rate_bpm": "'999' is outside 10 to 350"}

    @pytest.mark.parametrize(
        ("content", "steps", "battery"),
        [
            ("LK", None, None),
            ("LK,1840,41", 1840, 41),
            ("LK,1840,2,41", 1840, 41),
            ("LK,0,0,100", 0, 100),
            ("LK,0,0,0", 0, None),
        ],
    )
    def test_heartbeat(self, content: str, steps: int | None, battery: int | None) -> None:
        decoded = watch_text(content)
        event = _one(decoded)
        assert (event.kind, event.vitals.get("steps"), event.battery_pct) == ("heartbeat", steps, battery)
        assert _texts(decoded) == ["[3G*5550001234*0002*LK]"]

    @pytest.mark.parametrize(
        ("content", "kind", "reply"),
        [
            ("TKQ", "heartbeat", "TKQ"),
            ("TKQ2", "heartbeat", "TKQ2"),
            ("INIT,13900000000", "status", "INIT,1"),
            ("CONFIG,TY:g36,UL:60", "status", "CONFIG,1"),
            ("TK,#!AMR\x01\x02", "activity", "TK,1"),
            ("JXTK,0,voice.amr,1,2,xx", "activity", "JXTKR,1"),
            ("TK,1", "reply", None),
            ("ICCID,89860000000000000001", "status", None),
            ("VERNO,G36_V1.2", "status", None),
            ("GS1,1,5,460,1,9126,50317,25", "location", None),
            ("CR", "reply", None),
            ("UPLOAD,600", "reply", None),
            ("MESSAGE", "reply", None),
            ("bodytemp", "reply", None),
            ("img,5,261122071504,\xff\xd8\x01", "activity", None),
            ("NEWWORD,1,2", "unsupported", None),
            ("", "unsupported", None),
            ("UD", "unsupported", None),
        ],
    )
    def test_the_rest(self, content: str, kind: str, reply: str | None) -> None:
        decoded = watch_text(content)
        assert _one(decoded).kind == kind
        assert _texts(decoded) == ([f"[3G*5550001234*{len(reply):04x}*{reply}]"] if reply else [])

    def test_replies_carry_the_vendor_and_the_index(self) -> None:
        assert _texts(watch_text("LK", "CS")) == ["[CS*5550001234*0002*LK]"]
        assert _texts(watch_text("LK", "ZJ", index="00a7")) == ["[ZJ*5550001234*00a7*0002*LK]"]
        assert _texts(watch_text(al_frame("00010000"), "ZJ", index="0003")) == ["[ZJ*5550001234*0003*0002*AL]"]

    def test_no_answer_of_ours_would_be_answered_again(self) -> None:
        """A watch that echoed our answers must not start a ping-pong, heartbeat and alarm frames aside."""
        for content in ("TK,1", "CR", "UPLOAD,600", "JXTKR,1", "NEWWORD"):
            assert watch_text(content).replies == ()


class TestFrames:
    @pytest.mark.parametrize(
        "junk", [b"", b"[", b"]", b"[]", b"[3G]", b"[3G*1]", b"LK", b"\xff\xfe", b"[3G*5550001234*0002*LK"]
    )
    def test_what_is_no_frame_is_an_error(self, junk: bytes) -> None:
        decoded = watch(junk)
        assert decoded.events == ()
        assert decoded.replies == ()
        assert decoded.error is not None
        assert "frame" in decoded.error

    def test_glued_frames_are_taken_one_by_one(self) -> None:
        decoded = watch(
            f"[3G*5550001234*0002*LK][3G*5550001234*0000*{al_frame('00010000')}]\r\n[3G*5550001234*0003*TKQ]".encode()
        )
        assert [event.kind for event in decoded.events] == ["heartbeat", "alarm", "heartbeat"]
        assert [re.sub(r".*\*", "", text) for text in _texts(decoded)] == ["LK]", "AL]", "TKQ]"]

    def test_a_frame_hidden_in_a_voice_message_is_not_a_frame(self) -> None:
        inner = f"x][3G*5550001234*0000*{al_frame('00010000')}".encode()
        event = _one(watch(b"[3G*5550001234*0000*TK," + inner + b"]"))
        assert event.attributes["state"] == "voice_message"
        assert event.attributes["bytes"] == len(inner)

    def test_the_device_id_is_the_frames_own(self) -> None:
        assert _one(watch_text("LK", device_id="555000123456789")).device_id == "555000123456789"

    def test_times_are_utc(self) -> None:
        assert _one(watch_text(al_frame("00010000"))).observed_at == datetime(2026, 11, 22, 7, 15, 4, tzinfo=UTC)
