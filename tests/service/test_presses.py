"""Presses that come together, late, or from places instead of people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices import Uplink
from hub.errors import NotFoundError
from hub.ports import Incoming
from tests.service.conftest import World


def _body(world: World, ref: str, alarm_type: str, **more: Any) -> dict[str, Any]:
    return {"ref": ref, "type": alarm_type, "observed_at": world.now.isoformat(), **more}


@pytest.mark.parametrize("one_uplink", [True, False], ids=["one uplink", "one batch"])
def test_a_cancel_that_comes_with_its_press_is_shown(world: World, one_uplink: bool) -> None:
    """A device that was offline, or a hub that was away: press and cancel are taken in the same transaction."""
    bodies = [_body(world, "c1", "sos"), _body(world, "c2", "cancel", cancels="c1")]
    payloads = [json.dumps(bodies)] if one_uplink else [json.dumps(body) for body in bodies]
    topic = "care/v1/W1/up/alarm"
    taken = world.services.ingest.alarms(
        [
            Incoming(Uplink(payload=one.encode(), received_at=world.now, topic=topic), "W1", "care", "alarm")
            for one in payloads
        ]
    )
    assert sum(outcome.alarms for outcome in taken) == 2
    incident = world.row("SELECT id, state, alarm_count FROM incidents")
    assert (incident["state"], incident["alarm_count"]) == ("open", 1)
    assert world.kinds(incident["id"])[:2] == ["raised", "cancel_seen"]
    joined = world.rows("SELECT incident_id FROM alarms")
    assert [row["incident_id"] for row in joined] == [incident["id"]] * 2


def test_an_alarm_from_an_area_is_seen_and_answered_there(world: World) -> None:
    """Nobody knows who it is; where it is decides who looks and who goes."""
    with world.database.begin() as tx:
        tx.reference.upsert("areas", [{"id": "D", "kind": "community", "name": "别处"}])
        tx.reference.patch("responders", "S1", {"area_ids": ["D"]}, version=None)
    fields = {"type": "fall", "area_id": "G3", "note": "在活动室门口"}
    _alarm, incident_id = world.services.intake.raise_from_person(fields, world.actors["zhoumin"])
    assert incident_id is not None
    assert world.row("SELECT area_id, area_path FROM incidents") == {"area_id": "G3", "area_path": ["C", "G3"]}
    candidates = world.services.recommending.of_incident(incident_id).candidates
    assert [one.responder_id for one in candidates if one.eligible] == ["S2"]


def test_an_area_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(NotFoundError) as refused:
        world.services.intake.raise_from_person({"type": "fall", "area_id": "G99"}, world.actors["zhoumin"])
    assert refused.value.extra["field"] == "area_id"
    assert world.rows("SELECT * FROM incidents") == []


def test_somebody_who_falls_away_from_home_is_helped_where_that_is(world: World) -> None:
    with world.database.begin() as tx:
        hall = {"id": "D", "kind": "community", "name": "别处", "lat": 31.4, "lon": 118.5}
        tx.reference.upsert("areas", [hall])
        there = {"area_ids": ["D"], "lat": 31.4001, "lon": 118.5}
        tx.reference.patch("responders", "S2", there, version=None)
    fields = {"type": "fall", "resident_id": "R1", "area_id": "D"}
    _alarm, incident_id = world.services.intake.raise_from_person(fields, world.actors["zhoumin"])
    assert world.row("SELECT area_path, resident_id FROM incidents") == {"area_path": ["D"], "resident_id": "R1"}
    (nearest,) = (one for one in world.services.recommending.of_incident(str(incident_id)).candidates if one.eligible)
    assert nearest.responder_id == "S2"
    assert nearest.distance_m is not None
    assert nearest.distance_m < 100


def test_a_device_of_a_place_brings_its_area(world: World) -> None:
    with world.database.begin() as tx:
        tx.reference.patch("devices", "W2", {"resident_id": None, "area_id": "G3"}, version=None)
    world.press("W2", "sos")
    assert world.row("SELECT subject, area_id, area_path FROM incidents") == {
        "subject": "device:W2",
        "area_id": "G3",
        "area_path": ["C", "G3"],
    }


def test_a_watch_without_words_for_hold_is_sent_none(world: World) -> None:
    """The bracket watch got its protocol's reply; a care/v1 acknowledgement would be a message it cannot read."""
    world.press("W1", "sos")
    incident = world.row("SELECT id FROM incidents")
    world.services.handling.acknowledge(str(incident["id"]), world.actors["zhoumin"])
    content = b"AL_LTE,310120,184251,V,0.0,N,0.0,E,22.0,0,-1,0,100,11,0,0,00010000,1,1,334,020,1,2,100,0,5"
    world.uplink("", b"[3G*9900000072*%04X*%s]" % (len(content), content), "9900000072", family="watch")
    assert world.row("SELECT alarm_count FROM incidents WHERE class = 'emergency'")["alarm_count"] == 2
    assert world.told("9900000072") == []
