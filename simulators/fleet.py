"""Puts a whole run together: devices, people and the steps of a scenario on one event loop, and a report at the end."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulators.care import CareDevice
from simulators.device import Counters, Device, Happening, Shared
from simulators.kinds import FAMILIES, KINDS, TCP_FAMILIES, make_device
from simulators.ledger import Ledger
from simulators.line import BrokerAddress, keep_alive
from simulators.pace import Pace
from simulators.plan import Step, cued, steps
from simulators.roster import Roster, load_roster
from simulators.scenario import Scenario, load_scenario
from simulators.seats import Seats
from simulators.staff import FieldStaff, Operator, SignedIn, StaffCounters
from simulators.stage import Play, Stage
from simulators.story import Story
from simulators.tables import ScenarioError
from simulators.telephone import Telephones
from simulators.vda import VdaRobot
from simulators.zigbee import ZigbeeSensor

__all__ = ["FAMILIES", "KINDS", "Report", "run_scenario"]

DEVICES_STARTED_A_SECOND = 400
DESK_OPENS_WITHIN_S = 10.0
_MARK_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `open` presses were never answered; `answer_s` are wall seconds from press to first answer."""

    scenario: str
    seed: int
    run: str
    devices: int
    staff: int
    seconds: float
    counters: Counters
    people: StaffCounters
    open: int
    scenes: Mapping[str, str] = field(default_factory=dict)
    """Each scene that has ended: `played`, or why it was left."""

    def answer_s(self, share: float) -> float | None:
        """The time within which that share (0 to 1) of the answered presses was answered."""
        waits = sorted(self.counters.answer_s)
        return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else None

    def as_object(self) -> dict[str, Any]:
        """The report as one JSON object."""
        counters = self.counters
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "run": self.run,
            "devices": self.devices,
            "staff": self.staff,
            "seconds": round(self.seconds, 1),
            "presses": counters.presses,
            "alarm_messages": counters.sends,
            "told": counters.told,
            "rejected": counters.rejected,
            "open": self.open,
            "telemetry": counters.telemetry,
            "commands": counters.commands,
            "answer_s": {name: self.answer_s(share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))},
            "people": dict(sorted(self.people.done.items())),
            "lost_races": self.people.lost_races,
            "scenes": dict(self.scenes),
        }


