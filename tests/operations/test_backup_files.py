"""Files that are broken, older, newer or of another database: what is refused, and what is brought up to date."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hub.clock import utc_now
from hub.service import Services
from hub.store import ArchiveWriter, BackupError, MigrationError, PostgresDatabase, Source, back_up
from hub.store import migrate as migrate_schema
from hub.store.backup import DERIVED
from hub.store.migrate import migrations, pending
from tests.operations.kept import Json, fill, make_backup, put_back, rows, snapshot_of


def broken(path: Path, change: Callable[[bytearray], None]) -> Path:
    body = bytearray(path.read_bytes())
    change(body)
    other = path.with_name("broken.zip")
    other.write_bytes(body)
    return other


def test_a_broken_file_is_refused_before_anything_is_touched(
    loaded: tuple[PostgresDatabase, Services], tmp_path: Path
) -> None:
    database, services = loaded
    fill(database, services)
    path = tmp_path / "one.zip"
    make_backup(database.url, path)
    database.close()
    alarms = rows(database.url, "SELECT id FROM alarms")

    def flip(body: bytearray) -> None:
        # In the middle of the largest table: between the tables lie dates and names that no row depends on.
        with zipfile.ZipFile(io.BytesIO(bytes(body))) as archive:
            largest = max(archive.infolist(), key=lambda one: one.compress_size)
        head = 30 + len(largest.filename.encode())
        body[largest.header_offset + head + largest.compress_size // 2] ^= 0xFF

    def cut(body: bytearray) -> None:
        del body[len(body) // 2 :]

    for change in (flip, cut):
        with pytest.raises(BackupError, match=r"broken\.zip"):
            put_back(database.url, broken(path, change), force=True)
    (tmp_path / "one.zip.sha256").write_text(f"{'0' * 64}  one.zip\n")
    with pytest.raises(BackupError, match=r"does not fit one\.zip\.sha256"):
        put_back(database.url, path, force=True)
    with pytest.raises(BackupError, match="no such file"):
        put_back(database.url, tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(BackupError, match="is no backup"):
        put_back(database.url, tmp_path / "text.zip")
    assert rows(database.url, "SELECT id FROM alarms") == alarms


def rewritten(path: Path, change: Callable[[Json], None]) -> Path:
    other = path.with_name("rewritten.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            body = source.read(name)
            if name == "manifest.json":
                manifest = json.loads(body)
                change(manifest)
                body = json.dumps(manifest).encode()
            target.writestr(name, body)
    return other


def test_a_newer_backup_is_refused(loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path) -> None:
    database, _ = loaded
    path = tmp_path / "one.zip"
    make_backup(database.url, path)
    newer = rewritten(path, lambda manifest: manifest["migrations"].append("9999_later"))
    with pytest.raises(MigrationError, match="9999_later"):
        put_back(fresh_url, newer)
    with pytest.raises(BackupError, match="newer hub"):
        put_back(fresh_url, rewritten(path, lambda manifest: manifest.update(format=99)))
    assert rows(fresh_url, "SELECT relname FROM pg_class WHERE relname = 'alarms'") == []


def test_an_older_backup_is_brought_up_to_date(fresh_url: str, empty_database_url: str, tmp_path: Path) -> None:
    """A schema of the first release with people in it, restored by the present one."""
    migrate_schema(empty_database_url, files=[one for one in migrations() if one.stem < "0006"])
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("INSERT INTO areas (id, kind, name) VALUES ('a', 'community', '柳岸')")
        connection.execute("INSERT INTO residents (id, name, area_id) VALUES ('R-1', '陈秀英', 'a')")
        connection.execute("INSERT INTO devices (id, family, resident_id) VALUES ('W-1', 'watch', 'R-1')")
        connection.execute(
            "INSERT INTO uplinks (received_at, lane, device_id, outcome, reason, payload)"
            " VALUES (now() - interval '3 days', 'tcp', 'W-1', 'quarantined', 'KeyError: 1', 'x')"
        )
    make_backup(empty_database_url, tmp_path / "old.zip")
    done = put_back(fresh_url, tmp_path / "old.zip")
    assert done.migrated
    assert pending(fresh_url) == []
    assert rows(fresh_url, "SELECT id, path FROM areas") == [{"id": "a", "path": ["a"]}]
    assert rows(fresh_url, "SELECT resident_id FROM devices") == [{"resident_id": "R-1"}]
    assert rows(fresh_url, "SELECT device_id, reason FROM quarantine") == [
        {"device_id": "W-1", "reason": "KeyError: 1"}
    ]


def test_what_comes_from_timescaledb_is_rolled_up_again_here(
    loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path
) -> None:
    """Its averages are no tables there, so the archive has none: they are computed from the observations."""
    database, services = loaded
    fill(database, services)
    make_backup(database.url, tmp_path / "one.zip")

    def from_timescale(manifest: Json) -> None:
        manifest["migrations"] = [name.replace(".plain", ".timescale") for name in manifest["migrations"]]
        manifest["tables"] = [table for table in manifest["tables"] if table["name"] not in DERIVED]

    put_back(fresh_url, rewritten(tmp_path / "one.zip", from_timescale))
    days = rows(fresh_url, "SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date AS day FROM observations ORDER BY 1")
    assert days
    assert rows(fresh_url, "SELECT day FROM observation_backlog ORDER BY day") == days


def test_a_table_or_column_this_schema_lacks_is_an_error(
    loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path
) -> None:
    make_backup(loaded[0].url, tmp_path / "one.zip")

    def column(manifest: Json) -> None:
        manifest["tables"][0]["columns"][0] = "colour"

    with pytest.raises(BackupError, match="columns this schema does not know: colour"):
        put_back(fresh_url, rewritten(tmp_path / "one.zip", column))


def test_a_row_that_cannot_be_loaded_leaves_the_old_database(
    loaded: tuple[PostgresDatabase, Services], tmp_path: Path
) -> None:
    database, services = loaded
    fill(database, services)
    path = tmp_path / "one.zip"
    make_backup(database.url, path)
    database.close()
    before = snapshot_of(database.url)

    def miscount(manifest: Json) -> None:
        next(table for table in manifest["tables"] if table["name"] == "visits")["rows"] += 1

    with pytest.raises(BackupError, match="visits took"):
        put_back(database.url, rewritten(path, miscount), force=True)
    assert snapshot_of(database.url) == before


def test_half_a_backup_never_looks_like_one(loaded: tuple[PostgresDatabase, Services], tmp_path: Path) -> None:
    database, _ = loaded

    def stop(words: str) -> None:
        if words.startswith("residents"):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), ArchiveWriter(tmp_path / "one.zip") as archive:
        back_up(database.url, archive, Source(utc_now(), "0"), stop)
    assert list(tmp_path.glob("one*")) == []
    with pytest.raises(BackupError, match="cannot be written"):
        ArchiveWriter(tmp_path / "nowhere" / "one.zip")


def test_an_empty_database_is_no_hubs(fresh_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no hub's schema"):
        make_backup(fresh_url, tmp_path / "one.zip")
