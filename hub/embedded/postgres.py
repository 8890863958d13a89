"""A PostgreSQL server of the hub's own, in its data directory.

It listens on a UNIX socket in a folder of mode 0700 and on no network address, asks for a password (scram), and the
passwords lie in a file of mode 0600. The server is a process of its own: it outlives a killed hub, and the next start
finds it again. Layout below the cluster's folder: `data/` the cluster, `run/` the socket, `pgpass` the passwords in
the form libpq reads (`PGPASSFILE`), `log/` the server's words.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from hub.clock import monotonic
from hub.embedded.account import Account, cluster_folder, database_account, programs_folder
from hub.embedded.private_files import short_private_folder, write_private
from hub.embedded.processes import (
    BARE_ENVIRONMENT,
    alive,
    command_line,
    poll_until,
    send_signal,
    working_folder,
)
from hub.errors import HubError, UnavailableError

__all__ = ["EmbeddedPostgres"]

log = logging.getLogger(__name__)

PORT = 5432
"""Only a part of the socket's name: no network port is opened."""

ADMIN, APPLICATION = "postgres", "hub"
"""The superuser, for set-up and backups, and the role the hub works as; its database has the same name."""

SETTINGS = {
    "max_connections": "60",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    # Parallel workers share memory through /dev/shm, which containers keep at 64 MB; our queries are short.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
    # A client that dies with a half-open transaction must not hold its row locks for hours.
    "tcp_keepalives_idle": "60",
    "client_connection_check_interval": "10s",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
"""For a machine of 2 cores and 2 GB that also runs the hub. `ALTER SYSTEM` overrides each of them.

Statements are not logged with their errors: they may carry what residents said about themselves.
"""

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"} | {
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "200",
}


