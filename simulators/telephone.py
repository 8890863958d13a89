"""People's telephones and the exchange before them: rings when the hub calls, presses keys, keeps short messages.

Written from docs/howto/notifications.md: a cloud's voice service, generic short messages, Standard Webhooks signatures.
Who rings is looked up by number. A telephone that nobody in the scenario answers rings until it is hung up, or until
nobody has answered for as long as the hub said.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

from simulators.device import Happening
from simulators.pace import Pace

__all__ = ["PhoneBook", "Ring", "Telephones"]

_WINDOW_S = 300
_LONGEST_BODY = 64_000
_KEPT_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """Whose number is whose, and the two secrets: `secret` signs what the hub asks, `answer_secret` what it is told."""

    names: Mapping[str, str]
    secret: str
    answer_secret: str

    def name_of(self, number: str) -> str:
        """The person's name; the number itself where it is nobody's."""
        return self.names.get(number, number)


@dataclass(slots=True)
class Ring:
    """One telephone that rings: `ident` is the hub's name for the call, `answer_url` where the hub is told of it."""

    ident: str
    name: str
    text: str
    answer_url: str
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it rings no more: picked up or hung up."""
    picked_up: bool = False


class Telephones:
    """The exchange. `api` is the hub's address: whatever host its answer addresses name, that is where they lead."""

    def __init__(self, book: PhoneBook, api: str, *, pace: Pace, tell: Callable[[Happening], None]) -> None:
        self.book = book
        self.ringing: dict[str, Ring] = {}
        self.messages: list[tuple[str, str]] = []
        """(name, text) of short messages, the latest last."""
        self.links: dict[str, str] = {}
        """Name to the path of the latest link that asks something."""
        self._api = api.rstrip("/")
        self._pace = pace
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: set[str] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self, listening: socket.socket) -> None:
        """Serves on a socket that listens already, until cancelled."""
        self._loop = asyncio.get_running_loop()
        server = _Server(self, listening)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="telephones", daemon=True)
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._waiting:
                task.cancel()
            await asyncio.to_thread(server.shutdown)
            server.server_close()

    def rings(self, name: str) -> Ring | None:
        """The call that rings at that person's telephone now."""
        return next((ring for ring in self.ringing.values() if ring.name == name), None)

    async def press(self, ring: Ring, key: str) -> str:
        """The person (picks up, listens,) presses a key and hangs up; gives what the hub made of it."""
        await self.pick_up(ring)
        self.ringing.pop(ring.ident, None)
        heard = await self._told(ring, event="key", key=key)
        await self._told(ring, event="ended")
        result = str(heard.get("result"))
        self._say("phone", ring.name, f"presses {key}: {result}")
        return result

    async def pick_up(self, ring: Ring) -> None:
        """The person picks up and listens."""
        if not ring.picked_up:
            ring.picked_up = True
            ring.over.set()
            self._say("phone", ring.name, "picks up")
            await self._told(ring, event="answered")

    async def follow_link(self, name: str, action: str) -> bool:
        """The person opens the link of the latest short message and presses its button; False: there is none."""
        path = self.links.pop(name, None)
        if path is None:
            return False
        headers = {"Sec-Fetch-Site": "same-origin"}
        try:
            async with httpx.AsyncClient(base_url=self._api, timeout=20, trust_env=False, headers=headers) as client:
                answer = await client.post(path, data={"action": action})
        except httpx.HTTPError as error:
            self.links.setdefault(name, path)
            self._say("trouble", name, f"the link does not open: {error}")
            return False
        self._say("phone", name, f"{action} by link: {answer.status_code}")
        return answer.status_code == 200

    # ---- what the hub asks of the exchange --------------------------------------------------------------------------

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """One request of the hub: status and JSON. From the server's threads."""
        loop = self._loop
        if loop is None:
            return 503, {}
        if method == "GET":
            return 200, {"status": "up"}
        if not _signed(self.book.secret, headers, body):
            return 401, {"error": "the signature is missing, wrong or too old"}
        if method == "DELETE":
            loop.call_soon_threadsafe(self._hang_up, path.rpartition("/")[2])
            return 204, None
        try:
            given = json.loads(body)
            ident, name, text = str(given["id"]), self.book.name_of(str(given["number"])), str(given["text"])
            if path.endswith("/calls"):
                ring, ring_s = Ring(ident, name, text, str(given.get("answer_url") or "")), float(given["ring_s"])
                loop.call_soon_threadsafe(self._ring, ring, ring_s)
                return 201, {"call_id": ident}
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}
        params = given.get("params")
        link = str(params.get("link") or "") if isinstance(params, dict) else ""
        loop.call_soon_threadsafe(self._message, name, text, urlsplit(link).path)
        return 200, {}

    def _ring(self, ring: Ring, ring_s: float) -> None:
        if ring.ident in self._known:
            return  # the same id rings once
        self._known.add(ring.ident)
        self.ringing[ring.ident] = ring
        self._say("phone", ring.name, f"rings: {ring.text}")
        task = asyncio.get_running_loop().create_task(self._unanswered(ring, ring_s))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _unanswered(self, ring: Ring, ring_s: float) -> None:
        try:
            async with asyncio.timeout(ring_s):
                await ring.over.wait()
        except TimeoutError:
            self.ringing.pop(ring.ident, None)
            await self._told(ring, event="no_answer")

    def _hang_up(self, ident: str) -> None:
        ring = self.ringing.pop(ident, None)
        if ring is not None:
            ring.over.set()
            self._say("phone", ring.name, "stops ringing")

    def _message(self, name: str, text: str, link: str) -> None:
        if link:
            self.links[name] = link
        self.messages.append((name, text))
        del self.messages[:-_KEPT_MESSAGES]
        self._say("phone", name, f"short message: {text}")

    async def _told(self, ring: Ring, **said: str) -> Mapping[str, Any]:
        if not ring.answer_url:
            return {}
        headers = {"Authorization": f"Bearer {self.book.answer_secret}"}
        try:
            async with httpx.AsyncClient(base_url=self._api, timeout=20, trust_env=False) as client:
                answer = await client.post(urlsplit(ring.answer_url).path, json=said, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            self._say("trouble", ring.name, f"the hub cannot be told of a call: {error}")
            return {}
        return found if isinstance(found, dict) else {}

    def _say(self, what: str, name: str, text: str) -> None:
        self._tell(Happening(self._pace.now(), what, "phone", text, name))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, exchange: Telephones, listening: socket.socket) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.exchange = exchange


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _take(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if not 0 <= length <= _LONGEST_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, said = self.server.exchange.ask(self.command, urlsplit(self.path).path, headers, body)
        raw = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _take  # noqa: N815 - the library's names

    def log_message(self, format: str, *_args: Any) -> None:
        """Nothing: what rings is told as a happening."""


def _signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    ident, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not at.isascii() or not at.isdigit() or abs(time.time() - int(at)) > _WINDOW_S:
        return False
    signed = hmac.digest(secret.encode(), b".".join((ident.encode(), at.encode(), body)), "sha256")
    wanted = "v1," + base64.b64encode(signed).decode()
    return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given.split(" "))
