"""A wire between two programs that can be cut, can swallow everything, and can be slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Wire"]

_CHUNK = 64 * 1024


class Wire:
    """Listens on a port of 127.0.0.1 or on a UNIX socket and forwards to another; a thread of its own."""

    def __init__(self, name: str, listen: int | Path, target: int | Path) -> None:
        self.name = name
        self._listen = listen
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire-{name}", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._is_cut = False
        self._delay_s = 0.0
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Every connection breaks, new ones break at once."""
        self._run(self._cut())

    def swallow(self) -> None:
        """Half open: connections stay, and nothing gets through any more."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def slow(self, delay_s: float) -> None:
        """Each piece of traffic waits for so long."""
        self._delay_s = delay_s

    def restore(self, *, fresh: bool = False) -> None:
        """All is well. `fresh`: connections from before break first, as after a router's restart."""
        self._run(self._restore(fresh))

    def _run(self, coroutine: Any) -> None:
        waiting: Future[None] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        waiting.result(10)

    async def _start(self) -> None:
        self._open.set()
        if isinstance(self._listen, Path):
            self._server = await asyncio.start_unix_server(self._accept, str(self._listen))
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._listen, backlog=4096)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._is_cut = True
        await self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    async def _restore(self, fresh: bool) -> None:
        if fresh:
            await self._cut()
        self._is_cut = False
        self._delay_s = 0.0
        self._open.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            if self._is_cut:
                return
            await self._open.wait()
            if isinstance(self._target, Path):
                far, other = await asyncio.open_unix_connection(str(self._target))
            else:
                far, other = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(other)
            await asyncio.gather(self._pump(reader, other), self._pump(far, writer))
        except OSError:
            pass
        finally:
            for one in (writer, other):
                if one is not None:
                    self._writers.discard(one)
                    one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._open.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            writer.write(chunk)
            await writer.drain()
        # One side has ended: so does the other, what is under way first.
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()
