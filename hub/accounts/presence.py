"""Where a resident was when a service was given: from the changes of status on the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.accounts.model import Why

__all__ = ["StatusChange", "gone_at", "status_at"]

_GONE: Final = {
    "hospital": ("admitted", "入院", "after admission to hospital"),
    "deceased": ("deceased", "去世", "after death"),
    "moved": ("moved", "迁出", "after moving away"),
}


@dataclass(frozen=True, slots=True)
class StatusChange:
    """From then on the resident was `to`; `before` is what stood there until then."""

    at: datetime
    before: str
    to: str


def status_at(at: datetime, changes: Iterable[StatusChange], now_status: str, since: datetime | None) -> str:
    """The status at that moment. Without a change on record: the present one, from `since` on (None: ever)."""
    ordered: Sequence[StatusChange] = sorted(changes, key=lambda one: one.at)
    if not ordered:
        return now_status if since is None or since <= at else "home"
    status = ordered[0].before
    for one in ordered:
        if one.at > at:
            break
        status = one.to
    return status


def gone_at(at: datetime, changes: Iterable[StatusChange], now_status: str, since: datetime | None) -> Why | None:
    """Why nothing can have been given to the resident then; None where the resident was there, or merely away."""
    status = status_at(at, changes, now_status, since)
    if status not in _GONE:
        return None
    code, zh, en = _GONE[status]
    return Why(code, f"{zh}后的服务", f"given {en}", {"status": status, "at": at.isoformat()})
