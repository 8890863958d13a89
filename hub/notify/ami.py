"""The Asterisk Manager Interface: lines `Name: value`, a blank line ends a packet, answers carry our ActionID."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Mapping

from hub.ports.notices import SendFailedError

__all__ = ["AmiConnection", "Packet", "packet_bytes", "parse_packet"]

Packet = dict[str, str]
_LONGEST = 64 * 1024
_ANSWER_S = 5.0


def packet_bytes(fields: Mapping[str, str], variables: Mapping[str, str] | None = None) -> bytes:
    """A packet for the wire. ValueError where a value would end its line and begin another."""
    lines = [*fields.items(), *(("Variable", f"{name}={value}") for name, value in (variables or {}).items())]
    for name, value in lines:
        if any(char in f"{name}{value}" for char in "\r\n\x00"):
            raise ValueError(f"{name} has a line end in it")
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n"


def parse_packet(raw: bytes) -> Packet:
    """Names in lower case; of a name that comes twice the last."""
    found: Packet = {}
    for line in raw.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


class AmiConnection:
    """One logged-in connection; a thread reads it. `heard` gets every event. Thread-safe."""

    def __init__(
        self,
        address: tuple[str, int],
        user: str,
        password: str,
        heard: Callable[[Packet], None],
        *,
        tls: bool = False,
        timeout_s: float = _ANSWER_S,
    ) -> None:
        self._heard = heard
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[threading.Event, Packet]] = {}
        self.alive = True
        try:
            plain = socket.create_connection(address, timeout_s)
            self._socket = ssl.create_default_context().wrap_socket(plain, server_hostname=address[0]) if tls else plain
            self._file = self._socket.makefile("rb")
            self.banner = self._file.readline(200).decode("ascii", "replace").strip()
        except (OSError, ValueError) as error:
            raise SendFailedError(f"the telephone gateway (AMI) cannot be reached: {type(error).__name__}") from None
        if not self.banner.startswith("Asterisk Call Manager"):
            self.close()
            raise SendFailedError("at this address there is no Asterisk manager interface")
        # The reader waits for as long as nothing happens; whoever asks has a time-out of its own.
        self._socket.settimeout(None)
        threading.Thread(target=self._read, name="ami", daemon=True).start()
        answer = self.ask({"Action": "Login", "Username": user, "Secret": password, "Events": "call,user"})
        if answer.get("response") != "Success":
            self.close()
            raise SendFailedError("the telephone gateway (AMI) refuses the user name or password")

    def ask(self, fields: Mapping[str, str], variables: Mapping[str, str] | None = None) -> Packet:
        """Sends an action and gives its answer. SendFailedError: none came."""
        ident = f"care-{next(self._numbers)}"
        waiting = threading.Event()
        answer: Packet = {}
        with self._lock:
            self._answers[ident] = (waiting, answer)
        try:
            raw = packet_bytes({**fields, "ActionID": fields.get("ActionID", ident)}, variables)
            if "ActionID" in fields:
                with self._lock:
                    self._answers[fields["ActionID"]] = self._answers.pop(ident)
                ident = fields["ActionID"]
            with self._lock:
                self._socket.sendall(raw)
            if not waiting.wait(self._timeout_s) or not answer:
                raise SendFailedError("the telephone gateway (AMI) did not answer in time")
            return answer
        except (OSError, ValueError) as error:
            self.close()
            raise SendFailedError(f"the telephone gateway (AMI) went away: {type(error).__name__}") from None
        finally:
            with self._lock:
                self._answers.pop(ident, None)

    def close(self) -> None:
        """Ends the connection; whoever waits is told."""
        self.alive = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()
        with self._lock:
            for waiting, _ in self._answers.values():
                waiting.set()

    def _read(self) -> None:
        raw = b""
        try:
            for line in iter(lambda: self._file.readline(_LONGEST), b""):
                if line.strip():
                    raw += line
                    if len(raw) > _LONGEST:
                        break
                    continue
                packet = parse_packet(raw)
                raw = b""
                if packet:
                    self._take(packet)
        except (OSError, ValueError):
            pass
        finally:
            self.close()

    def _take(self, packet: Packet) -> None:
        if "event" in packet:
            self._heard(packet)
            return
        with self._lock:
            found = self._answers.get(packet.get("actionid", ""))
        if found is not None and "response" in packet:
            waiting, answer = found
            answer.update(packet)
            waiting.set()
