"""Alarm rules: small pure callables with reasons, and the literal table of them. docs/alarm-rules.md explains each."""

from __future__ import annotations

from hub.alarms.rules.baseline import FEWEST_DAYS, LEARNED_DAYS, learn_rest, learn_usual
from hub.alarms.rules.daily import BED_IN, BED_OUT, DOORS, DOSES, SIGNS, WELL
from hub.alarms.rules.doorstep import nobody_answered
from hub.alarms.rules.fences import check_ring
from hub.alarms.rules.model import (
    ENTERED,
    Fence,
    Finding,
    Picture,
    Position,
    Reading,
    Rest,
    Source,
    Standing,
    Usual,
    Verdict,
    Word,
)
from hub.alarms.rules.news2 import CONSCIOUSNESS, Consciousness, Measured, News2, news2
from hub.alarms.rules.table import NEWS2_RULE, RULE_IDS, RULES, Rule, judge
from hub.alarms.rules.thresholds import SETTINGS, Setting, Thresholds, check_thresholds
from hub.alarms.rules.vitals import PLAUSIBLE, TREND_METRICS

__all__ = [
    "BED_IN",
    "BED_OUT",
    "CONSCIOUSNESS",
    "DOORS",
    "DOSES",
    "ENTERED",
    "FEWEST_DAYS",
    "LEARNED_DAYS",
    "NEWS2_RULE",
    "PLAUSIBLE",
    "RULES",
    "RULE_IDS",
    "SETTINGS",
    "SIGNS",
    "TREND_METRICS",
    "WELL",
    "Consciousness",
    "Fence",
    "Finding",
    "Measured",
    "News2",
    "Picture",
    "Position",
    "Reading",
    "Rest",
    "Rule",
    "Setting",
    "Source",
    "Standing",
    "Thresholds",
    "Usual",
    "Verdict",
    "Word",
    "check_ring",
    "check_thresholds",
    "judge",
    "learn_rest",
    "learn_usual",
    "news2",
    "nobody_answered",
]
