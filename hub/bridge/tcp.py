"""The gateway for devices that connect by TCP and speak their maker's protocol: one listener a family.

One thread with an event loop of its own. A frame goes to the alarm line or the telemetry line; answers that promise
nothing leave at once, all others when the commit is done. These protocols carry an id and nothing else: anybody can
claim it, so limits stand around each connection, and a second connection of an id is shown and never silently replaces
the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import cast

from devices import Family
from hub.bridge.batches import Batcher, Parcel
from hub.bridge.descriptors import make_room
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.options import TcpOptions
from hub.bridge.register import FindDevices, NoteConflict, Register
from hub.bridge.tcp_connection import Connection, Frame, Pressure
from hub.clock import Clock, monotonic
from hub.errors import SettingError, UnavailableError
from hub.ports.commands import DeviceConflict
from hub.ports.records import DeviceRow, Outcome

__all__ = ["TcpGateway", "TcpState"]

_START_S = 10.0
_BUFFER = 16 * 1024
_SEND_S = 5.0
_TELL_EVERY_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TcpState:
    """The gateway as /readyz shows it. `conflicts`: ids that more than one connection claims at the moment."""

    family: str
    listening: bool
    port: int
    connections: int
    devices: int
    conflicts: tuple[str, ...]


class TcpGateway:
    """Listens for one family. `port` after `start` is the real one, also where 0 was asked for."""

    def __init__(
        self,
        options: TcpOptions,
        family: Family,
        *,
        alarms: Batcher,
        telemetry: Batcher,
        metrics: BridgeMetrics,
        clock: Clock,
        find_devices: FindDevices | None = None,
        note_conflict: NoteConflict | None = None,
    ) -> None:
        """`find_devices` is needed where `options.unknown` is `refuse`; it also brings each device's profile.

        SettingError: a TLS file is wrong.
        """
        if options.unknown == "refuse" and find_devices is None:
            raise ValueError("unknown devices cannot be refused without asking which are known")
        if family.framer is None:
            raise ValueError(f"family {family.name} has no stream framing")
        self.options = options
        self.family = family
        self.metrics = metrics
        self.clock = clock
        self.port = options.port
        self._alarms = alarms
        self._telemetry = telemetry
        self._context = options.context()
        self._most = options.max_connections
        self._register = Register(find_devices, note_conflict)
        self._addresses: dict[str, int] = {}
        self._tell_claim: Callable[[str], None] | None = None
        self._connections: set[Connection] = set()
        self._claims: dict[str, list[Connection]] = {}
        """Connections by the id they claim, the one that gets the downlink first."""
        self.alarm_pressure = Pressure(options.max_pending_total)
        self.telemetry_pressure = Pressure(options.max_pending_total)
        self._shed_told_at = -_TELL_EVERY_S
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name=f"tcp-{family.name}", daemon=True)
        metrics.tcp_connections.labels(family.name).set_function(lambda: float(len(self._connections)))

    # --- any thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Returns when the port is open. SettingError where it cannot be had."""
        self._most = make_room(self.options.max_connections)
        self._thread.start()
        if not self._started.wait(_START_S):
            raise UnavailableError(f"the {self.family.name} gateway did not start in time")
        if self._failure is not None:
            raise SettingError(
                f"{self.options.setting}: cannot listen on {self.options.host}:{self.options.port}: "
                f"{self._failure.strerror}"
            )

    def request_stop(self) -> None:
        """Closes the port and every connection; does not wait."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(stop.set)

    def stop(self, timeout_s: float) -> bool:
        """`request_stop`, and waits. False where that did not end in time."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        """The batcher's word that these frames were committed: their answers may leave."""
        frames = cast(Sequence[Frame], parcels)
        with contextlib.suppress(RuntimeError):  # stopping: nobody is left to be answered
            self._require_loop().call_soon_threadsafe(self._answer, frames, outcomes)

    def on_claim(self, tell: Callable[[str], None]) -> None:
        """`tell` is called with each device that has just connected, on the gateway's thread; must return at once."""
        self._tell_claim = tell

    def connected(self, device_id: str) -> bool:
        return bool(self._claims.get(device_id))

    def send(self, device_id: str, make: Callable[[bytes], bytes]) -> bool:
        """Writes one frame to the device's connection; `make` gets the device's latest frame (whose dialect to speak).

        True when the system has taken the bytes; False where the device is not connected. ValueError from `make`.
        """
        sending = self._send(device_id, make)
        try:
            waiting = asyncio.run_coroutine_threadsafe(sending, self._require_loop())
        except RuntimeError:  # not started, or ended
            sending.close()
            return False
        try:
            return waiting.result(_SEND_S)
        except TimeoutError:
            waiting.cancel()
            return False
        except (CancelledError, OSError):
            return False

    def state(self) -> TcpState:
        claims = dict(self._claims)
        return TcpState(
            family=self.family.name,
            listening=self._started.is_set() and self._failure is None and self._thread.is_alive(),
            port=self.port,
            connections=len(self._connections),
            devices=len(claims),
            conflicts=tuple(sorted(device_id for device_id, held in claims.items() if len(held) > 1)),
        )

    # --- the loop's thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        try:
            server = await asyncio.start_server(
                accept, self.options.host, self.options.port, backlog=4096, limit=_BUFFER, ssl=self._context
            )
        except OSError as error:
            self._failure = error
            self._started.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        _log.info("%s devices are awaited on %s:%d", self.family.name, self.options.host, self.port)
        await self._stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await self._register.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self._most:
            self.metrics.tcp_closed.labels("full").inc()
            writer.close()
            return
        connection = Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            reason = await connection.run()
            self.metrics.tcp_closed.labels(reason).inc()
            if reason not in ("ended", "idle"):
                _log.warning("%s: closed: %s", connection, reason)
        except asyncio.CancelledError:
            self.metrics.tcp_closed.labels("stopping").inc()
        except Exception:
            self.metrics.tcp_closed.labels("fault").inc()
            _log.exception("%s: closed by a fault", connection)
        finally:
            self._connections.discard(connection)
            self.unclaim(connection)
            if connection.counted:
                self._leave(connection.address)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    # --- for the connections, on the loop's thread --------------------------------------------------------------------

    def arrives(self, address: str) -> bool:
        """Counts a connection of this address; False: it has enough."""
        count = self._addresses.get(address, 0) + 1
        self._addresses[address] = count
        return count <= self.options.max_per_address

    def _leave(self, address: str) -> None:
        left = self._addresses.get(address, 0) - 1
        if left > 0:
            self._addresses[address] = left
        else:
            self._addresses.pop(address, None)

    async def admits(self, device_id: str) -> tuple[bool, DeviceRow | None]:
        """Whether a connection may speak as this device, and the device's row where there is one."""
        try:
            row = await self._register.find(device_id)
        except UnavailableError:
            return True, None  # a database that is away must not turn somebody's alarm away
        known = row is not None and row.adopted and not row.revoked
        return known or self.options.unknown != "refuse", row

    def claim(self, connection: Connection, device_id: str) -> None:
        """`connection` speaks as `device_id` from now on. A second one is shown; the first keeps the downlink."""
        held = self._claims.setdefault(device_id, [])
        held.append(connection)
        if self._tell_claim is not None:
            self._tell_claim(device_id)
        if len(held) > 1:
            self.metrics.tcp_conflicts.labels("second_connection").inc()
            _log.warning(
                "%s: a second connection of this device, beside %s; both are read, the first keeps the downlink",
                connection,
                held[0],
            )

    def unclaim(self, connection: Connection) -> None:
        device_id = connection.device_id
        held = self._claims.get(device_id, [])
        if connection in held:
            held.remove(connection)
            if not held:
                del self._claims[device_id]

    def in_conflict(self, device_id: str) -> bool:
        return len(self._claims.get(device_id, ())) > 1

    def heard_beside(self, connection: Connection) -> None:
        """A device with several connections was heard on this one.

        A line that broke unnoticed leaves an old connection behind, which stays silent. Only where the older one
        speaks after the newer has begun, two are using the id.
        """
        held = self._claims.get(connection.device_id, [])
        newest = max(held, key=lambda one: one.opened_at, default=connection)
        if newest is connection or newest.address == connection.address:
            return
        self._register.note(
            DeviceConflict(
                connection.device_id,
                self.clock(),
                self.family.name,
                "two_addresses",
                (connection.address, newest.address),
            ),
            monotonic(),
        )

    def speaks_as_another(self, connection: Connection, device_id: str) -> None:
        """A connection of one device sent a frame in another's name."""
        self._register.note(
            DeviceConflict(device_id, self.clock(), self.family.name, "second_id", (connection.address,)), monotonic()
        )

    def put(self, frame: Frame) -> None:
        (self.alarm_pressure if frame.alarm else self.telemetry_pressure).add(1)
        (self._alarms if frame.alarm else self._telemetry).put([frame])

    def shed(self, connection: Connection) -> None:
        """Telemetry for which there was no room was let go."""
        self.metrics.tcp_shed.inc()
        if monotonic() - self._shed_told_at >= _TELL_EVERY_S:
            self._shed_told_at = monotonic()
            _log.warning("%s: telemetry was let go, too much waits for the database (told once a minute)", connection)

    def _answer(self, frames: Sequence[Frame], outcomes: Sequence[Outcome]) -> None:
        alarms = sum(frame.alarm for frame in frames)
        self.alarm_pressure.add(-alarms)
        self.telemetry_pressure.add(alarms - len(frames))
        for frame, outcome in zip(frames, outcomes, strict=True):
            frame.connection.answered(frame, outcome)

    async def _send(self, device_id: str, make: Callable[[bytes], bytes]) -> bool:
        connection = self._downlink_of(device_id)
        if connection is None:
            return False
        return await connection.send(make(connection.last_frame))

    def _downlink_of(self, device_id: str) -> Connection | None:
        held = self._claims.get(device_id)
        if not held:
            return None
        first = held[0]
        heard_lately = monotonic() - self.options.takeover_s
        if first.heard_at < heard_lately:
            newest = max(held, key=lambda connection: connection.heard_at)
            if newest is not first and newest.heard_at >= heard_lately:
                self.metrics.tcp_conflicts.labels("takeover").inc()
                _log.warning("%s: gets the downlink, %s was silent for too long", newest, first)
                held.remove(newest)
                held.insert(0, newest)
                return newest
        return first

    def _require_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the gateway was not started")
        return self._loop
