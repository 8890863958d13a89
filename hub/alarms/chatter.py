"""Chattering and flapping: the same thing said again and again. Pure: times, a reason.

The rules, each with the harm it prevents:

- The same alarm of the same device three times or more within a minute is chattering; more than two changes between
  raised and over within half an hour is flapping (ISA-18.2, EEMUA 191).
- Technical alarms and those of low priority are then put on the shelf, with this reason and an end: a loose contact
  must not fill the work list. Each press is still a row and counted; at the end of the shelf it is seen again.
- Nothing else is ever shelved by itself. Somebody who presses three times in a minute means it: it is counted and
  shown, and the incident says "chattering" beside its number.
- Only an incident that is about nothing else and that nobody holds goes on the shelf: a chattering contact must not
  take another device's fault with it. What is new takes it off again.
- A device that flaps is not closed by itself any more: each time it comes back would make the next time a new matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from hub.alarms.model import Alarm, Incident, Reason

__all__ = [
    "CHATTER_TIMES",
    "CHATTER_WITHIN",
    "FLAP_CHANGES",
    "FLAP_WITHIN",
    "QUIET_FOR",
    "chattering",
    "flapping",
    "shelf_until",
]

CHATTER_TIMES: Final = 3
CHATTER_WITHIN: Final = timedelta(minutes=1)
FLAP_CHANGES: Final = 2
FLAP_WITHIN: Final = timedelta(minutes=30)
QUIET_FOR: Final = timedelta(minutes=30)
"""How long what chatters stays on the shelf."""


def chattering(presses: Iterable[datetime], now: datetime) -> Reason | None:
    """Whether the same alarm came three times or more in the minute up to `now`. `presses`: when, with this one."""
    times = sorted(one for one in presses if one <= now and now - one <= CHATTER_WITHIN)
    if len(times) < CHATTER_TIMES:
        return None
    text = f"the same alarm {len(times)} times within a minute"
    return Reason("chattering", text, {"times": len(times), "within_s": int(CHATTER_WITHIN.total_seconds())})


def flapping(changes: Iterable[datetime], now: datetime) -> Reason | None:
    """Whether something went to and fro more than twice in the half hour up to `now`. `changes`: each coming and
    going.
    """
    times = [one for one in changes if one <= now and now - one <= FLAP_WITHIN]
    if len(times) <= FLAP_CHANGES:
        return None
    text = f"{len(times)} changes within {int(FLAP_WITHIN.total_seconds() // 60)} minutes"
    return Reason("flapping", text, {"changes": len(times), "within_s": int(FLAP_WITHIN.total_seconds())})


def shelf_until(alarm: Alarm, incident: Incident, now: datetime) -> datetime | None:
    """Until when an incident is put on the shelf because `alarm` chatters; None: it stays where it is."""
    shelvable = alarm.alarm_class == "technical" or (alarm.priority == "low" and incident.priority == "low")
    alone = set(incident.types) == {alarm.type} and incident.device_id == alarm.device_id
    if not shelvable or alarm.alarm_class == "emergency" or incident.alarm_class == "emergency" or not alone:
        return None
    if incident.state != "open" or incident.under_way or incident.on_scene or incident.shelved:
        return None
    return now + QUIET_FOR
