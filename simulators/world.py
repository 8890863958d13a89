"""The residents' day: sleep, meals, walks, and the vital signs and movements that go with them. Pure and seeded.

`Person.at(hour)` says what a resident does at that hour of the day; the same seed gives the same life.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulators.wire import Fix

__all__ = ["Battery", "Person", "Situation"]

METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What a resident is doing: `state` is `in_bed`, `still`, `moving` or `out`; `place` a room, or `outside`."""

    state: str
    place: str
    steps: int
    lat: float
    lon: float


class Person:
    """One resident's habits, drawn once from the seed. Hours are 0 to 24, local."""

    def __init__(self, seed: str, lat: float, lon: float) -> None:
        rng = random.Random(f"person:{seed}")
        self.lat, self.lon = lat, lon
        self.wake_h = rng.gauss(6.2, 0.6)
        self.bed_h = rng.gauss(21.3, 0.7)
        self.meals_h = (self.wake_h + rng.uniform(0.6, 1.2), rng.gauss(11.6, 0.25), rng.gauss(17.6, 0.3))
        self.nap = (rng.gauss(12.8, 0.2), rng.gauss(14.2, 0.4)) if rng.random() < 0.7 else (0.0, 0.0)
        self.walks = tuple(
            (start, start + rng.uniform(0.4, 1.1)) for start in (rng.gauss(9.0, 0.6), rng.gauss(15.8, 0.7))
        )[: rng.choice((1, 2, 2))]
        self.heart_rate = rng.gauss(70, 7)
        self.systolic = rng.gauss(136, 12)
        self.spo2 = rng.gauss(96.6, 0.9)
        self.steps_per_walk_h = rng.uniform(1200, 3200)
        self._heading = rng.uniform(0, 2 * math.pi)
        self._reach_m = rng.uniform(120, 450)

    def at(self, hour: float) -> Situation:
        """What this person does at that hour of the day."""
        state, place = self._state(hour)
        lat, lon = self.lat, self.lon
        if state == "out":
            lat, lon = self._on_walk(hour)
        return Situation(state, place, self._steps(hour), lat, lon)

    def vitals(self, hour: float, rng: random.Random) -> dict[str, float | bool]:
        """What a wrist device would measure now, with its noise (units as care/v1 names them)."""
        now = self.at(hour)
        effort = {"in_bed": -9.0, "still": 0.0, "moving": 10.0, "out": 18.0}[now.state]
        measured: dict[str, float | bool] = {
            "heart_rate_bpm": round(_clamp(self.heart_rate + effort + rng.gauss(0, 3), 45, 125)),
            "steps": now.steps,
            "wearing": True,
        }
        if rng.random() < 0.5:
            measured["spo2_pct"] = round(_clamp(self.spo2 + rng.gauss(0, 0.6), 91, 100))
        if rng.random() < 0.25:
            systolic = _clamp(self.systolic + effort * 0.5 + rng.gauss(0, 5), 100, 178)
            measured["systolic_mmhg"] = round(systolic)
            measured["diastolic_mmhg"] = round(_clamp(systolic * 0.58 + rng.gauss(0, 3), 55, 105))
        if rng.random() < 0.25:
            measured["temperature_c"] = round(_clamp(rng.gauss(36.4, 0.15), 35.6, 37.2), 1)
        return measured

    def fix(self, hour: float, rng: random.Random) -> Fix:
        """A position as a device gives it: satellites outside, Wi-Fi at home, each with its error."""
        now = self.at(hour)
        outside = now.state == "out"
        accuracy = rng.uniform(5, 15) if outside else rng.uniform(15, 45)
        error, angle = abs(rng.gauss(0, accuracy / 2)), rng.uniform(0, 2 * math.pi)
        lat, lon = _moved(now.lat, now.lon, error, angle)
        return Fix(round(lat, 6), round(lon, 6), round(accuracy, 1), "gnss" if outside else "wifi")

    def _state(self, hour: float) -> tuple[str, str]:
        if hour < self.wake_h or hour >= self.bed_h or self.nap[0] <= hour < self.nap[1]:
            return "in_bed", "bedroom"
        if any(start <= hour < end for start, end in self.walks):
            return "out", "outside"
        for meal in self.meals_h:
            if meal - 0.6 <= hour < meal:
                return "moving", "kitchen"
            if meal <= hour < meal + 0.4:
                return "still", "kitchen"
        # The rest of the day: a few minutes up and about in each half hour, a trip to the bathroom now and then.
        phase = (hour * 2 + self._heading) % 1.0
        if phase < 0.12:
            return "moving", "bathroom"
        return ("moving", "living_room") if phase < 0.35 else ("still", "living_room")

    def _steps(self, hour: float) -> int:
        awake = max(0.0, min(hour, self.bed_h) - self.wake_h)
        walked = sum(max(0.0, min(hour, end) - start) for start, end in self.walks)
        return int(awake * 90 + walked * self.steps_per_walk_h)

    def _on_walk(self, hour: float) -> tuple[float, float]:
        for start, end in self.walks:
            if start <= hour < end:
                part = (hour - start) / (end - start)
                # Out and back along one street, a little to the side on the way home.
                distance = self._reach_m * math.sin(math.pi * part)
                return _moved(self.lat, self.lon, distance, self._heading + (0.25 if part > 0.5 else 0.0))
        return self.lat, self.lon


class Battery:
    """A level that falls with scenario time and is charged when low; mains-powered things stay at 100."""

    def __init__(self, rng: random.Random, *, drain_per_h: float, charge_per_h: float = 45.0) -> None:
        self._level = rng.uniform(35.0, 100.0) if drain_per_h > 0 else 100.0
        self._drain = drain_per_h
        self._charge = charge_per_h
        self._seen_h = 0.0
        self.charging = False

    def set(self, pct: int) -> None:
        """Puts the level there, as a scenario wants it; charging begins again only when it is nearly empty."""
        self._level = float(pct)
        self.charging = False

    def pct(self, elapsed_h: float) -> int:
        """The level in per cent at that many scenario hours after the start."""
        passed = max(0.0, elapsed_h - self._seen_h)
        self._seen_h = max(self._seen_h, elapsed_h)
        if self.charging:
            self._level = min(100.0, self._level + passed * self._charge)
            self.charging = self._level < 100.0
        else:
            self._level = max(1.0, self._level - passed * self._drain)
            self.charging = self._drain > 0 and self._level < 5.0
        return round(self._level)


def _moved(lat: float, lon: float, metres: float, heading: float) -> tuple[float, float]:
    north, east = metres * math.cos(heading), metres * math.sin(heading)
    return lat + north / METRES_PER_DEGREE, lon + east / (METRES_PER_DEGREE * math.cos(math.radians(lat)))


def _clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
