"""One MQTT connection of one device, many of them on one asyncio loop and without a thread each.

paho's own loop wants a thread a connection; here its sockets are watched by the event loop, and one housekeeping task
(`keep_alive`) serves the keep-alive of all lines. Only `connect` runs in a worker thread, because it may block.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["BrokerAddress", "MqttLine", "keep_alive"]

KEEPALIVE_S = 60
HOUSEKEEPING_S = 5.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is. The URL's user and password hold for every device without a credential of its own."""

    host: str
    port: int
    tls: bool = False
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str, ca_file: Path | None = None) -> BrokerAddress:
        """`mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`. Raises ValueError saying what is wrong."""
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        if parts.scheme not in ("mqtt", "mqtts", "tcp", "ssl"):
            raise ValueError(f"{url}: the scheme is {parts.scheme!r}; mqtt or mqtts is wanted")
        if not parts.hostname:
            raise ValueError(f"{url}: no host; mqtt://HOST:PORT is wanted")
        try:
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from None
        tls = parts.scheme in ("mqtts", "ssl")
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, port or (8883 if tls else 1883), tls, ca_file, user, password)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class MqttLine:
    """Keeps one persistent session connected until `close()`. All methods are for the loop's own thread.

    `on_message(topic, payload)` is called for each message, `on_up()` after each (re)connect once the subscription is
    confirmed, `on_trouble(text)` when a connection fails or is refused.
    """

    def __init__(
        self,
        device_id: str,
        address: BrokerAddress,
        *,
        subscribe: str,
        will: tuple[str, bytes],
        on_message: Callable[[str, bytes], None],
        on_up: Callable[[], None],
        on_trouble: Callable[[str], None],
        password: str | None = None,
        retry_s: tuple[float, float] = (1.0, 30.0),
        rng: random.Random | None = None,
    ) -> None:
        self.device_id = device_id
        self.address = address
        self._subscribe = subscribe
        self._on_message = on_message
        self._on_up = on_up
        self._on_trouble = on_trouble
        self._retry_s = retry_s
        self._rng = rng or random.Random(device_id)
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._lost = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._ready = False
        self._was_ready = False
        self._mute = False
        self._sock: socket.socket | None = None
        self._goodbye_mid = 0
        self._goodbye_sent = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = self._make_client(will, password)

    @property
    def connected(self) -> bool:
        """True between a confirmed subscription and the loss of the connection."""
        return self._ready

    async def run(self) -> None:
        """Connects, and connects again after every loss. Ends by cancellation only; `close()` says goodbye."""
        self._loop = asyncio.get_running_loop()
        low, high = self._retry_s
        wait = low
        while True:
            await self._allowed.wait()
            self._lost.clear()
            try:
                await asyncio.to_thread(self._client.connect, self.address.host, self.address.port, KEEPALIVE_S)
            except (OSError, ValueError) as error:
                self._on_trouble(f"cannot connect to {self.address}: {error}")
            else:
                if not self._allowed.is_set():
                    self._break()  # the network went while the connection was being made
                await self._lost.wait()
                if self._was_ready:
                    wait = low
                self._was_ready = False
            await asyncio.sleep(wait * self._rng.uniform(0.5, 1.0))
            wait = min(high, wait * 2)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Hands a message to the connection; False when there is none just now (nothing is queued then)."""
        # paho would keep a message of a broken connection for the next one: the device keeps its own, once.
        if not self._ready or self._mute or not self._client.is_connected():
            return False
        return self._client.publish(topic, payload, qos=qos, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def cut(self) -> None:
        """The network goes: the connection breaks without a goodbye and none comes up until `restore()`."""
        self._allowed.clear()
        self._break()

    def fall_silent(self) -> None:
        """The carrier drops packets: the connection stays half open and nothing passes, until `restore()`."""
        self._mute = True
        self._allowed.clear()

    def restore(self) -> None:
        """The network is back; a half-open connection is broken first, as a modem does."""
        if self._mute:
            self._mute = False
            self._break()
        self._allowed.set()

    def keep(self) -> None:
        """Keep-alive; wanted at least every few seconds."""
        if not self._mute:
            self._client.loop_misc()

    async def close(self, *, goodbye: tuple[str, bytes] | None = None, seconds: float = 1.0) -> None:
        """Sends what is queued (and a last retained message), then disconnects, within that many seconds."""
        self._allowed.clear()
        if self._ready and goodbye is not None:
            self._goodbye_mid = self._client.publish(goodbye[0], goodbye[1], qos=1, retain=True).mid
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._goodbye_sent.wait()
        if self._client.socket() is not None:
            self._ready = False
            self._client.disconnect()
            self._write()

    def _make_client(self, will: tuple[str, bytes], password: str | None) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.device_id, clean_session=False)
        client.will_set(will[0], will[1], qos=1, retain=True)
        if password is not None:
            client.username_pw_set(self.device_id, password)
        elif self.address.username is not None:
            client.username_pw_set(self.address.username, self.address.password)
        if self.address.tls:
            cafile = None if self.address.ca_file is None else str(self.address.ca_file)
            client.tls_set_context(ssl.create_default_context(cafile=cafile))
        client.max_inflight_messages_set(100)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        client.on_publish = self._published
        client.on_socket_open = lambda _c, _u, sock: self._call(self._watch, sock)
        client.on_socket_close = lambda _c, _u, sock: self._unwatch(sock)
        client.on_socket_register_write = lambda _c, _u, sock: self._call(self._watch_write, sock)
        client.on_socket_unregister_write = lambda _c, _u, sock: self._unwatch_write(sock)
        return client

    # paho's callbacks. They run in the loop's thread, except for the ones that `connect` makes in its worker thread.

    def _connected(self, client: Client, _u: Any, _f: ConnectFlags, code: ReasonCode, _p: Properties | None) -> None:
        if code.is_failure:
            self._on_trouble(f"{self.address} refused {self.device_id}: {code}")
        else:
            client.subscribe(self._subscribe, qos=1)

    def _subscribed(self, _c: Client, _u: Any, _mid: int, codes: list[ReasonCode], _p: Properties | None) -> None:
        if any(code.is_failure for code in codes):
            self._on_trouble(f"{self.address} refuses {self.device_id} the topic {self._subscribe}")
            self._call(self._break)
            return
        self._ready = self._was_ready = True
        # Out of paho's callback: it holds a lock there that a disconnect would need.
        self._call(self._up)

    def _up(self) -> None:
        if self._ready:
            self._on_up()

    def _disconnected(self, _c: Client, _u: Any, _f: DisconnectFlags, _code: ReasonCode, _p: Properties | None) -> None:
        self._ready = False
        self._goodbye_sent.set()
        self._call(self._lost.set)

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        self._inbox.append((message.topic, bytes(message.payload)))

    def _published(self, _c: Client, _u: Any, mid: int, _code: ReasonCode, _p: Properties | None) -> None:
        if mid == self._goodbye_mid:
            self._goodbye_sent.set()

    def _call(self, function: Callable[..., object], *args: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(function, *args)

    def _watch(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._sock = sock
            self._loop.add_reader(sock, self._read, sock)

    def _watch_write(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.add_writer(sock, self._write)

    def _unwatch(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _unwatch_write(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _read(self, sock: Any) -> None:
        if self._mute:
            # A half-open line: leave the bytes where they are and stop looking at them.
            self._unwatch(sock)
            return
        self._client.loop_read()
        # A TLS socket may hold decrypted bytes that the selector cannot see.
        while isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self._client.loop_read()
        while self._inbox:
            self._on_message(*self._inbox.popleft())

    def _write(self) -> None:
        if not self._mute:
            self._client.loop_write()

    def _break(self) -> None:
        sock = self._sock
        if sock is not None and sock.fileno() >= 0:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            # What was received before the break is still read, then the end of the stream ends the connection.
            self._watch(sock)


async def keep_alive(lines: Iterable[MqttLine]) -> None:
    """Serves the keep-alive of all lines until cancelled."""
    every = list(lines)
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        for line in every:
            line.keep()
