"""paho, driven from outside: a buffered socket, whole packets read in one go, PUBACKs written together.

paho's own threaded loop reads a byte at a time, selects for each message and takes a dozen locks: 130 us a message.
Here one thread owns the client, so nothing needs a lock; the socket is read in large pieces; a PUBLISH that lies whole
in the buffer is taken apart on the spot and everything else (CONNACK, SUBACK, PINGRESP, PUBACK, a packet that is not
whole yet) goes paho's own way.

This is the only module that touches paho's private attributes; pyproject.toml pins the range it was read for (2.1,
2.2), tests/bridge/test_buffered.py fails where one of them is gone. MQTT 3.1.1; received at QoS 0 and 1 (nothing is
subscribed at 2).

Not thread-safe: every call comes from the thread that runs the loop.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from msgspec import Struct
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from hub.clock import monotonic

__all__ = ["READ_SIZE", "BufferedClient", "BufferedSocket", "MalformedPublishError", "Publish"]

READ_SIZE = 256 * 1024
_WRITE_SIZE = 64 * 1024

_PUBLISH = 0x30
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it
_PUBACK = struct.Struct("!BBH")
_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class MalformedPublishError(ValueError):
    """A PUBLISH whose lengths contradict one another, or of a QoS that was not asked for."""


class Publish(Struct):
    """A message as the broker delivered it. `mid` is 0 at QoS 0. `dup` is the flag as it came, not yet judged."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    dup: bool
    retain: bool


def parse_publish(command: int, body: bytes) -> Publish:
    """The variable header and payload of an MQTT 3.1.1 PUBLISH; `command` is the first byte of its fixed header."""
    qos = (command >> 1) & 3
    size = len(body)
    start = 2 + ((body[0] << 8) | body[1]) if size >= 2 else size + 1
    mid = 0
    end = start
    if qos == 1:
        end = start + 2
        if end <= size:
            mid = (body[start] << 8) | body[start + 1]
    elif qos:
        raise MalformedPublishError(f"PUBLISH of QoS {qos}, but at most 1 was subscribed")
    if end > size:
        raise MalformedPublishError(f"PUBLISH of {size} bytes ends inside its header")
    # A topic that is no UTF-8 belongs to no device; it must still be kept and looked at.
    topic = body[2:start].decode("utf-8", "backslashreplace")
    return Publish(topic, body[end:], qos, mid, bool(command & 8), bool(command & 1))


class BufferedSocket:
    """A non-blocking socket (plain or TLS) that reads in large pieces and gives them out in small ones."""

    __slots__ = ("_at", "_buffer", "_size", "_sock")

    def __init__(self, sock: socket.socket, size: int = READ_SIZE) -> None:
        self._sock = sock
        self._size = size
        self._buffer = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """As socket.recv; asks the kernel only when the buffer is empty. b"" is the end of the stream."""
        at = self._at
        if at == len(self._buffer):
            self._buffer = self._sock.recv(self._size)
            at = 0
            if _QUICK_ACK is not None:
                # A broker that leaves Nagle's algorithm on sends its next small packet only after TCP's acknowledgement
                # of this one, which the kernel would put off for 40 ms. The option holds for one acknowledgement.
                with suppress(OSError):
                    self._sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        piece = self._buffer[at : at + size]
        self._at = at + len(piece)
        return piece

    def pending(self) -> int:
        """Bytes that can be had without asking the kernel (with TLS: also those decrypted already)."""
        held = len(self._buffer) - self._at
        if isinstance(self._sock, ssl.SSLSocket):
            held += self._sock.pending()
        return held

    def whole_publishes(self, limit: int, into: list[Publish]) -> None:
        """Takes the PUBLISH packets that lie whole and next in the buffer, until `into` holds `limit`."""
        buffer, at = self._buffer, self._at
        end = len(buffer)
        while len(into) < limit and at + 2 <= end:
            command = buffer[at]
            if command & 0xF0 != _PUBLISH:
                break
            length = buffer[at + 1]
            body = at + 2
            if length & 0x80:
                length &= 0x7F
                shift = 7
                while body < end and shift <= 21:
                    byte = buffer[body]
                    body += 1
                    length |= (byte & 0x7F) << shift
                    shift += 7
                    if not byte & 0x80:
                        break
                else:
                    break  # the length itself is cut off, or too long: paho's own way judges that
            after = body + length
            if after > end:
                break
            into.append(parse_publish(command, buffer[body:after]))
            at = after
        self._at = at

    def send(self, packet: bytes | bytearray) -> int:
        return self._sock.send(packet)

    def close(self) -> None:
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        self._sock.setblocking(flag)


