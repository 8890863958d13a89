"""Two sets of rules on one night: what one raised and the other did not, what was weighed differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.ports import Json
from hub.replay.decided import Decided, decided_json
from hub.replay.night import Night

__all__ = ["Difference", "differences", "differing_summary"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that is not the same. One side None: only the other decided anything there. `fields`: what differs."""

    one: Decided | None
    other: Decided | None
    fields: tuple[str, ...]

    def to_json(self) -> Json:
        return {
            "fields": list(self.fields),
            "one": None if self.one is None else decided_json(self.one),
            "other": None if self.other is None else decided_json(self.other),
        }


_COMPARED = ("outcome", "priority", "rings", "realert", "plan", "press", "shelved_until")
_WHAT = frozenset({"alarm", "rule", "window_over"})


def differences(one: Night, other: Night) -> list[Difference]:
    """In the order of time. A rule's alarm is the same where the same rule raised it for the same person at another
    second, as the only one left on both sides; else it is named by its second.
    """
    left, right = _by_key(one.decided), _by_key(other.decided)
    found: list[Difference] = []
    for key in dict.fromkeys((*left, *right)):
        for place in range(max(len(left.get(key, ())), len(right.get(key, ())))):
            a, b = _at(left.get(key, ()), place), _at(right.get(key, ()), place)
            if a is None or b is None:
                found.append(Difference(a, b, ("missing",)))
                continue
            fields = tuple(name for name in _COMPARED if getattr(a, name) != getattr(b, name))
            if fields:
                found.append(Difference(a, b, fields))
    return sorted(_paired(found), key=lambda item: _time(item))


def _by_key(decided: Sequence[Decided]) -> dict[tuple[str, str, str, str], list[Decided]]:
    found: dict[tuple[str, str, str, str], list[Decided]] = {}
    for one in decided:
        if one.what in _WHAT:
            found.setdefault(one.key, []).append(one)
    return found


def _at(listed: Sequence[Decided], place: int) -> Decided | None:
    return listed[place] if place < len(listed) else None


def _time(item: Difference) -> str:
    decided = item.one or item.other
    assert decided is not None
    return decided.at.isoformat()


def _paired(found: list[Difference]) -> list[Difference]:
    """A rule that raised a little earlier or later is one difference and not two."""
    loose: dict[tuple[str | None, str | None], list[Difference]] = {}
    for item in found:
        lone = item.one or item.other
        if item.fields == ("missing",) and lone is not None and lone.what == "rule":
            loose.setdefault((lone.rule, lone.resident_id), []).append(item)
    paired = [item for item in found if not any(item in group for group in loose.values())]
    for group in loose.values():
        ones = [item.one for item in group if item.one is not None]
        others = [item.other for item in group if item.other is not None]
        both = min(len(ones), len(others))
        paired += [Difference(a, b, ("at",)) for a, b in zip(ones[:both], others[:both], strict=True)]
        paired += [Difference(a, None, ("missing",)) for a in ones[both:]]
        paired += [Difference(None, b, ("missing",)) for b in others[both:]]
    return paired


def differing_summary(one: Night, other: Night) -> Json:
    """Both nights in numbers, side by side."""
    left, right = one.tally.to_json(), other.tally.to_json()
    return {
        name: {"one": left[name], "other": right[name]}
        for name in ("incidents", "folded", "recorded_only", "rings", "by_class")
        if left[name] != right[name]
    }
