"""Response plans as values: who is called when others must be called, in which order, by which channel, after how long.

A plan is copied onto an incident when it opens (`Incident.plan`), so an edit never changes a running one. How a copy is
carried out is `plans_run`; which plan fits is `plans_choice`; JSON and its faults are `plans_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

__all__ = [
    "ACCESS_WAYS",
    "CHANNELS",
    "DEFAULT_PLAN",
    "DESK_ROLES",
    "PARTY_ROLES",
    "ROLE_LABELS",
    "AccessProcedure",
    "AccessWay",
    "Channel",
    "DayKind",
    "Party",
    "PartyPart",
    "PartyRole",
    "PlanClocks",
    "PlanConditions",
    "PlanTier",
    "ResponsePlan",
    "TierMode",
    "VoiceDevice",
    "VoiceStep",
]

PartyRole = Literal[
    "contact",
    "keyholder",
    "guard",
    "micro_grid_leader",
    "grid_officer",
    "station_nurse",
    "community_doctor",
    "qualified",
    "supervisor",
    "ambulance",
    "police",
    "fire",
]
PARTY_ROLES: Final[tuple[PartyRole, ...]] = get_args(PartyRole)

ROLE_LABELS: Final[dict[PartyRole, tuple[str, str]]] = {
    "contact": ("联系人", "Contact"),
    "keyholder": ("持钥匙邻居", "Neighbour with key"),
    "guard": ("物业保安", "Property guard"),
    "micro_grid_leader": ("微网格长", "Micro-grid leader"),
    "grid_officer": ("网格员", "Grid officer"),
    "station_nurse": ("驿站护士", "Station nurse"),
    "community_doctor": ("社区医生", "Community doctor"),
    "qualified": ("最近的合格人员", "Nearest qualified"),
    "supervisor": ("带班领导", "Supervisor"),
    "ambulance": ("120 急救", "Ambulance 120"),
    "police": ("110 报警", "Police 110"),
    "fire": ("119 消防", "Fire brigade 119"),
}
"""(Chinese, English) of each role."""

DESK_ROLES: Final[dict[PartyRole, str]] = {"ambulance": "120", "police": "110", "fire": "119"}
"""Roles that a person at the desk telephones, with the number: a machine does not ring the emergency services."""

Channel = Literal["voice", "sms", "push", "chat"]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

PartyPart = Literal["go", "know"]
"""`go`: asked to go, may accept. `know`: told, never asked."""

TierMode = Literal["parallel", "in_turn"]
VoiceDevice = Literal["", "speak", "call"]
DayKind = Literal["any", "workday", "weekend"]
"""`weekend` is every day off, public holidays too; `workday` the others."""

AccessWay = Literal["key", "guard", "police"]
ACCESS_WAYS: Final[tuple[AccessWay, ...]] = get_args(AccessWay)


@dataclass(frozen=True, slots=True)
class PlanConditions:
    """When a plan fits. An empty condition asks for nothing.

    `area_id`: the incident lies in this area or below it. `hours`: minutes of the local day [from, to), past midnight
    where `to` is the earlier one. `flags`: risk flags of the resident that must all be there; `lives_alone` is one.
    """

    types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    area_id: str | None = None
    hours: tuple[int, int] | None = None
    days: DayKind = "any"
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VoiceStep:
    """Step 0: somebody speaks with the resident. `seconds` from the claim until contact counts as failed, `by_type` for
    a type of alarm instead; 0: no clock runs, others are called when the desk says so.

    `device`: what the resident's own device does beside the operator where it can: `speak`, `call` (it rings the desk;
    one that cannot speaks), "" nothing. `say`: what it says; "": the hub's own words.
    """

    seconds: int = 45
    by_type: tuple[tuple[str, int], ...] = ()
    device: VoiceDevice = ""
    say: str = ""

    def seconds_for(self, alarm_type: str) -> int:
        """The seconds for a type of alarm."""
        return dict(self.by_type).get(alarm_type, self.seconds)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a tier calls. `most`: no more than so many of the role, 0: everybody."""

    role: PartyRole
    part: PartyPart = "go"
    most: int = 0


@dataclass(frozen=True, slots=True)
class PlanTier:
    """One tier: its parties are called at once (`parallel`), or `at_once` at a time in the order given (`in_turn`).

    `wait_s`: seconds until the next are called where nobody has accepted. `code` is unique in its plan.
    """

    code: str
    zh: str
    en: str
    parties: tuple[Party, ...]
    wait_s: int = 60
    mode: TierMode = "parallel"
    at_once: int = 1
    channels: tuple[Channel, ...] = ("voice", "sms", "push")


@dataclass(frozen=True, slots=True)
class AccessProcedure:
    """How to get through the door, in this order. `consent`: without the resident's consent on file, entry is only by
    the resident, a relative or the police.
    """

    ways: tuple[AccessWay, ...] = ACCESS_WAYS
    consent: bool = True
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class PlanClocks:
    """Clocks of a plan where they differ from the policy's, in seconds; None: the policy's."""

    accept_s: int | None = None
    on_scene_s: int | None = None
    welfare_s: int | None = None
    welfare_grace_s: int | None = None


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """A response plan. `version` is that of its record when it was copied.

    `at_once`: others are called when the incident opens, without waiting for a voice (smoke, gas). `priority`: what an
    incident of this plan has instead of its type's, None: its type's. `card`: the hand-over card for 120 belongs to it.
    """

    id: str
    zh: str
    en: str
    tiers: tuple[PlanTier, ...]
    conditions: PlanConditions = field(default_factory=PlanConditions)
    voice: VoiceStep = field(default_factory=VoiceStep)
    access: AccessProcedure = field(default_factory=AccessProcedure)
    clocks: PlanClocks = field(default_factory=PlanClocks)
    priority: str | None = None
    at_once: bool = False
    card: bool = True
    version: int = 1


DEFAULT_PLAN: Final = ResponsePlan(
    id="default",
    zh="默认预案",
    en="Default plan",
    tiers=(
        PlanTier(
            "qualified",
            "最近的三名合格人员",
            "The three nearest qualified",
            (Party("qualified"),),
            wait_s=60,
            mode="in_turn",
            at_once=3,
        ),
    ),
    voice=VoiceStep(seconds=0),
)
"""What goes on where no plan fits: the three nearest qualified people on duty, then the next three, while any are left.
"""
