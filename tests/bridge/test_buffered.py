"""The client that reads in large pieces and acknowledges in bulk, against a peer whose every byte the test decides."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client

from hub.bridge.buffered import BufferedClient, BufferedSocket, MalformedPublishError, Publish, parse_publish
from tests.waiting import wait_until

CONNACK = b"\x20\x02\x00\x00"


def remaining(size: int) -> bytes:
    out = b""
    while True:
        size, part = divmod(size, 128)
        out += bytes([part | (0x80 if size else 0)])
        if not size:
            return out


def publish_packet(
    topic: str, payload: bytes, qos: int = 1, mid: int = 1, dup: bool = False, retain: bool = False
) -> bytes:
    body = struct.pack("!H", len(topic.encode())) + topic.encode()
    body += struct.pack("!H", mid) if qos else b""
    body += payload
    return bytes([0x30 | dup << 3 | qos << 1 | retain]) + remaining(len(body)) + body


class Peer:
    """The broker's end of one connection."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A small buffer, so that a peer that does not read soon blocks the writer.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self._listener.getsockname()[1]
        self._context = context
        self.sock: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True)
        sock.settimeout(10)
        connect = sock.recv(1024)
        assert connect[0] == 0x10
        self.sock = sock

    def accepted(self) -> socket.socket:
        self._thread.join(10)
        assert self.sock is not None
        return self.sock

    def read(self, size: int) -> bytes:
        sock = self.accepted()
        out = b""
        while len(out) < size:
            piece = sock.recv(size - len(out))
            assert piece, f"the stream ended after {len(out)} of {size}"
            out += piece
        return out

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
        self._listener.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer()
    yield found
    found.close()


def connect(peer: Peer, context: ssl.SSLContext | None = None) -> BufferedClient:
    client = BufferedClient("hub-test", context=context)
    client.connect_async("localhost" if context else "127.0.0.1", peer.port, keepalive=60)
    client.reconnect()
    client.loop_write()
    peer.accepted().sendall(CONNACK)
    collect(client, client.is_connected)
    return client


def narrow(client: BufferedClient) -> None:
    """Makes the system take little at a time, so that writes are partial."""
    sock = client.socket()
    assert isinstance(sock, BufferedSocket)
    sock._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def collect(client: BufferedClient, until: object, limit: int = 1000) -> list[Publish]:
    """Runs the loop until `until` (a callable, or a number of messages) is reached; gives the messages."""
    found: list[Publish] = []

    def step() -> bool:
        sock = client.socket()
        if sock is not None:
            if client.want_write():
                client.loop_write()
            if client.buffered() or select.select([sock], [], [], 0.01)[0]:
                found.extend(client.read(limit))
        return until() if callable(until) else len(found) >= until  # type: ignore[operator]

    wait_until(step)
    return found


def test_the_private_names_that_are_used_exist() -> None:
    for name in ("_create_socket", "_packet_read", "_packet_handle", "_loop_rc_handle", "_sock_close"):
        assert callable(getattr(Client, name)), name
    used = BufferedClient("x")
    for name in ("_in_packet", "_ping_t", "_last_bytes_received"):
        assert hasattr(used, name), name
    assert used._in_packet["command"] == 0


@given(
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60),
    payload=st.binary(max_size=400),
    qos=st.integers(0, 1),
    mid=st.integers(1, 65_535),
    dup=st.booleans(),
    retain=st.booleans(),
)
def test_a_publish_is_taken_apart(topic: str, payload: bytes, qos: int, mid: int, dup: bool, retain: bool) -> None:
    packet = publish_packet(topic, payload, qos, mid, dup, retain)
    body = packet[1 + len(remaining(len(packet))) :] if len(packet) > 130 else packet[2:]
    assert parse_publish(packet[0], body) == Publish(topic, payload, qos, mid if qos else 0, dup, retain)


@given(st.integers(0, 15), st.binary(max_size=40))
def test_no_bytes_break_the_parser_otherwise_than_it_says(flags: int, body: bytes) -> None:
    try:
        found = parse_publish(0x30 | flags, body)
    except MalformedPublishError:
        return
    assert found.payload == body[len(body) - len(found.payload) :]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000, 10**6])
def test_packets_arrive_whole_however_the_stream_is_chopped(peer: Peer, piece: int) -> None:
    client = connect(peer)
    sizes = [0, 1, 100, 127, 128, 129, 5000, 16_500] if piece > 3 else [0, 1, 130]
    sent = [Publish(f"t/{size}", bytes([size % 251]) * size, 1, size + 1, False, False) for size in sizes]
    stream = b""
    for one in sent:
        stream += publish_packet(one.topic, one.payload, 1, one.mid) + b"\xd0\x00"  # a PINGRESP in between
    sock = peer.accepted()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write() -> None:
        for start in range(0, len(stream), piece):
            sock.sendall(stream[start : start + piece])

    writer = threading.Thread(target=write)
    writer.start()
    assert collect(client, len(sent), limit=3) == sent
    writer.join()
    client.drop()


