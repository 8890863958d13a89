"""The console's own table of pages, as its source has it: a new page is looked at without being named in a test."""

from __future__ import annotations

import re
from pathlib import Path

import hub

__all__ = ["CONSOLE", "console_routes"]

CONSOLE = Path(hub.__file__).parent / "console" / "web" / "src" / "console"
_ENTRY = re.compile(r"^  (\w+): \{(.*)\},$", re.MULTILINE)
_LOADS = re.compile(r"[{,] load: (?:null|\(\))")
_PARTS = re.compile(r"parts: \{(.*)\}")
_PART = re.compile(r"(\w+): \{")


def console_routes() -> list[str]:
    """Every page and every part of one, as it stands after `#/`; the first part is the page itself."""
    table = (CONSOLE / "pages.ts").read_text(encoding="utf-8")
    pages = _ENTRY.findall(table)
    assert len(pages) == len(_LOADS.findall(table)), "the table is written otherwise than it is read here"
    found: list[str] = []
    for name, entry in pages:
        parts = _PARTS.search(entry)
        found += [name, *(f"{name}/{part}" for part in (_PART.findall(parts[1])[1:] if parts else []))]
    return found
