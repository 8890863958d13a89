"""One device's TCP connection: bytes to frames, frames to the lines, answers back; and every limit around it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from devices import Decoded, DeviceRef, Framer, Uplink
from devices.topics import is_device_id
from hub.bridge.proxy import read_proxy_header
from hub.clock import monotonic
from hub.ports.records import Incoming, Lane, Outcome

if TYPE_CHECKING:
    from hub.bridge.tcp import TcpGateway

__all__ = ["Connection", "Frame", "Pressure"]

_READ = 16 * 1024

_log = logging.getLogger(__name__)


class Pressure:
    """How many frames wait for their commit, and an event that is set while there is room for more."""

    def __init__(self, limit: int) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._limit = limit
        self._pending = 0

    @property
    def full(self) -> bool:
        return self._pending >= self._limit

    def add(self, count: int) -> None:
        self._pending += count
        if self.full:
            self.room.clear()
        else:
            self.room.set()


@dataclass(slots=True)
class Frame:
    """One frame in line: a `Parcel` of a TCP connection."""

    connection: Connection
    payload: bytes
    received_at: datetime
    device_id: str
    lane: Lane
    marks: tuple[str, ...]
    alarm: bool

    @property
    def source(self) -> TcpGateway:
        return self.connection.gateway

    @property
    def early(self) -> bool:
        return True

    def incoming(self) -> Incoming:
        return Incoming(
            uplink=Uplink(self.payload, self.received_at),
            device_id=self.device_id,
            family=self.source.family.name,
            lane=self.lane,
            marks=self.marks,
        )


class Connection:
    """Runs on the gateway's loop; nothing here is called from another thread."""

    def __init__(self, gateway: TcpGateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert gateway.family.framer is not None
        self.gateway = gateway
        self.device_id = ""
        self.profile: Mapping[str, Any] = {}
        self.last_frame = b""
        self.heard_at = self.opened_at = monotonic()
        self._options = gateway.options
        self._reader = reader
        self._writer = writer
        self._framer: Framer = gateway.family.framer()
        self._garbage = 0
        self._alarms = Pressure(self._options.max_pending)
        self._telemetry = Pressure(self._options.max_pending)
        self._tokens = float(self._options.burst)
        self._tokens_at = self.heard_at
        self._broken: str | None = None
        peer = writer.get_extra_info("peername")
        self.address = str(peer[0]) if peer else "?"
        self.counted = False
        self._port = int(peer[1]) if peer else 0

    def __str__(self) -> str:
        return f"{self.gateway.family.name} {self.device_id or '(no frame yet)'} from {self.address}:{self._port}"

    async def _begin(self) -> str | None:
        """Before the first frame: where it really comes from, and whether there is room. A reason to close, or None."""
        if self._options.proxy_protocol:
            try:
                async with asyncio.timeout(self._options.first_frame_s):
                    found = await read_proxy_header(self._reader)
            except (ValueError, TimeoutError, OSError, asyncio.IncompleteReadError):
                return "no proxy header"
            if found is not None:
                self.address, self._port = found
        self.counted = True
        return None if self.gateway.arrives(self.address) else "address full"

    async def run(self) -> str:
        """Reads until the connection is over; gives the reason."""
        refused = await self._begin()
        if refused is not None:
            return refused
        opened_at = self.opened_at
        begun_at: float | None = None  # since when part of a frame has been held
        while self._broken is None:
            await self._wait_for_room()
            now = monotonic()
            ends = [self.heard_at + self._options.idle_s]
            if not self.device_id:
                ends.append(opened_at + self._options.first_frame_s)
            if begun_at is not None:
                ends.append(begun_at + self._options.frame_s)
                ends.append(now + self._options.pause_s)
            try:
                async with asyncio.timeout(max(0.0, min(ends) - now)):
                    chunk = await self._reader.read(_READ)
            except TimeoutError:
                now = monotonic()
                if self._framer.pending:
                    await self._take(self._framer.flush())
                    begun_at = None
                    if self._count_garbage():
                        return "garbage"
                if not self.device_id and now - opened_at >= self._options.first_frame_s:
                    return "no frame"
                if now - self.heard_at >= self._options.idle_s:
                    return "idle"
                continue
            except OSError:
                chunk = b""
            frames = self._framer.feed(chunk) if chunk else self._framer.flush()
            await self._take(frames)
            if not chunk:
                self._count_garbage()
                return self._broken or "ended"
            if self._count_garbage():
                return "garbage"
            held = self._framer.pending > 0
            begun_at = (begun_at if begun_at is not None and not frames else monotonic()) if held else None
            if begun_at is not None and monotonic() - begun_at >= self._options.frame_s:
                return "slow frame"
        return self._broken

    # --- frames in ----------------------------------------------------------------------------------------------------

    async def _take(self, frames: list[bytes]) -> None:
        for frame in frames:
            if self._broken is not None:
                return
            await self._wait_for_room()
            await self._wait_for_turn()
            await self._take_one(frame)

    async def _take_one(self, payload: bytes) -> None:
        received_at = self.gateway.clock()
        decoded = self._decode(Uplink(payload, received_at))
        device_id = decoded.events[0].device_id if decoded.events else self.device_id
        if not is_device_id(device_id):
            self._nameless(payload, received_at, decoded)
            return
        if not self.device_id:
            if not await self._introduce(device_id):
                return
            if self.profile:
                decoded = self._decode(Uplink(payload, received_at))
        self.heard_at = monotonic()
        marks: tuple[str, ...] = ()
        if device_id != self.device_id:
            # Still taken: a wrong id must not silence an alarm. It is shown, and the downlink stays where it was.
            self.gateway.metrics.tcp_conflicts.labels("second_id").inc()
            _log.warning("%s: speaks as %s too", self, device_id)
            self.gateway.speaks_as_another(self, device_id)
            marks = ("conflict",)
        elif self.gateway.in_conflict(device_id):
            self.gateway.heard_beside(self)
            marks = ("conflict",)
        if decoded.events and device_id == self.device_id:
            self.last_frame = payload
        for reply in decoded.replies:
            if not reply.after_commit:
                self._write(reply.payload)
        alarm = any(event.kind == "alarm" for event in decoded.events)
        if not alarm and (self._telemetry.full or self.gateway.telemetry_pressure.full):
            self.gateway.shed(self)
            return
        (self._alarms if alarm else self._telemetry).add(1)
        self.gateway.put(Frame(self, payload, received_at, device_id, "tcp", marks, alarm))

    def _decode(self, uplink: Uplink) -> Decoded:
        """Here only to know whose it is, how urgent, and what may be answered at once; the ingest decodes for good."""
        try:
            device = DeviceRef(self.device_id, self.gateway.family.name, self.profile)
            return self.gateway.family.codec.decode(uplink, device)
        except Exception as error:
            _log.exception("%s: the codec failed", self)
            return Decoded(error=f"the codec failed: {error!r}")

    async def _introduce(self, device_id: str) -> bool:
        """The first frame says who it is."""
        admitted, row = await self.gateway.admits(device_id)
        if not admitted:
            _log.warning("%s: device %s was not added, and such are refused", self, device_id)
            self._broken = "unknown device"
            return False
        self.device_id = device_id
        if row is not None and row.family == self.gateway.family.name:
            self.profile = row.profile
        self.gateway.claim(self, device_id)
        return True

    def _nameless(self, payload: bytes, received_at: datetime, decoded: Decoded) -> None:
        """A frame of nobody: no login came before it. An alarm in it is kept raw; unanswered, its device repeats it."""
        self._garbage += len(payload)
        self.gateway.metrics.tcp_garbage.inc(len(payload))
        if any(event.kind == "alarm" for event in decoded.events):
            self._alarms.add(1)
            self.gateway.put(Frame(self, payload, received_at, "", "tcp", (), True))

    def _count_garbage(self) -> bool:
        """Bytes that belonged to no frame; True: too many."""
        if self._framer.discarded:
            self._garbage += self._framer.discarded
            self.gateway.metrics.tcp_garbage.inc(self._framer.discarded)
            self._framer.discarded = 0
        return self._garbage > self._options.max_garbage

    async def _wait_for_room(self) -> None:
        """Stops reading while too much waits for its commit.

        For telemetry only for a moment: while the database is away it may wait for long, and a call for help sent
        behind it must still be read. What then finds no room is shed, and counted.
        """
        await self._alarms.room.wait()
        await self.gateway.alarm_pressure.room.wait()
        if self._telemetry.full or self.gateway.telemetry_pressure.full:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.patience_s):
                    await self._telemetry.room.wait()
                    await self.gateway.telemetry_pressure.room.wait()

    async def _wait_for_turn(self) -> None:
        """A token bucket: whoever sends too fast is read more slowly, and nobody else feels it."""
        now = monotonic()
        self._tokens = min(self._options.burst, self._tokens + (now - self._tokens_at) * self._options.rate)
        self._tokens_at = now
        if self._tokens < 1:
            await asyncio.sleep((1 - self._tokens) / self._options.rate)
            self._tokens = 1
            self._tokens_at = monotonic()
        self._tokens -= 1

    # --- answers out --------------------------------------------------------------------------------------------------

    def answered(self, frame: Frame, outcome: Outcome) -> None:
        """`frame` was committed: what its codec wanted to say after that may leave now."""
        (self._alarms if frame.alarm else self._telemetry).add(-1)
        for reply in outcome.replies:
            if reply.after_commit:
                self._write(reply.payload)

    async def send(self, payload: bytes) -> bool:
        """Writes and waits until the system has taken the bytes."""
        if not self._write(payload):
            return False
        await self._writer.drain()
        return not self._writer.is_closing()

    def _write(self, payload: bytes) -> bool:
        if self._writer.is_closing():
            return False
        if self._options.mute:
            return True
        self._writer.write(payload)
        if self._writer.transport.get_write_buffer_size() > self._options.write_limit:
            self._broken = "does not read"
            self._writer.transport.abort()
            return False
        return True
