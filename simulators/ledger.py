"""The senders' own ledger: what was pressed and what the device was told, one JSON object a line.

A line `{"device_id", "ref", "sent_at", "told": null, …}` is in the file before the press leaves; each answer appends
another line with `told` set. The later line of one (device_id, ref) wins. Lines are written with one system call each,
so a process killed at any moment leaves at most one torn last line, which `read_ledger` skips.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from simulators.wire import rfc3339

__all__ = ["Entry", "Ledger", "LedgerError", "read_ledger"]

_STRENGTH = {None: 0, "rejected": 1, "received": 1, "hold": 2, "handled": 3}


class LedgerError(Exception):
    """The ledger cannot be written or read: says which file, line and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One press. `told` is None until the device was told anything, then the strongest answer so far."""

    device_id: str
    ref: str
    sent_at: str
    told: str | None = None
    type: str | None = None
    observed_at: str | None = None


class Ledger:
    """Append-only. Without a path it is kept in memory alone, with the same answers."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._entries: dict[tuple[str, str], Entry] = {}
        self._open = 0
        self._file = -1 if path is None else _open_for_append(path)

    def pressed(self, device_id: str, ref: str, sent_at: datetime, *, type: str, observed_at: datetime) -> None:
        """Writes the press down; when this returns it survives the death of this process."""
        entry = Entry(device_id, ref, rfc3339(sent_at), None, type, rfc3339(observed_at))
        self._append(entry)
        if (device_id, ref) not in self._entries:
            self._open += 1
        self._entries[device_id, ref] = entry

    def told(self, device_id: str, ref: str, status: str) -> bool:
        """Writes an answer down. False when the press is unknown here, or a stronger answer stands already."""
        entry = self._entries.get((device_id, ref))
        if entry is None or _STRENGTH.get(status, 1) <= _STRENGTH.get(entry.told, 1):
            return False
        if entry.told is None:
            self._open -= 1
        entry = replace(entry, told=status)
        self._append(entry)
        self._entries[device_id, ref] = entry
        return True

    def entries(self) -> list[Entry]:
        """The presses of this run, first press first."""
        return list(self._entries.values())

    @property
    def open(self) -> int:
        """How many presses have not been answered."""
        return self._open

    def close(self) -> None:
        """Makes the file durable and closes it. Safe to call twice."""
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def _append(self, entry: Entry) -> None:
        if self._file < 0:
            if self.path is not None:
                raise LedgerError(f"{self.path}: the ledger is closed")
            return
        row = {name: getattr(entry, name) for name in Entry.__slots__}
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            raise LedgerError(f"{self.path}: cannot write the ledger: {error.strerror}") from error


def read_ledger(path: Path) -> list[Entry]:
    """The last word on every (device_id, ref) of a ledger file. A torn last line is skipped, any other is an error."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: cannot read the ledger: {error.strerror}") from error
    entries: dict[tuple[str, str], Entry] = {}
    *whole, torn = raw.split(b"\n")
    for number, line in enumerate(whole, start=1):
        if line.strip():
            entry = _entry(path, number, line)
            entries[entry.device_id, entry.ref] = entry
    if torn.strip():
        try:
            last: Entry | None = _entry(path, len(whole) + 1, torn)
        except LedgerError:
            last = None
        if last is not None:
            entries[last.device_id, last.ref] = last
    return list(entries.values())


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        row: Any = json.loads(line)
        told = row["told"]
        entry = Entry(row["device_id"], row["ref"], row["sent_at"], told, row.get("type"), row.get("observed_at"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError(f"{path}, line {number}: not a ledger line ({error})") from None
    if not isinstance(entry.device_id, str) or not isinstance(entry.ref, str):
        raise LedgerError(f"{path}, line {number}: device_id and ref must be text")
    return entry


def _open_for_append(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        _mend_tail(path, descriptor)
    except OSError as error:
        raise LedgerError(f"{path}: cannot open the ledger: {error.strerror}") from error
    return descriptor


def _mend_tail(path: Path, descriptor: int) -> None:
    """A run killed in the middle of a line leaves a torn one: its press never left, so the piece is cut off.

    A whole line that lacks only its end is kept and ended.
    """
    content = path.read_bytes()
    start = content.rfind(b"\n") + 1
    if start == len(content):
        return
    try:
        _entry(path, 0, content[start:])
    except LedgerError:
        os.ftruncate(descriptor, start)
    else:
        os.write(descriptor, b"\n")
