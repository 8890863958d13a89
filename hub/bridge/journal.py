"""The alarm journal: what is on disk and durable while the database is away.

A folder of segments, `{first number}-{key}.journal`, of which one is written to. A record is written and made durable
before `append` returns: then, and only then, a device may be told. Segments whose records were all committed are
removed. Beside one that was committed in part stands `{first number}-{key}.taken`, the number of the last record that
need not be given again: a process that dies every few seconds gets on. That mark is a convenience and is not made
durable: what a late, torn or missing one gives again is a repeat, and the ledger knows what it has.

On disk a record is a head (magic, number, length, a digest of these) and its bytes with a digest of their own. The
digests are keyed with the segment's random key, so that nothing inside a record can pass for a record. After a damaged
spot reading goes on at the next record that holds; a torn tail is cut. Segments are given their whole size when they
are made: a disk that fills up later, for instance by the very database that then goes away, still takes alarms. What of
it was not used is given back when a segment is sealed.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from hub.errors import SettingError, UnavailableError

__all__ = ["SEGMENT_BYTES", "Journal", "JournalError", "Record", "Segment", "read_records"]

SEGMENT_BYTES = 8 * 1024 * 1024
"""The size of a segment; a single record may be larger and then has one to itself."""

_MAGIC = b"\xc5\x1eJ1"
_DIGEST = 12
_HEAD = len(_MAGIC) + 8 + 4 + _DIGEST
_NAME = re.compile(r"(\d{16})-([0-9a-f]{32})\.journal")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_log = logging.getLogger(__name__)


class JournalError(UnavailableError):
    """Nothing was made durable, so nobody may be told: the disk is full, or it fails."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was appended, with its number (1, 2, … over the life of the folder)."""

    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that is written to no more. `records`: those beyond the mark.

    `missing`: records that were written and cannot be read any more. `torn`: after the last record there is something
    that is none: what was being written when all stopped (nobody was told), or else a last record that was damaged.
    """

    path: Path
    records: tuple[Record, ...]
    missing: int
    torn: bool


class Journal:
    """One folder, one owner. `append` may be called from any thread; the others belong to whoever replays."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Takes the folder. SettingError: it cannot be used, or another process has it."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._guard = threading.Lock()
        self._file = -1
        self._path = folder
        self._key = b""
        self._end = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingError(f"HUB_DATA_DIR: the alarm journal {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise SettingError(
                f"HUB_DATA_DIR: the alarm journal {folder} is another hub's; each process needs a folder of its own"
            ) from error
        self._next = 1
        left = self._paths()
        for path in left:
            self._next = max(self._next, self._cut(path))
        for mark in folder.glob("*.taken"):
            if mark.with_suffix(".journal") not in left:
                with suppress(OSError):
                    mark.unlink()
        with suppress(JournalError):  # reserved now, while there is room; `append` says what is wrong
            self._open()

    @property
    def folder(self) -> Path:
        return self._folder

    def append(self, bodies: Sequence[bytes]) -> list[int]:
        """Makes all of `bodies` durable, or none of them, and gives their numbers. JournalError says why it could not.

        After an error some may still be found after a restart: they were received, their devices were told nothing.
        """
        if not bodies:
            return []
        with self._guard:
            wanted = sum(_HEAD + len(body) + _DIGEST for body in bodies)
            if self._file < 0 or (self._end and self._end + wanted > self._segment_bytes):
                self._close_file()
                self._open()
            numbers = list(range(self._next, self._next + len(bodies)))
            written = b"".join(_framed(self._key, number, body) for number, body in zip(numbers, bodies, strict=True))
            try:
                _write_all(self._file, written, self._end)
                os.fdatasync(self._file)
            except OSError as error:
                self._undo(error)
                raise JournalError(f"the alarm journal cannot be written: {error.strerror}") from error
            self._end += len(written)
            self._next += len(numbers)
            return numbers

    def seal(self) -> list[Path]:
        """The segments there are, oldest first, the one that was written to among them; new records go to another."""
        with self._guard:
            if self._end:
                with suppress(OSError):
                    os.ftruncate(self._file, self._end)
                self._close_file()
            return [path for path in self._paths() if path != self._path]

    def read(self, path: Path) -> Segment:
        """A sealed segment. UnavailableError: the disk fails."""
        content, key, first = _segment(path)
        records, missing, end = read_records(content, key, first)
        taken = _taken(path, key)
        return Segment(path, tuple(one for one in records if one.number > taken), missing, _written(content, end) > end)

    def mark(self, path: Path, number: int) -> None:
        """The records of a sealed segment up to `number` were committed, and need not be given again."""
        key = bytes.fromhex(path.stem[17:])
        with suppress(OSError):  # they are given again then
            path.with_suffix(".taken").write_bytes(_mark(key, number))

    def remove(self, path: Path, *, keep: bool = False) -> None:
        """Everything in it was committed. `keep`: it is damaged, set it aside for a person to look at."""
        with self._guard:
            if keep:
                path.rename(path.with_suffix(".damaged"))
            else:
                path.unlink(missing_ok=True)
            path.with_suffix(".taken").unlink(missing_ok=True)
            _sync_folder(self._folder)
            if self._file < 0:
                with suppress(JournalError):
                    self._open()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be replayed."""
        with self._guard:
            return self._end == 0 and not [path for path in self._paths() if path != self._path]

    def bytes_on_disk(self) -> int:
        """What its files take, what is reserved included."""
        with suppress(OSError):
            return sum(entry.stat().st_size for entry in self._folder.iterdir())
        return 0

    def close(self) -> None:
        """Gives the folder back; an unused segment is removed."""
        with self._guard:
            unused = None if self._end else self._path
            self._close_file()
            if unused is not None and unused != self._folder:
                with suppress(OSError):
                    unused.unlink()
            os.close(self._lock)

    # --- with the guard held ------------------------------------------------------------------------------------------

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))

    def _cut(self, path: Path) -> int:
        """What a process that died left: gives the unused part back, and the number after its last record."""
        content, key, first = _segment(path)
        records, _, end = read_records(content, key, first)
        with suppress(OSError):  # it is larger than it need be then
            if written := _written(content, end):
                os.truncate(path, written)
            else:
                path.unlink()  # never used: nothing is to be taken over
        return records[-1].number + 1 if records else first

    def _open(self) -> None:
        key = secrets.token_bytes(16)
        path = self._folder / f"{self._next:016d}-{key.hex()}.journal"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"the alarm journal {self._folder} cannot be written: {error.strerror}") from error
        try:
            with suppress(OSError):  # no room to reserve: there may still be enough for what comes
                os.posix_fallocate(handle, 0, self._segment_bytes)
            os.fsync(handle)
            _sync_folder(self._folder)
        except OSError as error:
            os.close(handle)
            with suppress(OSError):
                path.unlink()
            raise JournalError(f"the alarm journal {self._folder} cannot be written: {error.strerror}") from error
        self._file, self._path, self._key, self._end = handle, path, key, 0

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file, self._path, self._end = -1, self._folder, 0

    def _undo(self, error: OSError) -> None:
        """After a failed write. What the system says about a file whose fsync failed is not to be believed again."""
        if error.errno in _FULL:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
                return
        unused = None if self._end else self._path
        self._close_file()
        if unused is not None:
            with suppress(OSError):
                unused.unlink()


def _segment(path: Path) -> tuple[bytes, bytes, int]:
    """Its bytes, its key and the number of its first record. UnavailableError: the disk fails."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise ValueError(f"{path.name} is no segment")
    try:
        return path.read_bytes(), bytes.fromhex(found[2]), int(found[1])
    except OSError as error:
        raise UnavailableError(f"the alarm journal {path} cannot be read: {error.strerror}") from error