async def run_scenario(
    scenario: Scenario | str | Path,
    *,
    broker: str | None,
    api: str | None = None,
    watch: str | None = None,
    tcp: Mapping[str, str] | None = None,
    seed: int | None = None,
    speed: float | None = None,
    ledger: Path | None = None,
    duration_s: float | None = None,
    world: Path | None = None,
    credentials: Mapping[str, str] | None = None,
    ca_file: Path | None = None,
    run: str | None = None,
    repeat_s: tuple[float, float] = (5.0, 20.0),
    retry_s: tuple[float, float] = (1.0, 30.0),
    play: Play = "auto",
    telephone: socket.socket | None = None,
    stop: asyncio.Event | None = None,
    tell: Callable[[Happening], None] = lambda _happening: None,
) -> Report:
    """Runs a scenario until its end, `duration_s` scenario seconds, or `stop`.

    `broker` is `mqtt://host:port`, `watch` `host:port` of the hub's bracket-watch listener, `tcp` that of each other
    TCP family, `api` the hub's address for the field staff (None: no people). Without `run` a fresh mark is drawn, so
    that refs of two runs never meet. `play`: who acts at the desk in the scenario's scenes. `telephone`: a socket that
    listens already, on which the hub's telephone and short message channels find their exchange.
    Raises ScenarioError for a bad scenario or fleet, ValueError for a bad address, LedgerError for the ledger.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    seed = scenario.seed if seed is None else seed
    roster = load_roster(scenario.fleet, scenario_file=scenario.file, world=world, seed=seed)
    speed = scenario.speed if speed is None else speed
    shared = Shared(
        pace=Pace(speed),
        ledger=Ledger(ledger),
        broker=None if broker is None else BrokerAddress.parse(broker, ca_file),
        run=run or _fresh_mark(),
        seed=seed,
        watch=None if watch is None else _host_port(watch),
        ports={family: _host_port(address) for family, address in (tcp or {}).items()},
        repeat_s=repeat_s,
        retry_s=retry_s,
        passwords=credentials or {},
        tell=tell,
    )
    try:
        _check_wires(roster, shared, scenario.file)
        company = _Company(scenario, roster, shared, api, ca_file, play, telephone)
        told = company.story is not None
        unlabelled = tuple(beat for beat in scenario.beats if not told or beat.label is None)
        plan = steps(replace(scenario, beats=unlabelled), roster, seed, speed)
        end_s = scenario.duration_s if duration_s is None else duration_s
        return await company.run(plan, end_s, stop or asyncio.Event())
    finally:
        shared.ledger.close()


class _Company:
    """The devices and people of one run."""

    def __init__(
        self,
        scenario: Scenario,
        roster: Roster,
        shared: Shared,
        api: str | None,
        ca_file: Path | None,
        play: Play,
        telephone: socket.socket | None,
    ) -> None:
        self.scenario = scenario
        self.shared = shared
        self.devices: dict[str, Device] = {spec.id: make_device(spec, shared) for spec in roster.devices}
        self.people: list[SignedIn] = []
        self.staff_counters = StaffCounters()
        self._refs: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        if api is not None:
            common: dict[str, Any] = {
                "pace": shared.pace,
                "seed": shared.seed,
                "counters": self.staff_counters,
                "tell": shared.tell,
                "ca_file": None if ca_file is None else str(ca_file),
            }
            self.people += [FieldStaff(spec, api, scenario.staff, **common) for spec in roster.staff]
            if scenario.operator is not None:
                self.people += [Operator(spec, api, scenario.operator, **common) for spec in roster.operators]
        self._staffed = len(self.people)
        self._cued: dict[str, list[Step]] = {}
        self._telephone = telephone
        self.phones: Telephones | None = None
        self.story: Story | None = None
        if api is not None and roster.book is not None and telephone is not None:
            self.phones = Telephones(roster.book, api, pace=shared.pace, tell=shared.tell)
        if api is not None and roster.people and scenario.scenes:
            stage = Stage(
                Seats(api, roster.people, common["ca_file"]),
                shared.pace,
                roster.residents,
                play,
                frozenset(spec.username for spec in roster.operators),
                self.phones,
                self._cue,
                self._told,
            )
            self._cued = cued(scenario, roster, shared.seed, shared.pace.speed)
            self.story = Story(scenario.scenes, stage, shared.tell)

    async def run(self, plan: Iterator[Step], end_s: float | None, stop: asyncio.Event) -> Report:
        shared = self.shared
        await self._open_the_desk()
        shared.pace.start()
        started = asyncio.get_running_loop().time()
        starting = asyncio.create_task(self._start())
        player = asyncio.create_task(self._play(plan))
        ending = asyncio.create_task(self._end(end_s))
        stopping = asyncio.create_task(_wait(stop))
        self._tasks |= {starting, player}
        try:
            await self._watch({ending, stopping})
            if not stop.is_set():
                player.cancel()
                self._tasks.discard(player)
                settling = asyncio.create_task(self._settle())
                await self._watch({settling, stopping})
                settling.cancel()
        finally:
            for task in (*self._tasks, ending, stopping, player):
                task.cancel()
            await asyncio.gather(*self._tasks, ending, stopping, player, return_exceptions=True)
            await asyncio.gather(*(device.close() for device in self.devices.values()), return_exceptions=True)
        return Report(
            scenario=self.scenario.name,
            seed=shared.seed,
            run=shared.run,
            devices=len(self.devices),
            staff=self._staffed,
            seconds=asyncio.get_running_loop().time() - started,
            counters=shared.counters,
            people=self.staff_counters,
            open=shared.ledger.open,
            scenes={} if self.story is None else dict(self.story.outcomes),
        )

    async def _watch(self, ends: set[asyncio.Task[None]]) -> None:
        """Waits for one of `ends`; a device or person that fails ends the run with its error."""
        while True:
            done, _ = await asyncio.wait({*ends, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._tasks.discard(task)
                if not task.cancelled():
                    task.result()
            if done & ends:
                return

    async def _open_the_desk(self) -> None:
        """A desk that waits for people has somebody at it before the first alarm; a hub that is away holds none up."""
        first = [person for person in self.people if isinstance(person, Operator)]
        if self.scenario.operator is None or not self.scenario.operator.tidy:
            return
        self.people = [person for person in self.people if person not in first]
        self._tasks |= {asyncio.create_task(person.run()) for person in first}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DESK_OPENS_WITHIN_S):
                await asyncio.gather(*(person.seated.wait() for person in first))

    async def _start(self) -> None:
        lines = [
            device.line for device in self.devices.values() if isinstance(device, CareDevice | ZigbeeSensor | VdaRobot)
        ]
        self._tasks.add(asyncio.create_task(keep_alive(lines)))
        self._tasks |= {asyncio.create_task(self._ordinarily(person)) for person in self.people}
        if self.phones is not None and self._telephone is not None:
            self._tasks.add(asyncio.create_task(self.phones.run(self._telephone)))
        if self.story is not None:
            self._tasks.add(asyncio.create_task(self.story.run()))
        # Whoever has something to say first comes first; the rest a little at a time, as a broker likes it.
        first = {beat.device_id or beat.resident for beat in self.scenario.beats[:8]} - {None}
        ordered = sorted(
            self.devices.values(),
            key=lambda device: not ({device.spec.id, device.spec.resident_name, device.spec.resident_id} & first),
        )
        for number, device in enumerate(ordered):
            self._tasks.add(asyncio.create_task(device.run()))
            if number % 20 == 19:
                await asyncio.sleep(20 / DEVICES_STARTED_A_SECOND)

    async def _ordinarily(self, person: SignedIn) -> None:
        """Whoever has a part in the story goes about the ordinary work after it."""
        if self.story is not None:
            await self.story.free(person.spec.username, person.spec.name)
        await person.run()

    def _cue(self, label: str) -> None:
        """A labelled beat happens now."""
        now = self.shared.pace.elapsed()
        later = iter([replace(step, at_s=now + step.at_s) for step in self._cued.get(label, [])])
        self._tasks.add(asyncio.create_task(self._play(later)))

    def _told(self, label: str) -> bool:
        """Whether every press of a labelled beat was made and, where its wire has answers, answered."""
        for step in self._cued.get(label, []):
            device = self.devices.get(step.device_id)
            if device is None or step.do != "press":
                continue
            press = device.presses.get(self._refs.get(step.tag, ""))
            if press is None or (device.ANSWERED and not press.told.is_set()):
                return False
        return True

    async def _play(self, plan: Iterator[Step]) -> None:
        for step in plan:
            await self.shared.pace.until(step.at_s)
            self._do(step)

    def _do(self, step: Step) -> None:
        if step.do == "say":
            self.shared.tell(Happening(self.shared.pace.now(), "beat", "", step.note or ""))
            return
        device = self.devices[step.device_id]
        if step.do == "press":
            if step.type == "low_battery":
                device.battery.set(min(device.battery_pct(), 9))
            fix = device.press_fix() if step.fix else None
            press = device.press(step.type or "sos", fix=fix, note=step.note, test=step.test)
            self._refs[step.tag] = press.alarm.ref
            while len(self._refs) > 1000:
                del self._refs[next(iter(self._refs))]
        elif step.do == "cancel":
            ref = self._refs.get(step.tag)
            if ref is not None:
                device.press("cancel", cancels=ref)
        elif step.do == "measure":
            device.measure()
        elif step.do == "moved":
            if isinstance(device, CareDevice):
                device.moved_at(step.note or "00:00")
        elif step.do == "battery":
            device.battery.set(step.pct)
            device.measure()
        elif step.do in ("stop", "release"):
            if isinstance(device, VdaRobot):
                device.emergency_stop(step.do == "stop")
                device.happened("beat", step.note or f"emergency stop {'pushed' if step.do == 'stop' else 'released'}")
        elif step.do == "restore":
            device.restore()
            device.happened("beat", "the network is back")
        else:
            device.cut(half_open=step.do == "silent")
            device.happened("beat", step.note or "the network is gone")

    async def _end(self, end_s: float | None) -> None:
        # Without an end the community goes on living when all steps are done.
        if end_s is None:
            await asyncio.Event().wait()
        else:
            await self.shared.pace.until(end_s)

    async def _settle(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.scenario.settle_s):
                for device in self.devices.values():
                    for press in list(device.presses.values()):
                        await press.told.wait()


def _check_wires(roster: Roster, shared: Shared, file: str) -> None:
    families = {spec.family for spec in roster.devices}
    if "care" in families and shared.broker is None:
        raise ScenarioError(file, "fleet", "has care/v1 devices: a broker address is wanted (--broker)")
    for family, what in (("zigbee2mqtt", "Zigbee sensors"), ("vda5050", "VDA 5050 robots")):
        if family in families and shared.broker is None:
            raise ScenarioError(file, "fleet", f"has {what}: a broker address is wanted (--broker)")
    for family in TCP_FAMILIES:
        if family in families and shared.address_of(family) is None:
            option = "--watch HOST:PORT" if family == "watch" else f"--tcp {family}=HOST:PORT"
            what = "bracket watches" if family == "watch" else f"devices of family {family}"
            raise ScenarioError(file, "fleet", f"has {what}: the hub's {family} port is wanted ({option})")


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text}: HOST:PORT is wanted")
    return host.strip("[]"), int(port)


def _fresh_mark() -> str:
    return "r" + "".join(secrets.choice(_MARK_LETTERS) for _ in range(8))


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
