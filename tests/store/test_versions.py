"""The oldest PostgreSQL that is promised: Debian 12's own, where it is installed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.clock import utc_now
from hub.embedded import EmbeddedPostgres
from hub.store import PostgresDatabase, ReadsPostgres, keep_house, migrate
from hub.store.sql import SQL
from tests.store.series import answers, history, rolled, write
from tests.store.test_sql import PARTS, as_prepared

DEBIANS = Path("/usr/lib/postgresql")


class SystemPostgres(EmbeddedPostgres):
    """A server of the machine's own packages, handled as the embedded one is."""

    version = Path()

    @property
    def programs(self) -> Path:
        return self.version / "bin"

    def _run(self, program: str, *arguments: str) -> str:
        return super()._run(program, *(one for one in arguments if "builtin" not in one))

    def _launch(self, deadline: float) -> None:
        place = self._home / "data" / "hub.conf"
        lines = place.read_text().splitlines()
        place.write_text("\n".join(line for line in lines if not line.startswith("io_method")) + "\n")
        super()._launch(deadline)


INSTALLED = sorted(path.name for path in DEBIANS.glob("1[5-7]")) or ["15"]


@pytest.fixture(scope="module", params=INSTALLED)
def older(request: pytest.FixtureRequest) -> Iterator[str]:
    """`postgresql://…` of an empty database on that version; skips where it is not installed."""
    place = DEBIANS / str(request.param)
    if not (place / "bin" / "initdb").exists():
        pytest.skip(f"PostgreSQL {request.param} is not installed (Debian 12: apt-get install postgresql, which is 15)")
    folder = Path(tempfile.mkdtemp(prefix=f"care-hub-pg{request.param}-"))
    server = SystemPostgres(folder, durable=False)
    server.version = place
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_schema_and_every_block(older: str) -> None:
    migrate(older)
    refused: dict[str, str] = {}
    with psycopg.connect(older, autocommit=True) as connection:
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


def test_observations_are_those_of_the_newest(older: str, database_url: str) -> None:
    until = utc_now().replace(second=0, microsecond=0)
    rows = history(until, days=12)
    found = []
    for url in (older, database_url):
        migrate(url)
        with PostgresDatabase(url, min_size=0, max_size=2) as database:
            keep_house(database, until)
            write(database, rows[:-40])
            rolled(database, utc_now())
            write(database, rows[-40:])
            found.append(answers(ReadsPostgres(database), until))
    assert found[0] == found[1]
