"""A backup taken while alarms come in, restored into a fresh database: nothing told is lost, nothing is there twice."""

from __future__ import annotations

import json
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from devices import Uplink
from hub.app.backups import SUFFIX, old_backups
from hub.app.plugging import services_on
from hub.clock import utc_now
from hub.embedded import EmbeddedPostgres
from hub.errors import ConflictError
from hub.ports import SYSTEM, Incoming, OutboxRow
from hub.service import Services
from hub.settings import Settings
from hub.store import Archive, ArchiveWriter, BackupError, MigrationError, PostgresDatabase, Source, back_up, restore
from hub.store import migrate as migrate_schema
from hub.store.backup import DERIVED, load_order, tables_of
from hub.store.migrate import migrations, pending
from tests.fixtures.hub import load_sample
from tests.fixtures.postgres import fresh_database
from tests.operations.cli import hub_command
from tests.waiting import wait_until

Json = dict[str, Any]
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def rows(url: str, query: str) -> list[Json]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def loaded(database_url: str, tmp_path: Path) -> Iterator[tuple[PostgresDatabase, Services]]:
    """A database with a community in it, and the use cases on it."""
    folder = tmp_path / "data"
    folder.mkdir()
    load_sample(database_url, folder, residents=60)
    with PostgresDatabase(database_url) as database:
        yield database, services_on(database, Settings())


