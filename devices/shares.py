"""One push that speaks of several devices, taken apart into one push a device.

A maker's cloud packs what its devices sent into one body; the hub files a message under one device, with that device's
profile. What cannot be taken apart stays whole. Pure and bounded like the codecs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devices.codecs.json_body import as_list, as_object, read_body

__all__ = ["shares"]

_MOST = 200


def shares(family: str, payload: bytes, topic: str = "") -> list[bytes]:
    """The bodies to decode one by one, in the order of the push; `[payload]` where there is nothing to take apart."""
    split = _SPLITS.get(family)
    if split is None or payload.lstrip()[:1] not in (b"{", b"["):
        return [payload]
    body, error = read_body(payload)
    if error is not None:
        return [payload]
    found: list[bytes] = []
    for part in split(body, topic):
        if len(found) == _MOST:
            return [payload]  # nothing is cut off: the codec says itself what was too much
        found.append(json.dumps(part, ensure_ascii=False).encode("utf-8", "replace"))
    return found if len(found) > 1 else [payload]


def _onenet(body: Any, _topic: str) -> Iterator[Any]:
    """Pushes gathered over a while: a list, or `msg` as a list (also as text)."""
    gathered = body
    if isinstance(body, dict):
        gathered = body.get("msg")
        if isinstance(gathered, str) and gathered.lstrip()[:1] == "[":
            gathered, _ = read_body(gathered.encode("utf-8", "replace"))
    yield from as_list(gathered, _MOST + 1)


def _huawei(body: Any, _topic: str) -> Iterator[Any]:
    """A gateway's report: `devices` in the body, or in the body of a push."""
    if isinstance(body, list):
        yield from body[: _MOST + 1]
        return
    fields = as_object(body)
    push = as_object(fields.get("notify_data"))
    inner = as_object(push.get("body")) if push else fields
    listed = as_list(inner.get("devices"), _MOST + 1)
    if inner.get("services"):
        return  # the gateway speaks of itself too: one message
    for one in map(as_object, listed):
        header = {**as_object(push.get("header")), "device_id": one.get("device_id")}
        said = {"notify_data": {"header": header, "body": one}}
        yield {**{name: value for name, value in fields.items() if name not in ("notify_data", "devices")}, **said}


def _thingsboard(body: Any, topic: str) -> Iterator[Any]:
    """A gateway's telemetry: each device under its name."""
    if "v1/gateway/" not in topic or not isinstance(body, dict):
        return
    for name, sent in list(body.items())[: _MOST + 1]:
        if not isinstance(sent, dict | list):
            return
        yield {name: sent}


def _alink(body: Any, _topic: str) -> Iterator[Any]:
    """A list of pushes."""
    if isinstance(body, list):
        yield from body[: _MOST + 1]


def _fall_radar(body: Any, _topic: str) -> Iterator[Any]:
    """Aqara's reports of resources: those of one subject together."""
    fields: Mapping[str, Any] = as_object(body)
    listed = as_list(fields.get("data"), _MOST + 1)
    subjects: dict[str, list[Any]] = {}
    for one in listed:
        subject = as_object(one).get("subjectId")
        if not isinstance(subject, str):
            return
        subjects.setdefault(subject, []).append(one)
    for reports in subjects.values():
        yield {**fields, "data": reports}


_SPLITS: Mapping[str, Callable[[Any, str], Iterator[Any]]] = {
    "onenet": _onenet,
    "huawei": _huawei,
    "thingsboard": _thingsboard,
    "alink": _alink,
    "fall_radar": _fall_radar,
}
