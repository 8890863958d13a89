"""The resident's day: moving, bed, medication, the word of well-being, weak signs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.rules import SIGNS, Rest, Source, learn_rest
from tests.alarms.rules.pictures import CHINA, NOON, ago, ask, local, picture, word

REST = {hour: Rest(1.0, 2.0, 21) for hour in range(24)}
HOUR = timedelta(hours=1)


def moved(hours: float, state: str = "motion", **more: Any) -> Any:
    return picture(words=(word(state, NOON - hours * HOUR),), **more)


def test_longer_without_a_sign_than_ever_usual() -> None:
    verdict = ask("inactivity", moved(4.0, rest=REST))  # floor 4 h: 2.0 x 1.25 + 1 = 3.5 is less
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "inactivity", "high")
    values = verdict.reasons[0].values
    assert (values["quiet_h"], values["limit_h"], values["longest_h"], values["days"]) == (4.0, 4.0, 2.0, 21)
    calm = ask("inactivity", moved(3.9, rest=REST))
    assert calm.kind == "quiet"
    assert calm.look_at == NOON + timedelta(minutes=6)


def test_what_is_learned_is_the_residents_own() -> None:
    late = {hour: Rest(5.0, 9.0, 21) for hour in range(24)}
    assert ask("inactivity", moved(12.0, rest=late)).kind == "quiet"  # 9 x 1.25 + 1 = 12.25
    assert ask("inactivity", moved(12.25, rest=late)).kind == "raise"
    assert ask("inactivity", moved(11.9)).kind == "quiet"  # nothing learned: 12 h
    assert ask("inactivity", moved(12.0)).kind == "raise"


def test_learning_from_the_hours_of_three_weeks() -> None:
    midnight = local("00:00")
    signs = [
        midnight - timedelta(days=day) + timedelta(hours=hour)
        for day in range(1, 22)
        for hour in (7, 8, 9, 11, 12, 15, 18, 19, 20, 21)
    ]
    rest = learn_rest(signs, local("12:00"), CHINA)
    assert (rest[6].longest_h, rest[6].usual_h) == (9.0, 9.0)  # asleep since the hour of nine in the evening
    assert rest[14].longest_h == 2.0
    assert rest[8].longest_h == 0.0
    assert rest[6].days == 20
    assert learn_rest(signs[:50], local("12:00"), CHINA).get(3) is None  # five days are no habit
    assert learn_rest([], NOON, CHINA) == {}


def test_present_is_no_sign_of_moving() -> None:
    assert not SIGNS & {"present", "presence", "occupied", "still", "no_motion", "absent", "login"}
    words = (word("motion", ago(5 * 3600)), word("present", ago(60)))
    assert ask("inactivity", picture(words=words, rest=REST)).kind == "raise"


def test_no_sign_ever_and_sensors_that_are_silent_prove_nothing() -> None:
    assert ask("inactivity", picture(rest=REST)).kind == "quiet"
    dead = (Source("Z1", ago(9000), silent=True),)
    assert ask("inactivity", moved(20.0, rest=REST, sources=dead)).kind == "quiet"
    assert ask("inactivity", moved(20.0, rest=REST, sources=(*dead, Source("Z2", ago(10))))).kind == "raise"


def test_who_left_by_the_door_has_longer() -> None:
    assert ask("inactivity", moved(7.9, "door_closed", rest=REST)).kind == "quiet"
    gone = ask("inactivity", moved(8.0, "door_closed", rest=REST))
    assert gone.kind == "raise"
    assert gone.reasons[0].values["door_last"] is True


def test_a_stored_sign_calms_and_a_new_sign_ends_it() -> None:
    standing = ask("inactivity", moved(5.0, rest=REST)).standing
    words = (word("motion", NOON - HOUR, buffered=True, received_at=NOON),)
    assert ask("inactivity", picture(words=words, rest=REST), standing=standing).kind == "clear"


NIGHT = local("02:00", day=24)
BED = (word("in_bed", local("21:30")),)


def in_bed(*more: Any, now: datetime = NIGHT, **fields: Any) -> Any:
    return ask("bed_exit", picture(words=(*BED, *more), **fields), now=now)


def test_out_of_bed_at_night_for_half_an_hour() -> None:
    out = word("out_of_bed", NIGHT - timedelta(minutes=30))
    verdict = in_bed(out)
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "bed_exit", "medium")
    assert verdict.reasons[0].values["out_min"] == 30.0
    soon = in_bed(replace(out, received_at=NIGHT - timedelta(minutes=29)))
    assert (soon.kind, soon.look_at) == ("quiet", NIGHT + timedelta(minutes=1))
    assert in_bed(out, word("in_bed", NIGHT - timedelta(minutes=5))).kind == "quiet"


def test_bed_exit_by_day_before_lying_down_or_from_a_store_is_nothing() -> None:
    out = word("out_of_bed", local("06:30", day=24))
    assert in_bed(out, now=local("09:00", day=24)).kind == "quiet"
    only = picture(words=(word("out_of_bed", local("22:30")),))
    assert ask("bed_exit", only, now=local("23:30")).kind == "quiet"
    stored = word("out_of_bed", NIGHT - HOUR, buffered=True, received_at=NIGHT - timedelta(minutes=40))
    assert in_bed(stored).kind == "quiet"
    before = word("out_of_bed", local("21:45"))
    assert in_bed(before).kind == "quiet"  # up before the night began


def test_back_in_bed_it_is_over() -> None:
    standing = in_bed(word("out_of_bed", NIGHT - HOUR)).standing
    assert standing is not None
    back = picture(words=(*BED, word("out_of_bed", NIGHT - HOUR), word("in_bed", NIGHT)))
    held = ask("bed_exit", back, now=NIGHT, standing=standing)
    assert held.kind == "hold"
    assert ask("bed_exit", back, now=NIGHT + timedelta(minutes=2), standing=held.standing).kind == "clear"


DOSES = {"medication_times": ["08:00", "20:00"]}


def dose(now: datetime, *words: Any, standing: Any = None, told: bool = True, own: Any = None) -> Any:
    seen = picture(own or DOSES, words=words, dose_words_at=now - timedelta(days=1) if told else None)
    return ask("medication_missed", seen, now=now, standing=standing)


def test_a_dose_is_missed_after_its_grace() -> None:
    assert dose(local("08:59")).kind == "quiet"
    verdict = dose(local("09:00"))
    assert (verdict.kind, verdict.type) == ("raise", "medication_missed")
    assert "08:00" in verdict.reasons[0].text
    assert dose(local("09:00"), word("medication_taken", local("07:10"))).kind == "quiet"
    assert dose(local("09:00"), word("pill_taken", local("08:50"))).kind == "quiet"
    assert dose(local("09:00"), word("medication_taken", local("06:30"))).kind == "raise"  # that was something else
    assert dose(local("09:00"), told=False).kind == "quiet"  # nothing there that could say it
    assert dose(local("14:01")).kind == "quiet"  # too late to be news
    assert dose(local("09:00"), own={"medication_times": []}).kind == "quiet"


def test_each_dose_is_a_matter_of_its_own() -> None:
    first = dose(local("09:00"))
    held = dose(local("13:00"), standing=first.standing)
    assert held.kind == "hold"
    second = dose(local("21:00"), standing=held.standing)
    assert second.kind == "raise"
    assert second.key != first.key
    late = dose(local("10:00"), word("medication_taken", local("09:30")), standing=first.standing)
    assert late.kind == "clear"


def test_a_late_word_for_one_dose_is_not_taken_for_the_next() -> None:
    close = {"medication_times": ["08:00", "09:00"]}
    taken = word("medication_taken", local("08:10"))
    assert dose(local("10:00"), taken, own=close).kind == "raise"
    assert dose(local("10:00"), taken, word("medication_taken", local("08:55")), own=close).kind == "quiet"


def well(now: datetime, *words: Any, own: Any = None, standing: Any = None, told: bool = True) -> Any:
    seen = picture(own or {"well_by": "09:30"}, words=words, well_words_at=now - timedelta(days=3) if told else None)
    return ask("no_word", seen, now=now, standing=standing)


def test_no_word_of_well_being_by_the_hour() -> None:
    assert well(local("09:59")).kind == "quiet"
    assert well(local("09:59")).look_at == local("10:00")
    verdict = well(local("10:00"))
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "inactivity", "medium")
    assert well(local("10:00"), word("all_well", local("06:00"))).kind == "quiet"
    assert well(local("10:00"), word("all_well", local("21:00", day=22))).kind == "raise"  # that was yesterday's
    moved_since = well(local("10:00"), word("motion", local("07:00")))
    assert (moved_since.kind, moved_since.priority) == ("raise", "low")
    assert well(local("10:00"), told=False).kind == "quiet"
    assert ask("no_word", picture(), now=local("12:00")).kind == "quiet"  # not agreed with this resident
    held = well(local("23:00"), standing=verdict.standing)
    assert held.kind == "hold"
    tomorrow = well(local("10:00", day=24), standing=held.standing)
    assert tomorrow.kind == "raise"


MEAL, SILENT = (NOON - 2 * HOUR,), (Source("Z1", ago(10)),)


def test_three_weak_signs_are_an_alarm_and_two_are_none() -> None:
    door = word("door_closed", NOON - 26 * HOUR)
    still = word("motion", NOON - 2.5 * HOUR)
    base = picture(words=(door, still), rest=REST, sources=SILENT)
    assert ask("weak_signs", base).kind == "quiet"  # no motion, door unopened
    verdict = ask("weak_signs", replace(base, missed_meals=MEAL))
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "inactivity", "high")
    assert [one.code for one in verdict.reasons] == ["weak_signs", "missed_meal", "no_motion", "door_unopened"]
    assert ask("inactivity", replace(base, missed_meals=MEAL)).kind == "quiet"  # alone not long enough
    opened = replace(base, missed_meals=MEAL, words=(word("door_open", NOON - HOUR), still))
    assert ask("weak_signs", opened).kind == "quiet"


def test_a_silent_device_counts_half_and_many_meals_count_once() -> None:
    door, still = word("door_closed", NOON - 26 * HOUR), word("motion", NOON - 0.5 * HOUR)
    sources = (*SILENT, Source("W1", ago(9000), silent=True))
    seen = picture(words=(door, still), rest=REST, sources=sources, missed_meals=MEAL * 3)
    verdict = ask("weak_signs", seen)
    assert verdict.kind == "quiet"
    assert verdict.reasons[0].values["points"] == 2.5


@given(st.floats(0.01, 30), st.floats(0, 30), st.booleans())
def test_longer_without_a_sign_is_never_less_of_an_alarm(hours: float, more: float, learned: bool) -> None:
    rest = REST if learned else {}
    for rule in ("inactivity", "weak_signs"):
        first = ask(rule, moved(hours, rest=rest, missed_meals=MEAL))
        if first.kind == "raise":
            assert ask(rule, moved(hours + more, rest=rest, missed_meals=MEAL)).kind == "raise"


@given(st.floats(1, 200), st.floats(0, 200))
def test_longer_out_of_bed_is_never_less_of_an_alarm(minutes: float, more: float) -> None:
    now = local("05:59", day=24)

    def kind(out: float) -> str:
        return in_bed(word("out_of_bed", now - timedelta(minutes=out)), now=now).kind  # type: ignore[no-any-return]

    if kind(minutes) == "raise":
        assert kind(minutes + more) == "raise"


states = st.sampled_from(["present", "absent", "no_motion", "still", "login", "no_presence", "occupied", "", "0"])


@given(st.lists(st.tuples(states, st.floats(1, 86_400)), max_size=10), st.integers(0, 23))
def test_words_that_say_nothing_raise_nothing(said: list[tuple[str, float]], hour: int) -> None:
    now = local(f"{hour:02d}:30")
    words = tuple(word(state, now - timedelta(seconds=seconds)) for state, seconds in said)
    own = {"well_by": "00:00", "medication_times": ["00:00", "12:00"]}
    for rule in ("inactivity", "bed_exit", "medication_missed", "no_word", "weak_signs"):
        assert ask(rule, picture(own, words=words, rest=REST), now=now).kind == "quiet"


@pytest.mark.parametrize("rule", ["inactivity", "bed_exit", "medication_missed", "no_word", "weak_signs"])
def test_no_words_no_alarm(rule: str) -> None:
    own = {"well_by": "00:00", "medication_times": ["00:00"]}
    assert ask(rule, picture(own, rest=REST, sources=SILENT)).kind == "quiet"


def test_after_an_outage_everybody_has_an_hour() -> None:
    for minutes, kind in ((0, "quiet"), (59, "quiet"), (60, "raise")):
        since = ago(60 * minutes)
        assert ask("inactivity", moved(20.0, rest=REST, hearing_since=since)).kind == kind
    own = DOSES | {"well_by": "09:30"}
    deaf = picture(own, dose_words_at=ago(90_000), well_words_at=ago(90_000), hearing_since=NOON)
    for rule in ("medication_missed", "no_word"):
        assert ask(rule, deaf).kind == "quiet"
        assert ask(rule, replace(deaf, hearing_since=None)).kind == "raise"


def test_a_door_that_was_last_opened_days_ago_is_remembered() -> None:
    seen = moved(2.5, rest=REST, missed_meals=MEAL, door_at=NOON - 70 * HOUR)
    assert ask("weak_signs", seen).kind == "raise"
    assert ask("weak_signs", replace(seen, door_at=None)).kind == "quiet"
