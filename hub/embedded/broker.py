"""An MQTT broker of the hub's own on the loopback address (rumqttd, from the package `iotcore`).

It checks no credentials and keeps its sessions in memory: right for one machine, not for a site. MQTT 3.1.1 and MQTT 5
have a port each; messages cross between them. It is a process of its own: it outlives a killed hub with everything it
has queued, and the next start finds it again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.clock import monotonic
from hub.embedded.private_files import private_folder, write_private
from hub.embedded.processes import BARE_ENVIRONMENT, alive, poll_until, send_signal
from hub.errors import SettingError, UnavailableError

__all__ = ["EmbeddedBroker", "answers_connect"]

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PROTOCOL_LEVELS = (4, 5)
"""What a CONNECT calls MQTT 3.1.1 and MQTT 5."""

SETTING_NAMES = ("HUB_MQTT__EMBEDDED_PORT", "HUB_MQTT__EMBEDDED_PORT_V5")

ROUTER = """\
id = 0

[router]
id = 0
max_connections = 5000
max_outgoing_packet_count = 1000
max_segment_size = 16777216
max_segment_count = 16
"""
"""A queue holds at most 16 segments of 16 MB for each topic filter; beyond that the oldest segment goes."""

LISTENER = """
[v{level}.1]
name = "v{level}"
listen = "{host}:{port}"
next_connection_delay_ms = 0

