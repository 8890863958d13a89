"""One lane's connection to the broker: persistent session, manual acknowledgement, generations, back-pressure.

A connection made is a new *generation*; a connection at which the broker had forgotten our session is a new *session*.
An acknowledgement belongs to the generation its message came in: on a later connection the same message id may mean
another message, so a late acknowledgement is dropped (the broker delivers the message again, the ledger knows it).

Threads: one thread of its own owns paho and the socket. `settled`, `publish`, `state`, `stop` may be called from any.
"""

from __future__ import annotations

import logging
import select
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from hub.bridge.backoff import Backoff
from hub.bridge.batches import Batcher, Parcel
from hub.bridge.buffered import BufferedClient
from hub.bridge.delivery import Delivery, Origin, Repeats, Route
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.options import BatchOptions, BrokerOptions
from hub.bridge.outgoing import Done, Outgoing
from hub.bridge.waker import Waker
from hub.clock import Clock, monotonic
from hub.ports.records import Incoming, Outcome

__all__ = ["LaneClient", "LaneState"]

_DRAIN = 2_000
"""Messages read before acknowledgements get a turn."""
_TICK_S = 1.0
_STABLE_S = 10.0
_FAREWELL_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaneState:
    """A connection as /readyz and the metrics show it. `error` is the latest trouble, kept until it is over."""

    client_id: str
    connected: bool
    since: datetime | None
    generation: int
    unsettled: int
    lag_s: float
    paused: bool
    error: str | None


