"""The dispatch room: who can do what, who should go, and the life of an assignment. Pure; knows nothing of alarms."""

from __future__ import annotations

from dispatch.assign import propose
from dispatch.catalogue import RESPONSE_SKILLS, SERVICE_KINDS, SKILLS, ServiceKind, Skill, response_skills
from dispatch.coverage import TARGET_S, TOLERANCE_S, Spared, spare
from dispatch.eligibility import RULES, Check, Rule, judge
from dispatch.lifecycle import MAY, STEPS, By, IllegalAssignmentStep, VisitState, advance, may_step, visit_state
from dispatch.model import (
    ASSIGNMENT_STATES,
    LIVE_ASSIGNMENT_STATES,
    AssignmentState,
    Candidate,
    Mode,
    Place,
    Reason,
    Request,
    Responder,
)
from dispatch.ranking import EVERYDAY, URGENT, Criterion, Measure, Weighted
from dispatch.recommend import Recommendation, recommend
from dispatch.travel import DEFAULT_PACE, ESTIMATE, WHY_ESTIMATED, HaversineTravel, Pace, Travel, Way, haversine_m

__all__ = [
    "ASSIGNMENT_STATES",
    "DEFAULT_PACE",
    "ESTIMATE",
    "EVERYDAY",
    "LIVE_ASSIGNMENT_STATES",
    "MAY",
    "RESPONSE_SKILLS",
    "RULES",
    "SERVICE_KINDS",
    "SKILLS",
    "STEPS",
    "TARGET_S",
    "TOLERANCE_S",
    "URGENT",
    "WHY_ESTIMATED",
    "AssignmentState",
    "By",
    "Candidate",
    "Check",
    "Criterion",
    "HaversineTravel",
    "IllegalAssignmentStep",
    "Measure",
    "Mode",
    "Pace",
    "Place",
    "Reason",
    "Recommendation",
    "Request",
    "Responder",
    "Rule",
    "ServiceKind",
    "Skill",
    "Spared",
    "Travel",
    "VisitState",
    "Way",
    "Weighted",
    "advance",
    "haversine_m",
    "judge",
    "may_step",
    "propose",
    "recommend",
    "response_skills",
    "spare",
    "visit_state",
]
