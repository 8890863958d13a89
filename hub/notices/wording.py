"""A site's own words in place of the hub's: what may stand in them, and which are in force. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from hub.notices.model import Language
from hub.notices.rendering import MOST_SEGMENTS, render, segments
from hub.notices.templates import TEMPLATES, Template, Words

__all__ = ["PARTS", "Fault", "Wordings", "faults", "placeholders", "remarks", "sample", "worded"]

Wordings = Mapping[tuple[str, Language], Words]
"""What a site has put in place of the hub's words, by template and language."""

PARTS: Final = ("title", "short", "spoken", "full")
_LONGEST: Final[Mapping[str, int]] = {"title": 60, "short": 400, "spoken": 600, "full": 1000}
_NAME: Final = re.compile(r"{(\w*)}")
_KEY: Final = re.compile(r"(?:按|press)\s*([0-9])")
_ALWAYS: Final = frozenset({"site", "desk"})
_SPOKEN_ONLY: Final = frozenset({"address"})
"""Read to whoever answers; on no lock screen, in no chat group."""
_SAMPLES: Final[Mapping[str, str]] = {
    "what": "sos",
    "place": "柳岸社区",
    "address": "柳岸路18号3幢2单元501",
    "number": "1042",
    "seconds": "30",
    "minutes": "6",
    "who": "王护士",
    "reason": "已有人前往",
    "desk": "12349",
    "day": "11-24",
    "span": "20:00-08:00",
    "where": "柳岸社区",
    "role": "guard",
    "channel": "sms",
    "text": "明天 10:00 助浴，护理员 李芳。",
}


class Fault(NamedTuple):
    """Why a part cannot be taken."""

    part: str
    text: str


def worded(name: str, wordings: Wordings) -> Template:
    """The template with the words in force. KeyError: there is no such template."""
    template = TEMPLATES[name]
    zh, en = wordings.get((name, "zh")), wordings.get((name, "en"))
    return template if zh is None and en is None else replace(template, zh=zh or template.zh, en=en or template.en)


def placeholders(template: Template, part: str) -> tuple[str, ...]:
    """What may stand in `{…}` in this part, what the hub always knows last."""
    named = [one for one in (*template.required, *template.optional) if part == "spoken" or one not in _SPOKEN_ONLY]
    if template.asks and part in ("short", "full"):
        named.append("link")
    return tuple(dict.fromkeys([*named, *sorted(_ALWAYS)])) if part != "title" else ()


def faults(template: Template, language: Language, words: Words) -> list[Fault]:
    """What forbids these words: every fault with its part."""
    return [Fault(part, text) for part in PARTS for text in _part_faults(template, language, part, words)]


def _part_faults(template: Template, language: Language, part: str, words: Words) -> Iterator[str]:
    text: str = getattr(words, part)
    standard: str = getattr(template.words(language), part)
    if len(text) > _LONGEST[part]:
        yield f"at most {_LONGEST[part]} characters"
    if any(not char.isprintable() for char in text):
        yield "one line without control characters"
    if not text.strip():
        if part in ("title", "short") or standard:
            yield "must not be empty"
        return
    may, used = placeholders(template, part), _NAME.findall(text)
    for name in dict.fromkeys(used):
        if name in _SPOKEN_ONLY and part != "spoken" and name in (*template.required, *template.optional):
            yield f"{{{name}}} may only be read aloud: this text stands on lock screens"
        elif name not in may:
            yield f"there is no {{{name}}}" + (f"; there is {_listed(may)}" if may else " in a title")
    if "{" in _NAME.sub("", text) or "}" in _NAME.sub("", text):
        yield "a brace stands alone: write placeholders as {name}"
    if template.asks and part in ("short", "full") and "link" not in used:
        yield "must say {link}: without it nobody can answer"
    for key in sorted(set(_KEY.findall(standard)) - set(_KEY.findall(text))):
        yield f"must say what key {key} does (按{key}, press {key})"
    if part == "short" and segments(_bare(template, words)) > MOST_SEGMENTS:
        yield f"more than {MOST_SEGMENTS} short messages even with short values"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"{{{one}}}" for one in names)


def _bare(template: Template, words: Words) -> str:
    text = words.short
    for name in placeholders(template, "short"):
        text = text.replace(f"{{{name}}}", "x" * (48 if name == "link" else 4))
    return text


def remarks(template: Template, language: Language, words: Words) -> list[Fault]:
    """What is allowed and should be seen: something the hub's own words say and these do not."""
    found = []
    for part in PARTS:
        text, standard = getattr(words, part), getattr(template.words(language), part)
        left = [one for one in dict.fromkeys(_NAME.findall(standard)) if text and one not in _NAME.findall(text)]
        found += [Fault(part, f"leaves out {{{one}}}") for one in left]
    return found


def sample(
    template: Template, language: Language, words: Words, *, site: str = "", desk: str = ""
) -> Mapping[str, str]:
    """The words with made-up values, as somebody would read and hear them; `segments` of the short text."""
    own = replace(template, en=words) if language == "en" else replace(template, zh=words)
    params = {one: _SAMPLES.get(one, one) for one in (*template.required, *template.optional)}
    link = "https://hub.example.org/t/aB3dE6gH9kL2" if template.asks else None
    said = render(own, params, language, site=site, link=link, desk=desk or _SAMPLES["desk"])
    return {
        "title": said.title,
        "short": said.short,
        "spoken": said.spoken,
        "full": said.full,
        "segments": str(segments(said.short)),
    }