def test_no_more_is_read_than_there_is_room_for(peer: Peer) -> None:
    client = connect(peer)
    peer.accepted().sendall(b"".join(publish_packet("t", b"%d" % n, 1, n) for n in range(1, 101)))
    wait_until(lambda: client.socket() is not None)
    taken: list[Publish] = []
    while len(taken) < 100:
        select.select([client.socket()], [], [], 0 if client.buffered() else 5)
        some = client.read(7)
        assert len(some) <= 7
        taken += some
    assert [one.mid for one in taken] == list(range(1, 101))
    client.drop()


def test_acknowledgements_leave_in_order_and_survive_partial_writes(peer: Peer) -> None:
    client = connect(peer)
    narrow(client)
    mids = [n % 65_535 + 1 for n in range(400_000)]
    client.queue_acks(mids)
    client.loop_write()
    assert client.want_write(), "the peer does not read: not everything can have left"
    # Something of paho's own comes up while half an acknowledgement may be on its way.
    client.publish("between", b"x" * 50, qos=0)
    expected = b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(peer.read(len(expected) + 61)))
    reader.start()

    def pump() -> bool:
        client.loop_write()
        return not client.want_write()

    wait_until(pump, 30)
    reader.join(10)
    assert got[0][: len(expected)] == expected
    assert got[0][len(expected) :] == b"\x30\x3b\x00\x07between" + b"x" * 50
    client.drop()


def test_acknowledgements_wait_for_pahos_own_packets(peer: Peer) -> None:
    client = connect(peer)
    big = b"y" * 4_000_000
    client.publish("big", big, qos=0)
    client.loop_write()
    client.queue_acks([7])
    client.loop_write()
    whole = publish_packet("big", big, qos=0)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(peer.read(len(whole) + 4)))
    reader.start()

    def pump() -> bool:
        client.loop_write()
        return not client.want_write()

    wait_until(pump, 30)
    reader.join(10)
    assert got[0] == whole + b"\x40\x02\x00\x07"
    client.drop()


def test_acknowledgements_of_the_old_connection_never_reach_the_new_one(peer: Peer) -> None:
    client = connect(peer)
    client.queue_acks([1, 2, 3])
    peer.close()
    fresh = Peer()
    try:
        client.connect_async("127.0.0.1", fresh.port, keepalive=60)
        client.reconnect()
        client.loop_write()
        fresh.accepted().sendall(CONNACK)
        collect(client, client.is_connected)
        client.queue_acks([9])
        client.loop_write()
        assert fresh.read(4) == b"\x40\x02\x00\x09"
        client.drop()
    finally:
        fresh.close()


@pytest.mark.parametrize("bad", [b"\x34\x05\x00\x01t\x00\x01", b"\x32\x03\x00\x09t", b"\x30\x01\x00", b"\xf0\x00"])
def test_a_malformed_packet_ends_the_connection(peer: Peer, bad: bytes) -> None:
    client = connect(peer)
    peer.accepted().sendall(publish_packet("good", b"1", 1, 1) + bad)
    taken = collect(client, lambda: client.socket() is None)
    assert [one.topic for one in taken] == ["good"]


def test_the_end_of_the_stream_ends_the_connection(peer: Peer) -> None:
    client = connect(peer)
    sock = peer.accepted()
    sock.sendall(publish_packet("last", b"1", 1, 1) + b"\x32\x20half a packet")
    sock.close()
    assert [one.topic for one in collect(client, lambda: client.socket() is None)] == ["last"]


def test_a_topic_that_is_no_text_is_kept_legible(peer: Peer) -> None:
    client = connect(peer)
    peer.accepted().sendall(b"\x30\x06\x00\x03a\xff/!")
    assert collect(client, 1)[0].topic == "a\\xff/"
    client.drop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_tls_reads_what_is_decrypted_already_and_writes_in_parts(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    peer = Peer(server)
    try:
        client = connect(peer, ssl.create_default_context(cafile=str(cert)))
        assert isinstance(client.socket(), BufferedSocket)
        sent = [publish_packet("t", b"z" * 1000, 1, mid) for mid in range(1, 301)]
        writer = threading.Thread(target=lambda: peer.accepted().sendall(b"".join(sent)))
        writer.start()
        taken = collect(client, len(sent), limit=10)
        writer.join()
        assert [one.mid for one in taken] == list(range(1, 301))
        narrow(client)
        mids = [n % 65_535 + 1 for n in range(300_000)]
        client.queue_acks(mids)
        client.loop_write()
        assert client.want_write()
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(peer.read(4 * len(mids))))
        reader.start()

        def pump() -> bool:
            client.loop_write()
            return not client.want_write()

        wait_until(pump, 30)
        reader.join(10)
        assert got[0] == b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids)
        client.drop()
    finally:
        peer.close()


def test_a_certificate_that_is_not_trusted_is_refused(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with pytest.raises(ssl.SSLError):
            server.wrap_socket(sock, server_side=True)
        sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = BufferedClient("hub-test", context=ssl.create_default_context())
    client.connect_async("localhost", listener.getsockname()[1])
    with pytest.raises(ssl.SSLCertVerificationError):
        client.reconnect()
    thread.join(10)
    listener.close()
