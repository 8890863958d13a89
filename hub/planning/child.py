"""The planner's own process: `python -m hub.planning.child`. Asked over standard input, it answers on standard output.

It loads the compiler once and keeps the tables of ways, so that a plan around what just happened does not wait for
either. It ends with its parent: when standard input ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

from dispatch.plan.day import Visit
from hub.clock import monotonic
from hub.planning.ask import DayAnswer, DayAsk, DayMissing, DayRoute
from hub.planning.kernels import keep_machine_code
from hub.planning.ways import Tables, Ways, closed_for_a_while, table

__all__ = ["HEAD", "answer_of", "main", "read_message", "write_message"]

HEAD = struct.Struct("!Q")


def write_message(stream: IO[bytes], message: Any) -> None:
    """One message: its length, then its bytes."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(HEAD.pack(len(body)) + body)
    stream.flush()


def read_message(stream: IO[bytes]) -> Any:
    """The next message; EOFError where the other side is gone."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    (length,) = HEAD.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)


def answer_of(
    ask: DayAsk, tables: Callable[[Ways], Any], progress: Callable[[float, float], None], stopping: Callable[[], bool]
) -> DayAnswer:
    """Plans. The compiler must have been loaded."""
    from dispatch.plan.outcome import conflicts, costs, left_out, routes  # noqa: PLC0415 - only after keep_machine_code
    from dispatch.plan.shortage import shortages  # noqa: PLC0415
    from hub.planning.day_plan import plan_day  # noqa: PLC0415

    travel = tables(ask.ways)
    day = replace(ask.day, travel=travel)
    if (shut := closed_for_a_while(travel, ask.ways)) is not None:
        day = replace(day, travel_shut=shut[0], shut=shut[1])
    planned = plan_day(
        day,
        until=monotonic() + ask.seconds,
        seed=ask.seed,
        threads=ask.threads,
        progress=progress,
        baseline=ask.baseline,
        stopping=stopping,
    )
    made, state = planned.made, planned.state
    return DayAnswer(
        routes=tuple(
            DayRoute(
                route.carer,
                route.crew,
                route.leave,
                route.back,
                tuple(route.stops),
                tuple((one.start, one.end) for one in route.breaks),
                tuple((one.leave, one.load, one.visits) for one in route.trips),
            )
            for route in routes(made, state)
            if route.leave is not None and route.back is not None and route.stops
        ),
        unplanned=tuple((visit.id, code) for visit, code, _ in left_out(made, state)),
        conflicts=tuple(conflicts(made, state)),
        cost=costs(made, state, planned.cost),
        baseline=planned.baseline,
        moves=planned.moves,
        stopped=planned.stopped,
        kept=planned.kept,
        missing=tuple(
            DayMissing(one.sex, one.depot_id, one.start, one.end, one.people, one.visits)
            for one in shortages(made, state, _asked)
        ),
    )


def _asked(visit: Visit) -> tuple[frozenset[str], ...] | None:
    """What somebody new would have to be: of the kind, of the provider; areas are given to people with the duty."""
    if any(word.startswith("who:") for words in visit.skills for word in words):
        return None
    return tuple(frozenset(word for word in words if not word.startswith("at:")) for words in visit.skills)


class _Child:
    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._asked: queue.Queue[tuple[int, DayAsk | Ways]] = queue.Queue()
        self._stopped: set[int] = set()
        self._tables = Tables()

    def say(self, *message: Any) -> None:
        with self._lock:
            write_message(self._output, message)

    def listen(self, stream: IO[bytes]) -> None:
        while True:
            try:
                kind, number, body = read_message(stream)
            except EOFError:
                os._exit(0)  # searches in threads would be waited for
            if kind == "stop":
                self._stopped.add(number)
            else:
                self._asked.put((number, body))

    def work(self) -> None:
        keep_machine_code()
        self.warm()
        self.say("warm", 0, os.getpid())
        while True:
            number, ask = self._asked.get()
            if isinstance(ask, Ways):
                self._tables.of(ask)
                continue
            try:
                answer = self._answer(number, ask)
            except Exception as error:
                self.say("failed", number, f"{type(error).__name__}: {error}")
            else:
                self.say("done", number, answer)
            self._stopped.discard(number)

    def _answer(self, number: int, ask: DayAsk) -> DayAnswer:
        def progress(cost: float, share: float) -> None:
            self.say("progress", number, (cost, share))

        return answer_of(ask, self._tables.of, progress, lambda: number in self._stopped)

    def warm(self) -> None:
        """Loads the machine code, or makes it, by planning the smallest day there is."""
        from dispatch.plan.day import Carer, Day, Visit  # noqa: PLC0415

        able = frozenset({"any"})
        visit = Visit("v", 1, (able,), (600,), (0, 7200))
        day = Day([Carer("c", (0, 36000), able)], [visit, replace(visit, id="w")], table(Ways(((0, 0),), 1, 1)))
        ask = DayAsk(day, Ways(((0.0, 0.0), (0.0, 0.01)), 4.0, 1.3), 0.05, threads=1)
        answer_of(ask, self._tables.of, lambda _cost, _share: None, lambda: False)


def main() -> None:
    """Runs until standard input ends. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing else may write where messages go.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if len(sys.argv) > 1:
        os.nice(int(sys.argv[1]))
    child = _Child(output)
    threading.Thread(target=child.listen, args=(sys.stdin.buffer,), name="listen", daemon=True).start()
    try:
        child.work()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
