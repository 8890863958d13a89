"""docs/howto/add-a-device.md, followed literally, gives a working codec: its code runs as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Codec, DeviceRef, Uplink
from tests.devices.examples import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "add-a-device.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def codec() -> Codec:
    source = next(block for block in BLOCKS if "class DoorbellCodec" in block)
    module = ModuleType("doorbell")
    exec(compile(source, "docs/howto/add-a-device.md", "exec", dont_inherit=True), module.__dict__)
    found: Codec = module.DoorbellCodec()
    return found


def said(codec: Codec, body: bytes, topic: str = "doorbell/d-1/ring", **more: Any) -> list[tuple[str, str | None]]:
    decoded = codec.decode(Uplink(body, NOW, topic, **more), DeviceRef(""))
    return [(event.kind, event.type) for event in decoded.events]


def test_the_example_of_the_page_decodes(codec: Codec) -> None:
    (example,) = re.findall(r"Uplink\(b'(\{.*?\})', NOW, \"(.*?)\"\)", PAGE)
    decoded = codec.decode(Uplink(example[0].encode(), NOW, example[1]), DeviceRef(""))
    (event,) = decoded.events
    assert (event.device_id, event.type, event.battery_pct) == ("d-1", "sos", 80)
    assert event.observed_at is not None
    assert event.observed_at.isoformat() == "2026-11-22T07:18:20+00:00"
    assert event.key is not None


def test_it_keeps_the_rules_of_the_page(codec: Codec) -> None:
    assert said(codec, b'{"ring": "somebody"}') == [("alarm", "assistance")]
    assert said(codec, b'{"ring": "visitor"}') == [("activity", None)]
    assert said(codec, b'{"ring": "help"}', retained=True) == [("activity", None)]
    assert said(codec, b'{"level": 2}', "doorbell/d-1/light") == [("unsupported", None)]
    assert said(codec, b"{") == []
    assert said(codec, b"{}", "elsewhere") == []


LINES = re.findall(r"`([\w/.]+)`, into `(\w+)`.*?:\n```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)


def put_into(text: str, table: str, block: str) -> str:
    """The block's lines as the first of the table, its imports as the last of those of codecs."""
    *imports, line = block.strip().splitlines()
    found = re.search(rf"^{table}\b[^=]*= (?:\{{\n    one\[.*?for one in )?[{{(]", text, re.MULTILINE | re.DOTALL)
    assert found is not None, table
    text = f"{text[: found.end()]}\n    {line}\n    {text[found.end() :]}"
    for one in filter(None, imports):
        text = text.replace("from devices.codecs.care import", f"{one}\nfrom devices.codecs.care import", 1)
    return text


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the family added as the page says."""
    root, copy = Path(__file__).parents[2], tmp_path_factory.mktemp("tree")
    for name in ("devices", "tests/devices", "benchmarks/codecs.py", "benchmarks/__init__.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, copy / name)
    for name in ("tests/__init__.py", "tests/waiting.py"):
        (copy / name).symlink_to(root / name)
    for name in ("hub", "simulators", "pyproject.toml"):
        (copy / name).symlink_to(root / name)
    (copy / "devices" / "codecs" / "doorbell.py").write_text(
        next(block for block in BLOCKS if "class DoorbellCodec" in block), encoding="utf-8"
    )
    for name, table, block in LINES:
        path = copy / name
        path.write_text(put_into(path.read_text(encoding="utf-8"), table, block), encoding="utf-8")
    return copy


def run(tree: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, input=stdin,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_every_line_of_the_page_has_its_place() -> None:
    assert [(name, table) for name, table, _ in LINES] == [
        ("devices/registry.py", "FAMILIES"),
        ("devices/maker_topics.py", "TOPIC_FAMILIES"),
        ("devices/profile_table.py", "BUILT_IN_PROFILES"),
        ("tests/devices/examples.py", "EXAMPLES"),
        ("tests/devices/test_registry.py", "_CONTRACT"),
        ("tests/devices/test_json_hostile.py", "_FAMILIES"),
        ("tests/devices/test_json_hostile.py", "_TOPICS"),
        ("tests/devices/test_json_hostile.py", "_WORDS"),
        ("benchmarks/codecs.py", "_MESSAGES"),
    ]


def test_the_page_followed_literally_gives_a_family(tree: Path) -> None:
    wanted = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/devices/test_registry.py",
        "-k",
        "doorbell or contracts or examples",
    )
    done = run(tree, *wanted, "tests/devices/test_json_hostile.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "doorbell" in run(tree, *wanted, "--collect-only").stdout


def test_the_command_of_the_page_prints_what_it_shows(tree: Path) -> None:
    command = re.search(r"\$ echo '(.*?)' \| hub (decode doorbell)\n(.*?)\n", PAGE)
    assert command is not None
    hub = ("-c", "import sys; from hub.cli import main; main(sys.argv[1:])")
    done = run(tree, *hub, *command[2].split(), stdin=command[1] + "\n")
    assert done.stdout.startswith(command[3].partition("…")[0].rstrip(", ")), done.stdout + done.stderr
    (tree / "heard").write_text(command[1] + "\n", encoding="utf-8")
    report = run(tree, *hub, "conformance", "doorbell", "heard", "--lang", "en")
    assert "sos 1" in report.stdout, report.stdout + report.stderr
    topics = (
        "from devices.maker_topics import filters_of, topic_device\n"
        "print(filters_of('doorbell', 'doorbell'), topic_device('doorbell', 'doorbell', 'doorbell/d-1/ring'))"
    )
    assert run(tree, "-c", topics).stdout.strip() == "['doorbell/#'] d-1"


@given(st.binary(max_size=200), st.text(max_size=40))
def test_it_never_raises(codec: Codec, body: bytes, topic: str) -> None:
    for where in (topic, "doorbell/d-1/ring"):
        codec.decode(Uplink(body, NOW, where), DeviceRef(""))
