"""When is a power cut over, and who is still without? Pure: what its devices have said, a verdict with its reasons.

- Over is what the devices say themselves: on the charger or the mains again, or a cancel of their alarm. Hearing a
  device proves nothing, it may live on its battery.
- Half of those that ever told what they live on must say so, three at least where there are so many: one lamp that
  was moved to another room ends no power cut.
- Then the others have ten minutes. Whoever can tell and does not has a fault of its own (a fuse, a plug); whoever
  cannot tell is taken for back once it was heard after the others said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.alarms.model import Reason

__all__ = ["SETTLES", "CutDevice", "PowerVerdict", "judge_power"]

SETTLES: Final = timedelta(minutes=10)
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class CutDevice:
    """A device of a power cut. `tells`: it has ever said what it lives on. `back_at`: since when it says that power is
    back. `heard_at`: its last sign of life.
    """

    device_id: str
    tells: bool
    back_at: datetime | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PowerVerdict:
    """`out`: power is away. `settling`: it is back for most, the others may still say so. `over`: it has ended;
    `heard` are taken for back, `faults` are without power while their neighbours have it.
    """

    kind: Literal["out", "settling", "over"]
    back: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    since: datetime | None = None
    reasons: tuple[Reason, ...] = ()


def judge_power(devices: Sequence[CutDevice], *, now: datetime) -> PowerVerdict:
    """Is it over? Nobody of a cut of no devices can say so: it stands."""
    said = sorted(one.back_at for one in devices if one.back_at is not None)
    back = tuple(one.device_id for one in devices if one.back_at is not None)
    tellers = sum(1 for one in devices if one.tells or one.back_at is not None)
    needed = max(-(-tellers // 2), min(_FEWEST, tellers))
    if not said or len(said) < needed:
        return PowerVerdict("out", back)
    since = said[needed - 1]
    rest = [one for one in devices if one.back_at is None]
    heard = tuple(one.device_id for one in rest if not one.tells and one.heard_at is not None and one.heard_at > since)
    left = tuple(one.device_id for one in rest if one.device_id not in heard)
    if left and now < since + SETTLES:
        return PowerVerdict("settling", back, heard, left, since)
    text = f"{len(back)} of {len(devices)} devices say that power is back"
    if heard:
        text += f", {len(heard)} that cannot tell are heard again"
    reasons = [Reason("power_back", text, {"back": len(back), "heard": len(heard), "devices": len(devices)})]
    if left:
        still = f"{len(left)} are still without while their neighbours have it"
        reasons.append(Reason("power_fault", still, {"faults": len(left)}))
    return PowerVerdict("over", back, heard, left, since, tuple(reasons))
