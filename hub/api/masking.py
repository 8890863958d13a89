"""What of a resident the desk sees without asking: enough to recognise, not enough to copy.

A page of names is read by whoever stands behind the chair. Numbers, illness and the way in are opened for one resident
at a time, with a reason, and the audit says by whom. An open incident carries what its operator needs unmasked.
"""

from __future__ import annotations

import re

from hub.api.deps import Caller
from hub.api.positions import masked_position
from hub.ports import Json

__all__ = ["masked_contact", "masked_number", "masked_phone", "masked_resident", "masks"]

_DESK = frozenset({"operator", "coordinator", "supervisor", "admin"})
_HIDDEN_LISTS = ("conditions", "medications")


def masks(caller: Caller) -> bool:
    """Whether this caller gets the masked view: a person at the desk's pages. Programs read what they are allowed."""
    return caller.via == "cookie" and caller.role in _DESK


def masked_phone(number: str | None) -> str | None:
    """`138****2231`; a short number keeps its last two digits."""
    if not number:
        return number
    digits = re.sub(r"\D", "", number)
    if len(digits) >= 10:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"***{digits[-2:]}" if len(digits) > 3 else number  # 120 and its like are nobody's secret


def masked_number(number: str | None) -> str | None:
    """`3402**********1226`: of a paper's number so much that two can be told apart."""
    if not number:
        return number
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}" if len(number) > 10 else f"***{number[-2:]}"


def masked_resident(view: Json) -> Json:
    """Allergies, hearing and flags stay: they are warnings. `masked` names what was taken out."""
    hidden = [name for name in _HIDDEN_LISTS if view.get(name)]
    hidden += [name for name in ("access", "notes") if view.get(name)]
    hidden += [name for name in ("phone", "id_number", "position") if view.get(name)]
    numbers = {"phone": masked_phone(view.get("phone")), "id_number": masked_number(view.get("id_number"))}
    if view.get("position"):
        view = {**view, "position": masked_position(view["position"])}
    shown = {**view, **numbers, "notes": None, "access": {}, "masked": sorted(hidden)}
    return shown | {name: [] for name in _HIDDEN_LISTS if name in view}


def masked_contact(view: Json) -> Json:
    hidden = [name for name in ("phone", "other_phones") if view.get(name)]
    others = [masked_phone(one) for one in view.get("other_phones") or ()]
    return {**view, "phone": masked_phone(view.get("phone")), "other_phones": others, "masked": hidden}
