"""From a scenario, a roster and a seed to the sequence of steps: pure, so the same seed gives the same sequence."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulators.device import DeviceSpec
from simulators.kinds import alarm_types
from simulators.roster import Roster, choose
from simulators.scenario import Beat, Chance, Load, Scenario
from simulators.tables import ScenarioError

__all__ = ["Step", "cued", "steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One deed of one device at `at_s` scenario seconds. A cancel takes back the press that carries the same `tag`."""

    at_s: float
    do: str
    device_id: str = ""
    type: str | None = None
    tag: str = ""
    note: str | None = None
    test: bool = False
    fix: bool = True
    pct: int = 0


def steps(scenario: Scenario, roster: Roster, seed: int, speed: float = 1.0) -> Iterator[Step]:
    """Every step in time order, endless where a chance or a load has no end. Raises ScenarioError at once."""
    scripted = [
        step for beat in scenario.beats for step in _beat(beat, choose(beat, roster, scenario.file, seed), speed)
    ]
    streams: list[Iterator[Step]] = [iter(sorted(scripted, key=lambda step: step.at_s))]
    for number, chance in enumerate(scenario.chances):
        able = _able(scenario, f"{chance.key}.types", chance.types, roster)
        streams.append(_chances(chance, able, random.Random(f"{seed}:chance:{number}")))
    for number, load in enumerate(scenario.loads):
        able = _able(scenario, f"{load.key}.types", load.types, roster) if load.presses_per_s else {}
        rng = random.Random(f"{seed}:load:{number}")
        streams.append(_presses(load, able, rng))
        streams.append(_measurements(load, [spec.id for spec in roster.devices], rng.random()))
    return heapq.merge(*streams, key=lambda step: step.at_s)


def cued(scenario: Scenario, roster: Roster, seed: int, speed: float = 1.0) -> dict[str, list[Step]]:
    """The steps of each labelled beat, their times counted from the beat's own. Raises ScenarioError."""
    return {
        beat.label: [
            replace(step, at_s=step.at_s - beat.at_s)
            for step in _beat(beat, choose(beat, roster, scenario.file, seed), speed)
        ]
        for beat in scenario.beats
        if beat.label is not None
    }


def _beat(beat: Beat, specs: list[DeviceSpec], speed: float) -> Iterator[Step]:
    if beat.do == "say":
        yield Step(beat.at_s, "say", note=beat.note)
    for spec in specs:
        tag = f"{beat.key}:{spec.id}"
        if beat.do == "alarm":
            yield Step(beat.at_s, "press", spec.id, beat.type, tag, beat.note, beat.test, beat.fix)
            if beat.cancel_after_s is not None and "cancel" in alarm_types(spec):
                yield Step(beat.at_s + beat.cancel_after_s, "cancel", spec.id, "cancel", tag)
        elif beat.do in ("cut", "silent"):
            yield Step(beat.at_s, beat.do, spec.id, note=beat.note)
            yield Step(beat.at_s + max(beat.for_s, beat.wall_s * speed), "restore", spec.id)
        elif beat.do == "stop":
            yield Step(beat.at_s, "stop", spec.id, note=beat.note)
            yield Step(beat.at_s + beat.for_s, "release", spec.id)
        else:
            yield Step(beat.at_s, beat.do, spec.id, note=beat.clock or beat.note, pct=beat.pct)


def _able(scenario: Scenario, key: str, types: dict[str, float], roster: Roster) -> dict[str, list[DeviceSpec]]:
    able = {
        word: [spec for spec in roster.devices if word in alarm_types(spec)]
        for word, weight in types.items()
        if weight > 0
    }
    for word in [word for word, specs in able.items() if not specs]:
        del able[word]
    if not able:
        raise ScenarioError(scenario.file, key, "no device of the fleet raises any of these types")
    return able


def _chances(chance: Chance, able: dict[str, list[DeviceSpec]], rng: random.Random) -> Iterator[Step]:
    if chance.per_hour <= 0:
        return
    words = list(able)
    weights = [chance.types[word] for word in words]
    at_s = chance.from_s
    slips: list[tuple[float, Step]] = []
    for number in itertools.count(1):
        at_s += rng.expovariate(chance.per_hour / 3600.0)
        while slips and (slips[0][0] <= at_s):
            yield slips.pop(0)[1]
        if chance.until_s is not None and at_s >= chance.until_s:
            yield from (step for _, step in slips)
            return
        word = rng.choices(words, weights)[0]
        spec = rng.choice(able[word])
        tag = f"{chance.key}:{number}"
        yield Step(at_s, "press", spec.id, word, tag)
        if rng.random() < chance.cancel_share and "cancel" in alarm_types(spec):
            later = at_s + rng.uniform(4.0, 30.0)
            slips.append((later, Step(later, "cancel", spec.id, "cancel", tag)))
            slips.sort(key=lambda slip: slip[0])


def _presses(load: Load, able: dict[str, list[DeviceSpec]], rng: random.Random) -> Iterator[Step]:
    if load.presses_per_s <= 0:
        return
    words = list(able)
    weights = [load.types[word] for word in words]
    rounds = {word: itertools.cycle(rng.sample(specs, len(specs))) for word, specs in able.items()}
    for number in _counted(load, load.presses_per_s):
        word = rng.choices(words, weights)[0]
        at_s = load.from_s + number / load.presses_per_s
        yield Step(at_s, "press", next(rounds[word]).id, word, f"{load.key}:{number}")


def _measurements(load: Load, device_ids: list[str], offset: float) -> Iterator[Step]:
    if load.telemetry_per_s <= 0:
        return
    ids = itertools.cycle(device_ids)
    for number in _counted(load, load.telemetry_per_s):
        at_s = load.from_s + (number + offset) / load.telemetry_per_s
        yield Step(at_s, "measure", next(ids))


def _counted(load: Load, per_s: float) -> Iterator[int]:
    return itertools.count() if load.for_s is None else iter(range(round(load.for_s * per_s)))