def _written(content: bytes, end: int) -> int:
    """How much of a segment was ever written to; its last record ends at `end`, and may end in zeros."""
    return max(end, len(content.rstrip(b"\0")))


def _mark(key: bytes, number: int) -> bytes:
    return number.to_bytes(8) + _digest(key, number.to_bytes(8))


def _taken(path: Path, key: bytes) -> int:
    """The mark beside a segment; 0 where there is none, or none that holds."""
    with suppress(OSError):
        mark = path.with_suffix(".taken").read_bytes()
        number = int.from_bytes(mark[:8])
        if mark == _mark(key, number):
            return number
    return 0


def read_records(content: bytes, key: bytes, first: int) -> tuple[list[Record], int, int]:
    """The records of a segment's bytes in order, how many are missing between them, and where the last one ends.

    `first`: the number of the segment's first record.
    """
    records: list[Record] = []
    missing = 0
    wanted = first
    at = end = 0
    while (start := content.find(_MAGIC, at)) >= 0:
        record = _record_at(content, start, key)
        if record is None or record.number < wanted:
            at = start + 1
            continue
        missing += record.number - wanted
        wanted = record.number + 1
        records.append(record)
        at = end = start + _HEAD + len(record.body) + _DIGEST
    return records, missing, end


def _record_at(content: bytes, start: int, key: bytes) -> Record | None:
    """The record that begins at `start`; None where there is none, or a damaged one."""
    begin = start + _HEAD
    head = content[start : begin - _DIGEST]
    if len(content) < begin + _DIGEST or content[begin - _DIGEST : begin] != _digest(key, head):
        return None
    end = begin + int.from_bytes(head[-4:])
    body = content[begin:end]
    if content[end : end + _DIGEST] != _digest(key, head + body):
        return None
    return Record(int.from_bytes(head[-12:-4]), body)


def _framed(key: bytes, number: int, body: bytes) -> bytes:
    start = _MAGIC + number.to_bytes(8) + len(body).to_bytes(4)
    return b"".join((start, _digest(key, start), body, _digest(key, start + body)))


def _digest(key: bytes, content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST, key=key).digest()


def _write_all(handle: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, offset)
        view = view[written:]
        offset += written


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
