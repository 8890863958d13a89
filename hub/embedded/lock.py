"""The lock of a data directory: two hubs never share one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hub.errors import SettingError

__all__ = ["DataDirectoryLock", "DirectoryTakenError"]


class DirectoryTakenError(SettingError):
    """Another hub has the data directory; `extra["pid"]` is its process id where known."""

    code = "data-directory-taken"


class DataDirectoryLock:
    """Held from `take` to `release`, or to the end of the process however it ends: the system lets it go."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute()
        self._handle: int | None = None

    def take(self) -> None:
        """Makes the folder if need be and takes the lock; raises DirectoryTakenError, or SettingError."""
        if self._handle is not None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingError(f"HUB_DATA_DIR: cannot use the folder {self._folder}: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise DirectoryTakenError(
                f"HUB_DATA_DIR: the folder {self._folder} is in use by another hub"
                + (f" (process {holder})" if holder.isdigit() else "")
                + "; stop that one or choose another folder",
                pid=int(holder) if holder.isdigit() else None,
            ) from None
        except OSError as error:
            os.close(handle)
            raise SettingError(f"HUB_DATA_DIR: cannot lock the folder {self._folder}: {error.strerror}") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Lets it go. The file stays: removing it would let two hubs lock two files of one name."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None
