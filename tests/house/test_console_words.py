"""The console says what the hub says: levels, classes and types have one name in each language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.alarms.table import ALARM_TYPES, CLASS_LABELS, PRIORITY_LABELS

LOCALES = Path(__file__).parents[2] / "hub" / "console" / "web" / "src" / "locales"


@pytest.mark.parametrize(("language", "place"), [("zh", 0), ("en", 1)])
def test_levels_classes_and_types_are_called_as_in_the_table(language: str, place: int) -> None:
    words: dict[str, str] = {}
    for name in ("shared", "console"):
        words |= json.loads((LOCALES / f"{name}.{language}.json").read_text(encoding="utf-8"))
    wanted = {f"level.{code}": labels[place] for code, labels in PRIORITY_LABELS.items()}
    wanted |= {f"class.{code}": labels[place] for code, labels in CLASS_LABELS.items()}
    wanted |= {f"type.{row.id}": (row.zh, row.en)[place] for row in ALARM_TYPES.values()}
    assert {key: words.get(key) for key in wanted} == wanted
