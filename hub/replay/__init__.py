"""Playing a recorded night through the alarm rules; beside it, other rules, or the list of an old centre.

Pure: no server, no clock of its own. docs/howto/replay.md has the format.
"""

from __future__ import annotations

from hub.replay.centre import Comparison, OldRow, OurMatter, compare, matters_of, read_old_centre
from hub.replay.decided import Decided, Tally, decided_json, decided_line
from hub.replay.differing import Difference, differences, differing_summary
from hub.replay.night import Night, play
from hub.replay.recording import BadLine, Record, Recording, read_recording
from hub.replay.rule_set import DEFAULT_RULES, RuleSet, read_rule_set

__all__ = [
    "DEFAULT_RULES",
    "BadLine",
    "Comparison",
    "Decided",
    "Difference",
    "Night",
    "OldRow",
    "OurMatter",
    "Record",
    "Recording",
    "RuleSet",
    "Tally",
    "compare",
    "decided_json",
    "decided_line",
    "differences",
    "differing_summary",
    "matters_of",
    "play",
    "read_old_centre",
    "read_recording",
    "read_rule_set",
]