class LaneClient:
    """A connection. With `batcher` None it only publishes."""

    def __init__(
        self,
        name: str,
        client_id: str,
        broker: BrokerOptions,
        *,
        filters: Sequence[str] = (),
        leave: Sequence[str] = (),
        batcher: Batcher | None = None,
        limits: BatchOptions | None = None,
        route: Route | None = None,
        metrics: BridgeMetrics,
        clock: Clock,
    ) -> None:
        """`filters` are subscribed at QoS 1; `leave`: those an earlier run of this client id may have left behind."""
        if batcher is not None and (route is None or limits is None):
            raise ValueError("a lane that receives needs a route and limits")
        self.name = name
        self.client_id = client_id
        self._broker = broker
        self._filters = tuple(filters)
        self._leave = tuple(leave)
        self._batcher = batcher
        self._limits = limits or BatchOptions(size=1)
        self._route = route
        self._clock = clock

        self._context = broker.context()
        self._client = BufferedClient(client_id, clean_session=batcher is None, context=self._context)
        self._client.connect_timeout = broker.connect_timeout_s
        self._client.connect_async(broker.host, broker.port, keepalive=broker.keepalive_s)
        user = broker.user(client_id)
        if user is not None:
            self._client.username_pw_set(user, broker.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe

        self._origin = Origin(self, 0, 0)
        self._linked = False  # between CONNACK and the loss of the connection
        self._subscribed_once = False
        self._subscribe_mid: int | None = None
        self._ready = self._confirmed = False
        self._refused: str | None = None
        self._since: datetime | None = None
        self._error: str | None = "not connected yet"
        self._paused = False

        self._repeats = Repeats()
        self._lock = threading.Lock()
        self._unsettled = 0
        self._unsettled_bytes = 0
        self._acks: deque[tuple[Origin, list[int]]] = deque()
        self._outgoing = Outgoing(self._client, name, mute=broker.mute)

        self._stopping = threading.Event()
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{name}", daemon=True)

        self._received = metrics.received.labels(name)
        self._connects = metrics.connects.labels(name)
        self._failures = metrics.connect_failures.labels(name)
        self._sessions_lost = metrics.sessions_lost.labels(name)
        self._stale_acks = metrics.stale_acks.labels(name)
        self._pauses = metrics.paused.labels(name)
        metrics.connected.labels(name).set_function(lambda: float(self._ready))

    # --- any thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Writes what is settled, says goodbye and ends; does not wait."""
        self._stopping.set()
        self._waker.wake()

    def stop(self, timeout_s: float) -> bool:
        """`request_stop`, and waits. False where the thread did not end in time (it will, alone)."""
        self.request_stop()
        if self._thread.ident is None:
            self._waker.close()
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        """The batcher's word that these were committed: acknowledge, then send the replies."""
        deliveries = cast(Sequence[Delivery], parcels)
        origin = deliveries[0].origin
        mids: list[int] = []
        size = 0
        for delivery in deliveries:
            message = delivery.message
            size += len(message.payload)
            if not message.qos:
                continue
            if delivery.origin is not origin:
                self._acks.append((origin, mids))
                origin, mids = delivery.origin, []
            self._repeats.committed(delivery)
            mids.append(message.mid)
        if mids:
            self._acks.append((origin, mids))
        for outcome in outcomes:
            for reply in outcome.replies:
                self._outgoing.add(reply.topic, reply.payload)
        with self._lock:
            self._unsettled -= len(deliveries)
            self._unsettled_bytes -= size
        self._waker.wake()

    def publish(self, topic: str, payload: bytes, done: Done | None = None, *, retain: bool = False) -> None:
        """Publishes at QoS 1, kept over reconnects until the broker has it. `done` is called on the lane's thread."""
        self._outgoing.add(topic, payload, done, retain=retain)
        self._waker.wake()

    def incoming(self, delivery: Delivery) -> Incoming:
        """The delivery as the use case takes it."""
        assert self._route is not None
        return self._route(delivery, self._repeats.is_repeat(delivery))

    @property
    def connected(self) -> bool:
        """Connected and, where this lane receives, subscribed, now or by the session that the broker kept."""
        return self._ready

    def state(self) -> LaneState:
        return LaneState(
            client_id=self.client_id,
            connected=self._ready,
            since=self._since if self._ready else None,
            generation=self._origin.generation,
            unsettled=self._unsettled,
            lag_s=self._batcher.lag_s() if self._batcher else 0.0,
            paused=self._paused,
            error=self._error,
        )

    # --- the lane's thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        backoff = Backoff(self._broker.backoff_min_s, self._broker.backoff_max_s)
        try:
            while not self._stopping.is_set():
                connected_at = monotonic()
                try:
                    if self._connect():
                        self._serve()
                except Exception as error:
                    _log.exception("%s: the connection was dropped by a fault", self.name)
                    self._error = repr(error)
                finally:
                    self._lost()
                # Only a connection that held shows that all is well: two hubs with one client id throw each other off.
                if monotonic() - connected_at > _STABLE_S:
                    backoff.reset()
                if not self._stopping.is_set():
                    self._stopping.wait(backoff.pause_s())
        finally:
            self._client.drop()
            self._outgoing.end()
            self._waker.close()

    def _connect(self) -> bool:
        self._refused = None
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            self._failures.inc()
            self._note(f"broker {self._broker.host}:{self._broker.port}: {error}")
            return False
        return True

    def _lost(self) -> None:
        if self._ready and not self._stopping.is_set():
            self._note("the connection was lost")
        elif self._refused is not None:
            self._failures.inc()
            self._note(self._refused)
        self._ready = self._linked = self._confirmed = False
        self._client.drop()

    def _note(self, error: str) -> None:
        if error != self._error:
            _log.warning("%s (%s): %s", self.name, self.client_id, error)
        self._error = error

    def _serve(self) -> None:
        """Runs one connection until it is gone or we stop."""
        client = self._client
        poll = select.poll()
        poll.register(self._waker.fd, select.POLLIN)
        sock = client.socket()
        if sock is None:
            return
        sock_fd = sock.fileno()
        poll.register(sock_fd, select.POLLIN)
        watched = select.POLLIN
        must_be_ready_at = monotonic() + self._broker.ready_within_s
        next_misc = monotonic() + _TICK_S
        farewell_at: float | None = None
        while client.socket() is sock:
            self._take_commands()
            if client.want_write():
                client.loop_write()
                if client.socket() is not sock:
                    return
            if self._stopping.is_set():
                farewell_at = farewell_at or monotonic() + _FAREWELL_S
                if self._all_said() or monotonic() > farewell_at:
                    client.disconnect()
                    client.loop_write()
                    return
            room = self._room() if self._linked and not self._stopping.is_set() else _DRAIN
            self._set_paused(room <= 0)
            wanted = (0 if self._paused else select.POLLIN) | (select.POLLOUT if client.want_write() else 0)
            if wanted != watched:
                poll.modify(sock_fd, wanted)
                watched = wanted
            unread = not self._paused and client.buffered() > 0
            events = dict(poll.poll(0 if unread else max(0.0, next_misc - monotonic()) * 1000 + 1))
            if self._waker.fd in events:
                self._waker.rest()
            happened = events.get(sock_fd, 0)
            if unread or happened & select.POLLIN:
                self._read(room)
            elif happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                return
            now = monotonic()
            if now >= next_misc:
                next_misc = now + _TICK_S
                if self._paused:
                    client.hold_keepalive()
                    # Its word stands behind messages of the session that we do not read yet: the silence is ours.
                    must_be_ready_at = now + self._broker.ready_within_s
                client.loop_misc()
                if not self._confirmed and now > must_be_ready_at:
                    self._refused = self._refused or "the broker accepted the connection and then said nothing"
                    return

    def _all_said(self) -> bool:
        return not (self._outgoing.busy or self._acks or self._client.want_write())

    def _room(self) -> int:
        limits = self._limits
        if self._unsettled_bytes >= limits.max_unsettled_bytes:
            return 0
        return min(limits.max_unsettled - self._unsettled, _DRAIN)

    def _set_paused(self, paused: bool) -> None:
        if paused and not self._paused:
            self._pauses.inc()
        self._paused = paused

    def _read(self, room: int) -> None:
        messages = self._client.read(room)
        if not messages or self._batcher is None or self._stopping.is_set():
            return  # stopping: what comes now stays unacknowledged, the broker keeps it
        now = self._clock()
        origin = self._origin
        size = 0
        for message in messages:
            size += len(message.payload)
            self._repeats.arrived(message)
        with self._lock:
            self._unsettled += len(messages)
            self._unsettled_bytes += size
        self._received.inc(len(messages))
        self._batcher.put([Delivery(message, origin, now) for message in messages])

    def _take_commands(self) -> None:
        """Acknowledgements first, then what is to be published."""
        client = self._client
        current = self._origin
        while self._acks:
            origin, mids = self._acks.popleft()
            if origin is current and self._linked:
                client.queue_acks(mids)
            else:
                self._stale_acks.inc(len(mids))
        if self._linked:
            self._outgoing.pump()

    # --- paho's callbacks, on the lane's thread -----------------------------------------------------------------------

    def _on_connect(self, _client: Any, _userdata: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"the broker refused {self.client_id}: {reason}"
            return
        session = self._origin.session
        if not flags.session_present:
            session += 1
            if self._origin.generation and self._batcher is not None:
                self._sessions_lost.inc()
                _log.warning("%s: the broker had forgotten our session", self.name)
        self._origin = Origin(self, self._origin.generation + 1, session)
        self._linked = True
        self._connects.inc()
        if self._batcher is not None and flags.session_present:
            self._forget_redelivered()
        self._confirmed = not self._filters or (flags.session_present and self._subscribed_once)
        if self._confirmed or flags.session_present:
            # It has our subscriptions; its word on them may stand behind thousands of messages that waited.
            self._become_ready()
        if self._confirmed:
            return
        if self._leave and flags.session_present:
            self._client.unsubscribe(list(self._leave))
        _, self._subscribe_mid = self._client.subscribe([(topic_filter, 1) for topic_filter in self._filters])

    def _forget_redelivered(self) -> None:
        """The broker will deliver again what we have not acknowledged: only what it will not must be kept in line."""
        assert self._batcher is not None
        gone = self._batcher.forget(
            lambda parcel: isinstance(parcel, Delivery) and parcel.source is self and parcel.message.qos > 0
        )
        with self._lock:
            self._unsettled -= len(gone)
            self._unsettled_bytes -= sum(len(cast(Delivery, parcel).message.payload) for parcel in gone)

    def _on_subscribe(self, _client: Any, _userdata: Any, mid: int, reasons: Any, _properties: Any) -> None:
        if mid != self._subscribe_mid:
            return
        refused = [
            topic_filter for topic_filter, reason in zip(self._filters, reasons, strict=True) if reason.is_failure
        ]
        if refused:
            # Deaf without being told would be worse than not connected.
            self._refused = f"the broker refused the subscription to {', '.join(refused)}"
            self._client.drop()
            return
        self._subscribed_once = self._confirmed = True
        if not self._ready:
            self._become_ready()

    def _become_ready(self) -> None:
        self._since = self._clock()
        self._error = None
        self._ready = True
        at = self._origin
        _log.info(
            "%s: connected as %s (generation %d, session %d)", self.name, self.client_id, at.generation, at.session
        )
