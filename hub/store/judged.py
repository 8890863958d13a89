"""What a batch with presses is judged by and nobody need hold: all of it in one statement.

An answer of JSON costs the server and the hub less than a statement for each question: what a statement costs at all
(parameters, its place in the pipeline, its rows) is a tenth of a millisecond, and a press waits for each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from hub.alarms.chatter import CHATTER_WITHIN
from hub.care import Resident
from hub.ports.records import DeviceRow
from hub.ports.windows import Recent
from hub.store.session import Session
from hub.store.users import SEEN_LATELY

__all__ = ["Judged", "judged_later"]


@dataclass(frozen=True, slots=True)
class _Came:
    device_id: str
    type: str
    times: list[datetime]


class Judged(NamedTuple):
    """See `hub.ports.Situation`; `stored`: of the keys asked for, those with a press of their own."""

    devices: dict[str, DeviceRow]
    stored: set[bytes]
    residents: dict[str, Resident]
    operators: int
    recent: Recent
    plans_stamp: int


def judged_later(
    session: Session,
    *,
    devices: Collection[str],
    presses: Collection[bytes],
    residents: Collection[str],
    pairs: Collection[tuple[str, str]],
    now: datetime,
) -> Callable[[], Judged]:
    """Inside `Session.together`: the answer is to be had once that has ended."""
    wanted = sorted(set(pairs))
    cursor = session.later(
        "judged_by",
        devices=list(devices),
        presses=list(presses),
        residents=list(residents),
        pair_devices=[device for device, _ in wanted],
        pair_types=[kind for _, kind in wanted],
        since=now - CHATTER_WITHIN,
        now=now,
        seen_since=now - SEEN_LATELY,
    )

    def judged() -> Judged:
        row = cursor.fetchall()[0]
        rows = msgspec.convert(row["devices"] or (), list[DeviceRow])
        people = msgspec.convert(row["residents"] or (), list[Resident])
        came = msgspec.convert(row["recent"] or (), list[_Came])
        return Judged(
            {one.id: one for one in rows},
            set(row["stored"]),
            {one.id: one for one in people},
            row["operators"],
            {(one.device_id, one.type): one.times for one in came},
            row["plans_stamp"] or 0,
        )

    return judged
