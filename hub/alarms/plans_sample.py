"""The response plans the hub brings along. A site edits them, adds its own, or switches them off."""

from __future__ import annotations

from typing import Final

from hub.alarms.plans import (
    AccessProcedure,
    Channel,
    Party,
    PlanClocks,
    PlanConditions,
    PlanTier,
    ResponsePlan,
    VoiceStep,
)

__all__ = ["BUILT_IN_PLANS"]

_RING: Final[tuple[Channel, ...]] = ("voice", "sms", "push")
_QUIET: Final[tuple[Channel, ...]] = ("push", "sms")

_DOOR: Final = AccessProcedure(
    zh="先按门铃；无人应答时由持钥匙人开门；无钥匙时请物业保安到场，并拨打 110 由民警见证开门，全程记录。",
    en="Ring first; without an answer whoever has a key opens; without a key the property guard comes and the police,"
    " called on 110, witness the opening. Everything is written down.",
)

_NEAR: Final = PlanTier(
    "near",
    "身边的人",
    "Those nearby",
    (Party("keyholder"), Party("guard", most=2), Party("grid_officer", most=1), Party("contact")),
    wait_s=60,
    channels=_RING,
)
_QUALIFIED: Final = PlanTier(
    "qualified",
    "最近的三名合格人员",
    "The three nearest qualified",
    (Party("qualified"),),
    wait_s=60,
    mode="in_turn",
    at_once=3,
    channels=_RING,
)
_MEDICAL: Final = PlanTier(
    "medical",
    "微网格长、护士与社区医生",
    "Micro-grid leader, nurse, community doctor",
    (Party("micro_grid_leader", most=1), Party("station_nurse", most=1), Party("community_doctor", most=1)),
    wait_s=60,
    channels=_RING,
)
_ABOVE: Final = PlanTier(
    "above",
    "带班领导与 120",
    "Supervisor and 120",
    (Party("supervisor", "know"), Party("ambulance", "know")),
    wait_s=120,
    channels=_RING,
)

BUILT_IN_PLANS: Final[tuple[ResponsePlan, ...]] = (
    ResponsePlan(
        id="emergency",
        zh="紧急呼救与跌倒",
        en="Calls for help and falls",
        conditions=PlanConditions(classes=("emergency",)),
        voice=VoiceStep(seconds=45, device="speak"),
        tiers=(_NEAR, _QUALIFIED, _MEDICAL, _ABOVE),
        access=_DOOR,
    ),
    ResponsePlan(
        id="emergency_alone",
        zh="独居老人紧急呼救",
        en="Calls for help of somebody living alone",
        conditions=PlanConditions(classes=("emergency",), flags=("lives_alone",)),
        voice=VoiceStep(seconds=30, by_type=(("fall", 20),), device="speak"),
        tiers=(_NEAR, _QUALIFIED, _MEDICAL, _ABOVE),
        access=_DOOR,
        clocks=PlanClocks(on_scene_s=900),
    ),
    ResponsePlan(
        id="fire_and_gas",
        zh="烟雾与燃气",
        en="Smoke and gas",
        conditions=PlanConditions(types=("smoke", "gas"), classes=("emergency",)),
        at_once=True,
        voice=VoiceStep(seconds=20),
        tiers=(
            PlanTier(
                "fire",
                "119 与身边的人",
                "119 and those nearby",
                (Party("fire", "know"), Party("guard"), Party("grid_officer", most=1), Party("keyholder")),
                wait_s=30,
                channels=_RING,
            ),
            _QUALIFIED,
            _ABOVE,
        ),
        access=AccessProcedure(
            zh="燃气：不按门铃，不开灯，先关总阀、开窗；烟雾：先疏散同楼层。消防到场前不强行进入。",
            en="Gas: no bell, no light; close the main valve, open the windows. Smoke: clear the floor first. Nobody"
            " forces the door before the fire brigade is there.",
            consent=False,
        ),
        clocks=PlanClocks(on_scene_s=600),
    ),
    ResponsePlan(
        id="emergency_night",
        zh="夜间紧急呼救",
        en="Calls for help at night",
        conditions=PlanConditions(types=("sos", "fall", "voice_help"), classes=("emergency",), hours=(22 * 60, 6 * 60)),
        voice=VoiceStep(seconds=45, device="speak"),
        tiers=(
            PlanTier(
                "awake",
                "夜间值守的人",
                "Those awake at night",
                (Party("guard"), Party("keyholder"), Party("contact", "know")),
                wait_s=60,
                channels=_RING,
            ),
            PlanTier(
                "officer",
                "网格员轮流",
                "Grid officers in turn",
                (Party("grid_officer"),),
                wait_s=45,
                mode="in_turn",
                channels=_RING,
            ),
            _QUALIFIED,
            _ABOVE,
        ),
        access=_DOOR,
    ),
    ResponsePlan(
        id="whereabouts",
        zh="走失",
        en="Gone astray",
        conditions=PlanConditions(classes=("whereabouts",), priorities=("critical", "high")),
        voice=VoiceStep(seconds=90, device="speak"),
        tiers=(
            PlanTier(
                "search",
                "家属与网格员",
                "Family and grid officer",
                (Party("contact"), Party("grid_officer", most=2), Party("micro_grid_leader", most=2)),
                wait_s=180,
                channels=_RING,
            ),
            _QUALIFIED,
            PlanTier(
                "police",
                "带班领导与 110",
                "Supervisor and 110",
                (Party("supervisor", "know"), Party("police", "know")),
                wait_s=600,
                channels=_RING,
            ),
        ),
        access=AccessProcedure(ways=(), consent=False),
        card=False,
    ),
    ResponsePlan(
        id="health",
        zh="健康指标异常",
        en="Vital signs out of range",
        conditions=PlanConditions(classes=("health",)),
        voice=VoiceStep(seconds=120),
        tiers=(
            PlanTier(
                "nurse",
                "驿站护士与社区医生",
                "Station nurse and community doctor",
                (Party("station_nurse", most=1), Party("community_doctor", most=1)),
                wait_s=180,
                mode="in_turn",
                channels=_QUIET,
            ),
            _QUALIFIED,
            PlanTier(
                "family",
                "家属与带班领导",
                "Family and supervisor",
                (Party("contact", "know"), Party("supervisor", "know")),
                wait_s=600,
                channels=_QUIET,
            ),
        ),
        access=_DOOR,
    ),
)
"""By id; each is a whole plan of its own, so that a site can switch one off without breaking another."""
