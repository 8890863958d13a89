"""Other people's servers, small: they speak the wire, check what they are given, and remember it. No network."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["Asked", "ManagerServer", "WebServer", "mail_server", "manager_server", "web_server"]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, Any]


@dataclass
class WebServer:
    """Answers with `answer(asked)`: (status, JSON or text); an exception in it is an answer 500 that says why."""

    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def web_server(answer: Callable[[Asked], Answer] = lambda _asked: (200, {})) -> Iterator[WebServer]:
    found = WebServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                parts.path,
                {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            found.asked.append(asked)
            try:
                status, body = found.answer(asked)
            except Exception as error:
                status, body = 500, repr(error)
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = _take  # noqa: N815 - the library's names

        def log_message(self, *_args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class ManagerServer:
    """An Asterisk manager interface. `fate`: number -> Reason of its OriginateResponse; without: it keeps ringing."""

    port: int = 0
    fate: dict[str, int] = field(default_factory=dict)
    actions: list[dict[str, list[str]]] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    connections: int = 0
    open: list[socketserver.StreamRequestHandler] = field(default_factory=list)

    def drop(self) -> None:
        """The gateway restarts."""
        for handler in self.open:
            with contextlib.suppress(OSError):
                handler.connection.shutdown(2)


@contextmanager
def manager_server(user: str = "care", secret: str = "pass") -> Iterator[ManagerServer]:
    found = ManagerServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, **fields: Any) -> None:
            self.wfile.write("".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\n")
            self.wfile.flush()

        def handle(self) -> None:
            found.connections += 1
            found.open.append(self)
            self.wfile.write(b"Asterisk Call Manager/9.0.0\r\n")
            welcome = False
            packet: dict[str, list[str]] = {}
            for line in self.rfile:
                text = line.decode().rstrip("\r\n")
                if text:
                    name, _, value = text.partition(": ")
                    packet.setdefault(name, []).append(value)
                    continue
                found.actions.append(packet)
                welcome = self.act(packet, welcome)
                packet = {}

        def act(self, packet: dict[str, list[str]], welcome: bool) -> bool:
            action, ident = packet["Action"][0], packet["ActionID"][0]
            if action == "Login":
                good = (packet["Username"][0], packet["Secret"][0]) == (user, secret)
                self.say(Response="Success" if good else "Error", ActionID=ident, Message="Authentication")
                if good:
                    self.say(Event="FullyBooted", Privilege="system,all", Status="Fully Booted")
                return good
            if not welcome:
                self.say(Response="Error", ActionID=ident, Message="Permission denied")
            elif action == "Ping":
                self.say(Response="Success", ActionID=ident, Ping="Pong", Timestamp="1")
            elif action == "Hangup":
                there = packet["Channel"][0] in found.channels
                found.channels.discard(packet["Channel"][0])
                words = "Channel Hungup" if there else "No such channel"
                self.say(Response="Success" if there else "Error", ActionID=ident, Message=words)
            elif action == "Originate":
                self.originate(packet, ident)
            return welcome

        def originate(self, packet: dict[str, list[str]], ident: str) -> None:
            number = packet["Channel"][0].split("/")[1].partition("@")[0]
            unique = packet["ChannelId"][0]
            name = f"PJSIP/trunk-{unique}"
            if name in found.channels:
                self.say(Response="Error", ActionID=ident, Message="Uniqueid already in use")
                return
            self.say(Response="Success", ActionID=ident, Message="Originate successfully queued")
            found.channels.add(name)
            self.say(Event="Newchannel", Channel=name, Uniqueid=unique, ChannelState="0")
            reason = found.fate.get(number)
            if reason is not None:
                result = "Success" if reason == 4 else "Failure"
                self.say(Event="OriginateResponse", ActionID=ident, Response=result, Reason=reason, Uniqueid=unique)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_args: Any) -> None:
            return None

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    found.port = server.server_address[1]
    try:
        yield found
    finally:
        found.drop()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """SMTP without a password: (port, the letters as they came)."""
    letters: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            for line in self.rfile:
                word = line.split(None, 1)[0].upper() if line.strip() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    letter = []
                    for text in self.rfile:
                        if text == b".\r\n":
                            break
                        letter.append(text.decode("utf-8", "replace"))
                    letters.append("".join(letter))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], letters
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
