"""Reading TOML and JSON tables with errors a person can act on: which file, which key, what is wrong."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["ScenarioError", "Table", "read_json", "read_toml"]


class ScenarioError(Exception):
    """A scenario or fleet file cannot be used. The text names file, key and reason."""

    def __init__(self, file: object, key: str, what: str) -> None:
        super().__init__(f"{file}: {key}: {what}" if key else f"{file}: {what}")
        self.file, self.key, self.what = str(file), key, what


class Table:
    """One table of a file; every value is taken once, its type and range checked; `done()` refuses leftovers."""

    def __init__(self, file: object, key: str, values: object) -> None:
        self.file = file
        self.key = key
        if not isinstance(values, Mapping):
            raise ScenarioError(file, key, f"a table is wanted, not {_shown(values)}")
        self._values: dict[str, Any] = dict(values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        """The keys not taken yet."""
        return list(self._values)

    def rest(self) -> dict[str, Any]:
        """Everything not taken yet, as it stands in the file."""
        return dict(self._values)

    def wrong(self, name: str, what: str) -> ScenarioError:
        """An error about one key of this table."""
        return ScenarioError(self.file, self._path(name), what)

    def text(self, name: str, default: str | None = None, *, one_of: Sequence[str] = ()) -> str | None:
        """A text (None where absent and without default)."""
        value = self._values.pop(name, None)
        value = default if value is None else value
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise self.wrong(name, f"text is wanted, not {_shown(value)}")
        if one_of and value not in one_of:
            raise self.wrong(name, f"{value!r} is unknown; one of {', '.join(one_of)} is wanted")
        return value

    def need_text(self, name: str, *, one_of: Sequence[str] = ()) -> str:
        """A text that must be there."""
        value = self.text(name, one_of=one_of)
        if value is None:
            raise self.wrong(name, "is missing")
        return value

    def number(
        self, name: str, default: float | None = None, *, low: float = 0.0, high: float = float("inf")
    ) -> float | None:
        """A number between `low` and `high` (None where absent and without default)."""
        value = self._values.pop(name, None)
        value = default if value is None else value
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            limits = f"{low:g} or more" if high == float("inf") else f"{low:g} to {high:g}"
            raise self.wrong(name, f"a number ({limits}) is wanted, not {_shown(value)}")
        return float(value)

    def need_number(
        self, name: str, default: float | None = None, *, low: float = 0.0, high: float = float("inf")
    ) -> float:
        """A number that must be there (or has a default)."""
        value = self.number(name, default, low=low, high=high)
        if value is None:
            raise self.wrong(name, "is missing")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false."""
        value = self._values.pop(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, f"true or false is wanted, not {_shown(value)}")
        return value

    def pair(self, name: str, default: tuple[float, float]) -> tuple[float, float]:
        """`[low, high]`, both 0 or more, in this order."""
        value = self._values.pop(name, list(default))
        good = isinstance(value, list) and len(value) == 2 and all(_is_number(part) for part in value)
        if not good or not 0 <= value[0] <= value[1]:
            raise self.wrong(name, f"[from, to] is wanted, not {_shown(value)}")
        return float(value[0]), float(value[1])

    def texts(self, name: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._values.pop(name, list(default))
        if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
            raise self.wrong(name, f"a list of texts is wanted, not {_shown(value)}")
        return tuple(value)

    def table(self, name: str) -> Table | None:
        """A sub-table (None where absent)."""
        if name not in self._values:
            return None
        return Table(self.file, self._path(name), self._values.pop(name))

    def tables(self, name: str) -> list[Table]:
        """A list of tables (empty where absent)."""
        value = self._values.pop(name, [])
        if not isinstance(value, list):
            raise self.wrong(name, f"a list of tables is wanted, not {_shown(value)}")
        return [Table(self.file, f"{self._path(name)}[{number}]", part) for number, part in enumerate(value)]

    def done(self) -> None:
        """Refuses keys nobody asked for: a misspelt key would otherwise be without effect."""
        for name in self._values:
            raise self.wrong(name, "is no known key")

    def _path(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name


def read_toml(path: Path) -> Table:
    """The root table of a TOML file."""
    try:
        return Table(path, "", tomllib.loads(_read(path)))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(path, "", f"not TOML: {error}") from None


def read_json(path: Path) -> Table:
    """The root object of a JSON file."""
    try:
        return Table(path, "", json.loads(_read(path)))
    except json.JSONDecodeError as error:
        raise ScenarioError(path, f"line {error.lineno}", f"not JSON: {error.msg}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(path, "", f"is not UTF-8 (byte {error.start})") from None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
