"""What `hub demo` tells on the terminal while the simulators play: their captions, and what these ask the hub for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from socket import socket
from typing import Any, Final, Literal

import click

from hub.app.administration import reconcile
from hub.app.compose import Hub
from hub.clock import monotonic
from hub.errors import HubError
from hub.settings import Settings

__all__ = ["PLAYS", "Play", "Showing"]

Play = Literal["auto", "all", "devices"]
PLAYS: Final[tuple[Play, ...]] = ("auto", "all", "devices")
"""Who acts at the desk: nobody there: simulated (auto); always simulated, and the database is stopped, too (all);
always people (devices)."""

_DARK_AT_LEAST_S: Final = 3.0
_DARK_AT_MOST_S: Final = 60.0
_TYPED_DARK_S: Final = 40.0


class Showing:
    """The simulators' process and its captions. `start`, then `end` before the hub stops, then `see_out`."""

    def __init__(self, hub: Hub, settings: Settings, ledger: Path, play: Play) -> None:
        self._hub = hub
        self._settings = settings
        self._ledger = ledger
        self._play = play
        self._child: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._dark_since: float | None = None
        self._light = threading.Event()

    def start(self, command: list[str], telephone: socket) -> None:
        """Starts the simulators; what they say that is no caption goes into a file beside their ledger."""
        descriptor = telephone.fileno()
        with self._ledger.with_name("demo-simulators.log").open("wb") as output:
            # Its own process group: Ctrl-C is for us, and we end it in order.
            self._child = subprocess.Popen(
                [*command, "--telephone-fd", str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        threading.Thread(target=self._read, name="captions", daemon=True).start()
        if self._play != "all" and sys.stdin.isatty():
            threading.Thread(target=self._listen, name="keys", daemon=True).start()

    def end(self) -> None:
        """Asks the simulators to end; a database that is held back is let go with the hub."""
        self._ending.set()
        self._light.set()
        if self._child is not None:
            self._child.terminate()

    def see_out(self) -> None:
        """Waits a moment for the simulators, then ends them for good."""
        if self._child is None:
            return
        try:
            self._child.wait(1.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    # ---- captions ---------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if self._ending.is_set():
                return
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                self._show(said)

    def _show(self, said: dict[str, Any]) -> None:
        at = round(float(said.get("at_s") or 0.0))
        if said.get("zh"):
            click.echo(f"  {at // 60}:{at % 60:02d}  {said['zh']}")
            click.echo(f"        {said.get('en') or ''}")
        cue = said.get("cue")
        if cue == "may_dark":
            self._offer()
        elif cue == "dark" and self._play == "all":
            threading.Thread(target=self._darken, args=(_DARK_AT_MOST_S,), name="dark", daemon=True).start()
        elif cue == "light":
            self._light.set()
        elif cue == "reconcile":
            self._reconcile()

    def _offer(self) -> None:
        postgres = self._hub.embedded.postgres
        if self._play == "all" or postgres is None:
            return
        click.echo(f"        kill -9 {postgres.pid}")
        if sys.stdin.isatty():
            click.echo("        或在此按 d 加回车 · or type d and Enter here: 40 s")

    def _reconcile(self) -> None:
        try:
            found = reconcile(self._settings, since=None, sent=self._ledger, warn=lambda _words: None)
        except (HubError, OSError) as error:
            click.echo(f"        hub reconcile: {error}")
            return
        for line in found.to_text().splitlines():
            click.echo(f"        {line}")

    # ---- the dark ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for line in sys.stdin:
            if self._ending.is_set():
                return
            if line.strip().lower() == "d":
                self._darken(_TYPED_DARK_S)

    def _darken(self, seconds: float) -> None:
        """The database is ended, and started again when the story says so, or after so many seconds."""
        if "database" not in self._hub.embedded.embedded or self._dark_since is not None:
            return
        self._light.clear()
        self._dark_since = monotonic()
        postgres = self._hub.embedded.postgres
        if postgres is not None and postgres.pid is not None:
            os.kill(postgres.pid, signal.SIGKILL)
        self._hub.embedded.hold("database")
        click.echo("        数据库已停，告警照收照告。 · The database is down; alarms are taken and told all the same.")
        self._light.wait(seconds)
        if not self._ending.is_set():
            self._ending.wait(max(0.0, self._dark_since + _DARK_AT_LEAST_S - monotonic()))
        if not self._ending.is_set():
            self._hub.embedded.resume("database")
            click.echo("        数据库恢复。 · The database is back.")
        self._dark_since = None
