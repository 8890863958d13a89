"""`hub backup` and `hub restore`: where the file goes, how many are kept, what beside the database is noted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel

from hub.clock import utc_now
from hub.embedded import embedded_database
from hub.errors import BadRequestError
from hub.ports import SYSTEM
from hub.settings import Settings, config_file
from hub.store import (
    Archive,
    ArchiveWriter,
    BackupError,
    Kept,
    Manifest,
    PostgresDatabase,
    Reconciliation,
    Restored,
    back_up,
    reconcile,
    restore,
)
from hub.store import Source as BackupSource

__all__ = ["SUFFIX", "Backup", "backup", "backup_manifest", "old_backups", "restore_backup"]

SUFFIX = ".care-hub.zip"
_NAME = re.compile(r"hub-\d{8}T\d{6}Z(-\d+)?" + re.escape(SUFFIX))
_LARGEST_FILE = 1024 * 1024
"""Settings and certificates are small: what is larger was named by mistake."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What `backup` made. `removed`: older ones that went."""

    path: Path
    sha256: str
    size: int
    manifest: Manifest
    removed: tuple[Path, ...]


def backup(settings: Settings, target: Path, *, keep: int | None, with_files: bool, progress: Progress) -> Backup:
    """Makes a backup beside a running hub, or without one.

    `target`: a file that must not exist yet, or a folder, in which it gets a name by the time. `keep`: how many
    of a folder's backups stay; older ones go only once the new one has been read back whole. `with_files`:
    settings and certificates go into the archive; it then holds every secret of the hub.
    """
    now = utc_now()
    path = _place(target, now)
    if keep is not None and not target.is_dir():
        raise BadRequestError("--keep: only a folder's backups are counted; give a folder instead of a file")
    source = BackupSource(
        made_at=now,
        hub_version=_version(),
        settings=tuple(sorted(_set_names(settings))),
        files=tuple(_noted(settings, with_files=with_files)),
    )
    with embedded_database(settings) as url:
        try:
            with ArchiveWriter(path) as archive:
                manifest, digest = back_up(url, archive, source, progress)
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror or error}; nothing was kept of it") from None
        size = path.stat().st_size
        with PostgresDatabase(url, min_size=0, max_size=1) as database, database.begin() as tx:
            detail = {"file": path.name, "sha256": digest, "rows": manifest.rows, "seq": manifest.seq}
            tx.audit.add(SYSTEM, "database.backup", None, detail, utc_now())
    removed = tuple(old_backups(target, keep)) if keep is not None else ()
    for old in removed:
        old.unlink(missing_ok=True)
        old.with_name(f"{old.name}.sha256").unlink(missing_ok=True)
    return Backup(path, digest, size, manifest, removed)


def restore_backup(
    settings: Settings, path: Path, *, force: bool, progress: Progress
) -> tuple[Restored, Reconciliation]:
    """Takes a backup back and reckons at once whether what it holds is whole. Errors: see `hub.store.restore`."""
    with Archive(path) as archive, embedded_database(settings) as url:
        done = restore(url, archive, utc_now(), force=force, progress=progress)
        progress("reckoning")
        return done, reconcile(url)


def backup_manifest(path: Path, *, verify: bool) -> Manifest:
    """What a backup says of itself; with `verify` every part of it was read and compared. BackupError."""
    with Archive(path) as archive:
        if verify:
            archive.verify()
        return archive.manifest


def old_backups(folder: Path, keep: int) -> list[Path]:
    """The backups of a folder beyond the newest `keep`, by the time in their names; nothing else in it is touched."""
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return found[: max(0, len(found) - keep)]


def _place(target: Path, now: datetime) -> Path:
    if not target.is_dir():
        if target.exists():
            raise BadRequestError(f"{target}: is there already; a backup overwrites nothing")
        if not target.parent.is_dir():
            raise BadRequestError(f"{target.parent}: there is no such folder")
        return target
    stem = f"hub-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = [f"{stem}{SUFFIX}", *(f"{stem}-{number}{SUFFIX}" for number in range(1, 100))]
    return next(path for name in names if not (path := target / name).exists())


def _version() -> str:
    try:
        return version("care-hub")
    except PackageNotFoundError:
        return "0"


def _set_names(settings: Settings) -> Iterator[str]:
    """The names of what was set, never a value."""
    for name, value in settings.model_dump(exclude_unset=True).items():
        if isinstance(value, dict):
            yield from (f"HUB_{name.upper()}__{inner.upper()}" for inner in value)
        else:
            yield f"HUB_{name.upper()}"


def _noted(settings: Settings, *, with_files: bool) -> Iterator[tuple[Kept, bytes | None]]:
    """The files that the settings name. PostgreSQL's own passwords belong to its cluster and are made anew."""
    for number, (setting, path) in enumerate(_named_files(settings)):
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise BackupError(f"{setting}: {path} cannot be read: {error.strerror}") from None
        if len(contents) > _LARGEST_FILE:
            raise BackupError(f"{setting}: {path} is larger than {_LARGEST_FILE} bytes; it cannot be what it should be")
        kept = Kept(
            path=str(path.absolute()),
            setting=setting,
            size=len(contents),
            sha256=hashlib.sha256(contents).hexdigest(),
            member=f"files/{number}" if with_files else None,
        )
        yield kept, contents if with_files else None


def _named_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    written = config_file()
    if written is not None:
        yield "HUB_CONFIG", written
    for name, section in settings:
        if isinstance(section, BaseModel):
            yield from ((f"HUB_{name}__{inner}".upper(), value) for inner, value in section if isinstance(value, Path))
