"""What is prepared while another batch is committed: only the front of the line, only what cannot change any more."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devices import Uplink
from hub.bridge.ahead import LookAhead
from hub.ports import Incoming, Meanwhile, Outcome

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@dataclass(eq=False)
class Letter:
    payload: bytes
    early: bool = True
    device_id: str = "d"

    def incoming(self) -> Incoming:
        return Incoming(Uplink(self.payload, NOW), self.device_id, "care", "telemetry")


@dataclass(frozen=True)
class Opened:
    incoming: Incoming


@dataclass
class Desk:
    """Prepares what it knows the device of."""

    unknown: frozenset[str] = frozenset()
    opened: list[bytes] = field(default_factory=list)

    def prepare(self, incoming: Incoming) -> Opened | None:
        if incoming.device_id in self.unknown:
            return None
        self.opened.append(incoming.uplink.payload)
        return Opened(incoming)

    def telemetry(self, batch: Sequence[Any], meanwhile: Meanwhile) -> list[Outcome]:
        del batch, meanwhile
        raise AssertionError("not asked here")


def letters(count: int, **more: Any) -> list[Letter]:
    return [Letter(b"%d" % number, **more) for number in range(count)]


def test_the_front_of_the_line_is_prepared_once_and_no_further_than_a_batch() -> None:
    desk = Desk()
    look = LookAhead(desk, size=12)
    line = deque(letters(40))
    while look.work(line):
        pass
    assert desk.opened == [b"%d" % number for number in range(12)]
    batch = [line.popleft() for _ in range(12)]
    made = look.made_up(batch)
    assert [one.incoming.uplink.payload for one in made] == desk.opened
    assert look.work(line)
    assert desk.opened[12] == b"12"


def test_what_may_still_change_or_names_no_device_waits_for_its_batch() -> None:
    desk = Desk(unknown=frozenset({"new"}))
    look = LookAhead(desk, size=10)
    line = deque([Letter(b"dup", early=False), Letter(b"nobody", device_id=""), Letter(b"new", device_id="new")])
    while look.work(line):
        pass
    assert desk.opened == []
    made = look.made_up(list(line))
    assert [(type(one), one.uplink.payload) for one in made] == [
        (Incoming, b"dup"),
        (Incoming, b"nobody"),
        (Incoming, b"new"),
    ]


def test_nothing_to_do_is_said() -> None:
    assert LookAhead(Desk(), size=10).work(deque()) is False


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("come"), st.integers(1, 9)),
            st.tuples(st.just("work"), st.integers(1, 5)),
            st.tuples(st.just("forget"), st.integers(0, 9)),
            st.tuples(st.just("take"), st.integers(0, 8)),
        ),
        max_size=60,
    )
)
def test_every_batch_is_its_own_letters_in_order_whatever_was_prepared(steps: list[tuple[str, int]]) -> None:
    """The line grows, is cut (a connection was lost) and is taken from, in any order."""
    desk = Desk()
    look = LookAhead(desk, size=8)
    line: deque[Letter] = deque()
    written = 0
    for what, count in steps:
        if what == "come":
            line.extend(Letter(b"%d" % number) for number in range(written, written + count))
            written += count
        elif what == "work":
            for _ in range(count):
                look.work(line)
        elif what == "forget":
            line = deque(letter for at, letter in enumerate(line) if at % 10 != count)
        else:
            batch = [line.popleft() for _ in range(min(count, 8, len(line)))]
            made = look.made_up(batch)
            found = [one.incoming.uplink.payload if isinstance(one, Opened) else one.uplink.payload for one in made]
            assert found == [letter.payload for letter in batch]
