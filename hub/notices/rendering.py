"""A template and its parameters as words: title, short text, what is read aloud, full text. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.alarms.table import ALARM_TYPES
from hub.notices.model import Language
from hub.notices.templates import Template

__all__ = ["MOST_SEGMENTS", "Said", "fitting", "render", "segments"]

MOST_SEGMENTS: Final = 4
"""A short message is cut to so many parts: each costs, and long ones arrive out of order or not at all."""

_LONGEST_PARAM: Final = 160
_SENTENCE: Final = re.compile(r"[^。；.;!?！？]*(?:[。；!?！？]|[.;](?:\s|$))?\s*|.+", re.DOTALL)
_SITE: Final[Mapping[Language, str]] = {"zh": "居家养老服务", "en": "home care"}
_WHITE: Final = re.compile(r"\s+")
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE: Final = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Said:
    """What a channel takes of it. `values`: the parameters as words, for providers that keep the text themselves."""

    title: str
    short: str
    spoken: str
    full: str
    values: Mapping[str, str]


def render(
    template: Template,
    params: Mapping[str, Any],
    language: Language,
    *,
    site: str = "",
    link: str | None = None,
    desk: str = "",
) -> Said:
    """The words. A sentence that speaks of something that is not there (a link, a number) is left out.

    The short text is cut to `MOST_SEGMENTS`: parameters are shortened, never the link.
    """
    words = template.words(language)
    values = {name: _word(value, language) for name, value in params.items() if value not in (None, "")}
    values["site"] = site or _SITE[language]
    if desk:
        values.setdefault("desk", desk)
    if link:
        values["link"] = link
    short = _filled(words.short, values)
    while segments(short) > MOST_SEGMENTS:
        longest = max((name for name in values if name != "link"), key=lambda name: len(values[name]))
        if len(values[longest]) <= 8:
            break
        values[longest] = values[longest][: max(7, len(values[longest]) - 10)].rstrip("…") + "…"
        short = _filled(words.short, values)
    spoken = _filled(words.spoken or words.short, {**values, "site": values["site"]})
    return Said(words.title, short, spoken, _filled(words.full, values) if words.full else short, values)


def _word(value: Any, language: Language) -> str:
    text = _WHITE.sub(" ", "".join(char for char in str(value) if char.isprintable() or char.isspace())).strip()
    known = ALARM_TYPES.get(text)
    if known is not None:
        return known.en if language == "en" else known.zh
    return text if len(text) <= _LONGEST_PARAM else text[: _LONGEST_PARAM - 1] + "…"


def _filled(text: str, values: Mapping[str, str]) -> str:
    kept = []
    for sentence in _SENTENCE.findall(text):
        names = re.findall(r"{(\w+)}", sentence)
        if all(name in values for name in names):
            kept.append(re.sub(r"{(\w+)}", lambda match: values[match[1]], sentence))
    return "".join(kept).strip()


def segments(text: str) -> int:
    """How many short messages a text is: 160 (153 each of several) in the GSM alphabet, else 70 (67), by UTF-16."""
    if all(char in _GSM or char in _GSM_DOUBLE for char in text):
        units, single, several = sum(1 + (char in _GSM_DOUBLE) for char in text), 160, 153
    else:
        units, single, several = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)


def fitting(texts: list[str], longest: int) -> list[list[str]]:
    """Texts for one reader put together into as few messages as hold them, in order; `longest` in characters."""
    found: list[list[str]] = []
    size = 0
    for text in texts:
        if found and size + 1 + len(text) <= longest:
            found[-1].append(text)
            size += 1 + len(text)
        else:
            found.append([text])
            size = len(text)
    return found
