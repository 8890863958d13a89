"""What processes tell one another while the database is away: each alarm once, whatever comes twice or late."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hub.bridge import BrokerOptions, ProvisionalLine, begin_run
from hub.ports.dark import DarkState
from tests.fixtures.brokers import Broker
from tests.waiting import wait_until

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


@dataclass
class Process:
    """One process of a hub, as far as this line goes."""

    state: DarkState | None = None
    heard: list[str] = field(default_factory=list)
    states: dict[str, DarkState | None] = field(default_factory=dict)

    def tell(self, state: DarkState | None, alarms: Sequence[dict[str, Any]], journal: str) -> None:
        self.states[journal] = state
        self.heard += [body["ref"] for body in alarms]

    def line(self, broker: Broker, journal: tuple[str, int]) -> ProvisionalLine:
        options = BrokerOptions("127.0.0.1", broker.port)
        return ProvisionalLine(
            options, f"hub-{journal[0]}-{journal[1]}", journal, state=lambda: self.state, tell=self.tell
        )


def test_a_journal_keeps_its_name_and_counts_its_runs(tmp_path: Path) -> None:
    name, run = begin_run(tmp_path / "journal")
    assert (len(name), run) == (16, 1)
    assert begin_run(tmp_path / "journal") == (name, 2)
    (tmp_path / "journal" / "name").write_text("half a na\0")
    other, run = begin_run(tmp_path / "journal")
    assert (other != name, run) == (True, 1)
    assert begin_run(tmp_path / "journal") == (other, 2)


def test_alarms_reach_the_other_process_once(embedded_broker: Broker) -> None:
    bridge, desk, late = Process(), Process(), Process()
    line, listening = bridge.line(embedded_broker, ("bridge", 1)), desk.line(embedded_broker, ("desk", 1))
    line.start()
    listening.start()
    try:
        wait_until(lambda: "bridge" in desk.states and "desk" in bridge.states, 20, what="both to be heard")
        assert (line.trouble, desk.states["bridge"], desk.heard) == (None, None, [])

        bridge.state = DarkState(NOON, 2, 2)
        line.announce(bridge.state, [{"ref": "a"}, {"ref": "b"}])
        wait_until(lambda: desk.heard == ["a", "b"], 20)
        assert desk.states["bridge"] == bridge.state
        bridge.state = DarkState(NOON, 3, 4, error="full")
        line.announce(bridge.state, [{"ref": "c"}])
        wait_until(lambda: desk.states["bridge"] == bridge.state, 20)

        # Whoever comes later is told everything; the broker dies and forgets, and nobody is told anything twice.
        later = late.line(embedded_broker, ("late", 1))
        later.start()
        try:
            wait_until(lambda: late.heard == ["a", "b", "c"], 20)
            embedded_broker.kill()
            embedded_broker.restart()
            bridge.state = DarkState(NOON, 4, 5)
            line.announce(bridge.state, [{"ref": "d"}])
            wait_until(lambda: "d" in desk.heard and "d" in late.heard, 30, what="the line to come back")
        finally:
            later.stop()
        assert desk.heard == late.heard == ["a", "b", "c", "d"]

        bridge.state = None
        line.announce(None, ())
        wait_until(lambda: desk.states["bridge"] is None, 20)
        # A second darkness is another one.
        bridge.state = DarkState(NOON, 1, 1)
        line.announce(bridge.state, [{"ref": "e"}])
        wait_until(lambda: desk.heard[-1] == "e", 20)
    finally:
        line.stop()
        listening.stop()
    assert len(desk.heard) == 5


def test_what_is_older_or_no_word_of_ours_changes_nothing(embedded_broker: Broker) -> None:
    desk = Process()
    listening = desk.line(embedded_broker, ("desk", 1))
    stranger = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger")
    stranger.connect("127.0.0.1", embedded_broker.port)
    stranger.loop_start()

    def say(run: int, serial: int, *refs: str, dark: bool = True, send: Callable[..., Any] = stranger.publish) -> None:
        known = {"since": NOON.isoformat(), "alarms": len(refs), "uplinks": len(refs)} if dark else None
        alarms = [[int(ref), {"ref": ref}] for ref in refs]
        body = {"run": run, "serial": serial, "dark": known, "alarms": alarms}
        send("hub/v1/provisional/x/news", json.dumps(body), qos=1)

    listening.start()
    try:
        wait_until(lambda: listening.trouble is None, 20)
        say(2, 1, "1")
        wait_until(lambda: desk.heard == ["1"], 20)
        say(2, 1, "2")  # the same word again
        say(1, 9, "3")  # a run of before
        stranger.publish("hub/v1/provisional/x/news", b"{", qos=1)
        stranger.publish("hub/v1/provisional/x/news", b'{"run": "a"}', qos=1)
        say(2, 5, "1", "4")
        wait_until(lambda: desk.heard == ["1", "4"], 20)
        say(2, 4, dark=False)  # overtaken
        say(3, 1, "1")
        wait_until(lambda: desk.heard == ["1", "4", "1"], 20, what="the alarm of another run")
        assert desk.states["x"] is not None
    finally:
        listening.stop()
        stranger.disconnect()
        stranger.loop_stop()
