"""The dispatch room: who can do what, who should go, and the life of an assignment. Pure; knows nothing of alarms."""

from __future__ import annotations

from dispatch.assign import propose
from dispatch.catalogue import RESPONSE_SKILLS, SERVICE_KINDS, SKILLS, ServiceKind, Skill, response_skills
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
from dispatch.travel import DEFAULT_PACE, HaversineTravel, Pace, Travel, Way, haversine_m

__all__ = [
    "ASSIGNMENT_STATES",
    "DEFAULT_PACE",
    "EVERYDAY",
    "LIVE_ASSIGNMENT_STATES",
    "MAY",
    "RESPONSE_SKILLS",
    "RULES",
    "SERVICE_KINDS",
    "SKILLS",
    "STEPS",
    "URGENT",
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
    "Request",
    "Responder",
    "Rule",
    "ServiceKind",
    "Skill",
    "Travel",
    "VisitState",
    "Way",
    "Weighted",
    "advance",
    "haversine_m",
    "judge",
    "may_step",
    "propose",
    "response_skills",
    "visit_state",
]
