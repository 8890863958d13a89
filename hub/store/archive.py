"""The file a backup is: a ZIP archive that common tools can open, with a manifest that proves each of its parts.

    manifest.json            what is inside: schema, tables in the order they are loaded, rows and sha256 of each
    tables/<name>.copy       a table's rows in PostgreSQL's COPY text format, columns as the manifest lists them
    files/<number>           settings and certificates, only where asked for

Beside the file lies `<file>.sha256` in the form `sha256sum -c` reads. The archive proves itself without it.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from hub.errors import BadRequestError, HubError

__all__ = ["FORMAT", "Archive", "ArchiveWriter", "BackupError", "Kept", "Manifest", "Sequence", "Table", "file_digest"]

FORMAT = 1
"""Of the archive itself; the schema inside has its own version, the list of migrations."""

_MANIFEST = "manifest.json"
_CHUNK = 1024 * 1024
_LEVEL = 3  # of zlib: beyond it the size hardly falls and the time doubles


class BackupError(HubError):
    """A backup could not be made or taken back; nothing was changed unless the message says so."""

    code = "backup"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in the order of the lines, how many rows, the sha256 of the lines."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where a numbering stood: the next number is greater than `last`."""

    name: str
    last: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A file beside the database that a restored hub needs. `member` is None where only its name was noted."""

    path: str
    setting: str
    size: int
    sha256: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself. Times are RFC 3339 text; `days`: of each series, those (UTC) it has rows of."""

    format: int
    made_at: str
    hub_version: str
    database: str
    migrations: tuple[str, ...]
    epoch: str
    seq: int
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    days: dict[str, tuple[str, ...]]
    settings: tuple[str, ...]
    files: tuple[Kept, ...]

    @property
    def timescale(self) -> bool:
        """Whether it comes from a TimescaleDB."""
        return any(name.endswith(".timescale") for name in self.migrations)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


class ArchiveWriter:
    """Writes `<path>.part`; only `finish` gives it its name, so that half a backup never looks like one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_digest = ""
        self._part = path.with_name(f"{path.name}.part")
        self._done = False
        try:
            # Everything residents told in confidence is inside.
            handle = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BackupError(f"{self._part}: cannot be written: {error.strerror}") from None
        self._file = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._done:
            return
        # Closing the archive would write its directory, perhaps to a full disk, for a file that goes away.
        self._zip.fp = None
        self._file.close()
        self._part.unlink(missing_ok=True)

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes | memoryview], None]]:
        """A part, written piece by piece; afterwards `last_digest` is its sha256."""
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as out:

            def write(piece: bytes | memoryview) -> None:
                digest.update(piece)
                out.write(piece)

            yield write
        self.last_digest = digest.hexdigest()

    def finish(self, manifest: Manifest) -> str:
        """Writes the manifest, makes everything lasting and gives the file its name; the sha256 of the file."""
        self._zip.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(asdict(manifest)), indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        with Archive(self._part) as written:
            written.verify()
        digest = file_digest(self._part)
        beside = self.path.with_name(f"{self.path.name}.sha256")
        beside.write_text(f"{digest}  {self.path.name}\n", encoding="utf-8")
        beside.chmod(0o600)
        self._part.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._done = True
        return digest


class Archive:
    """An archive that is read. Raises BackupError, naming the file, for whatever is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            body = self._zip.read(_MANIFEST)
        except FileNotFoundError:
            raise BackupError(f"{path}: there is no such file") from None
        except (OSError, zipfile.BadZipFile, KeyError, zlib.error) as error:
            raise BackupError(f"{path}: is no backup of a hub, or is broken off: {error}") from None
        try:
            self.manifest = msgspec.json.decode(body, type=Manifest)
        except msgspec.MsgspecError as error:
            raise BackupError(f"{path}: its manifest cannot be read: {error}") from None
        if self.manifest.format > FORMAT:
            raise BackupError(
                f"{path}: was made by a newer hub (archive format {self.manifest.format}, this one reads {FORMAT})"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def verify(self) -> None:
        """Reads every part and compares it with the manifest; with `<file>.sha256` too where it is there."""
        for table in self.manifest.tables:
            digest = hashlib.sha256()
            for piece in self.pieces(table):
                digest.update(piece)
            if digest.hexdigest() != table.sha256:
                raise BackupError(f"{self.path}: the rows of {table.name} are not those that were written (sha256)")
        for kept in self.manifest.files:
            if kept.member is not None and hashlib.sha256(self._read(kept.member)).hexdigest() != kept.sha256:
                raise BackupError(f"{self.path}: the copy of {kept.path} is not the one that was written (sha256)")
        beside = self.path.with_name(f"{self.path.name}.sha256")
        if beside.exists():
            told = beside.read_text(encoding="utf-8").split()[:1]
            if told != [file_digest(self.path)]:
                raise BackupError(f"{self.path}: does not fit {beside.name}: one of the two was changed")

    def pieces(self, table: Table) -> Iterator[bytes]:
        """A table's lines, in pieces of any length."""
        name = f"tables/{table.name}.copy"
        try:
            with self._zip.open(name) as source:
                yield from _pieces(source)
        except (OSError, zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
            raise BackupError(f"{self.path}: {name} cannot be read: {error}") from None

    def file(self, kept: Kept) -> bytes:
        """The contents of a file that was taken along."""
        if kept.member is None:
            raise BadRequestError(f"{self.path}: {kept.path} was only noted, not copied")
        return self._read(kept.member)

    def _read(self, member: str) -> bytes:
        try:
            return self._zip.read(member)
        except (OSError, zipfile.BadZipFile, KeyError, zlib.error) as error:
            raise BackupError(f"{self.path}: {member} cannot be read: {error}") from None


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(_CHUNK):
        yield piece


def file_digest(path: Path) -> str:
    """The sha256 of a file, as hex digits."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
