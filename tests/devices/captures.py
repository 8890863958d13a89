"""Real messages from `../shared/data`, read where they lie, never copied; tests skip where they are absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

__all__ = ["answers", "document", "needs", "rows"]

_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test visibly where the capture file `name` is absent."""
    return pytest.mark.skipif(not (_DATA / name).exists(), reason=f"no {name} beside this checkout")


def rows(name: str) -> list[dict[str, Any]]:
    """The JSON lines of a capture file, nothing where it is absent (to parametrise; mark the test with `needs`)."""
    path = _DATA / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def document(name: str) -> Any:
    """A capture file that is one JSON document."""
    return json.loads((_DATA / name).read_text("utf-8"))


def answers(row: dict[str, Any]) -> list[str]:
    """What a captured message is answered with by the oracle, in order: text, or hex digits."""
    return [reply.get("text") or reply["hex"] for reply in row["expect"]["traccar_reply"]]
