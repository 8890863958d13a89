"""What a kind of service needs to know, beside whom and when: fields with labels, checked. Pure.

Two lists a kind: what is said with the order, and what is said after the visit. A site may replace either
(`service_kinds.fields`, the same shape as JSON). What no field asks for may be said all the same and is kept as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any, Final, get_args

from dispatch.particulars_table import PARTICULARS, FieldType, Particular, Particulars

__all__ = [
    "PARTICULARS",
    "FieldType",
    "Particular",
    "Particulars",
    "checked",
    "particulars_json",
    "particulars_of",
    "said_lines",
    "unsaid",
]

_TYPES: Final[tuple[FieldType, ...]] = get_args(FieldType)
_LONGEST: Final = 500
_MOST: Final = 40


def particulars_of(kind: str, stored: Mapping[str, Any] | None = None) -> Particulars:
    """The fields of a kind: the site's own where it has some, else those of the table.

    `stored`: {"order": [...], "done": [...]} with objects as `particulars_json` gives them; ValueError names what is
    wrong with it.
    """
    known = PARTICULARS.get(kind, Particulars())
    if stored is None:
        return known
    unknown = sorted(set(stored) - {"order", "done"})
    if unknown:
        raise ValueError(f"fields.{unknown[0]}: there are only order and done")
    lists = {
        name: _read(stored[name], f"fields.{name}") if name in stored else getattr(known, name)
        for name in ("order", "done")
    }
    return Particulars(**lists)


def _read(rows: Any, where: str) -> tuple[Particular, ...]:
    if not isinstance(rows, Sequence) or isinstance(rows, str) or len(rows) > _MOST:
        raise ValueError(f"{where}: a list of at most {_MOST} fields is wanted")
    found: dict[str, Particular] = {}
    for number, row in enumerate(rows):
        place = f"{where}.{number}"
        if not isinstance(row, Mapping):
            raise ValueError(f"{place}: an object is wanted")
        name, zh, en = (row.get(key) for key in ("name", "zh", "en"))
        if not isinstance(name, str) or not name.isidentifier() or name in found:
            raise ValueError(f"{place}.name: a word of its own is wanted, in letters, digits and _")
        if not (isinstance(zh, str) and zh.strip() and isinstance(en, str) and en.strip()):
            raise ValueError(f"{place}: its names zh and en are missing")
        kind = row.get("type", "text")
        if kind not in _TYPES:
            raise ValueError(f"{place}.type: one of {', '.join(_TYPES)}")
        found[name] = Particular(
            name,
            zh,
            en,
            kind,
            bool(row.get("required", False)),
            _read_choices(row.get("choices"), kind, place),
            _bound(row.get("low"), f"{place}.low"),
            _bound(row.get("high"), f"{place}.high"),
        )
    return tuple(found.values())


def _bound(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where}: a number is wanted")
    return float(value)


def _read_choices(choices: Any, kind: str, place: str) -> Mapping[str, tuple[str, str]] | None:
    if kind not in ("choice", "choices"):
        return None
    if not isinstance(choices, Mapping) or not choices:
        raise ValueError(f"{place}.choices: code, Chinese and English of what can be chosen are missing")
    found: dict[str, tuple[str, str]] = {}
    for code, pair in choices.items():
        if not (isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(one, str) and one for one in pair)):
            raise ValueError(f"{place}.choices.{code}: two names are wanted, Chinese and English")
        found[str(code)] = (pair[0], pair[1])
    return found


def particulars_json(fields: Particulars) -> dict[str, list[dict[str, Any]]]:
    """As pages and programs read it."""
    return {"order": [asdict(one) for one in fields.order], "done": [asdict(one) for one in fields.done]}


def checked(fields: Sequence[Particular], said: Mapping[str, Any], *, whole: bool = True) -> list[tuple[str, str]]:
    """What is wrong with what was said: (field, sentence) each; [] where nothing is.

    `whole`: what is required must be there.
    """
    wrong: list[tuple[str, str]] = []
    for field in fields:
        value = said.get(field.name)
        if value is None or value == "" or value == []:
            if field.required and whole:
                wrong.append((field.name, f"{field.zh} · {field.en}: is missing"))
            continue
        problem = _problem(field, value)
        if problem is not None:
            wrong.append((field.name, f"{field.zh} · {field.en}: {problem}"))
    return wrong


def unsaid(fields: Sequence[Particular], said: Mapping[str, Any]) -> tuple[Particular, ...]:
    """What is required and not said yet: to be asked before anybody goes."""
    return tuple(field for field in fields if field.required and said.get(field.name) in (None, "", []))


def _problem(field: Particular, value: Any) -> str | None:
    match field.type:
        case "text" | "photo":
            return None if isinstance(value, str) and len(value) <= _LONGEST else f"a text of up to {_LONGEST} signs"
        case "flag":
            return None if isinstance(value, bool) else "yes or no (true, false)"
        case "lines":
            good = isinstance(value, list) and len(value) <= _MOST
            good = good and all(isinstance(one, str) and one.strip() and len(one) <= _LONGEST for one in value)
            return None if good else f"a list of up to {_MOST} texts"
        case "choice":
            return None if isinstance(value, str) and value in (field.choices or {}) else _known(field)
        case "choices":
            known = field.choices or {}
            good = isinstance(value, list) and all(isinstance(one, str) and one in known for one in value)
            return None if good else f"a list; {_known(field)}"
        case "time":
            return None if isinstance(value, str) and _is_time(value) else "a time with its offset (RFC 3339)"
        case "money_fen":
            if isinstance(value, bool) or not isinstance(value, int):
                return "whole fen"
            return _outside(field, value)
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return "a number"
            return _outside(field, value)


def _known(field: Particular) -> str:
    return f"one of {', '.join(field.choices or {})}"


def _outside(field: Particular, value: float) -> str | None:
    # A number that is none (NaN) is in no range.
    low, high = field.low, field.high
    if (low is None or value >= low) and (high is None or value <= high) and value == value:
        return None
    return f"from {low:g} to {high:g}" if low is not None and high is not None else "outside of what is possible"


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def said_lines(fields: Sequence[Particular], said: Mapping[str, Any], zone: tzinfo) -> dict[str, list[str]]:
    """What was said, a line a field, in both languages ("zh", "en"): for whoever reads it on a small screen.

    What cannot be read as its field's type is shown as it is: better an odd line than a missing one.
    """
    lines: dict[str, list[str]] = {"zh": [], "en": []}
    for field in fields:
        value = said.get(field.name)
        if value is None or value is False or value in ("", []):
            continue
        for place, language in enumerate(("zh", "en")):
            text = _shown(field, value, place, zone)
            label = (field.zh, field.en)[place]
            lines[language].append(label if value is True else f"{label}{'：' if place == 0 else ': '}{text}")
    return lines


def _shown(field: Particular, value: Any, place: int, zone: tzinfo) -> str:
    if isinstance(value, list):
        return ("、", ", ")[place].join(_shown(field, one, place, zone) for one in value)
    known = (field.choices or {}).get(value) if isinstance(value, str) else None
    if known is not None:
        return known[place]
    if field.type == "money_fen" and isinstance(value, int):
        return f"{value / 100:.2f}"
    if field.type == "time" and isinstance(value, str) and _is_time(value):
        return datetime.fromisoformat(value).astimezone(zone).strftime("%m-%d %H:%M")
    return str(value)
