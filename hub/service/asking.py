"""Step 0 by the resident's own device: the watch or the robot speaks or rings the desk where the plan wants it.

Beside the operator, never instead: no answer of a device counts as contact. Whatever a device cannot do holds nothing
up: one that has no such command, whose profile says that it has no voice, or that said so itself is not asked, and
where no other is left the timeline says once that the operator calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from devices.dialects import commands_of
from hub.alarms import Incident
from hub.errors import HubError
from hub.ports import SYSTEM, DeviceRow, EntryRow, Transaction

__all__ = ["DEFAULT_SAYING", "UNSUPPORTED", "DeviceAsks", "Give", "no_voice"]

DEFAULT_SAYING: Final = "您好，您的求助已收到，值班员正在为您联系人。请留意电话，不要着急。"

Give = Callable[..., str]
"""`CommandDesk.give_in`: keeps a command inside the caller's transaction."""

_ONCE_IN: Final = timedelta(minutes=10)
_BELIEVED: Final = timedelta(days=30)
"""So long "unsupported" is taken for an answer to every question; then its software may be another."""
_CLASSES: Final = frozenset({"emergency", "health", "whereabouts"})
UNSUPPORTED: Final = "unsupported"
"""How a device says that it does not know a command."""
_NOT_A_DIGIT: Final = re.compile(r"[^0-9+]")


class DeviceAsks:
    """`desk`: the number a device rings; empty: it speaks instead."""

    def __init__(self, give: Give, desk: str) -> None:
        self._give = give
        self._desk = _NOT_A_DIGIT.sub("", desk)

    def __call__(self, tx: Transaction, incident: Incident, now: datetime) -> None:
        """When step 0 of the incident's plan begins, inside that transaction; once in ten minutes of an incident."""
        voice = incident.plan.voice
        if not voice.device or not incident.live or incident.alarm_class not in _CLASSES:
            return
        if tx.commands.asked(incident.id, now - _ONCE_IN):
            return
        wanted = self._wanted(voice.device, voice.say)
        near = tx.commands.devices_near(incident.id, now - _BELIEVED)
        for device, cannot in near:
            for command, fields in wanted:
                if _why_not(device, command, cannot) is None:
                    self._ask(tx, device, command, fields, incident, now)
                    return
        if near:
            why = {device.id: _why_not(device, wanted[-1][0], cannot) for device, cannot in near}
            no_voice(tx, incident.id, now, why)

    def _wanted(self, how: str, say: str) -> list[tuple[str, Mapping[str, Any]]]:
        """What is tried, in order: who cannot ring, speaks."""
        speak = ("speak", {"text": say or DEFAULT_SAYING})
        return [("call", {"number": self._desk}), speak] if how == "call" and self._desk else [speak]

    def _ask(
        self,
        tx: Transaction,
        device: DeviceRow,
        command: str,
        fields: Mapping[str, Any],
        incident: Incident,
        now: datetime,
    ) -> None:
        try:
            self._give(tx, device, command, fields, SYSTEM, now, incident_id=incident.id)
        except HubError as error:
            body = {"text": f"{device.id} cannot {command}: {error}", "values": {"device_id": device.id}}
            tx.timeline.add(
                EntryRow(at=now, subject_kind="incident", subject_id=incident.id, kind="noted", actor=SYSTEM, body=body)
            )


def _why_not(device: DeviceRow, command: str, cannot: Collection[str]) -> str | None:
    """Why a device is not asked: `no_command`, `profile`, `unsupported`; None: it may be able to."""
    if command not in commands_of(device.family):
        return "no_command"
    if device.profile.get("voice") is False:
        return "profile"
    return UNSUPPORTED if command in cannot else None


def no_voice(tx: Transaction, incident_id: str, now: datetime, why: Mapping[str, str | None]) -> None:
    """One line an incident: no device can say anything, the operator calls. `why`: device -> reason."""
    if tx.commands.voiceless_said(incident_id):
        return
    body = {"devices": dict(why)}
    tx.timeline.add(
        EntryRow(at=now, subject_kind="incident", subject_id=incident_id, kind="no_voice", actor=SYSTEM, body=body)
    )
