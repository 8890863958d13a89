"""Problem files as they lie on disk: plain or gzip, checked against a shape, with errors that say what and where."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TypeVar

import msgspec

from hub.errors import BadRequestError

__all__ = ["parsed", "read_bytes", "wrong"]

T = TypeVar("T")


def wrong(path: Path, what: str) -> BadRequestError:
    """The error for a file that cannot be planned."""
    return BadRequestError(f"{path}: {what}")


def read_bytes(path: Path) -> bytes:
    """The file's content, unpacked where it is a gzip file (by its first bytes, whatever it is called)."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise wrong(path, error.strerror or str(error)) from error
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise wrong(path, f"is not a whole gzip file: {error}") from error


def parsed(path: Path, raw: bytes, shape: type[T]) -> T:
    """The JSON text as `shape`; the error names the place, as in `$.patients[3].time_window`."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as error:
        raise wrong(path, str(error)) from error
    except UnicodeDecodeError as error:
        raise wrong(path, f"is not UTF-8 text: {error}") from error
