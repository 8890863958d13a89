"""Draws docs/incident-states.md from the transition table: `python -m hub.alarms.diagram > docs/incident-states.md`."""

from __future__ import annotations

import sys

from hub.alarms.actions import ACTION_NAMES
from hub.alarms.lifecycle import RAISED, TABLE
from hub.alarms.model import LIVE_STATES, STATES, IncidentState

__all__ = ["document", "mermaid"]

_ZH: dict[IncidentState, str] = {
    "open": "待受理",
    "acknowledged": "已受理",
    "in_progress": "处置中",
    "resolved": "待督查",
    "closed": "已办结",
}


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def mermaid() -> str:
    """The state diagram. Actions that leave the state as it is are in the table below it, not in the picture."""
    arrows: dict[tuple[str, str], list[str]] = {("[*]", RAISED.next_state): [f"alarm ({RAISED.tell})"]}
    for action in ACTION_NAMES:
        for state in STATES:
            step = TABLE.get((state, action))
            if step is not None and step.next_state != state:
                word = _spoken(action) + (f" ({step.tell})" if step.tell else "")
                arrows.setdefault((state, step.next_state), []).append(word)
    arrows["closed", "[*]"] = []
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_ZH[state]} {_spoken(state)}" as {state}' for state in STATES]
    for (start, end), words in arrows.items():
        lines.append(f"    {start} --> {end}" + (f": {', '.join(words)}" if words else ""))
    return "\n".join(lines)


def _cell(state: IncidentState, action: str) -> str:
    step = next((step for (one, name), step in TABLE.items() if one == state and name == action), None)
    if step is None:
        return "-"
    word = "same" if step.next_state == state else f"**{_spoken(step.next_state)}**"
    return word + (f", {step.tell}" if step.tell else "")


def document() -> str:
    """The whole page."""
    live = ", ".join(_spoken(state) for state in STATES if state in LIVE_STATES)
    rows = [
        f"| {_spoken(action)} | " + " | ".join(_cell(state, action) for state in STATES) + " |"
        for action in ACTION_NAMES
    ]
    return "\n".join(
        [
            "# Incident states",
            "",
            "Drawn from the transition table in `hub/alarms/lifecycle.py`, which also says why its lines are",
            "as they are. Do not edit: `python -m hub.alarms.diagram > docs/incident-states.md`.",
            "",
            f"Live: {live}. In brackets and after a comma: what the device is told.",
            "",
            "```mermaid",
            mermaid(),
            "```",
            "",
            "Each cell is the state that follows; `-` is refused (409) and changes nothing.",
            "",
            "| action | " + " | ".join(_spoken(state) for state in STATES) + " |",
            "|---" * (len(STATES) + 1) + "|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(document())
