"""What every simulated device has in common: presses repeated until told, the ledger, and what the run shares.

`Device` is the face the fleet, tests and benchmarks use; `CareDevice` (care.py) and `BracketWatch` (watch.py) put it on
their wires.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators.ledger import Ledger, LedgerError
from simulators.line import BrokerAddress
from simulators.pace import Pace
from simulators.wire import ALARM_TYPES, Alarm, Fix, WireError
from simulators.world import Battery, Person

__all__ = ["Counters", "Device", "DeviceSpec", "Happening", "Press", "Shared"]


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device of a fleet file. `kind` is one of `simulators.fleet.KINDS`; `interval_s` None: the kind's own."""

    id: str
    kind: str
    family: str = "care"
    resident_id: str | None = None
    resident_name: str | None = None
    name: str | None = None
    lat: float = 31.9011
    lon: float = 118.8246
    area: str | None = None
    interval_s: float | None = None
    network: str | None = None
    still: bool = False
    """It sees nobody move, unless a scenario says so."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth a line on the terminal or in a test.

    `what` is pressed, told, trouble, command, beat, staff, phone or caption. A caption is for an onlooker: `text` is
    Chinese, `en` English, `at_s` its place in the story, `device_id` a cue for whoever shows it.
    """

    at: datetime
    what: str
    device_id: str
    text: str
    who: str | None = None
    en: str | None = None
    at_s: float | None = None


@dataclass(slots=True)
class Counters:
    """What a run did. `answer_s` holds the wall seconds from a press to its first answer."""

    presses: int = 0
    sends: int = 0
    told: int = 0
    rejected: int = 0
    telemetry: int = 0
    commands: int = 0
    answer_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Shared:
    """What the devices of one run share. `run` marks the refs of this run, so that no two runs use one ref twice."""

    pace: Pace
    ledger: Ledger
    broker: BrokerAddress | None
    run: str
    seed: int = 1
    watch: tuple[str, int] | None = None
    ports: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Family to the address of the hub's listener for it; `watch` is that of the bracket watches."""
    repeat_s: tuple[float, float] = (5.0, 20.0)
    retry_s: tuple[float, float] = (1.0, 30.0)
    passwords: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[Happening], None] = lambda _happening: None
    counters: Counters = field(default_factory=Counters)

    def address_of(self, family: str) -> tuple[str, int] | None:
        """Where the hub listens for devices of a TCP family."""
        return self.ports.get(family) or (self.watch if family == "watch" else None)


