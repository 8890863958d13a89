"""The resident's day: moving, bed, medication, the word of well-being, and weak signs that add up.

The rules, each with the harm it prevents:

- How long is too long is learned from the resident's own days: at this hour, never longer than so without a sign.
- "Somebody is present" is no sign of moving: a radar sees a person on the floor too.
- Sensors that are silent themselves prove nothing about the person; their silence is an alarm of its own. Nor does a
  silence that the hub could not hear: after an outage everybody has an hour to give a sign, or each outage is a flood.
- A buffered record raises nothing. That somebody moved or lay down again is believed from it all the same: it can only
  calm.
- What nobody ever reports (no dispenser, no button for the word of well-being) is not missed.
- Weak signs count once each and name themselves; a technical one counts half.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.alarms.model import Priority, Reason
from hub.alarms.rules.model import Finding, Picture, Rest, Word

__all__ = [
    "BED_IN",
    "BED_OUT",
    "DOORS",
    "DOSES",
    "SIGNS",
    "WEAK_SHARE",
    "WELL",
    "bed_exit",
    "inactivity",
    "last_sign_at",
    "medication_missed",
    "no_word",
    "quiet_limit",
    "watching",
    "weak_signs",
]

DOORS: Final = frozenset({"door_open", "door_closed"})
BED_IN: Final = frozenset({"in_bed"})
BED_OUT: Final = frozenset({"out_of_bed"})
DOSES: Final = frozenset({"medication_taken", "pill_taken"})
WELL: Final = frozenset({"all_well"})
SIGNS: Final = (
    frozenset({"motion", "moving", "button", "vibration", "voice_message", "walking", "standing"})
    | DOORS
    | BED_IN
    | BED_OUT
    | DOSES
    | WELL
)
"""Words that say that the person moved or spoke."""

_UNKNOWN: Final = Finding("unknown")
_SLACK: Final = 1.25
_SLACK_H: Final = 1.0
_OUT_H: Final = 4.0
"""Longer, where the last sign was the door: the person has probably gone out."""
WEAK_SHARE: Final = 0.5
"""Of the limit: a silence so long is a weak sign."""
_WEAK_LIMIT: Final = 3.0
_WEAK_NEAR: Final = 2.0
_DOOR_UNOPENED: Final = timedelta(hours=24)
_EARLY: Final = timedelta(minutes=60)
_DOSE_AGE: Final = timedelta(hours=6)
_SPOKEN_LATELY: Final = timedelta(days=14)
_HEARD_FOR: Final = timedelta(hours=1)
_LONGEST_NIGHT: Final = timedelta(hours=14)


def last_sign_at(picture: Picture, now: datetime) -> datetime | None:
    """When the person last moved or spoke; None: nothing was ever seen."""
    signs = [one.observed_at for one in picture.words if one.state in SIGNS and one.observed_at <= now]
    if picture.sign_at is not None:
        signs.append(picture.sign_at)
    return max(signs, default=None)


def quiet_limit(picture: Picture, now: datetime) -> tuple[float, Rest | None]:
    """How many hours without a sign are too many now, and what that was learned from."""
    floor = picture.thresholds.number("inactivity_floor_h")
    rest = picture.rest.get(now.astimezone(picture.zone).hour)
    if rest is None:
        return max(floor, picture.thresholds.number("inactivity_unlearned_h")), None
    return max(floor, rest.longest_h * _SLACK + _SLACK_H), rest


def watching(picture: Picture, now: datetime) -> bool:
    """Whether a silence means something: the hub hears, and so does one of the resident's devices.

    Where nothing is known of the devices, their words speak.
    """
    return _heard(picture, now) and (not picture.sources or any(not one.silent for one in picture.sources))


def _heard(picture: Picture, now: datetime) -> bool:
    return picture.hearing_since is None or now - picture.hearing_since >= _HEARD_FOR


def inactivity(picture: Picture, now: datetime) -> Finding:
    """No sign of moving for longer than ever usual at this hour."""
    sign_at = last_sign_at(picture, now)
    if sign_at is None or not watching(picture, now):
        return Finding("unknown", look_at=None if sign_at is None else _next_hour(now))
    limit, rest = quiet_limit(picture, now)
    last = max((one for one in picture.words if one.state in SIGNS), key=lambda one: one.observed_at, default=None)
    went_out = last is not None and last.state in DOORS and last.observed_at == sign_at
    if went_out:
        limit += _OUT_H
    quiet = (now - sign_at) / timedelta(hours=1)
    values: dict[str, str | int | float | bool | None] = {
        "quiet_h": round(quiet, 2),
        "limit_h": round(limit, 2),
        "usual_h": None if rest is None else rest.usual_h,
        "longest_h": None if rest is None else rest.longest_h,
        "days": 0 if rest is None else rest.days,
        "door_last": went_out,
        "sign_at": sign_at.isoformat(),
    }
    learned = (
        "nothing learned yet"
        if rest is None
        else f"at this hour usually {rest.usual_h:g} h, hardly ever more than {rest.longest_h:g} h, {rest.days} days"
    )
    text = f"no sign of moving for {quiet:.1f} h, {limit:.1f} h are the limit ({learned})"
    if quiet >= limit:
        return Finding("bad", (Reason("inactivity", text, values),), mark=sign_at.isoformat())
    # The limit changes with the hour: look again when it would be reached, or when the next hour begins.
    look_at = min(sign_at + timedelta(hours=limit), _next_hour(now))
    return Finding("good", (Reason("active", text, values),), look_at=look_at)


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _night(picture: Picture, now: datetime) -> tuple[datetime, datetime] | None:
    """Begin and end of the night that `now` lies in."""
    begin, end = picture.thresholds.clock("night_from"), picture.thresholds.clock("night_to")
    if begin is None or end is None:
        return None
    local = now.astimezone(picture.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (-1, 0):
        first = midnight + timedelta(days=day, minutes=begin)
        last = midnight + timedelta(days=day + (begin >= end), minutes=end)
        if first <= local < last:
            return first, last
    return None


def bed_exit(picture: Picture, now: datetime) -> Finding:
    """Out of bed at night and not back: the person lay in it, left it in the night, for too long."""
    night = _night(picture, now)
    words = sorted((one for one in picture.words if one.state in BED_IN | BED_OUT), key=lambda one: one.received_at)
    last = _last_bed(words, now)
    if last is None:
        return _UNKNOWN
    if last.state in BED_IN:
        return Finding("good", (Reason("in_bed", "in bed", {"since": last.observed_at.isoformat()}),))
    if night is None:
        # By day nobody is missing from bed; what was raised is over.
        return Finding("good", (Reason("day", "out of bed by day"),))
    lain = any(one.state in BED_IN and night[0] - _LONGEST_NIGHT <= one.received_at < last.received_at for one in words)
    if last.received_at < night[0] or not lain:
        return _UNKNOWN
    limit = picture.thresholds.number("bed_exit_min")
    minutes = (now - last.received_at) / timedelta(minutes=1)
    values: dict[str, str | int | float | bool | None] = {
        "out_min": round(minutes, 1),
        "limit_min": limit,
        "out_at": last.received_at.isoformat(),
        "device_id": last.device_id,
    }
    text = f"out of bed for {minutes:.0f} min at night, {limit:g} min are the limit"
    if minutes >= limit:
        return Finding("bad", (Reason("bed_exit", text, values),), mark=last.received_at.isoformat())
    look_at = last.received_at + timedelta(minutes=limit)
    return Finding("grey", (Reason("out_of_bed", text, values),), look_at=look_at)


def _last_bed(words: list[Word], now: datetime) -> Word | None:
    """The latest word; of stored ones only those that say that the person is back."""
    live = [one for one in words if one.received_at <= now and (not one.buffered or one.state in BED_IN)]
    return max(live, key=lambda one: one.observed_at if one.buffered else one.received_at, default=None)


def _local_times(picture: Picture, minutes: tuple[int, ...], now: datetime) -> list[datetime]:
    """These local minutes of yesterday and today, in order, not after now."""
    midnight = now.astimezone(picture.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [midnight + timedelta(days=day, minutes=minute) for day in (-1, 0, 1) for minute in minutes]
    return sorted(found)


def medication_missed(picture: Picture, now: datetime) -> Finding:
    """A dose that was due, and after its grace no word that it was taken. Each dose is a matter of its own."""
    minutes = picture.thresholds.clocks("medication_times")
    told_at = picture.dose_words_at
    if not minutes or told_at is None or now - told_at > _SPOKEN_LATELY:
        return _UNKNOWN
    grace = timedelta(minutes=picture.thresholds.number("medication_grace_min"))
    times = _local_times(picture, minutes, now)
    due = [one for one in times if one + grace <= now]
    ahead = next((one + grace for one in times if one + grace > now), None)
    if not due or now - due[-1] > _DOSE_AGE:
        return Finding("unknown", look_at=ahead)
    at = due[-1]
    # Two doses close together share the time between them.
    before = due[-2] if len(due) > 1 else None
    begin = at - _EARLY if before is None else max(at - _EARLY, before + (at - before) / 2)
    taken = [one for one in picture.words if one.state in DOSES and begin <= one.observed_at <= now]
    values: dict[str, str | int | float | bool | None] = {
        "due_at": at.isoformat(),
        "grace_min": grace / timedelta(minutes=1),
        "taken_at": taken[-1].observed_at.isoformat() if taken else None,
    }
    clock = at.astimezone(picture.zone).strftime("%H:%M")
    if taken:
        return Finding("good", (Reason("dose_taken", f"the dose of {clock} was taken", values),), look_at=ahead)
    if not _heard(picture, now):
        return Finding("unknown", look_at=ahead)
    text = f"no word that the dose of {clock} was taken, {(now - at) / timedelta(minutes=1):.0f} min after it was due"
    return Finding("bad", (Reason("dose_missed", text, values),), mark=at.isoformat(), look_at=ahead)


def no_word(picture: Picture, now: datetime) -> Finding:
    """No word of well-being (报平安) since midnight, though the hour and its grace are over."""
    minute = picture.thresholds.clock("well_by")
    if minute is None:
        return _UNKNOWN
    midnight = now.astimezone(picture.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    by = midnight + timedelta(minutes=minute)
    until = by + timedelta(minutes=picture.thresholds.number("well_grace_min"))
    said = [one for one in picture.words if one.state in WELL and midnight <= one.observed_at <= now]
    tomorrow = until + timedelta(days=1)
    if said:
        values = {"said_at": said[-1].observed_at.isoformat()}
        return Finding("good", (Reason("all_well", "the word of well-being came", values),), look_at=tomorrow)
    if picture.well_words_at is None:
        return Finding("unknown", look_at=tomorrow)  # nothing there that could say it
    if now < until:
        return Finding("unknown", look_at=until)
    if not _heard(picture, now):
        return Finding("unknown", look_at=_next_hour(now))
    sign_at = last_sign_at(picture, now)
    moved = sign_at is not None and sign_at >= midnight
    text = f"no word of well-being today, it was due by {by.strftime('%H:%M')}" + ("; somebody moved" if moved else "")
    found = Reason(
        "no_word",
        text,
        {"due_by": by.isoformat(), "grace_min": (until - by) / timedelta(minutes=1), "moved_today": moved},
    )
    priority: Priority = "low" if moved else "medium"
    return Finding("bad", (found,), mark=midnight.date().isoformat(), priority=priority, look_at=tomorrow)


def weak_signs(picture: Picture, now: datetime) -> Finding:
    """Signs that alone mean little: a missed meal or visit, no motion, a door unopened, no word; three are an alarm."""
    signs: list[tuple[float, Reason]] = []
    meals = [one for one in picture.missed_meals if timedelta(0) <= now - one <= timedelta(hours=24)]
    if meals:
        signs.append((1.0, Reason("missed_meal", f"{len(meals)} meal(s) missed in 24 h", {"meals": len(meals)})))
    visits = [one for one in picture.missed_visits if timedelta(0) <= now - one <= timedelta(hours=24)]
    if visits:
        text = f"{len(visits)} visit(s) missed in 24 h: nobody came, or nobody opened"
        signs.append((1.0, Reason("missed_visit", text, {"visits": len(visits)})))
    sign_at = last_sign_at(picture, now)
    sensed = watching(picture, now)
    if sign_at is not None and sensed:
        limit, _ = quiet_limit(picture, now)
        quiet = (now - sign_at) / timedelta(hours=1)
        if quiet >= limit * WEAK_SHARE:
            text = f"no sign of moving for {quiet:.1f} h"
            signs.append((1.0, Reason("no_motion", text, {"quiet_h": round(quiet, 2), "limit_h": round(limit, 2)})))
    doors = [one.observed_at for one in picture.words if one.state in DOORS and one.observed_at <= now]
    doors += [] if picture.door_at is None else [picture.door_at]
    if doors and sensed:
        shut = now - max(doors)
        if shut >= _DOOR_UNOPENED:
            hours = round(shut / timedelta(hours=1), 1)
            signs.append((1.0, Reason("door_unopened", f"the door was not opened for {hours:g} h", {"hours": hours})))
    if no_word(picture, now).kind == "bad":
        signs.append((1.0, Reason("no_word", "no word of well-being today")))
    if picture.sources and any(one.silent for one in picture.sources):
        silent = [one.device_id for one in picture.sources if one.silent]
        signs.append((0.5, Reason("device_silent", f"{', '.join(silent)} silent", {"devices": len(silent)})))
    points = sum(weight for weight, _ in signs)
    if not meals and not visits and sign_at is None and not doors:
        return _UNKNOWN
    total = Reason(
        "weak_signs", f"{points:g} points, {_WEAK_LIMIT:g} are an alarm", {"points": points, "limit": _WEAK_LIMIT}
    )
    reasons = (total, *(reason for _, reason in signs))
    if points >= _WEAK_LIMIT:
        mark = now.astimezone(picture.zone).date().isoformat()
        return Finding("bad", reasons, mark=mark)
    return Finding("grey" if points >= _WEAK_NEAR else "good", reasons)
