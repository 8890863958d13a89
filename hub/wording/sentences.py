"""Finds the Chinese of an English sentence whose values are filled in already.

A template is cut at its places. It fits a sentence that begins with the first piece, ends with the last and has the
others between them in this order; of several that fit, the one with the most words of its own is meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hub.wording.reader import Language

__all__ = ["Catalogue", "catalogue", "in_chinese", "in_language", "read_files", "worded"]

_LONGEST: Final = 4000
_DEEPEST: Final = 4
_MOST_JOINED: Final = 30
_OWN_WORDS: Final = 7
"""Letters of its own that a template needs around phrases, and for what stands in another: `no {}` fits a lot."""
_PLACE: Final = re.compile(r"\{(\d)\}")
_FIELD: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.\[\]-]*|[^\s:]*[^\x00-\x7f][^:]*): (.+)", re.DOTALL)
_MORE: Final = re.compile(r"(.+) \(and (\d+) more\)", re.DOTALL)
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class _Template:
    english: str
    pieces: tuple[str, ...]
    chinese: str

    @property
    def own(self) -> int:
        return sum(map(len, self.pieces))

    def values(self, text: str) -> tuple[str, ...] | None:
        """What stands at its places; None where it does not fit. In time linear in the text."""
        first, last = self.pieces[0], self.pieces[-1]
        if len(text) < self.own or not (text.startswith(first) and text.endswith(last)):
            return None
        at, end = len(first), len(text) - len(last)
        found: list[str] = []
        for piece in self.pieces[1:-1]:
            here = text.find(piece, at, end)
            if here < 0:
                return None
            found.append(text[at:here])
            at = here + len(piece)
        return (*found, text[at:end])


class Catalogue:
    """Sentences, the words that stand in them as values, and the fields they begin with; English to Chinese."""

    def __init__(self, sentences: Mapping[str, str], words: Mapping[str, str], fields: Mapping[str, str]) -> None:
        self._whole = {english: chinese for english, chinese in sentences.items() if "{}" not in english}
        self._templates: Sequence[_Template] = sorted(
            (
                _Template(english, tuple(english.split("{}")), chinese)
                for english, chinese in sentences.items()
                if "{}" in english
            ),
            key=lambda one: (-one.own, len(one.pieces)),
        )
        self._words = words
        self._fields = fields

    def say(self, text: str, depth: int = 0) -> str | None:
        """The Chinese of a sentence, or of several joined by "; "; None where a part of it is not known."""
        if depth > _DEEPEST or not text or len(text) > _LONGEST or text.count("; ") >= _MOST_JOINED:
            return None
        said = self._several(text, depth) or self._one(text, depth) or self._joined(text, depth)
        if said is not None:
            return said
        fitting = self._fitting(text, depth)
        return self._filled(fitting[0].chinese, fitting[1], depth) if fitting else None

    def _one(self, text: str, depth: int) -> str | None:
        """One sentence: its values hold neither a second one nor the field that this one is about."""
        whole = self._whole.get(text)
        if whole is not None:
            return whole
        fitting = self._fitting(text, depth)
        if fitting and not any(_holds_more(value) for value in fitting[1]):
            return self._filled(fitting[0].chinese, fitting[1], depth)
        return self._of_field(text, depth)

    def _fitting(self, text: str, depth: int) -> tuple[_Template, tuple[str, ...]] | None:
        for one in self._templates:
            values = one.values(text)
            if values is None:
                continue
            if one.own >= _OWN_WORDS or (depth == 0 and not any(" " in value for value in values)):
                return one, values
        return None

    def _filled(self, chinese: str, values: Sequence[str], depth: int) -> str:
        return _PLACE.sub(lambda place: self._value(values[int(place[1]) - 1], depth), chinese)

    def _value(self, value: str, depth: int) -> str:
        known = self._words.get(value) or self._fields.get(value)
        if known is not None:
            return known
        if " " in value:
            said = self.say(value, depth + 1)
            if said is not None:
                return said
        parts = value.split(", ")
        if len(parts) > 1:
            return "、".join(self._value(one, _DEEPEST) for one in parts)
        choices = value.split(" or ")
        return "或".join(_unquoted(one) for one in choices) if all(map(_QUOTED.fullmatch, choices)) else value

    def _joined(self, text: str, depth: int) -> str | None:
        """Sentences may have a semicolon of their own, so the longest piece that is one is taken each time."""
        parts = text.split("; ")
        if len(parts) < 2:
            return None
        found: list[str] = []
        at = 0
        while at < len(parts):
            for end in range(len(parts), at, -1):
                said = self._one("; ".join(parts[at:end]), depth + 1)
                if said is not None:
                    found.append(said)
                    at = end
                    break
            else:
                return None
        return "；".join(found)

    def _of_field(self, text: str, depth: int) -> str | None:
        found = _FIELD.fullmatch(text)
        rest = self._one(found[2], depth + 1) if found and depth < _DEEPEST else None
        return f"{self._fields.get(found[1], found[1])}：{rest}" if found and rest else None

    def _several(self, text: str, depth: int) -> str | None:
        found = _MORE.fullmatch(text)
        first = self.say(found[1], depth + 1) if found else None
        return f"{first}（另有 {found[2]} 处）" if found and first else None


def _unquoted(value: str) -> str:
    """What stands in quotation marks, in Chinese ones."""
    quoted = _QUOTED.fullmatch(value)
    return f"“{quoted[1] if quoted[1] is not None else quoted[2]}”" if quoted else value


def _holds_more(value: str) -> bool:
    return "; " in value or value.endswith(":") or _FIELD.fullmatch(value) is not None


def read_files() -> dict[str, dict[str, str]]:
    """The catalogue's files by name: English to Chinese, with `{1}` for what stands at the first `{}`."""
    return {
        file.name: json.loads(file.read_text(encoding="utf-8"))
        for file in files("hub.wording").iterdir()
        if file.name.endswith(".json")
    }


@cache
def catalogue() -> Catalogue:
    """The hub's own, read at the first refusal that somebody reads in Chinese."""
    found = read_files()
    words, fields = found.pop("words.json"), found.pop("fields.json")
    return Catalogue({english: chinese for one in found.values() for english, chinese in one.items()}, words, fields)


def in_chinese(sentence: str) -> str | None:
    """The Chinese of one of the hub's sentences; None where the catalogue has none."""
    return catalogue().say(sentence)


def in_language(sentence: str, language: Language | None) -> str:
    """The sentence as this reader reads it; where there is no Chinese, as it was written."""
    return (in_chinese(sentence) or sentence) if language == "zh" else sentence


def worded(row: Mapping[str, Any], language: Language | None, *names: str) -> dict[str, Any]:
    """A row of an answer, with the sentences under these names as this reader reads them."""
    said = {name: in_language(row[name], language) for name in names if isinstance(row.get(name), str)}
    return {**row, **said}
