"""What the processes of one hub tell one another while the database is away: that it is, and which alarms came.

On the site's broker, topics that only the hub's own users may read or write (deploy/mosquitto/acl):

- `hub/v1/provisional/{journal}/news`: alarms as they are journalled;
- `hub/v1/provisional/{journal}/state`, retained: how it is, with the latest alarms. It is there also when all is well:
  whoever connects, or missed something, knows from it how things stand.

Both carry the same body, `{"run", "serial", "dark": null | {"since", "alarms", "uplinks", "replaying", "error"},
"alarms": [[number, {…}], …]}`. `run` grows from one start of a process to the next, `serial` and the alarms' numbers
within a run: nothing is shown twice, and nothing older overtakes what is newer. The name of a journal and the number of
its run lie in its folder and stay with it.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hub.bridge.ending import end_loop
from hub.bridge.options import BrokerOptions
from hub.clock import monotonic
from hub.ports.dark import DarkState
from hub.ports.records import Json

__all__ = ["ProvisionalLine", "Tell", "begin_run"]

TOPICS = "hub/v1/provisional/"
STATE_EVERY_S = 1.0
"""The retained word is renewed at most so often; news does not wait for it."""
SHOWN, SHOWN_BYTES = 500, 256 * 1024
"""Of the alarms in the retained word: its packet must be one that brokers take."""
_AT_ONCE = 100
_HEARTBEAT_S = 30.0
_NAME = re.compile(r"([a-z0-9]{1,32}) ([0-9]{1,15})")

Tell = Callable[[DarkState | None, Sequence[Json], str], None]
"""State, alarms not told before, the name of the journal. Called from the line's thread; must not raise."""

_log = logging.getLogger(__name__)


class _Dark(msgspec.Struct, frozen=True):
    since: datetime
    alarms: int
    uplinks: int
    replaying: bool = False
    error: str | None = None


class _Word(msgspec.Struct, frozen=True):
    run: int
    serial: int
    dark: _Dark | None = None
    alarms: list[tuple[int, dict[str, Any]]] = msgspec.field(default_factory=list)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Word).decode


def begin_run(folder: Path) -> tuple[str, int]:
    """The name of the journal in a folder, made at the first time, and the number of the run that begins now."""
    place = folder / "name"
    name, run = secrets.token_hex(8), 0
    with suppress(OSError):
        if found := _NAME.fullmatch(place.read_text(encoding="ascii", errors="replace").strip()):
            name, run = found[1], int(found[2])
    run += 1
    line = f"{name} {run:015d}\n".encode()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In place and always of the same length: that can be written on a disk that is full, too.
        with place.open("r+b" if place.exists() else "wb") as file:
            file.write(line)
            file.truncate()
    except OSError as error:
        _log.warning("%s: the journal keeps no name of its own: %s", place, error.strerror)
    return name, run


@dataclass(slots=True)
class _Heard:
    """What another journal has said so far."""

    run: int = -1
    serial: int = -1
    numbers: set[int] = field(default_factory=set)


