"""Another set of rules to play a night by: a TOML file that names what differs from the hub's own.

close_after_min = 60          # an incident nobody closes in the record is taken as closed so long after its last alarm
chatter = true
silence = true                # of devices whose record says how often they report
[thresholds]                  # defaults of everybody; a resident's own go before them
heart_rate_high = 120
[rules]
off = ["spo2_trend"]
[priorities]                  # type = priority
wandering = "critical"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub.alarms import ALARM_TYPES, PRIORITIES, Alarm, Priority
from hub.alarms.rules import RULE_IDS, RULES, Rule, check_thresholds

__all__ = ["DEFAULT_RULES", "RuleSet", "read_rule_set"]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a night is judged by. `name` is what reports call it."""

    name: str = "hub"
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    priorities: Mapping[str, Priority] = field(default_factory=dict)
    close_after_min: float = 60.0
    chatter: bool = True
    silence: bool = True

    @property
    def rules(self) -> Mapping[str, Rule]:
        return {ident: rule for ident, rule in RULES.items() if ident not in self.off}

    def weighed(self, alarm: Alarm) -> Alarm:
        """The alarm with this set's priority. A test stays a test."""
        priority = self.priorities.get(alarm.type)
        return alarm if priority is None or alarm.alarm_class == "test" else replace(alarm, priority=priority)


DEFAULT_RULES = RuleSet()


def read_rule_set(text: str, name: str) -> RuleSet:
    """The set of a TOML text. ValueError says every fault."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: {error}") from None
    faults = [
        f"{key}: there is no such setting"
        for key in body
        if key not in ("thresholds", "rules", "priorities", "close_after_min", "chatter", "silence")
    ]
    thresholds = _table(body, "thresholds", faults)
    faults += [f"thresholds.{one}" for one in check_thresholds(thresholds, RULE_IDS)]
    rules = _table(body, "rules", faults)
    faults += [f"rules.{key}: there is no such setting" for key in rules if key != "off"]
    off = rules.get("off", [])
    if not isinstance(off, list) or not all(isinstance(one, str) and one in RULE_IDS for one in off):
        faults.append(f"rules.off: a list of {', '.join(sorted(RULE_IDS))}")
        off = []
    priorities = _table(body, "priorities", faults)
    for kind, priority in priorities.items():
        if kind not in ALARM_TYPES:
            faults.append(f"priorities.{kind}: there is no such alarm type")
        elif priority not in PRIORITIES:
            faults.append(f"priorities.{kind}: one of {', '.join(PRIORITIES)}, not {priority!r}")
    after = body.get("close_after_min", 60.0)
    if isinstance(after, bool) or not isinstance(after, int | float) or not 1 <= after <= 10_080:
        faults.append("close_after_min: minutes from 1 to 10080")
    chatter = body.get("chatter", True)
    if not isinstance(chatter, bool):
        faults.append("chatter: true or false")
    silence = body.get("silence", True)
    if not isinstance(silence, bool):
        faults.append("silence: true or false")
    if faults:
        raise ValueError("; ".join(f"{name}: {fault}" for fault in faults))
    return RuleSet(name, thresholds, frozenset(off), priorities, float(after), chatter, silence)


def _table(body: Mapping[str, Any], name: str, faults: list[str]) -> dict[str, Any]:
    found = body.get(name, {})
    if isinstance(found, dict):
        return found
    faults.append(f"{name}: must be a table")
    return {}
