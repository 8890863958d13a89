"""Examples of our own making, one list a family. Every family in the registry must have some here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from devices.codecs.care import CareCodec
from devices.codecs.watch import WatchCodec
from devices.model import Decoded, DeviceRef, Uplink
from tests.devices.tracker_examples import NOW, TRACKER_EXAMPLES

__all__ = ["EXAMPLES", "NOW", "al_frame", "care", "care_bytes", "watch", "watch_text"]


def care_bytes(channel: str, payload: bytes, device_id: str = "w-1", *, retained: bool = False) -> Decoded:
    """A raw body on a channel, decoded."""
    topic = f"care/v1/{device_id}/up/{channel}"
    return CareCodec().decode(Uplink(payload, NOW, topic, retained), DeviceRef(device_id))


def care(channel: str, body: Any, device_id: str = "w-1", *, retained: bool = False) -> Decoded:
    """A JSON body on a channel, decoded."""
    return care_bytes(channel, json.dumps(body).encode(), device_id, retained=retained)


def watch(frame: bytes, profile: Mapping[str, Any] | None = None) -> Decoded:
    """A watch frame, decoded."""
    return WatchCodec().decode(Uplink(frame, NOW), DeviceRef("", "watch", profile or {}))


def watch_text(content: str, vendor: str = "3G", device_id: str = "5550001234", index: str | None = None) -> Decoded:
    """A well-formed frame around `content`, decoded."""
    middle = f"*{index}" if index else ""
    return watch(f"[{vendor}*{device_id}{middle}*{len(content):04x}*{content}]".encode())


def al_frame(status: str, word: str = "AL_LTE", valid: str = "V", battery: str = "41", tail: str = "0,0") -> str:
    """The content of a position frame of a watch in our sample community."""
    place = "31.901120,N,118.824570,E,1.5,90,12" if valid == "A" else "0.0,N,0.0,E,22.0,0,-1"
    return f"{word},221126,071504,{valid},{place},9,77,{battery},1840,2,{status},{tail}"


EXAMPLES: Mapping[str, Sequence[Uplink]] = {
    "care": [
        Uplink(
            b'{"ref": "a-17", "type": "sos", "observed_at": "2026-11-22T15:15:04+08:00", "battery_pct": 64}',
            NOW,
            "care/v1/w-1/up/alarm",
        ),
        Uplink(b'{"observed_at": "2026-11-22T07:19:00Z", "heart_rate_bpm": 72}', NOW, "care/v1/w-1/up/vitals"),
        Uplink(b'{"online": false}', NOW, "care/v1/w-1/up/status", retained=True),
    ],
    "watch": [
        Uplink(f"[3G*5550001234*0000*{al_frame('00010000')}]".encode(), NOW),
        Uplink(b"[ZJ*555000123456789*0004*000c*LK,1840,2,41]", NOW),
    ],
    "zigbee2mqtt": [
        Uplink(b'{"action": "emergency", "battery": 90, "linkquality": 70}', NOW, "zigbee2mqtt/bedroom_button"),
        Uplink(b'{"contact": false, "battery": 88}', NOW, "zigbee2mqtt/front_door"),
    ],
    "owntracks": [
        Uplink(
            b'{"_type": "transition", "event": "leave", "desc": "home", "tst": 1795331900, "lat": 31.9, "lon": 118.8}',
            NOW,
            "owntracks/li/phone/event",
        ),
        Uplink(b'{"_type": "location", "lat": 31.9, "lon": 118.8, "tst": 1795331900}', NOW, "owntracks/li/phone"),
    ],
    "fall_radar": [
        Uplink(
            b'{"type": 5, "payload": {"timestamp": 1795331900000, "status": "fall_confirmed"}}',
            NOW,
            "/devices/bath-2/events",
        ),
        Uplink(b"ON", NOW, "bath-3/binary_sensor/fall_alarm/state"),
    ],
    "vda5050": [
        Uplink(
            b'{"timestamp": "2026-11-22T07:18:20Z", "errors": [{"errorType": "blocked", "errorLevel": "FATAL"}]}',
            NOW,
            "uagv/v2/Carrier/R7/state",
        ),
        Uplink(b'{"connectionState": "CONNECTIONBROKEN"}', NOW, "uagv/v2/Carrier/R7/connection", retained=True),
    ],
    "alink": [
        Uplink(
            b'{"id": "7", "params": {"value": {"HeartRate": 96}, "time": 1795331900000},'
            b' "method": "thing.event.SosAlarm.post"}',
            NOW,
            "/sys/pk1/band-4/thing/event/SosAlarm/post",
        )
    ],
    "onenet": [
        Uplink(
            b'{"id": "8", "params": {"fall": {"value": {"level": 2}, "time": 1795331900000}}}',
            NOW,
            "$sys/pid1/band-5/thing/event/post",
        )
    ],
    "huawei": [
        Uplink(
            b'{"services": [{"service_id": "w", "event_time": "20261122T071820Z",'
            b' "properties": {"xinlv": 71, "sos": 1}}]}',
            NOW,
            "$oc/devices/band-6/sys/properties/report",
        )
    ],
    "thingsboard": [
        Uplink(b'{"ts": 1795331900000, "values": {"sos": true, "spo2": 96}}', NOW, "v1/devices/me/telemetry")
    ],
    **TRACKER_EXAMPLES,
}
