"""Folders and files that nobody but their owner may look into."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hub.errors import SettingError, UnavailableError

__all__ = ["private_folder", "short_private_folder", "write_private"]

SOCKET_PATH_BYTES = 107
"""Longest path of a UNIX socket on Linux, without the closing zero byte (`sun_path` is 108 bytes)."""


def private_folder(path: Path) -> Path:
    """Makes the folder with mode 0700 or, where it is there already, closes it to everyone else."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise SettingError(f"HUB_DATA_DIR: cannot use the folder {path}: {error.strerror or error}") from error
    return path


def write_private(path: Path, text: str) -> None:
    """Writes the file with mode 0600, whole or not at all, and makes it durable."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def short_private_folder(wanted: Path, *, name: str, file_name: str, uid: int, gid: int) -> Path:
    """`wanted`, or a folder with a short path where `wanted/file_name` would be too long for a UNIX socket.

    The folder is made with mode 0700 and given to `uid`. A folder below the shared temporary directory is taken
    only when it is a real folder of that owner: anybody could have put one there before us.
    """
    if len(os.fsencode(wanted / file_name)) <= SOCKET_PATH_BYTES:
        folder = wanted
    else:
        folder = Path("/tmp") / f"care-hub-{uid}-{name}"
    try:
        folder.mkdir(mode=0o700)
        if os.geteuid() != uid:
            os.chown(folder, uid, gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
        raise UnavailableError(f"the folder {folder} is somebody else's; remove it or choose another HUB_DATA_DIR")
    if os.geteuid() != uid and found.st_uid != uid:
        os.chown(folder, uid, gid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder
