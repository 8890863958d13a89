"""The devices of the sample community: who has which, on which wire, behind which network."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.demo.people import FIXED_RESIDENTS

__all__ = ["DARK", "OF_ONE_STATION", "THIRD_GRID", "Devices", "device_rows"]

Row = dict[str, Any]

_WATCHES, _CORDS, _RADARS, _DETECTORS, _ROBOTS = 112, 28, 16, 10, 5
_LARGE: Final = 186
"""So many served residents have that many devices; fewer have their share of them."""
_OTHERS = 2
"""So many pendants, and so many detectors behind a Zigbee gateway, where the community is large."""

THIRD_GRID: Final = "LA-G3"
OF_ONE_STATION: Final = 41
"""So many watches of the third grid hang on one base station: what happens to it happens to all of them."""
DARK: Final = 3
"""So many watches lie in a drawer with an empty battery."""
_EVERY_S, _LIVELY_S = 300, 10

_BRACKET = ("watch", 8800000000)
_TCP_WATCHES = (
    *(_BRACKET,) * 6,
    *(("iw", 868000100000000), ("gt06", 868000200000000), ("h02", 4205500000)) * 2,
    *(_BRACKET,) * 2,
)
"""The families of the watches on TCP, in their order, with the number their ids count on from."""


@dataclass(frozen=True, slots=True)
class Devices:
    """`dark`: ids of devices that are there and never say a word."""

    rows: tuple[Row, ...]
    dark: frozenset[str]


def device_rows(served: Sequence[Row], rng: random.Random, *, lively: bool) -> Devices:
    """The devices of those served (rows of residents), the named ones first.

    `lively`: the watches behind the third grid's base station report every ten seconds instead of every five minutes,
    so that their silence is certain while somebody looks on; and some watches lie dark.
    """
    return _Dealing(served, rng, lively).deal()


class _Dealing:
    def __init__(self, served: Sequence[Row], rng: random.Random, lively: bool) -> None:
        self._by_id = {row["id"]: row for row in served}
        self._fixed = [row.id for row in FIXED_RESIDENTS]
        self._others = [row["id"] for row in served if row["id"] not in set(self._fixed)]
        self._scale = min(1.0, len(served) / _LARGE)
        self._rng = rng
        self._lively = lively
        self._rows: list[Row] = []

    def deal(self) -> Devices:
        dark = self._watches()
        for number, resident_id in enumerate(self._pick(["R-0002"], _CORDS), 1):
            if number > _CORDS - _OTHERS:
                self._add(resident_id, f"{868000300000000 + number}", "minifinder2", "cord", "一键呼叫吊坠", 3600)
            else:
                self._add(resident_id, f"P-{number:03d}", "care", "cord", "浴室拉绳", 3600)
        for number, resident_id in enumerate(self._pick(["R-0002"], _RADARS), 1):
            self._add(resident_id, f"F-{number:03d}", "care", "radar", "跌倒雷达", 120)
        for number, resident_id in enumerate(self._pick(["R-0003"], _DETECTORS), 1):
            kind, name = ("smoke", "烟感") if number % 2 else ("gas", "燃气报警器")
            family = "zigbee2mqtt" if number > _DETECTORS - _OTHERS else "care"
            self._add(resident_id, f"D-{number:03d}", family, kind, name, 3600)
        for number, resident_id in enumerate(self._pick(["R-0004"], _ROBOTS), 1):
            own = number == _ROBOTS
            device_id, family = (f"CareBots:B-{number:03d}", "vda5050") if own else (f"B-{number:03d}", "care")
            self._add(resident_id, device_id, family, "robot", "陪伴机器人", 60)
        return Devices(tuple(self._rows), dark)

    def _watches(self) -> frozenset[str]:
        """Those named, then those elsewhere (some speak their maker's own TCP protocol), then the third grid's."""
        count = round(_WATCHES * self._scale)
        fixed = self._fixed[:count]
        third = [one for one in self._others if self._grid(one) == THIRD_GRID]
        beyond = [one for one in self._others if self._grid(one) != THIRD_GRID]
        wanted = min(round(OF_ONE_STATION * self._scale), len(third), count - len(fixed))
        together = self._rng.sample(third, k=wanted)
        elsewhere = self._rng.sample(beyond, k=min(len(beyond), count - len(fixed) - wanted))
        own = dict(zip(elsewhere[::5], _TCP_WATCHES, strict=False))
        dark: list[str] = []
        for number, resident_id in enumerate([*fixed, *elsewhere, *together], 1):
            if resident_id in own:
                family, first_id = own[resident_id]
                self._add(resident_id, f"{first_id + number}", family, "watch", "智能手表 4G", _EVERY_S)
                continue
            device_id = f"W-{number:03d}"
            often = self._lively and resident_id in together
            self._add(resident_id, device_id, "care", "watch", "智能手表", _LIVELY_S if often else _EVERY_S)
            if resident_id in elsewhere:
                dark.append(device_id)
        return frozenset(dark[-DARK:]) if self._lively and self._scale == 1.0 else frozenset()

    def _grid(self, resident_id: str) -> str:
        return str(self._by_id[resident_id]["area_id"]).rsplit("-", 1)[0]

    def _pick(self, first: list[str], count: int) -> list[str]:
        count = round(count * self._scale)
        rest = [one for one in self._others if one not in first]
        return (first + self._rng.sample(rest, k=min(len(rest), max(0, count - len(first)))))[:count]

    def _add(self, resident_id: str, device_id: str, family: str, kind: str, name: str, interval_s: int) -> None:
        resident = self._by_id[resident_id]
        self._rows.append(
            {
                "id": device_id,
                "family": family,
                "name": name,
                "model": kind,
                "resident_id": resident["id"],
                "area_id": resident["area_id"],
                "profile": {"kind": kind},
                "interval_s": interval_s,
                "upstream": self._upstream(resident_id, family, kind),
            }
        )

    def _upstream(self, resident_id: str, family: str, kind: str) -> str:
        if kind != "watch":
            return "broker"
        if family != "care" or resident_id in self._fixed:
            return "联通网络"
        return f"移动网络·第{self._grid(resident_id)[-1]}网格基站"
