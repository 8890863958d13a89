"""Mosquitto's password file, kept by the hub: the devices' lines are the hub's, all others are left alone."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.errors import UnavailableError

__all__ = ["PasswordFile", "PasswordKeeper"]

log = logging.getLogger(__name__)

_EVERY_S = 30.0


class PasswordFile:
    """Brings the file up to date and tells the broker. `pid_file` None: somebody else watches the file."""

    def __init__(self, path: Path, pid_file: Path | None = None) -> None:
        self._path = path
        self._pid_file = pid_file

    def keep(self, devices: Mapping[str, str | None]) -> bool:
        """`devices`: id -> its hash, None where it must not have a line. Gives whether anything changed.

        The file is replaced at once and as a whole, with its mode and owner: the broker never reads half of it.
        OSError where that is not possible.
        """
        before = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        others = [line for line in before.splitlines() if line.strip() and line.partition(":")[0] not in devices]
        ours = [f"{device}:{hashed}" for device, hashed in sorted(devices.items()) if hashed is not None]
        after = "".join(f"{line}\n" for line in [*others, *ours])
        if after == before:
            return False
        self._replace(after)
        self._tell()
        return True

    def _replace(self, text: str) -> None:
        folder = self._path.parent
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as draft:
                draft.write(text)
                draft.flush()
                os.fsync(draft.fileno())
            mode, owner, group = 0o640, -1, folder.stat().st_gid
            if self._path.exists():
                had = self._path.stat()
                mode, owner, group = had.st_mode & 0o777, had.st_uid, had.st_gid
            os.chmod(name, mode)
            try:
                os.chown(name, owner, group)
            except PermissionError:
                log.debug("%s keeps the hub's own owner", self._path)
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise

    def _tell(self) -> None:
        if self._pid_file is None:
            return
        try:
            os.kill(int(self._pid_file.read_text().strip()), signal.SIGHUP)
        except (OSError, ValueError) as error:
            log.warning("the broker was not told of its new password file (%s): %s", self._pid_file, error)


class PasswordKeeper:
    """Keeps the file while the hub runs. `wait`: sleeps so many seconds, or until credentials changed."""

    def __init__(
        self, file: PasswordFile, read: Callable[[], Mapping[str, str | None]], wait: Callable[[float], bool]
    ) -> None:
        self._file = file
        self._read = read
        self._wait = wait
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread = threading.Thread(target=self._run, name="broker-passwords", daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Tells the thread to end; does not wait."""
        self._stop.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        wait_s = _EVERY_S
        while not self._stop.is_set():
            try:
                if self._file.keep(self._read()):
                    log.info("the broker's password file was brought up to date")
                wait_s = _EVERY_S
            except UnavailableError:
                wait_s = 2.0
            except OSError as error:
                log.error("the broker's password file could not be written: %s", error)
                wait_s = 5.0
            except Exception:
                log.exception("the broker's password file could not be brought up to date")
                wait_s = 5.0
            if not self._stop.is_set():
                self._wait(wait_s)