class BufferedClient(Client):
    """paho's client with `read`, `queue_acks` and a `loop_write` that writes PUBACKs in bulk."""

    def __init__(self, client_id: str, *, clean_session: bool = False, context: ssl.SSLContext | None = None) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean_session,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._context = context
        self._acks = bytearray()
        self._acks_begun = False
        self._taken: list[Publish] = []
        # With this callback set paho only queues; every write happens in loop_write, when the socket takes it.
        self.on_socket_register_write = _nothing
        # Nothing is ever "queued" inside paho: a message in that state would hold up later ones after a reconnect.
        self.max_inflight_messages_set(0)

    def _create_socket(self) -> BufferedSocket:
        sock = socket.create_connection((self.host, self.port), timeout=self.connect_timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        return BufferedSocket(sock)

    def reconnect(self) -> MQTTErrorCode:
        """As paho's; what was to be acknowledged on the old connection must not be on the new one."""
        self._acks.clear()
        self._acks_begun = False
        self._taken.clear()
        return super().reconnect()

    # --- reading ------------------------------------------------------------------------------------------------------

    def buffered(self) -> int:
        """Bytes that wait to be taken apart; of these the kernel does not announce the socket as readable."""
        sock = self.socket()
        return sock.pending() if isinstance(sock, BufferedSocket) else 0

    def read(self, limit: int) -> list[Publish]:
        """Messages that have arrived, at most `limit`, in order. Only what is there: never blocks.

        Other packets met on the way are handled by paho (callbacks run). After a lost connection `socket()` is None;
        what was read before is still given.
        """
        taken = self._taken
        read_on = True  # the first turn must ask the kernel, even with an empty buffer
        while read_on and len(taken) < limit:
            sock = self.socket()
            if not isinstance(sock, BufferedSocket):
                break
            try:
                if self._in_packet["command"] == 0:
                    before = len(taken)
                    sock.whole_publishes(limit, taken)
                    if len(taken) > before:
                        self._last_bytes_received = monotonic()
                        if len(taken) >= limit:
                            break
                code = self._packet_read()
            except MalformedPublishError:
                code = MQTTErrorCode.MQTT_ERR_PROTOCOL
            if code > 0:
                self._loop_rc_handle(code)
                break
            read_on = sock.pending() > 0
        self._taken = []
        return taken

    def _packet_handle(self) -> MQTTErrorCode:
        command = self._in_packet["command"]
        if command & 0xF0 != _PUBLISH:
            return super()._packet_handle()
        self._taken.append(parse_publish(command, bytes(self._in_packet["packet"])))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    # --- writing ------------------------------------------------------------------------------------------------------

    def queue_acks(self, mids: Iterable[int]) -> None:
        """Puts PUBACKs in line, in this order; `loop_write` writes them."""
        pack = _PUBACK.pack
        for mid in mids:
            self._acks += pack(0x40, 2, mid)

    def want_write(self) -> bool:
        """Whether bytes wait for the socket."""
        return bool(self._acks) or super().want_write()

    def loop_write(self) -> MQTTErrorCode:
        """Writes what the socket takes: paho's own packets, then PUBACKs, never one inside the other."""
        if self._acks_begun:
            code = self._write_acks()
            if code or self._acks:
                return code
        code = super().loop_write()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._acks and not super().want_write():
            code = self._write_acks()
        return code

    def _write_acks(self) -> MQTTErrorCode:
        sock = self.socket()
        if sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            # From here on these bytes must go first: a TLS record or half a packet may be on its way.
            self._acks_begun = True
            while self._acks:
                written = sock.send(bytes(self._acks[:_WRITE_SIZE]))
                del self._acks[:written]
        except _BLOCKED:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        self._acks_begun = False
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    # --- being alive --------------------------------------------------------------------------------------------------

    def hold_keepalive(self) -> None:
        """While the socket is deliberately not read, an answer to a ping cannot be seen: do not wait for it."""
        self._ping_t = 0.0

    def drop(self) -> None:
        """Closes the connection without a farewell."""
        self._sock_close()


def _nothing(*_: Any) -> None:
    return None
