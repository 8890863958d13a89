"""The rota room: who is on duty when, where and as what. Pure: values and `now` in, values out."""

from __future__ import annotations

from hub.rota.duties import duties
from hub.rota.model import Duty, Override, OverrideKind, Shift
from hub.rota.reach import Person, Reachable, reachable

__all__ = ["Duty", "Override", "OverrideKind", "Person", "Reachable", "Shift", "duties", "reachable"]
