"""Migrations: once each, in order, never a changed or unknown one."""

from __future__ import annotations

import psycopg
import pytest

from hub.errors import UnavailableError
from hub.store.migrate import Migration, MigrationError, migrate, migrations, pending, timescale_edition
from tests.store.rows import Racers

ONE = Migration("0001_one", None, "CREATE TABLE one (a integer);\nCREATE TABLE two (a integer);\n")
TWO = Migration("0002_two", None, "ALTER TABLE one ADD b text;\n")
PLAIN = Migration("0003_three", "plain", "CREATE TABLE plain_way (a integer);\n")
SCALE = Migration("0003_three", "timescale", "CREATE TABLE timescale_way (a integer);\n")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_applies_each_file_once_in_order(empty_database_url: str) -> None:
    assert pending(empty_database_url, files=[ONE, TWO]) == ["0001_one", "0002_two"]
    assert tables(empty_database_url) == set(), "looking changes nothing"
    assert migrate(empty_database_url, files=[ONE]) == ["0001_one"]
    assert migrate(empty_database_url, files=[ONE, TWO]) == ["0002_two"]
    assert migrate(empty_database_url, files=[ONE, TWO]) == []
    assert pending(empty_database_url, files=[ONE, TWO]) == []


def test_a_changed_file_stops_and_is_named(empty_database_url: str) -> None:
    migrate(empty_database_url, files=[ONE])
    changed = Migration("0001_one", None, ONE.text + "-- later thought\n")
    with pytest.raises(MigrationError, match="0001_one was changed"):
        migrate(empty_database_url, files=[changed, TWO])
    assert "b" not in tables(empty_database_url)


def test_line_ends_do_not_count_as_a_change() -> None:
    assert Migration("0001_one", None, ONE.text.replace("\n", "\r\n")).checksum == ONE.checksum


def test_a_newer_database_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url, files=[ONE, TWO])
    with pytest.raises(MigrationError, match=r"0002_two.*newer hub"):
        migrate(empty_database_url, files=[ONE])


def test_a_file_before_an_applied_one_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url, files=[TWO_ALONE])
    with pytest.raises(MigrationError, match="0001_one comes before"):
        migrate(empty_database_url, files=[ONE, TWO_ALONE])


TWO_ALONE = Migration("0002_alone", None, "CREATE TABLE alone (a integer)")


def test_a_bad_file_names_its_line_and_leaves_nothing_of_itself(empty_database_url: str) -> None:
    bad = Migration("0002_bad", None, "CREATE TABLE half (a integer);\n\nCREATE TABEL x (a integer);\n")
    with pytest.raises(MigrationError, match="0002_bad, line 3: "):
        migrate(empty_database_url, files=[ONE, bad])
    assert tables(empty_database_url) == {"one", "two", "schema_migrations"}
    assert pending(empty_database_url, files=[ONE, TWO]) == ["0002_two"]


def test_hubs_that_start_together_apply_everything_once(empty_database_url: str) -> None:
    done = Racers().run(*(lambda: migrate(empty_database_url) for _ in range(4)))
    applied = [names for names in done if names]
    assert len(applied) == 1
    assert len(applied[0]) == len({one.stem for one in migrations()})


def test_without_timescale_the_plain_way_is_taken_and_kept(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        assert timescale_edition(connection) is None
    assert migrate(empty_database_url, files=[ONE, TWO, PLAIN, SCALE])[-1] == "0003_three.plain"
    assert "plain_way" in tables(empty_database_url)
    assert "timescale_way" not in tables(empty_database_url)


def test_a_database_keeps_the_variant_it_began_with(empty_database_url: str) -> None:
    """As if TimescaleDB had been there at first: the next pair takes the same way, whatever the server offers now."""
    migrate(empty_database_url, files=[ONE])
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (SCALE.name, SCALE.checksum)
        )
    later = [
        Migration("0004_four", "plain", "CREATE TABLE no (a integer)"),
        Migration("0004_four", "timescale", "CREATE TABLE yes (a integer)"),
    ]
    assert migrate(empty_database_url, files=[ONE, PLAIN, SCALE, *later]) == ["0004_four.timescale"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"1_short.sql": ""}, "1_short.sql"),
        ({"0001_a.sql": "", "0001_b.sql": ""}, "number 0001"),
        ({"0001_a.plain.sql": ""}, "needs both"),
        ({"0001_a.plain.sql": "", "0001_a.timescale.sql": "", "0001_a.sql": ""}, "no third"),
    ],
)
def test_names_that_do_not_fit_are_refused(texts: dict[str, str], words: str) -> None:
    with pytest.raises(MigrationError, match=words):
        migrations(texts)


def test_the_files_of_the_hub_are_in_order() -> None:
    stems = [one.stem for one in migrations()]
    assert stems == sorted(stems)
    assert stems[0].startswith("0001_")


def test_an_unreachable_database_says_so() -> None:
    with pytest.raises(UnavailableError, match="cannot be reached"):
        migrate("postgresql://hub@127.0.0.1:1/hub?connect_timeout=1")
