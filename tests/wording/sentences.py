"""Every English sentence of the code that somebody can see as a refusal, with `{}` for each value that is filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_ROOMS: Final = (
    "dispatch", "hub/accounts", "hub/alarms", "hub/api", "hub/notices", "hub/ports", "hub/rota", "hub/service",
    "hub/store",
)  # fmt: skip
"""Where what is refused reaches a page. The others speak to whoever runs the hub, or to programs."""

_SILENT: Final = frozenset({
    # Mistakes of ours, and what only a program that calls these can do wrong.
    "hub/alarms/correlation.py", "hub/alarms/engine.py", "hub/alarms/positions.py", "dispatch/travel.py",
    "hub/service/prepared.py", "hub/notices/pacing.py", "dispatch/lifecycle.py",
    # The schema, backups and embedded parts: words of the command line.
    "hub/store/migrate.py", "hub/store/archive.py", "hub/store/backup.py", "hub/store/restore.py",
})  # fmt: skip
_NOT_SHOWN: Final = frozenset({
    "SettingError", "BackupError", "MigrationError", "JournalError", "SendFailedError", "RuntimeError", "TypeError",
    "KeyError", "AssertionError", "NotImplementedError", "RoadsError", "PlannerDiedError", "RaceLostError",
    "NoAnswerError", "RefusedError", "MalformedPublishError",
})  # fmt: skip
_ALSO: Final = frozenset({"Conflict", "BulkRefused", "NotHolder", "SelfSupervision", "ShelfRefused", "problem"})

_SPEAKERS: Final = (
    "devices/profiles.py", "dispatch/eligibility.py", "dispatch/particulars.py", "hub/alarms/plans_json.py",
    "hub/alarms/rules/fences.py", "hub/alarms/rules/thresholds.py", "hub/alarms/windows.py", "hub/api/area_shapes.py",
    "hub/api/load_check.py", "hub/api/load_files.py", "hub/api/register_taking.py", "hub/bridge/path_probe.py",
    "hub/notices/wording.py", "hub/rota/swaps.py", "hub/service/path_tests.py",
)  # fmt: skip
"""Rooms that gather faults as texts, which are joined and refused elsewhere."""

_FRAGMENTS: Final = frozenset({
    " in a title", "; there is {}", ": one of {}", "{} parts", "{}ring {}", "polygon {}, ",
    "there is no {}{}", "{}no ring at all", "it is {}", "hours.{}.{}",
    "path test", "path test: an answer that is no JSON", "Test of the alarm path",
    "a test alarm did not come through: {}",
})  # fmt: skip
"""Pieces that are put together, or say nothing without what is filled in; the whole is asked for by its own test."""

_WORDY: Final = re.compile(r"[a-z]{2,}")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """One of the code's sentences: `english` with `{}` for each value, and where it stands."""

    english: str
    where: str


def sentences() -> Iterator[Sentence]:
    """All of them, in the order of the files."""
    for room in _ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in _SILENT:
                yield from _raised(path, name)
    for name in _SPEAKERS:
        yield from _spoken(ROOT / name, name)


def _raised(path: Path, name: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if (called.endswith("Error") and called not in _NOT_SHOWN) or called in _ALSO:
            place = 1 if called == "problem" else 0
            if len(node.args) > place:
                for text in _templates(node.args[place]):
                    if _is_sentence(text):
                        yield Sentence(text, f"{name}:{node.lineno}")


def _spoken(path: Path, name: str) -> Iterator[Sentence]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            silent |= {id(part.value) for part in node.body if isinstance(part, ast.Expr)}
        if isinstance(node, ast.Assign | ast.AnnAssign) and node in tree.body and node.value is not None:
            silent |= {id(part) for part in ast.walk(node.value)}
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for value in node.values for part in ast.walk(value)}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
            silent |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in silent or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        for text in _templates(node):
            if " " in text.strip() and _is_sentence(text):
                yield Sentence(text, f"{name}:{node.lineno}")


def _is_sentence(text: str) -> bool:
    bare = text.replace("{}", "")
    return text not in _FRAGMENTS and bool(_WORDY.search(bare)) and not _CHINESE.search(bare.replace("是/否", ""))


def _templates(node: ast.expr) -> list[str]:
    """The sentences an expression can be; a choice gives each of its own, what is no text gives a value's place."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        whole = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return [whole]
    if isinstance(node, ast.IfExp):
        return [*_templates(node.body), *_templates(node.orelse)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _templates(node.left) or ["{}"], _templates(node.right) or ["{}"]
        return [one + other for one in left for other in right]
    return []
