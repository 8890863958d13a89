"""The little MQTT 3.1.1 a load generator needs: packets made beforehand, written in bulk, acknowledgements counted.

A client library would cost more than what is measured; here a message costs its sender two microseconds.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from hub.settings import parse_mqtt_url

__all__ = ["CONNACK", "PUBACK", "PUBLISH", "Packets", "connect", "publish", "subscribe"]

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90
KEEPALIVE_S = 300


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw


def _packet(first: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, part = divmod(size, 128)
        length.append(part | (0x80 if size else 0))
        if not size:
            return bytes([first]) + bytes(length) + body


def publish(topic: str, mid: int, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1; `mid` 1..65535."""
    return _packet(PUBLISH | 2, _text(topic) + struct.pack("!H", mid) + payload)


def subscribe(topic_filter: str) -> bytes:
    """A SUBSCRIBE at QoS 0: what is listened to here needs no answer."""
    return _packet(0x82, struct.pack("!H", 1) + _text(topic_filter) + b"\0")


def connect(url: str, client_id: str, *, timeout_s: float = 20.0) -> socket.socket:
    """A clean session at the broker of `mqtt://[user:password@]host:port`. SystemExit says why it was refused."""
    address = parse_mqtt_url(url)
    flags = 2 | (0x80 if address.username else 0) | (0x40 if address.password else 0)
    texts = [client_id] + [text for text in (address.username, address.password) if text]
    body = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", KEEPALIVE_S) + b"".join(_text(text) for text in texts)
    broker = socket.create_connection((address.host, address.port), timeout_s)
    broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    broker.sendall(_packet(0x10, body))
    answer = broker.recv(4, socket.MSG_WAITALL)
    if len(answer) < 4 or answer[0] != CONNACK or answer[3]:
        raise SystemExit(f"the broker refused {client_id}: {answer.hex() or 'it hung up'}")
    return broker


class Packets:
    """Takes a stream apart: feed it what was received, iterate over (kind, body) of the packets that are whole."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        held, at = self._held + piece, 0
        while True:
            found = _whole(held, at)
            if found is None:
                break
            body, after = found
            yield held[at] & 0xF0, held[body:after]
            at = after
        self._held = held[at:]


def _whole(held: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None: it is not whole yet."""
    length = shift = 0
    place = at + 1
    while place < len(held):
        byte = held[place]
        place += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (place, place + length) if place + length <= len(held) else None
    return None
