"""Expected arrival by the road, and as the crow flies where the road network does not answer: it never fails.

It is asked while an alarm is being answered: a time-out for all of it, only for those who may matter, and after a
failure not again for a while. Whatever was not asked is estimated, with the reason in the way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitedError
from datetime import datetime, timedelta

from dispatch import HaversineTravel, Mode, Place, Way
from hub.clock import Clock
from hub.roads.model import Roads, RoadsError, RoadWay

__all__ = ["RoadTravel"]

log = logging.getLogger(__name__)

_Table = Sequence[RoadWay | None]


class RoadTravel:
    """`dispatch.Travel` over a road network.

    `timeout_s`: so long an answer is waited for, all modes together. `nearest`: for so many starts it is asked, the
    nearest of each call. `rest`: so long it is left alone after a failure. Any number of threads may ask.
    """

    def __init__(
        self,
        roads: Roads,
        clock: Clock,
        *,
        timeout_s: float = 0.5,
        nearest: int = 60,
        rest: timedelta = timedelta(seconds=30),
        estimate: HaversineTravel | None = None,
    ) -> None:
        self._roads = roads
        self._clock = clock
        self._timeout_s = timeout_s
        self._nearest = nearest
        self._rest = rest
        self._estimate = estimate or HaversineTravel()
        # Beside the asking thread, so that a server that trickles its answer cannot hold up an alarm either.
        self._asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="roads")
        self._lock = threading.Lock()
        self._resting_until: datetime | None = None

    def close(self) -> None:
        """Lets threads and connections go; waits for no answer."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._roads.close()

    def estimates(self, starts: Sequence[tuple[Place, Mode]], end: Place) -> Sequence[Way]:
        """One way for each start, in order."""
        ways = list(self._estimate.estimates(starts, end))
        if not ways:
            return ways
        if self._resting():
            return [way._replace(why="resting") for way in ways]
        near = sorted(range(len(ways)), key=lambda number: ways[number].seconds)[: self._nearest]
        asked: dict[Mode, list[int]] = {}
        for number in near:
            asked.setdefault(starts[number][1], []).append(number)
        why = dict.fromkeys(set(range(len(ways))) - set(near), "not_asked")
        tables = self._tables(starts, end, asked, why)
        for mode, numbers in asked.items():
            for number, found in zip(numbers, tables.get(mode, ()), strict=False):
                if found is None:
                    why[number] = "no_road"
                else:
                    fixed = self._estimate.pace[mode].fixed_s
                    ways[number] = Way(found.metres, found.seconds + fixed, self._roads.name)
        return [way._replace(why=why[number]) if number in why else way for number, way in enumerate(ways)]

    def _tables(
        self, starts: Sequence[tuple[Place, Mode]], end: Place, asked: dict[Mode, list[int]], why: dict[int, str]
    ) -> dict[Mode, _Table]:
        futures: dict[Mode, Future[_Table]] = {}
        for mode, numbers in asked.items():
            if self._roads.knows(mode):
                futures[mode] = self._asking.submit(self._roads.table, [starts[n][0] for n in numbers], end, mode)
            else:
                why.update(dict.fromkeys(numbers, "mode"))
        found: dict[Mode, _Table] = {}
        until = self._clock() + timedelta(seconds=self._timeout_s)
        for mode, future in futures.items():
            try:
                found[mode] = future.result(max(0.0, (until - self._clock()).total_seconds()))
            except RoadsError as error:
                self._failed(error.code, str(error))
                why.update(dict.fromkeys(asked[mode], error.code))
            except WaitedError:
                future.cancel()
                self._failed("timeout", f"{self._roads.name} did not answer within {self._timeout_s} s")
                why.update(dict.fromkeys(asked[mode], "timeout"))
            except Exception:  # whatever it is, somebody waits for help
                log.exception("the way by %s could not be read", self._roads.name)
                self._failed("bad_answer", "see above")
                why.update(dict.fromkeys(asked[mode], "bad_answer"))
        return found

    def _resting(self) -> bool:
        with self._lock:
            return self._resting_until is not None and self._clock() < self._resting_until

    def _failed(self, code: str, words: str) -> None:
        with self._lock:
            resting = self._resting_until is not None and self._clock() < self._resting_until
            self._resting_until = self._clock() + self._rest
        if not resting:
            log.warning("ways are estimated for %d s (%s): %s", self._rest.total_seconds(), code, words)
