"""What people do in a story: scenes of acts, read from a scenario's TOML. `simulators.deeds` carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulators.tables import Table

__all__ = ["VERBS", "Act", "Scene", "read_scenes"]

VERBS: Final[dict[str, tuple[str, ...]]] = {
    "say": (),
    "beat": ("beat",),
    "claim": ("who", "resident"),
    "call": ("who", "resident", "outcome"),
    "call_tier": ("who", "resident"),
    "assign": ("who", "resident", "to"),
    "note": ("who", "resident", "note"),
    "close": ("who", "resident", "disposition", "note"),
    "status": ("who", "resident", "status"),
    "pick_up": ("to", "resident"),
    "press_key": ("to", "resident", "key"),
    "step": ("who", "resident", "step"),
    "sees_coming": ("who", "resident"),
    "silent_together": ("who", "count"),
    "may_not_supervise": ("who", "resident"),
    "supervise": ("who", "resident"),
    "meals": ("who", "resident", "count"),
    "meal": ("who", "resident", "outcome"),
    "visit": ("who", "resident", "kind", "step"),
    "gate": ("who", "resident", "note"),
    "replan": ("who", "resident", "kind"),
    "claims": ("who", "to", "count"),
}
"""What can be done, and which keys of an act it wants."""

_STEPS: Final = ("accept", "decline", "en-route", "on-scene", "complete")
_OUTCOMES: Final = ("answered", "busy", "no_answer", "failed")


@dataclass(frozen=True, slots=True)
class Act:
    """One deed of one person, not before `at_s` scenario seconds and as soon as it can be done.

    `who` and `to` are names (or user names; of `claims`, a provider), `resident` a name or id. `zh`, `en`: what the
    onlooker is told once it is done; words in braces are filled with what the deed found. `cue`: a word for whoever
    plays the captions. `beat`: the label of the devices' beat that happens now. `after`: labels of acts, of any scene,
    that come first.
    """

    key: str
    at_s: float
    do: str = "say"
    who: str | None = None
    resident: str | None = None
    to: str | None = None
    step: str | None = None
    outcome: str | None = None
    disposition: str | None = None
    status: str | None = None
    press: str | None = None
    kind: str | None = None
    count: int = 0
    note: str | None = None
    beat: str | None = None
    label: str | None = None
    after: tuple[str, ...] = ()
    zh: str | None = None
    en: str | None = None
    cue: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Acts in their order. An act that stays impossible for `within_s` wall seconds ends the scene, not the story.

    `cast`: who leaves the ordinary work alone until the scene is over, beside those who act in it.
    """

    key: str
    name: str
    acts: tuple[Act, ...]
    within_s: float = 60.0
    cast: tuple[str, ...] = ()


def read_scenes(root: Table) -> tuple[Scene, ...]:
    """The `[[scene]]` tables of a scenario. Raises ScenarioError."""
    return tuple(_scene(table) for table in root.tables("scene"))


def _scene(table: Table) -> Scene:
    scene = Scene(
        key=table.key,
        name=table.need_text("name"),
        acts=tuple(_act(one) for one in table.tables("act")),
        within_s=table.need_number("within_s", 60.0, low=1),
        cast=table.texts("cast"),
    )
    table.done()
    if not scene.acts:
        raise table.wrong("act", "is missing: a scene without acts")
    return scene


def _act(table: Table) -> Act:
    do = table.text("do", "say", one_of=tuple(VERBS)) or "say"
    wanted = VERBS[do]
    for name in wanted:
        if name not in table:
            raise table.wrong(name, f"is missing: {do} wants it")
    act = Act(
        key=table.key,
        at_s=table.need_number("at_s"),
        do=do,
        who=table.text("who"),
        resident=table.text("resident"),
        to=table.text("to"),
        step=table.text("step", one_of=_STEPS),
        outcome=table.text("outcome"),
        disposition=table.text("disposition"),
        status=table.text("status"),
        press=table.text("key"),
        kind=table.text("kind"),
        count=int(table.need_number("count", 0)),
        note=table.text("note"),
        beat=table.text("beat"),
        label=table.text("label"),
        after=table.texts("after"),
        zh=table.text("zh"),
        en=table.text("en"),
        cue=table.text("cue"),
    )
    table.done()
    if do == "call" and act.outcome not in _OUTCOMES:
        raise table.wrong("outcome", f"one of {', '.join(_OUTCOMES)} is wanted")
    if (act.zh is None) != (act.en is None):
        raise table.wrong("zh", "both zh and en are wanted, or neither")
    return act
