"""Every named block is used, and every block is understood by the real schema."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import psycopg
import pytest

import hub.store
from hub.store.sql import SQL, parse, whole

STORE = Path(hub.store.__file__).parent
QUERIES = "\n".join(
    file.read_text(encoding="utf-8")
    for file in resources.files("hub.store.queries").iterdir()
    if file.name.endswith(".sql")
)
PARTS = set(re.findall(r"<<([a-z_]+)>>", QUERIES))


def as_prepared(text: str) -> str:
    """psycopg's `%(name)s` as PostgreSQL's own `$1`."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"%\((\w+)\)[sbt]", number, text).replace("%%", "%")


def test_every_block_is_used() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in STORE.glob("*.py"))
    used = set(re.findall(r'"([a-z_]+)"', code)) | PARTS
    assert set(SQL) - used == set()


def test_every_block_is_understood_by_the_schema(database_url: str) -> None:
    refused: dict[str, str] = {}
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The blocks that make and read temporary tables need them there.
        for name in ("reconcile_sent_line", "reconcile_sent_press"):
            connection.execute(SQL[name].replace("ON COMMIT DROP", "").encode())
        for name, text in SQL.items():
            if name in PARTS or text.startswith("CREATE"):
                continue
            try:
                connection.execute(f"PREPARE block_{name} AS {as_prepared(text)}".encode())
            except psycopg.Error as error:
                refused[name] = str(error)
    assert refused == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-- :name a\nSELECT 1\n-- :name a\nSELECT 2\n", "twice"),
        ("-- :name Bad-name\nSELECT 1\n", "Bad-name"),
        ("-- :name a\n-- only words\n", "block a is empty"),
    ],
)
def test_a_bad_block_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text, "some.sql")


def test_parts_are_filled_in_and_comments_left_out() -> None:
    blocks = parse("-- :name part\n-- why\n1 + 1;\n-- :name all\nSELECT <<part>>\n", "some.sql")
    assert whole(blocks["all"], blocks) == "SELECT 1 + 1"
    with pytest.raises(KeyError):
        whole("SELECT <<missing>>", blocks)
