"""The embedded PostgreSQL: closed to others, found again, alive after every kind of death."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from hub.embedded import EmbeddedPostgres
from hub.errors import UnavailableError
from tests.waiting import wait_until

PSQL_COMPLAINT = "password|denied|No such file"


def write_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert found is not None
    return int(found[0])


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder / "postgres").resolve().parent.rglob("postgres/**/*")
        if "postgres/data/" not in str(path) and not path.is_socket()
    }


def test_a_fresh_server_is_durable_private_and_keeps_its_rows(open_folder: Path) -> None:
    server = EmbeddedPostgres(open_folder)
    url = server.start()
    try:
        write_a_row(url)
        with psycopg.connect(url) as connection:
            settings = {
                name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
                for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "server_encoding")
            }
            superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert settings == {
            "fsync": ("on",),
            "synchronous_commit": ("on",),
            "full_page_writes": ("on",),
            "listen_addresses": ("",),
            "server_encoding": ("UTF8",),
        }
        assert superuser == (False,)
        found = modes(open_folder)
        assert found["postgres/pgpass"] == 0o600
        assert {place: mode for place, mode in found.items() if mode & 0o077} == {}
        assert stat.S_IMODE((open_folder / "postgres" / "run").stat().st_mode) == 0o700
    finally:
        server.stop()
    assert server.pid is None
    try:
        assert rows(server.start()) == 1
    finally:
        server.stop()


def test_passwords_are_in_no_command_line_and_no_environment(open_folder: Path) -> None:
    server = EmbeddedPostgres(open_folder, durable=False)
    server.start()
    try:
        words = [line.rpartition(":")[2] for line in server.password_file.read_text().splitlines()]
        assert len(words) == 2
        assert server.pid is not None
        for process in Path("/proc").glob("[0-9]*"):
            try:
                told = (process / "cmdline").read_bytes()
                if process.name == str(server.pid):
                    told += (process / "environ").read_bytes()
            except OSError:
                continue
            assert not any(word.encode() in told for word in words), process
        logs = b"".join(path.read_bytes() for path in (open_folder / "postgres" / "log").iterdir())
        assert not any(word.encode() in logs for word in words)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url.replace(words[1], ""))
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as somebody else")
def test_other_accounts_cannot_connect(made_folder: Path) -> None:
    made_folder.chmod(0o755)
    server = EmbeddedPostgres(made_folder, durable=False)
    url = server.start()
    try:
        socket_folder = (made_folder / "postgres" / "run").resolve()
        as_nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])"
        tried = subprocess.run(
            ["/usr/bin/python3", "-c", code, str(socket_folder / ".s.PGSQL.5432")],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **as_nobody,  # type: ignore[call-overload]
        )
        assert tried.returncode != 0
        assert "PermissionError" in tried.stderr
        read = subprocess.run(
            ["cat", str(server.password_file)], capture_output=True, check=False, cwd="/", **as_nobody
        )  # type: ignore[call-overload]
        assert read.returncode != 0
        assert rows_of_one(url)
    finally:
        server.stop()


def rows_of_one(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs an account of its own")
def test_below_a_closed_folder_the_cluster_lives_elsewhere(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    (tmp_path / "data").mkdir()
    url = server.start()
    try:
        assert rows_of_one(url)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700, "no folder above the data directory is opened"
        assert (tmp_path / "data" / "postgres").is_symlink()
        assert EmbeddedPostgres(tmp_path / "data", durable=False).start() == url
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", str((tmp_path / "data" / "postgres").resolve())], check=True)


def test_a_long_path_still_gets_a_socket(open_folder: Path) -> None:
    deep = open_folder / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    server = EmbeddedPostgres(deep, durable=False)
    url = server.start()
    try:
        assert rows_of_one(url)
        folder = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])  # type: ignore[arg-type]
        assert len(str(folder)) < 90
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        server.stop()
        folder.rmdir()


def test_a_running_server_is_found_again(made_folder: Path) -> None:
    first = EmbeddedPostgres(made_folder, durable=False)
    write_a_row(first.start())
    second = EmbeddedPostgres(made_folder, durable=False)
    try:
        assert rows(second.start()) == 1
        assert second.pid == first.pid
    finally:
        second.stop()
    wait_until(lambda: first.pid is None, what="the server's end")


@pytest.mark.parametrize("victim", ["server", "everything"])
def test_a_killed_server_recovers(made_folder: Path, victim: str) -> None:
    server = EmbeddedPostgres(made_folder)
    write_a_row(server.start())
    pid = server.pid
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if victim == "everything" else []
    os.kill(pid, signal.SIGKILL)
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    try:
        assert rows(server.start()) == 1
        assert server.pid != pid
    finally:
        server.stop()


def test_a_stale_pid_file_that_names_a_stranger_is_seen_through(made_folder: Path) -> None:
    server = EmbeddedPostgres(made_folder, durable=False)
    server.start()
    pid_file = made_folder / "postgres" / "data" / "postmaster.pid"
    before = pid_file.read_text()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.pid is None, what="the server's end")
    # After a restart of the machine the number belongs to anybody: here, to this very test.
    pid_file.write_text(before.replace(before.split("\n", 1)[0], str(os.getpid()), 1))
    server.stop()
    try:
        assert rows_of_one(server.start())
    finally:
        server.stop()


def test_an_interrupted_making_starts_over(made_folder: Path) -> None:
    server = EmbeddedPostgres(made_folder, durable=False)
    home = made_folder / "postgres"
    (home / "data").rename(home / "data.new")
    try:
        assert rows_of_one(server.start())
        assert not (home / "data.new").exists()
    finally:
        server.stop()


def test_a_lost_password_file_is_said(made_folder: Path) -> None:
    (made_folder / "postgres" / "pgpass").unlink()
    with pytest.raises(UnavailableError, match="pgpass is missing"):
        EmbeddedPostgres(made_folder, durable=False).start()


def test_another_major_version_is_said_before_anything_is_touched(made_folder: Path) -> None:
    server = EmbeddedPostgres(made_folder, durable=False)
    (made_folder / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(UnavailableError, match=r"made by PostgreSQL 17, .*operations\.md"):
        server.start()


def test_a_server_that_cannot_start_says_why(made_folder: Path) -> None:
    server = EmbeddedPostgres(made_folder, durable=False)
    with (made_folder / "postgres" / "data" / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(UnavailableError, match="shared_buffers"):
        server.start()


def test_a_fixture_database_is_empty_and_its_own(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)
