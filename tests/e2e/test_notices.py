"""Through the whole hub: a press, the plan, calls to phones that ring, a key pressed, the others left alone."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from paho.mqtt import publish

from tests.fixtures.brokers import Broker
from tests.fixtures.hub import MakeHub
from tests.notices.stand_ins import Asked, web_server
from tests.waiting import wait_until

SECRET = "a-gateway-of-its-own"


def test_whoever_presses_one_has_it_and_nobody_else_is_called(make_hub: MakeHub, embedded_broker: Broker) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST" and asked.path == "/ari/channels":
            return 200, {"id": asked.query["channelId"], "state": "Down"}
        return (204, "") if asked.method == "DELETE" else (200, {"state": "Ringing"})

    with web_server(answer) as gateway, web_server() as messages:
        hub = make_hub(
            embedded_broker,
            residents=60,
            HUB_VOICE__PROVIDER="ari",
            HUB_VOICE__URL=gateway.url,
            HUB_VOICE__USER="care",
            HUB_VOICE__PASSWORD="pass",
            HUB_VOICE__CALLBACK_SECRET=SECRET,
            HUB_SMS__PROVIDER="generic",
            HUB_SMS__URL=messages.url,
            HUB_SMS__KEY_SECRET="secret",
            HUB_NOTIFY__PUBLIC_URL="http://hub.invalid",
        )
        with hub.sign_in("supervisor") as supervisor:
            # By day those nearby are asked; the night's plan rings relatives too, who are told and asked nothing.
            night = supervisor.patch("/api/v1/response-plans/emergency_night", json={"active": False})
            assert night.status_code == 200, night.text
        device = hub.rows("SELECT id FROM devices WHERE resident_id = 'R-0001' AND family = 'care' LIMIT 1")[0]["id"]
        press = {"ref": "n1", "type": "sos", "observed_at": "2026-11-22T02:00:00Z"}
        host, port = urlsplit(hub.broker_url).hostname or "", urlsplit(hub.broker_url).port or 1883
        publish.single(f"care/v1/{device}/up/alarm", json.dumps(press), qos=1, hostname=host, port=port)

        def rung() -> list[Asked]:
            return [one for one in gateway.asked if one.method == "POST"]

        wait_until(lambda: len(rung()) >= 2, 90, what="two phones to ring")
        first = rung()[0].json["variables"]
        path = urlsplit(first["CARE_URL"]).path
        heard = httpx.post(
            hub.base_url + path,
            data={"event": "key", "key": "1"},
            headers={"Authorization": f"Bearer {SECRET}"},
        )
        assert heard.text.startswith("accept|"), heard.text
        incident = hub.rows("SELECT id, state FROM incidents")[0]
        assert incident["state"] == "in_progress"
        # The others ring no more, and nothing that asks anybody leaves from now on.
        asked_so_far = len(rung())
        wait_until(lambda: any(one.method == "DELETE" for one in gateway.asked), 60, what="the others to be hung up")
        wait_until(
            lambda: not hub.rows("SELECT 1 FROM notices WHERE state = 'waiting' AND until <> 'sent'"), 60, what="quiet"
        )
        assert len(rung()) == asked_so_far
        states = {row["state"] for row in hub.rows("SELECT state FROM assignments WHERE incident_id IS NOT NULL")}
        assert states == {"accepted", "stood_down"}
        kinds = hub.rows(
            "SELECT body->>'result' AS result FROM timeline WHERE kind = 'notified' AND subject_id = %s",
            str(incident["id"]),
        )
        assert "sent" in {row["result"] for row in kinds}
        assert SECRET not in hub.log
        assert path.rpartition("/")[2] not in hub.log
