"""The room's public face is exactly what its modules offer, and the module list is short enough to read."""

from __future__ import annotations

from importlib import import_module

import pytest

import dispatch
import hub.alarms

ALARMS = [
    "actions",
    "changes",
    "correlation",
    "engine",
    "escalation",
    "handling",
    "lifecycle",
    "model",
    "plans",
    "plans_calling",
    "plans_choice",
    "plans_json",
    "plans_run",
    "plans_sample",
    "policy",
    "refusals",
    "table",
]
DISPATCH = ["assign", "catalogue", "lifecycle", "model"]


def test_alarms_offers_all_that_its_modules_offer() -> None:
    offered = {name for module in ALARMS for name in import_module(f"hub.alarms.{module}").__all__}
    assert set(hub.alarms.__all__) == offered


def test_dispatch_offers_at_least_its_values_and_verbs() -> None:
    offered = {name for module in DISPATCH for name in import_module(f"dispatch.{module}").__all__}
    assert offered <= set(dispatch.__all__)


@pytest.mark.parametrize("room", [hub.alarms, dispatch], ids=lambda room: room.__name__)
def test_names_exist_once(room: object) -> None:
    names = room.__all__  # type: ignore[attr-defined]
    assert len(names) == len(set(names))
    assert all(hasattr(room, name) for name in names)
