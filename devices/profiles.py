"""Device profiles: what is known of a model that its wire does not say. Data: a table below, and whatever a site adds.

A profile names its family, how often its devices speak and what silence means, how its codes and polarities read (the
part the codec gets as `DeviceRef.profile`), and what an installer must set on the device. `check_profile` says in words
what is wrong with one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from devices.alarm_types import ALARM_TYPES
from devices.profile_table import BUILT_IN_PROFILES
from devices.registry import FAMILIES

__all__ = ["BUILT_IN_PROFILES", "READING_KEYS", "check_profile"]

_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LONGEST_S: Final = 31 * 86_400
_MOST_ENTRIES: Final = 500
_WORDS: Final = sorted(ALARM_TYPES)

Check = Callable[[str, Any], list[str]]


def _word(where: str, value: Any) -> list[str]:
    if isinstance(value, str) and value in ALARM_TYPES:
        return []
    return [f"{where}: {value!r} is no alarm type; known: {', '.join(_WORDS)}"]


def _word_or_none(where: str, value: Any) -> list[str]:
    """An alarm type, or null: this is no alarm."""
    return [] if value is None else _word(where, value)


def _object(where: str, value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{where}: an object was expected, not {type(value).__name__}"]
    if len(value) > _MOST_ENTRIES:
        return [f"{where}: more than {_MOST_ENTRIES} entries"]
    return [f"{where}: {key!r} is no text" for key in value if not isinstance(key, str) or not key]


def _codes(low: int | None = None, high: int | None = None, *, none: bool = False) -> Check:
    """A table of codes to alarm types; where `low` is given the codes are bit numbers from there to `high`.

    `none`: null says that a code is no alarm (the codecs of the trackers fall back to their own table there).
    """
    check_word = _word_or_none if none else _word

    def check(where: str, value: Any) -> list[str]:
        wrong = _object(where, value)
        if wrong:
            return wrong
        for code, word in value.items():
            if low is not None and not (code.isascii() and code.isdigit() and low <= int(code) <= (high or low)):
                wrong.append(f"{where}.{code}: a bit number from {low} to {high} was expected")
            wrong += check_word(f"{where}.{code}", word)
        return wrong

    return check


def _one_of(*words: str) -> Check:
    return lambda where, value: [] if value in words else [f"{where}: {value!r} is none of {', '.join(words)}"]


def _yes_or_no(where: str, value: Any) -> list[str]:
    return [] if isinstance(value, bool) else [f"{where}: true or false was expected, not {value!r}"]


def _number(low: float, high: float) -> Check:
    def check(where: str, value: Any) -> list[str]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return [f"{where}: a number was expected, not {value!r}"]
        return [] if low <= value <= high else [f"{where}: {value} is outside {low:g} to {high:g}"]

    return check


def _each(check: Check) -> Check:
    def check_all(where: str, value: Any) -> list[str]:
        return _object(where, value) or [said for key, one in value.items() for said in check(f"{where}.{key}", one)]

    return check_all


def _text(where: str, value: Any) -> list[str]:
    return [] if isinstance(value, str) and 0 < len(value) <= 200 else [f"{where}: a short text was expected"]


def _truth(where: str, value: Any) -> list[str]:
    return [] if isinstance(value, bool) else [f"{where}: true or false was expected, not {value!r}"]


def _polarity(where: str, value: Any) -> list[str]:
    wrong = _object(where, value)
    if wrong:
        return wrong
    wrong = [f"{where}.{key}: only value_on and value_off are known here" for key in value.keys() - _POLARITIES]
    if not wrong and value.keys() >= _POLARITIES and value["value_on"] == value["value_off"]:
        wrong.append(f"{where}: value_on and value_off are the same")
    wrong += [
        f"{where}.{key}: a word, a number or true/false was expected" for key, one in value.items() if not _plain(one)
    ]
    return wrong or ([] if value else [f"{where}: give value_on, value_off or both"])


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


_POLARITIES: Final = frozenset({"value_on", "value_off"})
_DATUM: Final = _one_of("wgs84", "gcj02", "bd09")
_OFFSET: Final = _number(-840, 840)
_THING: Final[Mapping[str, Check]] = {
    "properties": _each(_text),
    "scale": _each(_number(-1e6, 1e6)),
    "alarm_codes": _codes(none=True),
    "events": _codes(none=True),
    "datum": _DATUM,
    "zone_minutes": _OFFSET,
}

_VOICE: Final[Mapping[str, Check]] = {"voice": _yes_or_no}
"""`voice` false: this model says nothing and rings nobody, whatever its wire could carry; nobody asks it to."""

READING_KEYS: Final[Mapping[str, Mapping[str, Check]]] = {
    "care": {**_VOICE},
    "watch": {**_VOICE, "alarm_bits": _codes(16, 31)},
    "iw": {
        **_VOICE,
        "alarm_codes": _codes(),
        "date_order": _one_of("ymd", "dmy"),
        "glucose_unit": _one_of("mmol_l", "mg_dl"),
        "utc_offset_minutes": _OFFSET,
    },
    "minifinder2": {"alarm_bits": _codes(0, 31)},
    "gt06": {
        "alarm_codes": _codes(),
        "state_alarms": _codes(),
        "event_codes": _codes(),
        "utc_offset_minutes": _OFFSET,
    },
    "h02": {"alarm_bits": _codes(0, 31), "utc_offset_minutes": _OFFSET},
    "zigbee2mqtt": {
        "model": _text,
        "exposes": _each(_polarity),
        "alarms": _codes(),
        "actions": _codes(none=True),
        "falls": _each(_object),
        "window_s": _each(_number(0, 86_400)),
    },
    "owntracks": {
        "datum": _DATUM,
        "enter": _word_or_none,
        "leave": _word_or_none,
        "beacon_enter": _word_or_none,
        "beacon_leave": _word_or_none,
    },
    "fall_radar": {
        "dialect": _one_of("vayyar", "esphome", "tuya", "aqara", "aqara_gateway", "netlia"),
        "actions": _codes(),
    },
    "vda5050": {
        "battery_scale": _one_of("percent", "fraction"),
        "window_s": _number(1, 86_400),
        "errors": _codes(none=True),
        "error_levels": _each(_truth),
    },
    "alink": _THING,
    "onenet": _THING,
    "huawei": _THING,
    "thingsboard": _THING,
}
"""What each family's codec takes from a profile, with the check of each. A test holds it against the registry."""


