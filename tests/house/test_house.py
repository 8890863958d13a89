"""The rules of the house that no linter knows: public faces, names, sizes, links, equal words in both languages."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch import ASSIGNMENT_STATES
from hub.alarms import actions

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "devices", "dispatch", "simulators")
FACES = json.loads((Path(__file__).parent / "faces.json").read_text(encoding="utf-8"))

# Words that say nothing.
BANNED = re.compile(r"(^|_)(manager|helper|util|utils|processor|data|info|common|misc)(s?)(_|$)", re.IGNORECASE)
# Names that others gave: a setting of the contract, a library's own word.
ALLOWED = {"data_dir", "DataDirectoryLock"}
LONGEST = 420


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


@pytest.mark.parametrize("module", sorted(FACES))
def test_public_faces_are_frozen(module: str) -> None:
    """A name that leaves or enters a public face is a decision: change tests/house/faces.json with it."""
    assert sorted(importlib.import_module(module).__all__) == FACES[module]


def test_every_module_has_an_explicit_face() -> None:
    missing = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not tree.body or path.name == "__main__.py":
            continue
        names = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        if "__all__" not in names:
            missing.append(str(path.relative_to(ROOT)))
    assert missing == []


def test_names_say_something() -> None:
    found = []
    for path in sources():
        words = [path.stem] + [
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        for word in words:
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
            if BANNED.search(snake) and word not in ALLOWED:
                found.append(f"{path.relative_to(ROOT)}: {word}")
    assert found == []


def test_files_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_links_of_the_documents_lead_somewhere() -> None:
    dead = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        dead += [
            f"{page.relative_to(ROOT)}: {target}"
            for target in targets
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
        ]
    assert dead == []


def test_the_two_rooms_use_the_same_words_for_assignments() -> None:
    assert set(actions.AssignmentState.__args__) == set(ASSIGNMENT_STATES)


def test_no_address_or_path_of_a_machine_is_committed() -> None:
    """Lock files and documents work everywhere: they name no registry and no folder of somebody's machine."""
    suspicious = re.compile(r"(registry\.npmjs\.org|files\.pythonhosted|pypi\.org/simple|/root/|/home/\w+/)")
    found = []
    for pattern in ("*.lock", "*.md", "*.toml", "Makefile", "docs/**/*.md", "hub/console/web/package-lock.json"):
        paths = ROOT.glob(pattern)
        found += [str(path.relative_to(ROOT)) for path in paths if suspicious.search(path.read_text(encoding="utf-8"))]
    assert found == []
