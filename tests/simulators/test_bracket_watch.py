"""The TCP watch against a small server that speaks the replies (or does not)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.bracket import Frame, FrameReader, decode_position, encode_frame
from simulators.device import DeviceSpec, Shared
from simulators.ledger import Ledger, read_ledger
from simulators.pace import Pace
from simulators.watch import BracketWatch
from simulators.wire import WireError

ID = "8800000015"


class Server:
    """Answers frames as `reply` says; remembers everything."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.connections = 0
        self.reply: Callable[[Frame], str | None] = lambda frame: frame.word if frame.word in ("LK", "AL") else None
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        frames = FrameReader()
        try:
            while chunk := await reader.read(1024):
                for frame in frames.feed(chunk):
                    self.frames.append(frame)
                    word = self.reply(frame)
                    if word is not None:
                        writer.write(encode_frame(Frame(frame.device_id, word, frame.vendor)))
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def say(self, content: str) -> None:
        for writer in self._writers:
            writer.write(encode_frame(Frame(ID, content)))

    def hang_up(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def words(self) -> Counter[str]:
        return Counter(frame.word for frame in self.frames)

    def alarms(self) -> list[str]:
        return [frame.content for frame in self.frames if frame.word == "AL"]


@asynccontextmanager
async def watching(path: Path | None = None, *, interval_s: float = 0.1) -> AsyncIterator[tuple[Server, BracketWatch]]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    shared = Shared(
        pace=Pace(),
        ledger=Ledger(path),
        broker=None,
        run="t",
        watch=("127.0.0.1", server.port),
        repeat_s=(0.05, 0.1),
        retry_s=(0.02, 0.1),
    )
    watch = BracketWatch(DeviceSpec(ID, "watch", "watch", interval_s=interval_s), shared)
    life = asyncio.create_task(watch.run())
    try:
        yield server, watch
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.close()
        shared.ledger.close()
        listener.close()
        server.hang_up()
        await listener.wait_closed()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


def test_it_beats_and_repeats_until_the_reply(tmp_path: Path) -> None:
    async def play() -> None:
        async with watching(tmp_path / "l") as (server, watch):
            server.reply = lambda frame: (
                "LK" if frame.word == "LK" else "AL" if frame.word == "AL" and len(server.alarms()) >= 3 else None
            )
            press = watch.press("sos")
            await asyncio.wait_for(press.told.wait(), 10)
            assert len(server.alarms()) >= 3
            kind, position = decode_position(server.alarms()[0])
            assert kind == "AL"
            assert position.status == 0x00010000
            assert position.observed_at == press.alarm.observed_at
            assert press.alarm.ref == f"{position.observed_at:%d%m%y%H%M%S}-00010000"
            # Every repeat is the same press: date, time and status word are what tells them apart.
            assert len({tuple(content.split(",")[1:3]) for content in server.alarms()}) == 1
            await until(lambda: server.words()["LK"] >= 3)
            assert server.connections == 1

    asyncio.run(play())
    assert [entry.told for entry in read_ledger(tmp_path / "l")] == ["received"]


def test_a_late_reply_to_a_repeat_is_not_the_next_presss_answer() -> None:
    async def play() -> None:
        async with watching() as (server, watch):
            server.reply = lambda frame: "LK" if frame.word == "LK" else None
            first = watch.press("sos")
            await until(lambda: len(server.alarms()) >= 3)
            server.say("AL")
            await asyncio.wait_for(first.told.wait(), 10)
            sent_before = len(server.alarms())
            second = watch.press("fall")
            await until(lambda: len(server.alarms()) > sent_before)
            # The other replies to the first press arrive only now.
            for _ in range(sent_before - 1):
                server.say("AL")
            await until(lambda: len(watch.presses[first.alarm.ref].answers) == sent_before)
            assert not second.told.is_set()
            server.say("AL")
            await asyncio.wait_for(second.told.wait(), 10)

    asyncio.run(play())


def test_presses_in_one_second_are_two_presses() -> None:
    async def play() -> None:
        async with watching() as (_, watch):
            first, second = watch.press("sos"), watch.press("sos")
            assert first.alarm.ref != second.alarm.ref
            await asyncio.wait_for(asyncio.gather(first.told.wait(), second.told.wait()), 10)

    asyncio.run(play())


def test_it_connects_again_and_brings_its_alarm_along() -> None:
    async def play() -> None:
        async with watching() as (server, watch):
            server.reply = lambda frame: "LK" if frame.word == "LK" else None
            press = watch.press("sos")
            await until(lambda: server.alarms())
            server.hang_up()
            await until(lambda: server.connections == 2)
            server.reply = lambda frame: frame.word
            await asyncio.wait_for(press.told.wait(), 10)

    asyncio.run(play())


def test_unanswered_heartbeats_make_it_start_again() -> None:
    async def play() -> None:
        async with watching(interval_s=0.02) as (server, _):
            server.reply = lambda _frame: None
            await until(lambda: server.connections >= 2)
            assert server.words()["LK"] >= 5

    asyncio.run(play())


def test_without_network_it_keeps_the_press() -> None:
    async def play() -> None:
        async with watching() as (server, watch):
            await until(lambda: server.words()["LK"])
            watch.cut()
            await until(lambda: not watch.connected)
            press = watch.press("sos")
            watch.restore()
            await asyncio.wait_for(press.told.wait(), 10)
            watch.cut(half_open=True)
            silent = watch.press("fall")
            assert watch.connected
            watch.restore()
            await asyncio.wait_for(silent.told.wait(), 10)

    asyncio.run(play())


def test_asked_where_it_is_it_says_so() -> None:
    async def play() -> None:
        async with watching() as (server, watch):
            await until(lambda: watch.connected)
            before = server.words()["UD"]
            await until(lambda: server.words()["LK"])
            server.say("CR")
            await until(lambda: server.words()["UD"] > before and server.words()["CR"])

    asyncio.run(play())


def test_what_the_protocol_cannot_say_is_refused() -> None:
    async def play() -> None:
        async with watching() as (_, watch):
            for refused in ({"type": "smoke"}, {"type": "sos", "test": True}, {"type": "sos", "cancels": "a"}):
                with pytest.raises(WireError):
                    watch.press(**refused)  # type: ignore[arg-type]

    asyncio.run(play())