[v{level}.1.connections]
connection_timeout_ms = 10000
max_payload_size = 2097152
max_inflight_count = 1000
dynamic_filters = false
"""


@dataclass(frozen=True, slots=True)
class _Record:
    pid: int
    ports: tuple[int, int]


PANIC = "panicked at"
"""What a thread of the broker writes when it dies; the process would live on, half deaf."""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class EmbeddedBroker:
    """The broker of one data directory. The caller holds that directory's lock. Port 0 takes a free one."""

    def __init__(self, data_dir: Path, *, port: int = 0, port_v5: int = 0) -> None:
        self._home = data_dir.absolute() / "broker"
        self._wanted = (port, port_v5)
        self._ports: tuple[int, int] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:…`, MQTT 3.1.1."""
        return f"mqtt://{HOST}:{self._started()[0]}"

    @property
    def url_v5(self) -> str:
        """`mqtt://127.0.0.1:…`, MQTT 5."""
        return f"mqtt://{HOST}:{self._started()[1]}"

    @property
    def pid(self) -> int | None:
        """The broker's process id while it runs."""
        running = self._running()
        return running.pid if running else None

    def start(self, seconds: float = 15.0) -> str:
        """Starts the broker, or finds the one that runs already; returns `url` when it answers a CONNECT.

        Raises SettingError naming the port's setting where another program has the port, UnavailableError where the
        broker does not come up. Started again after it died, it takes the same ports as before.
        """
        deadline = monotonic() + seconds
        private_folder(self._home)
        running = self._running()
        if running is not None:
            fits = all(wanted in {0, has} for wanted, has in zip(self._wanted, running.ports, strict=True))
            if fits and self._wait_until_ready(running.pid, running.ports, deadline):
                log.info("embedded broker found again, process %d", running.pid)
                self._ports = running.ports
                return self.url
            log.info("embedded broker, process %d, %s: ended", running.pid, "hangs" if fits else "has other ports")
            self.stop()
        self._launch(deadline)
        return self.url

    def stop(self, seconds: float = 1.0) -> None:
        """Ends the broker and everything it has queued."""
        running = self._running()
        if running is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            send_signal(running.pid, number)
            if poll_until(lambda: not self._lives(running.pid), seconds):
                break
        self._reap()

    # -- the process

    def _launch(self, deadline: float) -> None:
        config, said = self._home / "broker.toml", self._home / "broker.log"
        free_choice = self._ports is None and 0 in self._wanted
        while True:
            ports = self._ports or self._choose_ports()
            listeners = zip(PROTOCOL_LEVELS, ports, strict=True)
            text = "".join(LISTENER.format(level=level, host=HOST, port=port) for level, port in listeners)
            write_private(config, ROUTER + text)
            if said.exists():
                # Why the one before ended is worth keeping.
                said.replace(said.with_suffix(".log.1"))
            with said.open("wb") as output:
                said.chmod(0o600)
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-P", str(Path(__file__).with_name("broker_process.py"))),
                        *(str(config), str(self._record_path)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._home,
                    env=BARE_ENVIRONMENT,
                    # Its own session: Ctrl-C at the hub's terminal is the hub's to answer, not the broker's.
                    start_new_session=True,
                )
            if self._wait_until_ready(self._process.pid, ports, deadline):
                self._ports = ports
                return
            self.stop()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._process = None
            words = _read(said).strip()
            if PANIC in words and monotonic() < deadline:
                # Its two listeners start side by side and now and then trip over a lock of theirs; the next start is
                # as good as new, and nobody was connected yet.
                log.warning("the embedded broker tripped over itself while starting; it is started again")
                continue
            if "Address already in use" in words:
                # Between choosing a free port and listening on it somebody else may have taken it.
                if free_choice and monotonic() < deadline:
                    continue
                self._refuse_taken_ports(ports)
            last = words.splitlines()[-1] if words else "it said nothing"
            raise UnavailableError(f"the embedded broker did not start: {last} (see {said})")

    def _choose_ports(self) -> tuple[int, int]:
        self._refuse_taken_ports(self._wanted)
        first, second = (_free_port() if port == 0 else port for port in self._wanted)
        return (first, second) if first != second else self._choose_ports()

    def _refuse_taken_ports(self, ports: tuple[int, int]) -> None:
        for name, port in zip(SETTING_NAMES, ports, strict=True):
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((HOST, port))
                    listener.listen()
                except OSError as error:
                    raise SettingError(
                        f"{name}: port {port} on {HOST} cannot be used ({error.strerror}); another program has it? "
                        f"Set {name} to another port (0: any free one), or HUB_MQTT__URL to use a broker that runs"
                    ) from None

    def _wait_until_ready(self, pid: int, ports: tuple[int, int], deadline: float) -> bool:
        waiting = dict(zip(PROTOCOL_LEVELS, ports, strict=True))

        said = self._home / "broker.log"

        def settled() -> bool:
            if PANIC in _read(said):
                return True
            for level, port in list(waiting.items()):
                if answers_connect(HOST, port, level):
                    del waiting[level]
            return not waiting or not self._lives(pid)

        return poll_until(settled, max(0.0, deadline - monotonic())) and self._lives(pid) and not waiting

    def _started(self) -> tuple[int, int]:
        if self._ports is None:
            raise UnavailableError("the embedded broker was not started")
        return self._ports

    def _lives(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return alive(pid)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    @property
    def _record_path(self) -> Path:
        return self._home / "broker.json"

    def _running(self) -> _Record | None:
        """What the record says, if the process that wrote it still holds it."""
        self._reap()
        try:
            handle = os.open(self._record_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(handle, 4096, 0)
        else:
            return None
        finally:
            os.close(handle)
        try:
            told = json.loads(text)
            first, second = told["ports"]
            return _Record(int(told["pid"]), (int(first), int(second)))
        except (ValueError, KeyError, TypeError):
            return None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def answers_connect(
    host: str,
    port: int,
    level: int = 4,
    *,
    username: str | None = None,
    password: str | None = None,
    seconds: float = 2.0,
) -> bool:
    """Whether a broker there accepts a plain MQTT CONNECT of this protocol level (4: MQTT 3.1.1, 5: MQTT 5)."""
    flags = 0b10 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    # An id of its own each time: rumqttd does not take it well when one comes back while it is going.
    texts = [f"hub-probe-{secrets.token_hex(6)}", username, password]
    body = b"\x00\x04MQTT" + bytes([level, flags, 0, 10]) + (b"\x00" if level == 5 else b"")
    for text in texts:
        if text is not None:
            body += len(text.encode()).to_bytes(2, "big") + text.encode()
    if len(body) > 127:
        raise ValueError("user name and password are too long for a probe")
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            answer = b""
            while len(answer) < 4:
                piece = connection.recv(64)
                if not piece:
                    return False
                answer += piece
            # No DISCONNECT: rumqttd handles one twice, when it comes and when the line closes, and the second time may
            # hit whoever has got the connection's number meanwhile.
    except OSError:
        return False
    # CONNACK: type, length (below 128 here), session present, return code.
    return answer[0] == 0x20 and answer[3] == 0