def _seconds(where: str, value: Any) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LONGEST_S:
        return []
    return [f"{where}: whole seconds from 1 to {_LONGEST_S} were expected, not {value!r}"]


def _night(where: str, value: Any) -> list[str]:
    wrong = _object(where, value)
    if wrong:
        return wrong
    wrong = [f"{where}.{name}: is missing" for name in ("from", "to", "after_s") if name not in value]
    wrong += [f"{where}.{name}: there is no such field" for name in value.keys() - {"from", "to", "after_s"}]
    for name in ("from", "to"):
        if name in value and not (isinstance(value[name], str) and _CLOCK.fullmatch(value[name])):
            wrong.append(f"{where}.{name}: a local time like 22:00 was expected, not {value[name]!r}")
    return wrong + (_seconds(f"{where}.after_s", value["after_s"]) if "after_s" in value else [])


_SILENCE: Final[Mapping[str, Check]] = {
    "supervised": _truth,
    "after_s": _seconds,
    "charging_s": _seconds,
    "first_report_s": _seconds,
    "night": _night,
}


def check_profile(profile: Mapping[str, Any]) -> list[str]:
    """What is wrong with a profile, a sentence each that begins with the field; [] where nothing is.

    `profile`: id, family, zh, en, optionally model, interval_s (null: it speaks only when something happens),
    silence {supervised, after_s, charging_s, first_report_s, night {from, to, after_s}}, reading (what the family's
    codec takes, see READING_KEYS), setup [{zh, en, value}], note.
    """
    wrong: list[str] = []
    if not (isinstance(profile.get("id"), str) and _ID.fullmatch(profile["id"])):
        wrong.append("id: 1 to 64 of A-Z a-z 0-9 _ . : - were expected")
    family = profile.get("family")
    if family not in FAMILIES:
        wrong.append(f"family: there is no device family {family!r}; known: {', '.join(sorted(FAMILIES))}")
    for name in ("zh", "en"):
        wrong += _text(name, profile.get(name))
    if profile.get("interval_s") is not None:
        wrong += _seconds("interval_s", profile["interval_s"])
    silence = profile.get("silence") or {}
    wrong += _known("silence", silence, _SILENCE)
    if not wrong and silence.get("supervised", True) and profile.get("interval_s") is None and "after_s" not in silence:
        wrong.append("silence.after_s: without interval_s nothing says when it is silent; or set supervised to false")
    if family in FAMILIES:
        wrong += _known("reading", profile.get("reading") or {}, READING_KEYS[str(family)])
    return wrong + _setup(profile.get("setup") or [])


def _known(where: str, found: Any, keys: Mapping[str, Check]) -> list[str]:
    wrong = _object(where, found)
    if wrong:
        return wrong
    for name, value in found.items():
        check = keys.get(name)
        if check is None:
            known = ", ".join(sorted(keys)) or "none"
            wrong.append(f"{where}.{name}: there is no such field; known here: {known}")
        else:
            wrong += check(f"{where}.{name}", value)
    return wrong


def _setup(steps: Any) -> list[str]:
    if not isinstance(steps, Sequence) or isinstance(steps, str) or len(steps) > 50:
        return ["setup: a list of at most 50 steps was expected"]
    wrong: list[str] = []
    for number, step in enumerate(steps, 1):
        where = f"setup.{number}"
        if not isinstance(step, Mapping):
            wrong.append(f"{where}: an object with zh and en was expected")
            continue
        for name in ("zh", "en"):
            wrong += _text(f"{where}.{name}", step.get(name))
        if "value" in step:
            wrong += _text(f"{where}.value", step["value"])
        wrong += [f"{where}.{name}: there is no such field" for name in step.keys() - {"zh", "en", "value"}]
    return wrong