@dataclass(slots=True)
class Press:
    """One alarm of a device and what became of it. `answers` are in the order they came, repeats included."""

    alarm: Alarm
    pressed_at: float
    answers: list[str] = field(default_factory=list)
    sends: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Device(ABC):
    """One device. `run()` lives until cancelled; every other method is for the same event loop."""

    DRAIN_PER_H: float = 1.2
    INTERVAL_S: float = 60.0
    ALARMS: tuple[str, ...] = ALARM_TYPES
    ANSWERED = True
    """Whether the wire answers a press. Where it does not, a press is neither repeated nor in the ledger."""

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        self.spec = spec
        self.shared = shared
        # Two sources, so that what is measured does not depend on how often something had to be repeated.
        self.rng = random.Random(f"{shared.seed}:{spec.id}")
        self.jitter = random.Random(f"{shared.seed}:{spec.id}:jitter")
        self.person = Person(f"{shared.seed}:{spec.resident_id or spec.id}", spec.lat, spec.lon)
        self.battery = Battery(self.rng, drain_per_h=self.DRAIN_PER_H)
        self.interval_s = spec.interval_s or self.INTERVAL_S
        self.presses: dict[str, Press] = {}
        self._count = 0
        self._line_troubled = False

    @abstractmethod
    async def run(self) -> None:
        """Lives: connects, measures, repeats what was not answered. Ends by cancellation."""

    @abstractmethod
    async def close(self) -> None:
        """Says goodbye and disconnects, within about a second."""

    @abstractmethod
    def measure(self) -> None:
        """Sends one measurement now (what kind depends on the device)."""

    @abstractmethod
    def cut(self, *, half_open: bool = False) -> None:
        """The network goes away: at once for both sides, or (half open) without either side noticing."""

    @abstractmethod
    def restore(self) -> None:
        """The network is back."""

    @abstractmethod
    def _raise_alarm(self, press: Press) -> None:
        """Sends the press now and goes on repeating it until it is told."""

    def press_fix(self) -> Fix | None:
        """The position an alarm of this device carries; None for things that do not know where they are."""
        return None

    @property
    def label(self) -> str:
        """How a person would name this device."""
        return self.spec.name or self.spec.kind

    def press(
        self,
        type: str = "sos",
        *,
        ref: str | None = None,
        observed_at: datetime | None = None,
        fix: Fix | None = None,
        note: str | None = None,
        test: bool = False,
        cancels: str | None = None,
    ) -> Press:
        """One press: in the ledger first, then on the wire, then again until told. Raises WireError for a bad type."""
        if type not in self.ALARMS:
            raise WireError(f"a {self.spec.kind} raises no {type!r}; it knows {', '.join(self.ALARMS)}")
        moment = observed_at or self.shared.pace.now()
        alarm = Alarm(
            ref=ref or self._next_ref(moment, type),
            type=type,
            observed_at=moment,
            fix=fix,
            battery_pct=self.battery_pct(),
            test=test or type == "test_call",
            note=note,
            cancels=cancels,
        )
        if self.ANSWERED:
            self.shared.ledger.pressed(
                self.spec.id, alarm.ref, self.shared.pace.now(), type=type, observed_at=alarm.observed_at
            )
        press = Press(alarm, asyncio.get_running_loop().time())
        self.presses[alarm.ref] = press
        self.shared.counters.presses += 1
        self.happened("pressed", f"{type} ({alarm.ref})")
        self._raise_alarm(press)
        return press

    def answered(self, ref: str, status: str, message: str | None = None) -> None:
        """The hub's answer to one press; unknown refs (an earlier run's) are ignored."""
        press = self.presses.get(ref)
        if press is None:
            return
        press.answers.append(status)
        first = not press.told.is_set()
        try:
            self.shared.ledger.told(self.spec.id, ref, status)
        except LedgerError as error:
            # The press then stands as unanswered in the file: the careful side.
            self.happened("trouble", str(error))
        if first:
            waited = asyncio.get_running_loop().time() - press.pressed_at
            counters = self.shared.counters
            counters.answer_s.append(waited)
            counters.told += 1
            counters.rejected += status == "rejected"
            press.told.set()
            self.happened("told", f"{press.alarm.type} {status} after {waited:.2f} s, {press.sends} sent ({ref})")
        elif press.answers.count(status) == 1:
            said = f": {message}" if message else ""
            self.happened("told", f"{press.alarm.type} {status}{said} ({ref})")

    def forget_old(self, keep: int = 200) -> None:
        """Bounds memory over long runs: told presses beyond the last `keep` are dropped (the ledger has them)."""
        if len(self.presses) > keep * 2:
            told = [ref for ref, press in self.presses.items() if press.told.is_set()]
            for ref in told[: len(self.presses) - keep]:
                del self.presses[ref]

    def line_trouble(self, text: str) -> None:
        """Says that the connection fails: once for each outage, however often it is tried."""
        if not self._line_troubled:
            self._line_troubled = True
            self.happened("trouble", text)

    def line_up(self) -> None:
        """The connection stands; the next outage is worth a word again."""
        self._line_troubled = False

    def happened(self, what: str, text: str) -> None:
        """Tells the run's listener."""
        self.shared.tell(Happening(self.shared.pace.now(), what, self.spec.id, text, self.spec.resident_name))

    def battery_pct(self) -> int:
        """The battery's level now."""
        return self.battery.pct(self.shared.pace.elapsed() / 3600.0)

    def _next_ref(self, moment: datetime, type: str) -> str:
        del moment, type
        self._count += 1
        return f"{self.shared.run}-{self._count}"
