"""Which of the two languages somebody reads, by the header that every page and browser sends."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["Language", "language_of"]

Language = Literal["zh", "en"]
_MOST: Final = 20


def language_of(accept: str | None) -> Language | None:
    """The language of an `Accept-Language` header: Chinese or English, whichever is wanted more, the first of equals.

    None without the header, or where it names neither: a program, which reads sentences as they were written.
    """
    best: Language | None = None
    weight = 0.0
    for one in (accept or "").split(",")[:_MOST]:
        tag, *parameters = (part.strip().lower() for part in one.split(";"))
        primary = tag.split("-")[0]
        wanted = _weight(parameters)
        if wanted > weight and (primary == "zh" or primary == "en"):
            best, weight = ("zh" if primary == "zh" else "en"), wanted
    return best


def _weight(parameters: list[str]) -> float:
    for one in parameters:
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