@pytest.fixture
def fresh_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database without any schema."""
    with fresh_database(postgres_server, "template1") as url:
        yield url


def take(services: Services, device_id: str, number: int, moment: datetime, channel: str = "alarm") -> str:
    """One uplink through the ordinary path; what its device was told, or its outcome."""
    body = (
        {"ref": f"{device_id}-{number}", "type": "sos"} if channel == "alarm" else {"heart_rate_bpm": 60 + number % 60}
    )
    uplink = Uplink(
        json.dumps({**body, "observed_at": moment.isoformat()}).encode(),
        moment,
        topic=f"care/v1/{device_id}/up/{channel}",
    )
    lane: Any = "alarm" if channel == "alarm" else "telemetry"
    door = services.ingest.alarms if channel == "alarm" else services.ingest.telemetry
    outcome = door([Incoming(uplink, device_id, "care", lane)])[0]
    told = [json.loads(reply.payload)["status"] for reply in outcome.replies]
    return told[0] if told else outcome.outcome


def snapshot_of(url: str) -> dict[str, list[Json]]:
    """Every row of every table, in an order of its own."""
    found: dict[str, list[Json]] = {}
    with psycopg.connect(url, row_factory=dict_row) as connection:
        for name in tables_of(connection):
            query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t ORDER BY to_jsonb(t)::text").format(
                sql.Identifier(name)
            )
            found[name] = [row["row"] for row in connection.execute(query)]
    return found


def make_backup(url: str, path: Path) -> Any:
    with ArchiveWriter(path) as archive:
        return back_up(url, archive, Source(utc_now(), "0"), lambda _words: None)[0]


def put_back(url: str, path: Path, *, force: bool = False) -> Any:
    with Archive(path) as archive:
        return restore(url, archive, utc_now(), force=force, progress=lambda _words: None)


def fill(database: PostgresDatabase, services: Services) -> None:
    """Live and closed incidents, telemetry, messages that have not left, a page signed in."""
    devices = [row["id"] for row in rows(database.url, "SELECT id FROM devices WHERE family = 'care' LIMIT 8")]
    for number, device_id in enumerate(devices):
        assert take(services, device_id, number, NOW + timedelta(seconds=number)) in ("received", "hold")
        take(services, device_id, number, NOW - timedelta(days=number), "vitals")
    with database.begin() as tx:
        tx.outbox.add(OutboxRow("device", devices[0], {"kind": "ack", "ref": "1", "status": "hold"}, NOW, NOW))
        tx.audit.add(SYSTEM, "test", None, {"text": "tab\there, line\nbreak, \\ and 中文"}, NOW)


def test_everything_comes_back_as_it_was(
    loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path
) -> None:
    database, services = loaded
    fill(database, services)
    before = snapshot_of(database.url)
    manifest = make_backup(database.url, tmp_path / "one.zip")
    assert manifest.rows == sum(len(found) for name, found in before.items() if name != "schema_migrations")
    done = put_back(fresh_url, tmp_path / "one.zip")

    after = snapshot_of(fresh_url)
    # What a restore changes, and nothing else: the epoch, who is signed in, a line in the audit.
    old, new = before.pop("timeline_counter")[0], after.pop("timeline_counter")[0]
    assert new["seq"] == old["seq"]
    assert new["epoch"] == done.epoch != old["epoch"]
    assert before.pop("sessions") == [] == after.pop("sessions")
    added = [row for row in after["audit"] if row not in before["audit"]]
    assert [row["action"] for row in added] == ["database.restore"]
    after["audit"].remove(added[0])
    for found in (before, after):
        for migration in found["schema_migrations"]:
            del migration["applied_at"]
    assert after == before
    days = {row["day"] for row in rows(fresh_url, "SELECT tableoid::regclass::text AS day FROM observations")}
    assert "observations_default" not in days, "each day has its own partition"

    with PostgresDatabase(fresh_url) as restored:
        again = services_on(restored, Settings())
        device_id = before["alarms"][0]["device_id"]
        ref = int(before["alarms"][0]["ref"].rpartition("-")[2])
        observed = datetime.fromisoformat(before["alarms"][0]["observed_at"])
        take(again, device_id, ref, observed)
        assert len(rows(fresh_url, "SELECT id FROM alarms")) == len(before["alarms"]), "a repeat is still known"
        take(again, device_id, 900, NOW + timedelta(hours=1))
        assert len(rows(fresh_url, "SELECT id FROM alarms")) == len(before["alarms"]) + 1
    numbers = rows(fresh_url, "SELECT number FROM incidents ORDER BY number")
    assert len({row["number"] for row in numbers}) == len(numbers)
    for table in ("timeline", "audit"):
        for words in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                rows(fresh_url, words)


def test_a_running_hub_is_refused_and_so_is_a_database_with_rows(
    loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path
) -> None:
    database, services = loaded
    fill(database, services)
    path = tmp_path / "one.zip"
    make_backup(database.url, path)
    with pytest.raises(ConflictError, match="a hub works on this database"):
        put_back(database.url, path, force=True)
    database.close()
    with pytest.raises(ConflictError, match="is not empty"):
        put_back(database.url, path)
    alarms = rows(database.url, "SELECT id FROM alarms")
    rows_after = put_back(database.url, path, force=True)
    assert rows_after.rows > 0
    assert rows(database.url, "SELECT id FROM alarms") == alarms

    with psycopg.connect(fresh_url) as connection:
        connection.execute("CREATE TABLE somebodys (n int)")
    with pytest.raises(ConflictError, match="no hub's"):
        put_back(fresh_url, path, force=True)
    assert rows(fresh_url, "SELECT count(*) AS n FROM somebodys") == [{"n": 0}]


def test_a_schema_without_rows_counts_as_empty(
    loaded: tuple[PostgresDatabase, Services], fresh_url: str, tmp_path: Path
) -> None:
    make_backup(loaded[0].url, tmp_path / "one.zip")
    migrate_schema(fresh_url)
    assert put_back(fresh_url, tmp_path / "one.zip").rows > 0


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
        body[len(body) // 3] ^= 0xFF

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


def test_tables_are_loaded_after_those_they_refer_to(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        ordered = load_order(connection, tables_of(connection))
        connection.execute("CREATE TABLE one (id int PRIMARY KEY)")
        connection.execute("CREATE TABLE two (id int PRIMARY KEY REFERENCES one)")
        connection.execute("ALTER TABLE one ADD FOREIGN KEY (id) REFERENCES two")
        with pytest.raises(BackupError, match=r"one, two refer to one another"):
            load_order(connection, ["one", "two"])
    place = {name: number for number, name in enumerate(ordered)}
    assert place["areas"] < place["residents"] < place["incidents"] < place["alarms"]
    assert set(ordered) == set(place)


def test_the_command_keeps_as_many_as_it_is_told(database_url: str, fresh_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "hub-notes.txt").write_text("mine")
    (tmp_path / "hub.toml").write_text("[session]\nhours = 3\n")
    for _ in range(3):
        done = hub_command(database_url, tmp_path, "backup", str(folder), "--keep", "2", "--with-files")
        assert done.returncode == 0, done.stderr
    kept = sorted(path.name for path in folder.glob(f"*{SUFFIX}"))
    assert len(kept) == 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["hub-notes.txt", *kept, *(f"{name}.sha256" for name in kept)]
    )
    assert {path.stat().st_mode & 0o777 for path in folder.glob("hub-2*")} == {0o600}
    assert (
        subprocess.run(
            ["sha256sum", "-c", f"{kept[0]}.sha256"], cwd=folder, check=False, capture_output=True
        ).returncode
        == 0
    )
    with Archive(folder / kept[-1]) as archive:
        assert "HUB_SESSION__HOURS" in archive.manifest.settings
        assert "HUB_DATABASE__URL" in archive.manifest.settings
        (written,) = archive.manifest.files
        assert archive.file(written) == b"[session]\nhours = 3\n"
    assert old_backups(folder, 1) == [folder / kept[0]]

    checked = hub_command(database_url, tmp_path, "restore", "--check", str(folder / kept[-1]))
    assert checked.returncode == 0
    assert "whole" in checked.stdout
    again = hub_command(fresh_url, tmp_path, "restore", str(folder / kept[-1]))
    assert again.returncode == 0, again.stderr
    assert "lost 0" in again.stdout
    refused = hub_command(fresh_url, tmp_path, "backup", str(folder / kept[-1]))
    assert refused.returncode == 1
    assert "is there already" in refused.stderr


@pytest.mark.mosquitto
def test_a_backup_beside_alarms_loses_and_doubles_nothing(hub: Any, fleet: Any, fresh_url: str, tmp_path: Path) -> None:
    """The senders' ledger as it stood before the snapshot is the judge; afterwards another hub serves the copy."""
    fleet.wait_told(40, 60)
    before = tmp_path / "before.jsonl"
    made: list[subprocess.CompletedProcess[str]] = []
    before.write_bytes(fleet.ledger.read_bytes())
    told_before = fleet.told
    working = threading.Thread(target=lambda: made.append(hub.hub("backup", str(tmp_path / "live.zip"))), name="backup")
    working.start()
    fleet.wait_told(told_before + 15, 60)
    working.join(60)
    assert made[0].returncode == 0, made[0].stderr
    assert hub.stop() == 0

    restored = hub_command(fresh_url, tmp_path, "restore", str(tmp_path / "live.zip"))
    assert restored.returncode == 0, restored.stderr
    reckoned = hub_command(fresh_url, tmp_path, "reconcile", "--sent", str(before), "--json")
    numbers = json.loads(reckoned.stdout)
    assert (numbers["lost"], numbers["doubled"]) == (0, 0), numbers
    assert numbers["told"] >= 40
    last = rows(fresh_url, "SELECT max(seq) AS seq FROM timeline")[0]["seq"]
    query = f"SELECT seq, at, subject_id, kind, body FROM timeline WHERE seq <= {last} ORDER BY seq"
    assert rows(fresh_url, query) == rows(hub.database_url, query)

    hub.database_url, old_url = fresh_url, hub.database_url
    epoch = rows(old_url, "SELECT epoch, seq FROM timeline_counter")[0]
    hub.start()
    with hub.sign_in() as client:
        changes = client.get("/api/v1/changes", params={"after": f"{epoch['epoch']}-{epoch['seq']}", "wait": "0"})
        assert "reset" in changes.text, changes.text
        live = client.get("/api/v1/incidents", params={"state": "live"}).json()["items"]
        assert live
    # The devices went on pressing all the while.
    fleet.wait_told(fleet.told + 20, 60)
    fleet.quieten(60)
    wait_until(lambda: rows(fresh_url, "SELECT max(seq) AS seq FROM timeline")[0]["seq"] > last, 20)
