"""The live feed: timeline entries become named events for every open page, once for all of them.

One thread reads `seq > last` when it is woken (a NOTIFY, a reconnect, a second gone by), loads the present view of what
the entries are about, and hands each event, encoded once, to the subscribers' bounded queues. A subscriber that cannot
keep up loses its queue and is told to fetch a snapshot (`reset`); it never slows the others.

Cursors. The id of an event is a place up to which everything was delivered: whoever resumes from it misses nothing.
Where entries of several matters interleave in one flush, the id of the earlier events therefore stays behind their own
entries; a stream cut exactly between two events of such a flush repeats the first, and views are safe to repeat.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from hub.clock import Clock, monotonic
from hub.errors import HubError
from hub.feed.dark import DarkBoard
from hub.feed.events import FeedEvent, compose, event_of, everything, frame_of, parse_cursor
from hub.feed.subscription import Subscription
from hub.ports import Cursor, Json, Reads

__all__ = ["Feed"]

_log = logging.getLogger("hub.feed")

FLUSH_S = 0.1
"""Changes that are not critical wait at most that long for one another."""
_CRITICAL_GAP_S = 0.005
_TICK_S = 1.0
_AWAY_S = 0.3
_IDLE_S = 0.02
_FAILURES = 3
_READ = 1_000
_COUNT_EVERY_S = 5.0
Wake = Callable[[float, Callable[[str], bool]], bool]


class _Beside(msgspec.Struct):
    """What `hub.ports.Timeline.beside` tells."""

    event: str
    body: dict[str, Any]
    responders: list[str]


_BESIDE = msgspec.json.Decoder(_Beside)

REPLAY = 5_000
"""A cursor further behind than that many entries is answered with `reset`."""


class Feed:
    """Reads the timeline and feeds the subscribers. `start` and `close` belong to the composition root."""

    def __init__(self, reads: Reads, wake: Wake, clock: Clock, board: DarkBoard | None = None):
        """`wake(seconds, heed)` waits for a notification and says whether one came that `heed` found worth waking for;
        it may also come for nothing. `heed` gets the text of each.
        """
        self._board = board or DarkBoard()
        self._board.on_news(self._tell_dark)
        self._reads = reads
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._subscribers: set[Subscription] = set()
        self._published: Cursor | None = None
        self._read = 0
        self._pending: list[Json] = []
        self._views: dict[str, Json] = {}
        """Critical incidents read together with the last of their pending entries."""
        self._priorities: OrderedDict[str, str] = OrderedDict()
        self._flushed_at = 0.0
        self._counted_at = float("-inf")
        self._open = 0
        self._dark = True
        self._failures = 0
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    # -- life

    def start(self) -> None:
        """Begins at the present end of the timeline."""
        self._thread.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Waits until the feed knows where the timeline stands."""
        return self._ready.wait(timeout_s)

    def request_stop(self) -> None:
        """Its thread ends with what it is reading; does not wait, and leaves the open pages alone."""
        self._stop.set()

    def close(self) -> None:
        """Ends every subscription at once and the thread within its tick."""
        self.request_stop()
        self.end_streams()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            # It only reads: nobody need wait while a silent database keeps it.
            away = self._dark or self._board.away
            self._thread.join(timeout=_AWAY_S if away else _TICK_S * 3)

    def end_streams(self) -> None:
        """Ends every open subscription: the server stops."""
        with self._lock:
            leaving = list(self._subscribers)
            self._subscribers.clear()
        self._in_loops(leaving, lambda subscription: subscription.end())

    # -- what pages use

    @property
    def cursor(self) -> Cursor | None:
        """Up to where everything was published; None while the database has not been reached yet."""
        return self._published

    @property
    def dark(self) -> bool:
        """Whether the database could not be read the last time."""
        return self._dark

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    def heartbeat(self) -> FeedEvent:
        """The event without id that shows a page that the line is alive."""
        up = not (self._dark or self._board.away)
        body = {"server_time": self._clock(), "open": self._open, "database": up, "dark": self._board.to_json()}
        return event_of("hb", body)

    def reset_event(self, reason: str) -> FeedEvent:
        """`reset` carries the present place as its id: the snapshot fetched after it holds everything before."""
        published = self._published
        body = {"reason": reason, "cursor": str(published) if published else None}
        data = msgspec.json.encode(body)
        ident = str(published) if published else None
        return FeedEvent("reset", ident, body, data, frame_of("reset", ident, data))

    async def subscribe(
        self, accepts: Callable[[FeedEvent], bool] = everything, *, after: str | None = None, provisional: bool = True
    ) -> Subscription:
        """Everything that `accepts` from the cursor `after` on (none: from now on), without gap and without repeat.

        `provisional`: first the alarms that came since the database went away.
        """
        wanted = parse_cursor(after)
        with self._lock:
            published = self._published
            same = wanted is not None and published is not None and wanted.epoch == published.epoch
            subscription = Subscription(self, accepts, wanted.seq if same and wanted else 0)
            self._subscribers.add(subscription)
        if self._stop.is_set():
            self.drop(subscription)
            subscription.end()
        if provisional:
            subscription.offer(self._board.shown())
        if after is None or after == "":
            subscription.preload([])
            return subscription
        try:
            missed = await asyncio.to_thread(self._missed, wanted, published)
        except BaseException:
            self.drop(subscription)
            raise
        if isinstance(missed, str):
            subscription.reset(missed)
            subscription.preload([])
        else:
            subscription.preload(missed)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscribers.discard(subscription)

    def _heed(self, text: str) -> bool:
        """Hands on what is told beside the timeline (no id, no replay); without a text there is news on it."""
        if not text:
            return True
        try:
            told = _BESIDE.decode(text)
        except msgspec.MsgspecError as error:
            _log.warning("a notification beside the timeline cannot be read: %s", error)
            return False
        self._offer_all([event_of(told.event, told.body, responders=frozenset(told.responders))])
        return False

    def _tell_dark(self, events: Sequence[FeedEvent], turned: bool) -> None:
        if turned or events:
            self._offer_all([self.heartbeat(), *events] if turned else events)

    def _offer_all(self, events: Sequence[FeedEvent]) -> None:
        with self._lock:
            targets = list(self._subscribers)
        self._in_loops(targets, lambda subscription: subscription.offer(events))

    def _missed(self, wanted: Cursor | None, published: Cursor | None) -> list[FeedEvent] | str:
        """Events of (wanted, published], or the reason of a reset."""
        if wanted is None:
            return "unknown cursor"
        if published is None:
            return "starting"
        if wanted.epoch != published.epoch:
            return "another epoch"
        if wanted.seq > published.seq:
            # A snapshot may be ahead of the feed by a moment; ahead of the timeline itself it is not ours.
            return [] if wanted.seq <= self._reads.cursor().seq else "unknown cursor"
        if published.seq - wanted.seq > REPLAY:
            return "too old"
        entries: list[Json] = []
        last = wanted.seq
        while last < published.seq:
            part = [row for row in self._reads.entries_since(last, _READ) if row["seq"] <= published.seq]
            if not part:
                break
            entries += part
            last = part[-1]["seq"]
        return compose(self._reads, published.epoch, wanted.seq, entries)

    # -- the thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
            except HubError as error:
                if not self._dark:
                    _log.warning("the live feed waits: %s", error.detail)
                self._dark = True
                self._stop.wait(0.25)
            except Exception:
                _log.exception("the live feed failed and goes on")
                self._failures += 1
                if self._failures >= _FAILURES:
                    self._skip()
                self._stop.wait(0.1)
            else:
                self._failures = 0

    def _step(self) -> None:
        if self._published is None:
            self._begin()
        timeout = _TICK_S
        if self._pending:
            timeout = max(0.0, self._due_in())
        if timeout > 0:
            began = monotonic()
            if not self._wake(timeout, self._heed) and monotonic() - began < timeout / 2:
                # A bell that is closed, or that waits for the database, answers at once: no reason to spin.
                self._stop.wait(min(timeout, _IDLE_S))
        if self._stop.is_set():
            return
        self._take()
        if self._pending and self._due_in() <= 0:
            self._flush()
        now = monotonic()
        if now - self._counted_at >= _COUNT_EVERY_S and not self._pending:
            self._count(now)

    def _skip(self) -> None:
        """Leaves out entries that cannot be shown, lest they hold up all that follow; every page starts again."""
        self._failures = 0
        published = self._published
        if published is None or not self._pending:
            return
        _log.error("the entries %s to %s are left out of the live feed", self._pending[0]["seq"], self._read)
        self._pending = []
        self._views = {}
        with self._lock:
            self._published = Cursor(published.epoch, self._read)
            targets = list(self._subscribers)
        self._in_loops(targets, lambda subscription: subscription.reset("failed"))

    def _begin(self) -> None:
        cursor = self._reads.cursor()
        self._read = cursor.seq
        self._pending.clear()
        self._views = {}
        with self._lock:
            self._published = cursor
            targets = list(self._subscribers)
        self._dark = False
        self._ready.set()
        self._in_loops(targets, lambda subscription: subscription.reset("starting"))

    def _take(self) -> None:
        while not self._stop.is_set():
            entries, views = self._reads.news_since(self._read, _READ)
            self._dark = False
            if not entries:
                return
            self._pending += entries
            for entry in entries:
                self._views.pop(entry["subject_id"], None)  # older than what is pending now
            self._views.update(views)
            self._read = entries[-1]["seq"]
            if len(entries) < _READ:
                return
            self._flush()

    def _due_in(self) -> float:
        gap = _CRITICAL_GAP_S if any(self._critical(entry) for entry in self._pending) else FLUSH_S
        return self._flushed_at + gap - monotonic()

    def _critical(self, entry: Json) -> bool:
        if entry["subject_kind"] != "incident":
            return False
        if entry["kind"] == "priority_raised":
            return True
        told = (entry.get("body") or {}).get("priority")
        return "critical" in (told, self._priorities.get(entry["subject_id"]))

    def _flush(self) -> None:
        entries, published = self._pending, self._published
        assert published is not None
        events = compose(self._reads, published.epoch, published.seq, entries, self._views)
        # Only now: a failed read leaves the entries for the next round.
        self._pending = []
        self._views = {}
        self._flushed_at = monotonic()
        for event in events:
            incident = event.body.get("incident")
            if incident:
                self._priorities[incident["id"]] = incident["priority"]
                self._priorities.move_to_end(incident["id"])
        while len(self._priorities) > 20_000:
            self._priorities.popitem(last=False)
        with self._lock:
            self._published = Cursor(published.epoch, entries[-1]["seq"])
            targets = list(self._subscribers)
        self._in_loops(targets, lambda subscription: subscription.offer(events))

    def _count(self, now: float) -> None:
        """Once in some seconds: the number for the heartbeat, and whether this is still the same timeline."""
        cursor = self._reads.cursor()
        published = self._published
        if published is not None and (cursor.epoch != published.epoch or cursor.seq < self._read):
            _log.warning("the timeline is another one (a restore): every page starts again")
            self._begin()
        unclaimed = self._reads.summary(None).get("unclaimed") or {}
        self._open = sum(int(value) for value in unclaimed.values())
        self._counted_at = now

    def _in_loops(self, targets: Iterable[Subscription], act: Callable[[Subscription], None]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[Subscription]] = {}
        for subscription in targets:
            loops.setdefault(subscription.loop, []).append(subscription)

        def run(group: list[Subscription]) -> None:
            for subscription in group:
                act(subscription)

        for loop, group in loops.items():
            try:
                loop.call_soon_threadsafe(run, group)
            except RuntimeError:
                # That loop is closed: its server has stopped, and its pages with it.
                for subscription in group:
                    self.drop(subscription)
