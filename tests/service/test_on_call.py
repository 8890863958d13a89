"""Who of a role is called now: by the rota, up the area tree, and what is said where nobody is on shift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from hub.clock import new_id
from hub.errors import NotFoundError
from hub.rota import Reachable
from hub.service.oncall import on_call
from tests.service.conftest import START, World

HOUR = timedelta(hours=1)


def _place(world: World) -> None:
    with world.database.begin() as tx:
        tx.reference.upsert(
            "areas",
            [
                {"id": "D", "kind": "district", "name": "区"},
                {"id": "C", "kind": "community", "name": "社区", "parent_id": "D"},
                {"id": "X1", "kind": "grid", "name": "一网格", "parent_id": "C"},
                {"id": "X2", "kind": "grid", "name": "二网格", "parent_id": "C"},
            ],
        )
        tx.reference.upsert(
            "responders",
            [
                {"id": "P1", "name": "甲", "kind": "warden", "phone": "1", "area_ids": ["X1"]},
                {"id": "P2", "name": "乙", "kind": "warden", "phone": "2", "area_ids": ["C"], "on_duty": True},
                {"id": "P3", "name": "丙", "kind": "warden", "phone": "3", "area_ids": ["X2"]},
                {"id": "P4", "name": "丁", "kind": "driver", "phone": "4", "area_ids": []},
            ],
        )


def _shift(world: World, who: str, start: datetime, hours: float, **more: object) -> str:
    row = {"id": new_id(), "responder_id": who, "starts_at": start, "ends_at": start + hours * HOUR, **more}
    with world.database.begin() as tx:
        return str(tx.reference.insert("shifts", row)["id"])


def _called(world: World, role: str, area: str | None, at: datetime = START) -> list[Reachable]:
    with world.database.begin() as tx:
        return on_call(tx, role, area, at)


def _codes(found: Sequence[Reachable]) -> list[list[str]]:
    return [[reason.code for reason in one.reasons] for one in found]


def test_the_nearest_area_on_shift_comes_first_and_those_off_shift_are_left_in_peace(world: World) -> None:
    _place(world)
    _shift(world, "P2", START - HOUR, 8)
    _shift(world, "P1", START - HOUR, 2)
    _shift(world, "P3", START - HOUR, 8)
    found = _called(world, "warden", "X1")
    assert [(one.responder_id, one.phone, one.area_id) for one in found] == [("P1", "1", "X1"), ("P2", "2", "C")]
    assert _codes(found) == [["on_shift", "area_own"], ["on_shift", "area_above"]]
    assert found[0].until == START + HOUR
    assert [one.responder_id for one in _called(world, "warden", "X1", START + HOUR)] == ["P2"]  # P1's shift is over


def test_a_shift_may_give_another_role_and_another_area(world: World) -> None:
    _place(world)
    _shift(world, "P4", START, 8, role="warden", area_id="X1")
    assert [(one.responder_id, one.role, one.kind) for one in _called(world, "warden", "X1")] == [
        ("P4", "warden", "driver")
    ]
    assert _codes(_called(world, "warden", "X2")) == [
        ["nobody_on_shift", "signed_on", "area_above"],
        ["nobody_on_shift", "area_own"],
    ]


def test_nobody_on_shift_calls_whoever_has_the_role_and_says_so(world: World) -> None:
    _place(world)
    found = _called(world, "warden", "X1")
    assert [(one.responder_id, one.on_shift) for one in found] == [("P2", False), ("P1", False)]
    assert found[0].reasons[0].code == "nobody_on_shift"
    assert _called(world, "pilot", "X1") == []
    assert {one.responder_id for one in _called(world, "warden", None)} == {"P1", "P2", "P3"}
    with pytest.raises(NotFoundError):
        _called(world, "warden", "nowhere")


def test_somebody_who_left_is_not_called(world: World) -> None:
    _place(world)
    _shift(world, "P1", START - HOUR, 8)
    with world.database.begin() as tx:
        tx.reference.patch("responders", "P1", {"active": False}, version=None)
    assert [one.responder_id for one in _called(world, "warden", "X1")] == ["P2"]


def test_on_duty_is_who_signed_on_or_is_on_shift_and_not_who_is_absent(world: World) -> None:
    _place(world)
    shift_id = _shift(world, "P1", START - HOUR, 8)
    _shift(world, "P3", START + HOUR, 8)  # later today

    def on_duty(at: datetime = START) -> set[str]:
        with world.database.begin() as tx:
            return {one.id for one in tx.responders.on_duty([], at) if one.id.startswith("P")}

    def override(kind: str, out: str | None, there: str | None, **more: object) -> None:
        fields = {"kind": kind, "starts_at": START, "ends_at": START + HOUR, "reason": "病假", **more}
        people = {name: who for name, who in (("responder_id", out), ("substitute_id", there)) if who}
        world.services.rota.override({**fields, **people}, world.actors["fanglei"])

    assert on_duty() == {"P1", "P2"}  # P2 signed on
    assert on_duty(START + HOUR) == {"P1", "P2", "P3"}
    override("absent", "P2", None)
    assert on_duty() == {"P1"}
    override("instead", "P1", "P4", shift_id=shift_id)
    assert on_duty() == {"P4"}
    assert [one.responder_id for one in _called(world, "warden", "X1")] == ["P4"]
    assert on_duty(START + HOUR) == {"P1", "P2", "P3"}
