"""A gateway's list of sensors: rows to adopt, models and polarity; what somebody set stays."""

from __future__ import annotations

import json

from tests.service.conftest import World

SMOKE = {
    "friendly_name": "kitchen",
    "definition": {
        "model": "HS1SA",
        "exposes": [{"type": "binary", "property": "smoke", "value_on": "ON", "value_off": "OFF"}],
    },
}


def test_what_the_gateway_lists_is_kept_and_what_people_set_stays(world: World) -> None:
    world.services.devices.add("kitchen", "zigbee2mqtt", "R1", world.actors["fanglei"], name="厨房烟感")
    body = json.dumps([SMOKE, {**SMOKE, "friendly_name": "卧室"}, {"friendly_name": "Coordinator"}]).encode()
    assert world.services.sensors.note("zigbee2mqtt:bridge", body) == 2
    world.services.sensors.note("zigbee2mqtt:bridge", body)  # it comes again at every start of the gateway
    kitchen = world.row("SELECT name, model, upstream, adopted, resident_id, profile FROM devices WHERE id = 'kitchen'")
    assert (kitchen["name"], kitchen["model"], kitchen["upstream"]) == ("厨房烟感", "HS1SA", "zigbee2mqtt:bridge")
    assert (kitchen["adopted"], kitchen["resident_id"]) == (True, "R1")
    assert kitchen["profile"]["exposes"]["smoke"] == {"value_on": "ON", "value_off": "OFF"}
    listed = world.row("SELECT id, adopted FROM devices WHERE name = '卧室'")
    assert listed["adopted"] is False
    outcome = world.uplink("zigbee2mqtt/kitchen", b'{"smoke": "ON"}', "kitchen", family="zigbee2mqtt")
    assert outcome.alarms == 1


def test_what_is_no_list_lists_nothing(world: World) -> None:
    for body in (b"", b"\xff", b"{}", b'[1, null, {"friendly_name": 3}]'):
        assert world.services.sensors.note("zigbee2mqtt:bridge", body) == 0
