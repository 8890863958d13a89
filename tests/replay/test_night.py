"""A night played: decisions, reasons, order, and what is told of lines that cannot be read."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.alarms import Alarm
from hub.replay import RuleSet, play, read_recording
from tests.replay.nights import ZONE, Tape, clock, outcomes


def test_presses_open_fold_and_are_told_apart_from_repeats() -> None:
    tape = Tape().home().press(0).press(1).press(2, kind="fall")
    tape.lines.append(tape.lines[2])  # the first press again, byte for byte
    night = tape.play()
    assert outcomes(night) == [("open", "sos"), ("fold", "sos"), ("fold", "fall")]
    assert [one.press for one in night.decided if one.what == "alarm"] == [1, 2, 3]
    assert night.tally.repeats == 1
    assert night.decided[0].reasons[0].code == "new_incident"
    assert dict(night.decided[0].due).keys() >= {"realert_10"}, "it says when it would ring again"


def test_the_order_of_lines_does_not_matter() -> None:
    tape = Tape().home().press(3).press(1).vitals(2, heart_rate_bpm=80).press(2, kind="fall")
    before = [one for one in tape.play().decided if one.what == "alarm"]
    shuffled = list(tape.lines)
    random.Random(4).shuffle(shuffled)
    after = [one for one in play(read_recording(shuffled), ZONE).decided if one.what == "alarm"]
    assert [(one.at, one.outcome, one.type) for one in before] == [(one.at, one.outcome, one.type) for one in after]


def test_a_rule_raises_with_its_reasons() -> None:
    tape = Tape().home()
    for minute in range(6):
        tape.vitals(minute, heart_rate_bpm=150)
    night = tape.play()
    (raised,) = [one for one in night.decided if one.what == "rule"]
    assert (raised.rule, raised.type, raised.outcome) == ("heart_rate_high", "heart_rate_high", "open")
    assert raised.reasons[1].values["rule"] == "heart_rate_high"
    other = tape.play(RuleSet(off=frozenset({"heart_rate_high"})))
    assert [one for one in other.decided if one.what == "rule"] == []
    assert tape.play(RuleSet(thresholds={"heart_rate_high": 160})).tally.rings == 0


def test_thresholds_of_the_resident_go_before_those_of_the_set() -> None:
    tape = Tape().home(thresholds={"heart_rate_high": {"value": 170, "name": "何琳"}})
    for minute in range(6):
        tape.vitals(minute, heart_rate_bpm=150)
    assert tape.play(RuleSet(thresholds={"heart_rate_high": 140})).tally.rings == 0


def test_inactivity_is_found_by_time_alone() -> None:
    tape = Tape().home().add(kind="device", id="M1", family="care", resident_id="R1")
    topic = "care/v1/M1/up/activity"
    for minute, state in ((0, "motion"), (900, "present")):
        body = {"observed_at": clock(minute), "state": state}
        tape.add(received_at=clock(minute), family="care", device_id="M1", topic=topic, payload=body)
    (raised,) = [one for one in tape.play().decided if one.what == "rule"]
    assert raised.type == "inactivity"
    assert (raised.at.hour, raised.at.minute) == (6, 0), "twelve hours after the last sign, and not when next heard"


def test_a_status_is_respected_from_its_moment() -> None:
    tape = Tape().home().press(0)
    tape.add(kind="resident", id="R1", at=clock(90), status="hospital").press(91).press(92, kind="smoke")
    night = tape.play()
    assert outcomes(night) == [("open", "sos"), ("record_only", "sos"), ("open", "smoke")]


def test_what_operators_did_ends_incidents_and_the_next_press_opens_one() -> None:
    tape = Tape().home().press(0)
    tape.add(kind="done", at=clock(1), action="acknowledge", **{"class": "emergency"}, resident_id="R1", by="周敏")
    tape.press(2)
    tape.add(
        kind="done", at=clock(5), action="close", **{"class": "emergency"}, resident_id="R1", disposition="genuine"
    )
    tape.press(6)
    night = tape.play()
    assert outcomes(night) == [("open", "sos"), ("fold", "sos"), ("open", "sos")]
    assert [one.realert for one in night.decided if one.what == "alarm"] == [False, True, False]


def test_what_nobody_closed_is_taken_as_closed_and_says_so() -> None:
    night = Tape().home().press(0).press(50).press(200).play()
    assert outcomes(night) == [("open", "sos"), ("fold", "sos"), ("open", "sos")]
    (closed,) = [one for one in night.decided if one.what == "assumed_close"]
    assert "60 min after its last alarm" in closed.reasons[0].text
    assert closed.at.minute == 50, "an hour after the second press"


def test_a_window_holds_back_and_what_stood_is_raised_once_at_its_end() -> None:
    tape = (
        Tape().home().add(kind="window", device_id="W1", starts_at=clock(0), ends_at=clock(30), reason="x", by="方磊")
    )
    tape.press(1, kind="tamper").press(9, kind="tamper").press(10, kind="sos").press(60, kind="low_battery")
    night = tape.play()
    assert outcomes(night)[:3] == [("record_only", "tamper"), ("record_only", "tamper"), ("open", "sos")]
    assert outcomes(night, "window_over") == [("open", "tamper")]


def test_chatter_is_shelved_unless_the_set_says_otherwise() -> None:
    tape = Tape().home()
    for second in range(5):
        tape.press(second / 6, kind="tamper", ref=f"t{second}")
    assert [one.shelved_until is not None for one in tape.play().decided] == [False, False, True, True, True]
    assert not any(one.shelved_until for one in tape.play(RuleSet(chatter=False)).decided)


def test_tcp_frames_and_kept_events_are_played_too() -> None:
    tape = Tape().add(kind="device", id="8800000015", family="watch", resident_id="R1")
    frame = "[3G*8800000015*0009*AL,220414,134652,A,22.571707,N,113.8613991,E,0.1,0.0,100,7,60,90,1000,50,00010000,0,0]"
    tape.add(received_at=clock(1), family="watch", device_id="8800000015", text=frame)
    event = {"kind": "alarm", "type": "fall", "observed_at": clock(2), "attributes": {"test": True}}
    tape.add(received_at=clock(2), family="watch", device_id="8800000015", event=event)
    night = tape.play()
    alarms = [one for one in night.decided if one.what == "alarm"]
    assert alarms[0].resident_id == "R1"
    assert (alarms[-1].type, alarms[-1].alarm_class) == ("fall", "test")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"kind": "dream"}', "kind: one of"),
        ('{"received_at": "2026-03-01T00:00:00", "family": "care", "device_id": "W", "text": ""}', "needs an offset"),
        ('{"received_at": "now", "family": "care", "device_id": "W", "text": ""}', "RFC 3339"),
        ('{"received_at": "2026-03-01T00:00:00Z", "family": "none", "device_id": "W", "text": ""}', "family"),
        ('{"received_at": "2026-03-01T00:00:00Z", "family": "care", "text": ""}', "device_id: missing"),
        ('{"received_at": "2026-03-01T00:00:00Z", "family": "care", "device_id": "W"}', "one of hex"),
        ('{"received_at": "2026-03-01T00:00:00Z", "family": "gt06", "device_id": "W", "hex": "0"}', "hex digits"),
        (
            '{"kind": "window", "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z"}',
            "reason: missing",
        ),
    ],
)
def test_a_bad_line_says_what_and_where_and_the_rest_is_played(line: str, why: str) -> None:
    tape = Tape().home().press(0)
    tape.lines.insert(1, line)
    recording = tape.recording
    assert [one.line for one in recording.bad] == [2]
    assert why in recording.bad[0].why
    assert outcomes(play(recording, ZONE)) == [("open", "sos")]


words = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["kind", "at", "received_at", "device_id", "family", "payload", "event", "status", "id", "class"]
)
sane = st.sampled_from(["uplink", "device", "resident", "done", "window", clock(1), "care", "W1", "R1", "emergency"])


# A busy machine makes and plays the same hundred recordings, only slower: that is no failure.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(names, sane | words, max_size=9), max_size=8))
def test_no_recording_stops_the_playing(records: list[dict[str, object]]) -> None:
    lines = [json.dumps(one) for one in records]
    night = play(read_recording([*Tape().home().press(0).lines, *lines]), ZONE)
    assert ("open", "sos") in outcomes(night)


def test_what_is_weighed_by_a_set_never_makes_a_test_real() -> None:
    test = Alarm("a", "W1", "R1", "sos", "test", "low", received_at=read_recording(Tape().press(0).lines).records[0].at)
    assert RuleSet(priorities={"sos": "critical"}).weighed(test) == test
