"""What the deeds of a story stand on: people's seats, telephones, whose matter is which, and whose turn it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from simulators.acts import Act
from simulators.pace import Pace
from simulators.seats import NotHereError, NotYetError, RefusedError, Seats
from simulators.telephone import Telephones

__all__ = ["PLAYS", "Play", "Stage"]

Play = Literal["auto", "all", "devices"]
PLAYS: Final[tuple[Play, ...]] = get_args(Play)
"""`all`: everything plays by itself. `devices`: the desk is left to people. `auto`: the desk is played while nobody
sits there; a visitor is waited for, and an incident that a visitor has claimed is the visitor's to the end."""

_PATIENCE_S: Final = 20.0
_SEATS_LOOKED_AT_S: Final = 2.0
_SIDE_CLASSES: Final = ("technical", "test")


@dataclass(slots=True)
class Stage:
    """One story under way. `residents`: names to ids. `colleagues`: user names at the desk that are no visitors."""

    seats: Seats
    pace: Pace
    residents: Mapping[str, str]
    play: Play = "auto"
    colleagues: frozenset[str] = frozenset()
    phones: Telephones | None = None
    beat: Callable[[str], None] = lambda _label: None
    """Lets a labelled beat of the devices happen now."""
    told: Callable[[str], bool] = lambda _label: True
    """Whether the hub has answered every press of a labelled beat."""
    found: dict[str, str] = field(default_factory=dict)
    """Resident id to the incident of this story."""
    claimed: dict[str, str] = field(default_factory=dict)
    """Incidents that the story itself claimed, to the one who did."""
    counts: dict[str, int] = field(default_factory=dict)
    """By act: how much of it has been done."""
    rounds: dict[str, int] = field(default_factory=dict)
    """By act of a round: how many stops are left when it is done."""
    _asked_at: dict[str, float] = field(default_factory=dict)
    _visitors: tuple[float, bool] = (-1e9, False)

    def counted(self, act: Act) -> int:
        """How much of the act has been done."""
        return self.counts.get(act.key, 0)

    def count(self, act: Act) -> None:
        """A piece more of the act is done."""
        self.counts[act.key] = self.counted(act) + 1

    def resident_id(self, act: Act) -> str:
        """Of the act's resident."""
        assert act.resident is not None
        return self.residents.get(act.resident, act.resident)

    def waited_s(self, act: Act) -> float:
        """Wall seconds since this was first asked of the act."""
        return time.monotonic() - self._asked_at.setdefault(act.key, time.monotonic())

    async def incident(self, act: Act) -> dict[str, Any]:
        """The resident's incident as it is now; the one this story met first, whatever became of it."""
        assert act.who is not None
        resident_id = self.resident_id(act)
        if resident_id not in self.found:
            items = (await self.seats.get(act.who, "/incidents", state="live", resident=resident_id))["items"]
            items = [item for item in items if item["class"] not in _SIDE_CLASSES]
            if not items:
                raise NotYetError(f"nothing is open for {act.resident}")
            self.found[resident_id] = max(items, key=lambda item: str(item["last_alarm_at"]))["id"]
        found: dict[str, Any] = await self.seats.get(act.who, f"/incidents/{self.found[resident_id]}")
        return found

    async def turn(self, act: Act, incident: Mapping[str, Any] | None = None) -> None:
        """Whether the simulated desk may act now. NotYetError while it is a visitor's turn."""
        if self.play == "all":
            return
        if self.play == "devices":
            raise NotYetError("the desk is left to people")
        holder = (incident or {}).get("acknowledged_by")
        if incident is not None and holder is not None and incident["id"] not in self.claimed:
            raise NotYetError(f"{holder.get('name')} has it")
        if await self._visited(act) and self.waited_s(act) < _PATIENCE_S:
            raise NotYetError("somebody sits at the desk")

    async def write(self, act: Act, path: str, body: Mapping[str, Any]) -> Any:
        """A POST of the act's person."""
        assert act.who is not None
        return await self.seats.post(act.who, path, body)

    async def needs(self, act: Act, path: str) -> None:
        """NotHereError where this hub's API has no such path."""
        assert act.who is not None
        if not await self.seats.has(act.who, path):
            raise NotHereError(f"this hub has no {path}")

    async def touch(self) -> None:
        """The story's operators are still at what they claimed: a claim that nobody touches goes back to the queue."""
        for incident_id, who in list(self.claimed.items()):
            try:
                await self.seats.post(who, f"/incidents/{incident_id}/touch", {})
            except RefusedError:
                del self.claimed[incident_id]  # closed, or somebody else's by now
            except NotYetError:
                return

    async def _visited(self, act: Act) -> bool:
        assert act.who is not None
        looked_at, visited = self._visitors
        if time.monotonic() - looked_at >= _SEATS_LOOKED_AT_S:
            seats = (await self.seats.get(act.who, "/load"))["seats"]
            own = {self.seats.spec(one).name for one in self.colleagues}
            visited = any(seat["user"]["name"] not in own for seat in seats)
            self._visitors = (time.monotonic(), visited)
        return visited
