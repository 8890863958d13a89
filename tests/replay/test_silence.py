"""The silence of devices in a recorded night: judged where it says how often they report, over when heard."""

from __future__ import annotations

from hub.replay import Night, RuleSet
from tests.replay.nights import Tape, clock


def listened(*devices: str, interval_s: int = 300, **more: object) -> Tape:
    tape = Tape()
    for number, device in enumerate(devices):
        tape.add(kind="resident", id=f"R{number}", name="x")
        tape.add(
            kind="device",
            id=device,
            family="care",
            resident_id=f"R{number}",
            interval_s=interval_s,
            **{"area_id": "G1", **more},
        )
    return tape


def alive(tape: Tape, minutes: float, *devices: str) -> Tape:
    for device in devices:
        tape.add(kind="heard", device_id=device, at=clock(minutes))
    return tape


def told(night: Night) -> list[tuple[str, str, str | None]]:
    return [(one.what, one.outcome, one.device_id) for one in night.decided if one.what.startswith("silence")]


def test_a_device_that_stops_is_silent_and_over_when_it_is_heard() -> None:
    tape = listened("W1", "W2", interval_s=300, area_id=None)
    for minute in range(0, 60, 4):
        alive(tape, minute, "W2", *(["W1"] if minute < 12 or minute >= 40 else []))
    night = tape.play()
    assert not night.bad
    assert told(night) == [("silence", "open", "W1"), ("silence_over", "closed", "W1")]
    opened = next(one for one in night.decided if one.what == "silence")
    assert (opened.type, opened.alarm_class) == ("offline", "technical")
    assert "silent" in [one.code for one in opened.reasons]
    # Heard last at minute 8; one and a half times five minutes and five seconds later it is silent.
    assert (opened.at.minute, opened.at.second) == (15, 35)


def test_many_behind_one_gateway_are_one_matter() -> None:
    names = [f"Z{n}" for n in range(8)]
    tape = listened(*names, interval_s=300, upstream="gw-1", area_id=None)
    for minute in range(0, 12, 4):
        alive(tape, minute, *names)
    alive(tape, 60, "W9")
    for minute in range(64, 100, 4):
        alive(tape, minute, *names)
    night = tape.play()
    found = told(night)
    assert [one[:2] for one in found if one[0] == "silence"] == [("silence", "open")]
    assert found[0][2] is None
    assert found[-1][0] == "silence_over"


def test_what_the_hub_could_not_hear_is_nobodys_silence() -> None:
    def night(**deaf: object) -> Night:
        tape = listened("W1", area_id=None)
        for minute in (0, 4, 8, 40, 44):
            alive(tape, minute, "W1")
        if deaf:
            tape.add(kind="deaf", at=clock(9), ends_at=clock(38), **deaf)
        return tape.play()

    assert told(night(way="mqtt")) == []
    assert len(told(night(way="tcp"))) == 2
    assert len(told(night())) == 2


def test_without_an_interval_or_with_the_rule_off_nothing_is_judged() -> None:
    tape = Tape().home().press(0).press(600, kind="fall")
    assert told(tape.play()) == []
    tape = listened("W1", area_id=None)
    alive(alive(tape, 0, "W1"), 90, "W2")
    assert told(tape.play(RuleSet(silence=False))) == []
    assert len(told(tape.play())) == 1
    broken = (
        Tape().add(kind="device", id="W1", family="care", interval_s=-3).add(kind="heard", device_id="W1", at=clock(0))
    )
    assert "interval_s" in broken.play().bad[0].why


def test_whoever_is_in_hospital_raises_nothing_and_a_window_holds_it_back() -> None:
    tape = listened("W1", area_id=None)
    tape.add(kind="resident", id="R0", status="hospital", at=clock(1))
    alive(alive(tape, 0, "W1"), 120, "W2")
    assert told(tape.play()) == []
    tape = listened("W1", area_id=None)
    tape.add(kind="window", device_id="W1", starts_at=clock(0), ends_at=clock(100), reason="moved")
    alive(alive(tape, 0, "W1"), 90, "W2")
    assert [one[1] for one in told(tape.play())] == ["record_only"]
