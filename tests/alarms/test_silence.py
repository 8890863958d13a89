"""When a device is silent, and whose silence it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.silence import SilenceRule, Watched, judge_silence, silence_rule

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # 12:00 in China
NIGHT = {"from": "21:30", "to": "06:30", "after_s": 36_000}


def watched(rule: SilenceRule, heard_s: float | None, *, deaf_s: float = 1e6, **more: object) -> Watched:
    """Heard so many seconds before noon, by a hub that has heard since `deaf_s` before noon."""
    heard = None if heard_s is None else NOON - timedelta(seconds=heard_s)
    since = NOON - timedelta(seconds=deaf_s)
    return Watched("d", rule, NOON - timedelta(days=30), since, heard, **more)  # type: ignore[arg-type]


def test_an_interval_and_a_half_and_five_seconds() -> None:
    rule = silence_rule(300, {})
    assert judge_silence(watched(rule, 454.9), now=NOON, zone=CHINA).kind == "heard"
    verdict = judge_silence(watched(rule, 455), now=NOON, zone=CHINA)
    assert verdict.kind == "silent"
    assert verdict.reasons[0].code == "silent"
    assert verdict.reasons[0].values == {"silent_s": 455, "span_s": 455}


def test_a_profile_may_name_its_own_span_or_none_at_all() -> None:
    assert judge_silence(watched(silence_rule(300, {"after_s": 900}), 899), now=NOON, zone=CHINA).kind == "heard"
    assert judge_silence(watched(silence_rule(300, {"supervised": False}), 1e5), now=NOON, zone=CHINA).kind == "heard"
    assert judge_silence(watched(silence_rule(None, {}), 1e5), now=NOON, zone=CHINA).kind == "heard"


def test_on_the_charger_it_may_sleep_and_not_for_ever() -> None:
    rule = silence_rule(300, {"charging_s": 7200})
    charging = judge_silence(watched(rule, 7000, charging=True), now=NOON, zone=CHINA)
    assert (charging.kind, charging.reasons[0].code) == ("tolerated", "charging")
    assert charging.look_at == NOON + timedelta(seconds=200)
    assert judge_silence(watched(rule, 7000, charging=False), now=NOON, zone=CHINA).kind == "silent"
    assert judge_silence(watched(rule, 7200, charging=True), now=NOON, zone=CHINA).kind == "silent"


def test_a_silence_that_begins_at_night_waits_for_the_nights_span_and_not_for_its_last_minute() -> None:
    rule = silence_rule(300, {"night": NIGHT})
    gone = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)  # 22:00 in China
    one = Watched("d", rule, gone - timedelta(days=9), gone - timedelta(days=1), gone)
    half_past_six = datetime(2026, 11, 21, 22, 31, tzinfo=UTC)
    assert judge_silence(one, now=half_past_six, zone=CHINA).kind == "tolerated"
    assert judge_silence(one, now=gone + timedelta(hours=10), zone=CHINA).kind == "silent"
    # Gone at noon it is silent at noon, however late it is looked at.
    day = Watched("d", rule, gone - timedelta(days=9), gone - timedelta(days=1), NOON)
    assert judge_silence(day, now=NOON + timedelta(hours=10), zone=CHINA).kind == "silent"


def test_what_the_hub_could_not_hear_is_no_silence() -> None:
    rule = silence_rule(60, {})
    assert judge_silence(watched(rule, 86_400, deaf_s=94), now=NOON, zone=CHINA).kind == "heard"
    verdict = judge_silence(watched(rule, 86_400, deaf_s=95), now=NOON, zone=CHINA)
    assert verdict.kind == "silent"
    assert "hub_was_deaf" in [reason.code for reason in verdict.reasons]


def test_given_to_somebody_and_never_heard() -> None:
    rule = silence_rule(300, {"first_report_s": 86_400})
    assert judge_silence(watched(rule, None, owned=True), now=NOON, zone=CHINA).reasons[0].code == "never_reported"
    assert judge_silence(watched(rule, None, owned=False), now=NOON, zone=CHINA).kind == "heard"
    assert judge_silence(watched(rule, None, owned=True, deaf_s=10), now=NOON, zone=CHINA).kind == "heard"


def test_a_resident_who_is_away_for_good_needs_no_repair() -> None:
    verdict = judge_silence(watched(silence_rule(60, {}), 1e4, excused="hospital"), now=NOON, zone=CHINA)
    assert (verdict.kind, verdict.reasons[-1].code) == ("excused", "resident_absent")


@given(
    interval=st.integers(1, 86_400),
    heard_s=st.floats(0, 1e6),
    deaf_s=st.floats(0, 1e6),
    charging=st.booleans(),
    charging_s=st.none() | st.integers(1, 100_000),
    night=st.none()
    | st.builds(dict, **{"from": st.just("21:00"), "to": st.just("06:00"), "after_s": st.integers(1, 90_000)}),
    hour=st.integers(0, 23),
)
def test_silence_is_never_early_never_forgotten_and_always_explained(
    interval: int,
    heard_s: float,
    deaf_s: float,
    charging: bool,
    charging_s: int | None,
    night: dict[str, object] | None,
    hour: int,
) -> None:
    rule = silence_rule(interval, {"charging_s": charging_s, "night": night})
    now = NOON + timedelta(hours=hour)
    heard, since = now - timedelta(seconds=heard_s), now - timedelta(seconds=deaf_s)
    one = Watched("d", rule, now - timedelta(days=99), since, heard, charging=charging)
    verdict = judge_silence(one, now=now, zone=CHINA)
    counted = (now - max(heard, since)).total_seconds()
    span = interval * 1.5 + 5
    if verdict.kind == "silent":
        assert counted >= span - 1e-6
        assert verdict.reasons
    else:
        assert verdict.look_at > now, "or it would be asked for ever"
        longest = max(span, charging_s or 0, int(night["after_s"]) if night else 0)  # type: ignore[call-overload]
        assert counted < longest
        # Looked at whenever it asks for it, it is silent when its time has come, if nobody heard it.
        looks = 0
        while verdict.kind != "silent":
            looks += 1
            verdict = judge_silence(one, now=verdict.look_at, zone=CHINA)
        assert looks <= 2 + longest / 10
