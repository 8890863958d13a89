"""The SQL of the store: named blocks in `queries/*.sql`, read once at import.

A block begins with a line `-- :name some_name` and runs to the next such line. Parameters are `%(name)s`, as psycopg
takes them; a literal per cent sign is doubled. `<<some_part>>` stands for the text of another block: a shape that
several views share is written once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

__all__ = ["SQL", "parse", "whole"]

_PART = re.compile(r"<<([a-z_]+)>>")
_HEAD = re.compile(r"^-- :name (\S+)[ \t]*$", re.MULTILINE)


def parse(text: str, where: str) -> dict[str, str]:
    """The blocks of one file; ValueError, naming file and block, for a bad or empty one."""
    parts = _HEAD.split(text)
    blocks: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in blocks:
            raise ValueError(f"{where}: {name!r} is no name for a block, or is there twice")
        lines = [line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("--")]
        if not lines:
            raise ValueError(f"{where}: block {name} is empty")
        blocks[name] = "\n".join(lines).rstrip(";")
    return blocks


def _load() -> Mapping[str, str]:
    blocks: dict[str, str] = {}
    for file in sorted(resources.files("hub.store.queries").iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".sql"):
            continue
        for name, body in parse(file.read_text(encoding="utf-8"), file.name).items():
            if name in blocks:
                raise ValueError(f"{file.name}: block {name} is in another file too")
            blocks[name] = body
    return MappingProxyType({name: whole(body, blocks) for name, body in blocks.items()})


def whole(body: str, blocks: Mapping[str, str]) -> str:
    """A block with its parts filled in; KeyError for a part that is not there."""
    return _PART.sub(lambda match: whole(blocks[match[1]], blocks), body)


SQL: Mapping[str, str] = _load()
"""Name of a block -> its text."""
