"""Makers' MQTT topics: what the hub subscribes of a family below a prefix, and which device a topic names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from devices.codecs.json_body import device_name
from devices.fields import clean_text

__all__ = ["DEFAULT_TOPICS", "TOPIC_FAMILIES", "filters_of", "topic_device"]

DEFAULT_TOPICS: Mapping[str, str] = {"zigbee2mqtt": "zigbee2mqtt", "owntracks": "owntracks", "uagv": "vda5050"}
"""Prefix to family where the settings say nothing."""

_VDA_CHANNELS = ("connection", "state", "visualization", "factsheet")
_Levels = Sequence[str]


def _zigbee(levels: _Levels, prefix: str) -> str | None:
    # Friendly names have slashes, and some gateways add the property's name: the codec knows them apart.
    return device_name(prefix, "bridge") if levels[0] == "bridge" else None


def _owntracks(levels: _Levels, _prefix: str) -> str | None:
    return device_name(levels[0], levels[1]) if len(levels) >= 2 else None


def _vda5050(levels: _Levels, _prefix: str) -> str | None:
    # {version}/{maker}/{serial}/{channel}, whatever stands before
    return device_name(levels[-3], levels[-2]) if len(levels) >= 4 else None


def _product_device(levels: _Levels, _prefix: str) -> str | None:
    return device_name(clean_text(levels[1], 200)) if len(levels) >= 3 else None


def _first_level(levels: _Levels, _prefix: str) -> str | None:
    return device_name(levels[0]) if len(levels) >= 2 else None


def _nobody(_levels: _Levels, _prefix: str) -> str | None:
    return None


TOPIC_FAMILIES: Mapping[str, Callable[[_Levels, str], str | None]] = {
    "zigbee2mqtt": _zigbee,
    "owntracks": _owntracks,
    "vda5050": _vda5050,
    "alink": _product_device,  # /sys/{product}/{device}/thing/…
    "onenet": _product_device,  # $sys/{product}/{device}/thing/…
    "huawei": _first_level,  # $oc/devices/{id}/…
    "thingsboard": _nobody,  # v1/gateway/…: each device is named in the body
    "fall_radar": _nobody,  # its dialects have topics of their own
}
"""Families that come by MQTT, each with what reads a device's id from the levels below the prefix; None: the codec."""


def filters_of(family: str, prefix: str) -> list[str]:
    """The subscriptions for a family's topics below `prefix`. ValueError: the family has none, or not a prefix."""
    if family not in TOPIC_FAMILIES:
        raise ValueError(f"family {family!r} does not come by MQTT topics; these do: {', '.join(TOPIC_FAMILIES)}")
    if not prefix or "#" in prefix or "+" in prefix or prefix.endswith("/") or prefix.startswith("$share"):
        raise ValueError(f"{prefix!r} is no topic prefix: the first levels, without #, + and a slash at the end")
    if prefix == "care" or prefix.startswith("care/"):
        raise ValueError("care/ is the hub's own wire and has lanes of its own")
    if family == "vda5050":
        return [f"{prefix}/+/+/+/{channel}" for channel in _VDA_CHANNELS]
    return [f"{prefix}/#"]


def topic_device(family: str, prefix: str, topic: str) -> str | None:
    """The device a topic names; None where only the message can tell."""
    levels = topic[len(prefix) + 1 :].split("/")
    read = TOPIC_FAMILIES.get(family)
    return read(levels, prefix) if read is not None and all(levels[:1]) else None