class ProvisionalLine:
    """One process's connection for this; its thread begins with `start` and ends with `stop`."""

    def __init__(
        self,
        broker: BrokerOptions,
        client_id: str,
        journal: tuple[str, int],
        *,
        state: Callable[[], DarkState | None],
        tell: Tell | None,
    ) -> None:
        """`journal`: this process's, from `begin_run`; `state`: how it is. `tell` None: the others do not matter."""
        self.client_id = client_id
        self._broker = broker
        self._journal, self._run_id = journal
        self._state = state
        self._tell = tell
        self._serial = 0
        self._number = 0
        self._news: deque[tuple[int, Json]] = deque()
        self._shown: deque[tuple[int, Json]] = deque(maxlen=SHOWN)
        self._changed = threading.Condition()
        self._state_due = True
        self._connected = False
        self._error: str | None = "not connected yet"
        self._stopping = threading.Event()
        self._heard: dict[str, _Heard] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        user = broker.user(client_id)
        if user is not None:
            self._client.username_pw_set(user, broker.password)
        if (context := broker.context()) is not None:
            self._client.tls_set_context(context)
        self._client.reconnect_delay_set(1, 10)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._publish, name="provisional", daemon=True)

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to connect; does not wait for the broker."""
        self._client.connect_async(self._broker.host, self._broker.port, self._broker.keepalive_s)
        self._client.loop_start()
        self._thread.start()

    def request_stop(self) -> None:
        """Does not wait."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """What is retained stays: a journal whose process is gone is still to be taken over."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(1.0)
        end_loop(self._client, "provisional")

    @property
    def trouble(self) -> str | None:
        """Why consoles and journals of other processes are not heard of here; None: they are."""
        return None if self._connected else self._error

    # --- our own word -------------------------------------------------------------------------------------------------

    def announce(self, state: DarkState | None, alarms: Sequence[Json]) -> None:
        """`hub.ports.dark.Announce`: never waits."""
        with self._changed:
            for body in alarms:
                self._number += 1
                self._news.append((self._number, body))
                self._shown.append((self._number, body))
            while len(self._news) > SHOWN:
                self._news.popleft()
            if state is None:
                self._news.clear()
                self._shown.clear()
            self._state_due = True
            self._changed.notify_all()

    def _publish(self) -> None:
        told_at = float("-inf")
        while not self._stopping.is_set():
            with self._changed:
                now = monotonic()
                due_in = told_at + (STATE_EVERY_S if self._state_due else _HEARTBEAT_S) - now
                if not self._connected or (not self._news and due_in > 0):
                    self._changed.wait(min(max(due_in, 0.05), 1.0))
                if not self._connected or self._stopping.is_set():
                    continue
                news = [self._news.popleft() for _ in range(min(len(self._news), _AT_ONCE))]
                state_due = due_in <= 0
                self._state_due = self._state_due and not state_due
                shown = list(self._shown) if state_due else []
            if news:
                self._send("news", news, retain=False)
            if state_due:
                told_at = monotonic()
                self._send("state", _fitting(shown), retain=True)

    def _send(self, topic: str, alarms: list[tuple[int, Json]], *, retain: bool) -> None:
        state = self._state()
        dark = None
        if state is not None:
            dark = _Dark(state.since, state.alarms, state.uplinks, state.replaying, state.error)
        self._serial += 1
        word = _Word(self._run_id, self._serial, dark, alarms)
        self._client.publish(f"{TOPICS}{self._journal}/{topic}", _encode(word), qos=1, retain=retain)

    # --- the others' --------------------------------------------------------------------------------------------------

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            if self._error != str(reason):
                _log.warning("%s: the broker refuses the connection: %s", self.client_id, reason)
            self._error = str(reason)
            return
        if self._tell is not None:
            client.subscribe(f"{TOPICS}#", qos=1)
        with self._changed:
            self._connected, self._error = True, None
            self._state_due = True
            self._changed.notify_all()

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._connected and not self._stopping.is_set():
            _log.warning("%s: the connection is gone: %s", self.client_id, reason)
        with self._changed:
            self._connected = False
            self._error = self._error or str(reason)

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        journal = message.topic.removeprefix(TOPICS).partition("/")[0]
        if self._tell is None or journal == self._journal or not message.payload:
            return
        try:
            word = _decode(message.payload)
        except msgspec.MsgspecError as error:
            _log.warning("%s: not understood: %s", message.topic, error)
            return
        self._hear(journal, word)

    def _hear(self, journal: str, word: _Word) -> None:
        heard = self._heard.setdefault(journal, _Heard())
        if (word.run, word.serial) <= (heard.run, heard.serial):
            return
        if word.run > heard.run:
            heard.run = word.run
            heard.numbers.clear()
        heard.serial = word.serial
        dark = word.dark
        if dark is None:
            heard.numbers.clear()
        fresh = [] if dark is None else [body for number, body in word.alarms if number not in heard.numbers]
        heard.numbers.update(number for number, _ in word.alarms)
        state = None if dark is None else DarkState(dark.since, dark.alarms, dark.uplinks, dark.replaying, dark.error)
        assert self._tell is not None
        self._tell(state, fresh, journal)


def _fitting(alarms: Sequence[tuple[int, Json]]) -> list[tuple[int, Json]]:
    """The latest that fit into the retained word."""
    room = SHOWN_BYTES
    kept: list[tuple[int, Json]] = []
    for one in reversed(alarms):
        room -= len(_encode(one))
        if room < 0:
            break
        kept.append(one)
    kept.reverse()
    return kept
