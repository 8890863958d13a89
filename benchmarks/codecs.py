"""Frames decoded a second, codec by codec, on one core: what a family costs before anything is stored.

The messages are of our own making, as those devices send them: an alarm and a position or heartbeat of each family. The
floor of the same run: `json.loads` of a `care/v1` body, so that figures of two machines can be compared.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from devices import FAMILIES, DeviceRef, Uplink
from devices.codecs.gt06_body import gt06_frame
from devices.codecs.minifinder2 import minifinder2_frame

__all__ = ["measure"]

NOW = datetime(2026, 11, 22, 7, 20, tzinfo=UTC)
_GT06_PLACE = bytes.fromhex("1a0b16070f04c9036c28e00cbef08005145a")  # time, satellites, place, speed, course
_CARE = b'{"ref": "a-17", "type": "sos", "observed_at": "2026-11-22T15:15:04+08:00", "battery_pct": 64}'
_WATCH = "221126,071504,A,31.901120,N,118.824570,E,1.5,90,12,9,77,41,1840,2,{status},1,0,460,0,9520,3671,158,0,25"


def _watch(word: str, status: str) -> bytes:
    content = f"{word},{_WATCH.format(status=status)}"
    return f"[3G*5550001234*{len(content):04x}*{content}]".encode()


def _pendant(*keys: tuple[int, bytes]) -> bytes:
    body = b"\x01" + b"".join(bytes((len(value) + 1, key)) + value for key, value in ((1, b"555000123456789"), *keys))
    return minifinder2_frame(body, 7, 0x10)


_SEEN = (0x24, bytes.fromhex("3c97026b00000050"))
_IW = "261122A3154.0672N11849.4742E001.5071504090.0006000907700102,460,0,9520,3671"
_H02 = "061504,A,2232.7658,N,11405.2310,E,000.00,000,221126"

_MESSAGES: dict[str, Sequence[tuple[bytes, str]]] = {
    "care": [
        (_CARE, "care/v1/w-1/up/alarm"),
        (
            b'{"observed_at": "2026-11-22T07:19:00Z", "heart_rate_bpm": 72, "spo2_pct": 97, "steps": 900}',
            "care/v1/w-1/up/vitals",
        ),
    ],
    "watch": [(_watch("AL_LTE", "00010001"), ""), (_watch("UD_LTE", "00000000"), ""), (b"[3G*5550001234*0002*LK]", "")],
    "iw": [(f"IWAP10{_IW},01,zh-cn,00#".encode(), ""), (f"IWAP01{_IW}#".encode(), ""), (b"IWAP49,68#", "")],
    "minifinder2": [
        (_pendant((2, bytes.fromhex("00100000")), _SEEN), ""),
        (_pendant((0x20, bytes.fromhex("401c03130018d34605005a000c000a00000000000a")), _SEEN), ""),
    ],
    "gt06": [
        (gt06_frame(0x26, 5, _GT06_PLACE + bytes.fromhex("0801cc002530000e574404030102")), ""),
        (gt06_frame(0x13, 6, bytes.fromhex("4404030002")), ""),
    ],
    "h02": [
        (f"*HQ,4109179024,V1,{_H02},FFFFFFFD,460,00,0,0,5#".encode(), ""),
        (f"*HQ,4109179024,V1,{_H02},FFFFFFFF,460,00,0,0,5#".encode(), ""),
    ],
    "zigbee2mqtt": [
        (b'{"action": "emergency", "battery": 90, "linkquality": 70}', "zigbee2mqtt/bedroom_button"),
        (b'{"contact": false, "battery": 88, "linkquality": 91}', "zigbee2mqtt/front_door"),
    ],
    "owntracks": [
        (
            b'{"_type": "location", "lat": 31.9, "lon": 118.8, "tst": 1795331900, "acc": 12, "batt": 80}',
            "owntracks/li/phone",
        )
    ],
    "fall_radar": [
        (b'{"type": 5, "payload": {"timestamp": 1795331900000, "status": "fall_confirmed"}}', "/devices/bath/events"),
        (b'{"status": "monitoring", "uptime": 8640, "wifi": {"rssi": -61}}', "/devices/bath/state"),
    ],
    "vda5050": [
        (
            b'{"timestamp": "2026-11-22T07:18:20Z", "batteryState": {"batteryCharge": 80}, "driving": true,'
            b' "safetyState": {"eStop": "NONE"}, "errors": [{"errorType": "blocked", "errorLevel": "FATAL"}]}',
            "uagv/v2/Carrier/R7/state",
        )
    ],
    "alink": [
        (
            b'{"id": "7", "params": {"HeartRate": {"value": 72, "time": 1795331900000}},'
            b' "method": "thing.event.property.post"}',
            "/sys/pk/band-4/thing/event/property/post",
        )
    ],
    "onenet": [
        (
            b'{"id": "8", "params": {"sos": {"value": {}, "time": 1795331900000}}}',
            "$sys/pid/band-5/thing/event/post",
        )
    ],
    "huawei": [
        (
            b'{"services": [{"service_id": "w", "event_time": "20261122T071820Z", "properties": {"xinlv": 71}}]}',
            "$oc/devices/band-6/sys/properties/report",
        )
    ],
    "thingsboard": [(b'{"ts": 1795331900000, "values": {"spo2": 96, "heartRate": 70}}', "v1/devices/me/telemetry")],
}


def measure(seconds: float = 1.0) -> dict[str, Any]:
    """Messages decoded a second for each family, `seconds` each; fails where a message gives an error or nothing."""
    found: dict[str, Any] = {"floor": {"per_second": round(_rate(lambda: json.loads(_CARE), 1, seconds))}}
    for name, family in FAMILIES.items():
        uplinks = [Uplink(payload, NOW, topic) for payload, topic in _MESSAGES[name]]
        device = DeviceRef("" if family.transport == "mqtt" else "555000123456789", name)
        events = 0
        for uplink in uplinks:
            decoded = family.codec.decode(uplink, device)
            if decoded.error is not None or not decoded.events:
                raise SystemExit(f"{name}: {uplink.payload[:60]!r}: {decoded.error or 'gave nothing'}")
            if any(event.kind == "unsupported" or event.attributes.get("faults") for event in decoded.events):
                raise SystemExit(f"{name}: {uplink.payload[:60]!r} is not a good message: {decoded.events}")
            events += len(decoded.events)

        def once(
            uplinks: list[Uplink] = uplinks, device: DeviceRef = device, decode: Any = family.codec.decode
        ) -> None:
            for uplink in uplinks:
                decode(uplink, device)

        rate = _rate(once, len(uplinks), seconds)
        found[name] = {
            "per_second": round(rate),
            "us": round(1e6 / rate, 1),
            "bytes": round(sum(len(uplink.payload) for uplink in uplinks) / len(uplinks)),
        }
    return found


def _rate(once: Callable[[], object], messages: int, seconds: float) -> float:
    """Messages a second: the best of three stretches, because other programs only ever make it slower."""
    best = 0.0
    for _ in range(3):
        count, begun = 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < seconds / 3:
            for _ in range(50):
                once()
            count += 50
        best = max(best, count * messages / spent)
    return best
