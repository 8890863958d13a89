"""The same alarm again and again: found, counted, and shelved where nobody is harmed by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms import Acknowledge, Incident, Reason, Taken, apply, fall_due, take
from hub.alarms.changes import DueStep
from hub.alarms.chatter import QUIET_FOR, chattering, flapping
from tests.alarms.builders import NOW, ZHOU, alarm, at, incident, kinds, resident

seconds = st.lists(st.integers(0, 4000), max_size=12)


@given(seconds, st.integers(0, 4000))
def test_chatter_is_three_in_a_minute_and_nothing_else(times: list[int], now: int) -> None:
    lately = [one for one in times if now - 60 <= one <= now]
    found = chattering([at(one) for one in times], at(now))
    assert (found is not None) == (len(lately) >= 3)
    if found is not None:
        assert found.values["times"] == len(lately)


@given(seconds, st.integers(0, 4000))
def test_flapping_is_more_than_two_changes_in_half_an_hour(times: list[int], now: int) -> None:
    lately = [one for one in times if now - 1800 <= one <= now]
    assert (flapping([at(one) for one in times], at(now)) is not None) == (len(lately) > 2)


@pytest.mark.parametrize(("third", "found"), [(60, True), (61, False)])
def test_the_minute_is_exact(third: int, found: bool) -> None:
    assert (chattering([at(0), at(30), at(third)], at(third)) is not None) == found


class Night:
    """One device that says the same thing at given seconds."""

    def __init__(self, kind: str, **changes: Any) -> None:
        self.kind, self.changes = kind, changes
        self.live: Incident | None = None
        self.times: list[int] = []
        self.shelved: list[int] = []

    def press(self, second: int, **changes: Any) -> Taken:
        self.times.append(second)
        reason = chattering([at(one) for one in self.times], at(second))
        one = alarm(self.kind, seconds=second, **(self.changes | changes))
        taken = take(one, self.live, resident(), now=at(second), incident_id="I-1", chatter=reason)
        assert taken.change is not None
        self.live = taken.change.incident
        if "shelved" in kinds(taken.change):
            self.shelved.append(second)
        return taken


def test_a_loose_contact_goes_on_the_shelf_with_reason_and_end_and_is_counted() -> None:
    night = Night("tamper")
    for second in (0, 10, 20):
        last = night.press(second)
    assert night.live is not None
    assert night.shelved == [20]
    assert night.live.shelved_until == at(20) + QUIET_FOR
    assert night.live.shelve_reason == "the same alarm 3 times within a minute"
    assert last.change is not None
    assert [due.code for due in last.change.due if due.due_at is not None] == ["shelf_end"], "and it has an end"
    for second in range(30, 300, 10):
        night.press(second)
    assert (night.live.alarm_count, night.shelved) == (30, [20]), "counted; the end does not move away"


def test_after_the_shelf_it_is_seen_again_and_shelved_again_while_it_goes_on() -> None:
    night = Night("tamper")
    for second in (0, 10, 20):
        night.press(second)
    assert night.live is not None
    end = night.live.shelved_until
    assert end is not None
    change = fall_due(night.live, DueStep("shelf_end", end), now=end, operators_signed_in=1)
    night.live = change.incident
    assert (night.live.shelved, kinds(change)) == (False, ["unshelved"])
    for second in (1900, 1910, 1920):
        night.press(second)
    assert night.shelved == [20, 1920]


@pytest.mark.parametrize("kind", ["sos", "fall", "smoke", "assistance", "heart_rate_high", "wandering", "door"])
def test_nothing_that_may_be_a_person_is_shelved_by_itself(kind: str) -> None:
    night = Night(kind)
    for second in range(0, 60, 5):
        last = night.press(second)
    assert night.live is not None
    assert (night.live.shelved, night.live.alarm_count) == (False, 12)
    assert "chattering" in {reason.code for reason in last.decision.reasons}
    assert "chattering" in {reason.code for reason in night.live.reasons}, "and the incident says so"


def test_a_second_real_press_is_not_hidden_by_chatter() -> None:
    """A pull-cord pressed five times, claimed, pressed again: it rings again."""
    night = Night("sos")
    for second in range(5):
        night.press(second)
    assert night.live is not None
    night.live = apply(night.live, Acknowledge(), now=at(10), actor=ZHOU).incident
    again = night.press(20)
    assert (again.decision.realert, again.decision.alert, again.decision.shelve_until) == (True, True, None)


def test_another_fault_takes_it_off_the_shelf() -> None:
    night = Night("tamper")
    for second in (0, 10, 20):
        night.press(second)
    for changes in ({"type": "device_fault"}, {"device_id": "D-2"}):
        assert night.live is not None
        new = alarm("tamper", seconds=30, **changes)
        taken = take(new, night.live, resident(), now=at(30), incident_id="-")
        assert taken.change is not None
        assert (taken.change.incident.shelved, "unshelved" in kinds(taken.change)) == (False, True)


def test_chatter_never_takes_another_matter_with_it() -> None:
    reason = Reason("chattering", "the same alarm 3 times within a minute")
    mixed = incident("tamper", types=("tamper", "offline"))
    claimed = apply(incident("tamper"), Acknowledge(), now=at(1), actor=ZHOU).incident
    other = incident("tamper", device_id="D-2")
    wandering = incident("wandering", types=("geofence_enter",))
    for live, kind in ((mixed, "tamper"), (claimed, "tamper"), (other, "tamper"), (wandering, "geofence_enter")):
        taken = take(alarm(kind, seconds=9), live, resident(), now=at(9), incident_id="-", chatter=reason)
        assert taken.decision.shelve_until is None


def test_flapping_counts_comings_and_goings() -> None:
    changes = [NOW - timedelta(minutes=minutes) for minutes in (29, 15, 1)]
    found = flapping(changes, NOW)
    assert found is not None
    assert found.values["changes"] == 3
    assert flapping(changes[:2], NOW) is None
