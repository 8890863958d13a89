"""A backup taken while alarms come in, restored into a fresh database: nothing told is lost, nothing is there twice."""

from __future__ import annotations

import json
import subprocess
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.app.backups import SUFFIX, old_backups
from hub.app.plugging import services_on
from hub.errors import ConflictError
from hub.service import Services
from hub.settings import Settings
from hub.store import Archive, BackupError, PostgresDatabase
from hub.store import migrate as migrate_schema
from hub.store.backup import load_order, tables_of
from tests.operations.cli import hub_command
from tests.operations.kept import NOW, fill, make_backup, put_back, rows, snapshot_of, take
from tests.waiting import wait_until


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