class EmbeddedPostgres:
    """The server of one data directory. The caller holds that directory's lock.

    `durable=False` is for tests alone: such a server forgets what it promised when the machine dies.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir.absolute()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._account: Account | None = None
        self._home = Path()
        self._socket_folder = Path()
        self._passwords: dict[str, str] = {}

    @property
    def url(self) -> str:
        """`postgresql://…` of the hub's own database. It holds the password: never log it."""
        return self._url(APPLICATION, APPLICATION)

    @property
    def admin_url(self) -> str:
        """`postgresql://…` of the superuser, for set-up and backups. It holds the password: never log it."""
        return self._url(ADMIN, ADMIN)

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._running()

    @property
    def password_file(self) -> Path:
        """The passwords in the form of libpq's `PGPASSFILE`; mode 0600."""
        return self._home / "pgpass"

    @property
    def programs(self) -> Path:
        """The folder of `pg_dump`, `psql` and the like, of the server's own version."""
        return programs_folder(self._require_account())

    def start(self, seconds: float = 60.0) -> str:
        """Starts the server, or finds the one that runs already; returns `url` when it answers.

        Raises UnavailableError with the server's own last words, SettingError when the folder cannot be used.
        """
        deadline = monotonic() + seconds
        self._locate()
        self._ensure_cluster()
        running = self._running()
        if running is not None and self._wait_until_ready(running, deadline):
            log.info("embedded database found again, process %d", running)
        else:
            if running is not None:
                log.warning("embedded database, process %d, does not answer: ended", running)
                self.stop()
            self._launch(deadline)
        self._ensure_database()
        return self.url

    def attach(self, seconds: float = 10.0) -> str | None:
        """`url` of the server that another process of this hub has started, or None when there is none."""
        deadline = monotonic() + seconds
        # That process may still be making the cluster.
        if not poll_until(lambda: (self._data_dir / "postgres" / "data").exists(), seconds):
            return None
        self._locate()
        if not poll_until(lambda: self._running() is not None, max(0.0, deadline - monotonic())):
            return None
        running = self._running()
        return self.url if running is not None and self._wait_until_ready(running, deadline) else None

    def stop(self, seconds: float = 3.5) -> None:
        """Ends the server: cleanly, or after `seconds` at once (it then recovers from its log at the next start)."""
        if self._account is None:
            if not (self._data_dir / "postgres" / "data").exists():
                return
            self._locate()
        pid = self._running()
        if pid is None:
            self._reap()
            return
        for number, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)):
            send_signal(pid, number)
            if poll_until(lambda: not self._lives(pid), patience):
                break
        self._reap()

    # -- the folder

    def _locate(self) -> None:
        self._account = database_account()
        self._home = cluster_folder(self._data_dir, self._account)
        self._socket_folder = short_private_folder(
            self._home / "run",
            name=hashlib.sha256(os.fsencode(self._home)).hexdigest()[:12],
            file_name=f".s.PGSQL.{PORT}",
            uid=self._account.uid,
            gid=self._account.gid,
        )
        self._passwords = self._read_passwords()

    def _require_account(self) -> Account:
        if self._account is None:
            self._account = database_account()
        return self._account

    def _read_passwords(self) -> dict[str, str]:
        if not self.password_file.exists():
            if (self._home / "data").exists():
                raise UnavailableError(f"{self.password_file} is missing: the database in {self._home} stays closed")
            fresh = {name: secrets.token_urlsafe(32) for name in (ADMIN, APPLICATION)}
            write_private(self.password_file, "".join(f"*:*:*:{name}:{word}\n" for name, word in fresh.items()))
        lines = self.password_file.read_text(encoding="utf-8").splitlines()
        found = dict(line.split(":")[3:5] for line in lines if line.count(":") == 4)
        if not {ADMIN, APPLICATION} <= found.keys():
            raise UnavailableError(
                f"{self.password_file} cannot be read: expected a line for {ADMIN} and {APPLICATION}"
            )
        return found

    def _ensure_cluster(self) -> None:
        data = self._home / "data"
        if not data.exists():
            self._make_cluster(data)
        made_by = (data / "PG_VERSION").read_text(encoding="utf-8").strip()
        ours = self._run("postgres", "--version")
        version = re.search(r"(\d+)(\.|devel|beta|rc)", ours)
        if version is None or version.group(1) != made_by:
            raise UnavailableError(
                f"the database in {data} was made by PostgreSQL {made_by}, installed is {ours.strip()}: "
                "see docs/operations.md, upgrades"
            )
        wanted = SETTINGS | (DURABLE if self._durable else FORGETFUL)
        text = "# Written by the hub at each start. Change settings with ALTER SYSTEM instead.\n"
        text += "".join(f"{name} = '{value}'\n" for name, value in wanted.items())
        place = data / "hub.conf"
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            write_private(place, text)
            self._hand_over(place)

    def _make_cluster(self, data: Path) -> None:
        """Makes the cluster beside its place and moves it there whole, so a broken attempt leaves nothing half made."""
        draft, password = self._home / "data.new", self._home / "admin-password"
        if draft.exists():
            shutil.rmtree(draft)
        write_private(password, self._passwords[ADMIN] + "\n")
        self._hand_over(password)
        try:
            options = ["--auth=scram-sha-256", f"--username={ADMIN}", f"--pwfile={password}", "--encoding=UTF8"]
            # The built-in locale sorts the same on every machine, with or without the system's locales.
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
            options += [] if self._durable else ["--no-sync"]
            self._run("initdb", f"--pgdata={draft}", *options)
            with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write("\ninclude_if_exists = 'hub.conf'\n")
            draft.rename(data)
        finally:
            password.unlink(missing_ok=True)

    def _hand_over(self, path: Path) -> None:
        account = self._require_account()
        if not account.own:
            os.chown(path, account.uid, account.gid)

    def _as_account(self) -> dict[str, Any]:
        account = self._require_account()
        return {} if account.own else {"user": account.uid, "group": account.gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self.programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self._home,
            env=BARE_ENVIRONMENT,
            **self._as_account(),
        )
        if done.returncode != 0:
            raise UnavailableError(f"{program} of the embedded database failed: {_last_words(done.stdout)}")
        return done.stdout

    # -- the process

    def _launch(self, deadline: float) -> None:
        data, words = self._home / "data", self._home / "start.log"
        while True:
            self._remove_stale_pid_file()
            with words.open("wb") as output:
                words.chmod(0o600)
                self._process = subprocess.Popen(
                    [
                        str(self.programs / "postgres"),
                        *("-D", str(data), "-k", str(self._socket_folder), "-p", str(PORT)),
                        *("-c", "listen_addresses="),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=data,
                    env=BARE_ENVIRONMENT,
                    # Its own session: Ctrl-C at the hub's terminal is the hub's to answer, not the server's.
                    start_new_session=True,
                    **self._as_account(),
                )
            if self._wait_until_ready(self._process.pid, deadline):
                return
            said = words.read_text(encoding="utf-8", errors="replace")
            self.stop()
            # After the server alone was killed its children need a moment to notice and let the memory go.
            if "shared memory block" in said and monotonic() < deadline:
                poll_until(lambda: False, 0.2)
                continue
            raise UnavailableError(f"the embedded database did not start: {_last_words(said)} (see {words})")

    def _wait_until_ready(self, pid: int, deadline: float) -> bool:
        state: dict[str, HubError] = {}

        def answers() -> bool:
            if not self._lives(pid):
                return True
            try:
                with psycopg.connect(self.admin_url, connect_timeout=5, autocommit=True) as connection:
                    row = connection.execute("SHOW data_directory").fetchone()
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error):
                    state["error"] = UnavailableError(f"{self.password_file} does not fit the database in {self._home}")
                    return True
                return False
            if row is None or Path(row[0]).resolve() != (self._home / "data").resolve():
                state["error"] = UnavailableError(f"another database answers on the socket in {self._socket_folder}")
            return True

        answered = poll_until(answers, max(0.0, deadline - monotonic()))
        if state:
            raise state["error"]
        return answered and self._lives(pid)

    def _lives(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return alive(pid)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    def _running(self) -> int | None:
        """The process id in `postmaster.pid` if that process lives and really is this cluster's server."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        try:
            first = (self._home / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
            pid = int(first)
        except (OSError, ValueError):
            return None
        if not alive(pid):
            return None
        # Process ids are used again: after a crash the number in the file may be anybody's. The server's working
        # folder is its cluster; where the system does not tell, its command line names it.
        data = (self._home / "data").resolve()
        folder = working_folder(pid)
        if folder is not None:
            return pid if folder == data else None
        return pid if f"-D {self._home / 'data'} " in command_line(pid) else None

    def _remove_stale_pid_file(self) -> None:
        """Without this the server believes a stranger who got the dead server's process id to be itself."""
        if self._running() is None:
            (self._home / "data" / "postmaster.pid").unlink(missing_ok=True)

    # -- inside

    def _ensure_database(self) -> None:
        with psycopg.connect(self.admin_url, connect_timeout=10, autocommit=True) as connection:
            role, database = sql.Identifier(APPLICATION), sql.Identifier(APPLICATION)
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone() is None:
                # Only the scram verifier is sent, so the password itself can reach no log.
                word = self._passwords[APPLICATION].encode()
                verifier = connection.pgconn.encrypt_password(word, APPLICATION.encode(), b"scram-sha-256").decode()
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(verifier)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [APPLICATION]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self._socket_folder), safe="")
        return f"postgresql://{role}:{quote(self._passwords[role])}@/{database}?host={host}&port={PORT}"


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [re.sub(r"^[\d-]+ [\d:.]+ \w+ \[\d+\] ", "", line) for line in lines]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|error|could not|invalid", line)]
    return "; ".join((telling or lines)[-3:]) or "it said nothing"
