"""What the browser tests do again and again: sign in, press a device's button, read the queue."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
from paho.mqtt import client as mqtt
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.hub import RunningHub

__all__ = [
    "SUN_WEI",
    "choose_person",
    "live_incident",
    "open_desk",
    "open_phone",
    "press",
    "row",
    "send_to",
    "show_cards",
    "watch_of",
]

SUN_WEI = "S-SUNWEI"


def sign_in(page: Page, hub: RunningHub, role: str) -> None:
    given = hub.credentials(role)
    page.fill("input[name=username]", given["username"])
    page.fill("input[name=password]", given["password"])
    page.keyboard.press("Enter")


def open_desk(page: Page, hub: RunningHub, role: str = "operator", *, query: str = "", path: str = "") -> None:
    """The console, signed in, with its live link up."""
    page.goto(f"{hub.base_url}/{query}{path}")
    sign_in(page, hub, role)
    expect(page.locator(".link.live")).to_be_visible(timeout=15_000)


def open_phone(page: Page, hub: RunningHub, role: str = "staff", *, query: str = "") -> None:
    """The phone page, signed in and in sync."""
    page.goto(f"{hub.base_url}/m/{query}")
    sign_in(page, hub, role)
    expect(page.locator(".data-time")).to_be_visible(timeout=15_000)


def show_cards(page: Page) -> None:
    """A critical task rings over the whole screen: mutes it and shows the list."""
    page.locator(".ring-quiet").tap()
    expect(page.locator("dialog.ring")).to_have_count(0)


def choose_person(dialog: Locator, name: str, label: str = "老人") -> None:
    """Types into a form's person field and takes the first who is found."""
    dialog.get_by_role("combobox", name=label).fill(name)
    dialog.get_by_role("option").filter(has_text=name).first.click()
    expect(dialog.get_by_role("listbox", name=label)).to_be_hidden()


def watch_of(hub: RunningHub, resident_id: str) -> str:
    """A device of the resident that speaks the hub's own wire."""
    found = hub.rows(
        "SELECT id FROM devices WHERE resident_id = %s AND family = 'care' ORDER BY id LIMIT 1", resident_id
    )
    assert found, f"no care/v1 device of {resident_id}"
    return str(found[0]["id"])


def press(hub: RunningHub, device_id: str, ref: str, kind: str = "sos", *, wait: bool = True) -> None:
    """Publishes one alarm as the device; waits until the device is told `received`, unless the hub is down."""
    told = threading.Event()
    sent = threading.Event()
    subscribed = threading.Event()

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(f"care/v1/{device_id}/down/ack", qos=1)

    def on_subscribe(client: mqtt.Client, *_: Any) -> None:
        del client
        subscribed.set()

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload)
        if body.get("ref") == ref and body.get("status") == "received":
            told.set()

    def on_publish(*_: Any) -> None:
        sent.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device_id)
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.on_publish = on_publish
    client.connect("127.0.0.1", hub.broker.port)
    client.loop_start()
    try:
        assert subscribed.wait(10), "the broker did not take the subscription"
        client.publish(f"care/v1/{device_id}/up/alarm", json.dumps({"ref": ref, "type": kind}), qos=1)
        assert sent.wait(10), "the broker did not take the alarm"
        if wait:
            assert told.wait(15), f"{device_id} was never told that {ref} is received"
    finally:
        client.disconnect()
        client.loop_stop()


def live_incident(client: httpx.Client, resident_id: str) -> dict[str, Any]:
    """The resident's live incident as the API gives it."""
    items = client.get("/api/v1/incidents", params={"state": "live"}).json()["items"]
    found = [one for one in items if one["resident"] and one["resident"]["id"] == resident_id]
    assert found, f"no live incident of {resident_id}"
    one: dict[str, Any] = found[0]
    return one


def send_to(client: httpx.Client, incident_id: str, responder_id: str) -> str:
    """Assigns and gives the assignment's id."""
    answer = client.post(f"/api/v1/incidents/{incident_id}/assign", json={"responder_id": responder_id})
    assert answer.status_code == 200, answer.text
    return next(
        str(one["id"])
        for one in answer.json()["assignments"]
        if one["responder"]["id"] == responder_id and one["state"] == "offered"
    )


def row(page: Page, incident_id: str) -> Locator:
    """The queue's row of an incident."""
    return page.locator(f'.row[data-incident="{incident_id}"]')
