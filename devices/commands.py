"""What the hub tells a `care/v1` device: answers to its alarms, and commands. See docs/wire/care-v1.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from devices.model import Reply
from devices.topics import down_topic

__all__ = ["ACK_STATUSES", "CARE_COMMANDS", "AckStatus", "ack_reply", "care_command", "command_payload"]

AckStatus = Literal["received", "hold", "handled", "rejected"]
ACK_STATUSES: tuple[AckStatus, ...] = ("received", "hold", "handled", "rejected")

CARE_COMMANDS: tuple[str, ...] = ("locate", "measure", "speak", "call", "set_interval", "find", "reboot")
"""The commands the wire document describes. Others may be sent: a device answers `unsupported` to an unknown one."""

_COMMAND_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_COMMAND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ENCODER = msgspec.json.Encoder()


def ack_reply(
    device_id: str, ref: str | None, status: AckStatus, reason: str | None = None, message: str | None = None
) -> Reply:
    """The `down/ack` for one alarm. `received`, `hold` and `handled` promise that the state is committed."""
    body: dict[str, str | None] = {"ref": ref, "status": status}
    if reason is not None:
        body["reason"] = reason
    if message is not None:
        body["message"] = message
    return Reply(_ENCODER.encode(body), down_topic(device_id, "ack"), after_commit=True)


def command_payload(command_id: str, command: str, params: Mapping[str, Any] | None = None) -> bytes:
    """The body of a `down/command`. ValueError: an id or command the wire does not allow, or params that hide them."""
    if not _COMMAND_ID.fullmatch(command_id):
        raise ValueError(f"command id {command_id!r}: 1-64 of A-Z a-z 0-9 _ . : -")
    if not _COMMAND.fullmatch(command):
        raise ValueError(f"command {command!r}: lower-case letters, digits and _, at most 64")
    params = params or {}
    for reserved in ("id", "command"):
        if reserved in params:
            raise ValueError(f"a parameter may not be called {reserved!r}")
    return _ENCODER.encode({"id": command_id, "command": command, **params})


def care_command(device_id: str, command_id: str, command: str, params: Mapping[str, Any] | None = None) -> Reply:
    """A command with its topic, ready to publish at QoS 1."""
    return Reply(command_payload(command_id, command, params), down_topic(device_id, "command"), after_commit=True)
