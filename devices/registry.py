"""Every device family the hub understands. To add one: a codec module, one line here, one captured example in its test.

A literal table: no scanning, no import side effects. See docs/howto/add-a-device.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from devices.codecs.alink import AlinkCodec
from devices.codecs.care import CareCodec
from devices.codecs.fall_radar import FallRadarCodec
from devices.codecs.gt06 import Gt06Codec
from devices.codecs.h02 import H02Codec
from devices.codecs.huawei import HuaweiCodec
from devices.codecs.iw import IwCodec
from devices.codecs.minifinder2 import Minifinder2Codec
from devices.codecs.onenet import OneNetCodec
from devices.codecs.owntracks import OwnTracksCodec
from devices.codecs.thingsboard import ThingsBoardCodec
from devices.codecs.vda5050 import Vda5050Codec
from devices.codecs.watch import WatchCodec
from devices.codecs.zigbee2mqtt import Zigbee2MqttCodec
from devices.framers import Gt06Framer, H02Framer, IwFramer, Minifinder2Framer
from devices.frames import Framer, WatchFramer
from devices.model import Codec

__all__ = ["FAMILIES", "Family", "UnknownFamilyError", "family_of"]


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `framer` cuts its TCP stream (None: messages come whole). `text`: frames and replies are readable
    text. `credential`: a device of it signs in with a secret of its own. `login`: only the first message of a
    connection says whose it is; `DeviceRef.device_id` brings that id to the codec with all that follow.
    """

    codec: Codec
    transport: Literal["mqtt", "tcp", "http"]
    framer: Callable[[], Framer] | None = None
    text: bool = True
    credential: bool = False
    login: bool = False

    @property
    def name(self) -> str:
        return self.codec.family


FAMILIES: Mapping[str, Family] = {
    "care": Family(CareCodec(), "mqtt", credential=True),
    "watch": Family(WatchCodec(), "tcp", framer=WatchFramer),
    "iw": Family(IwCodec(), "tcp", framer=IwFramer, login=True),
    "minifinder2": Family(Minifinder2Codec(), "tcp", framer=Minifinder2Framer, text=False, login=True),
    "gt06": Family(Gt06Codec(), "tcp", framer=Gt06Framer, text=False, login=True),
    "h02": Family(H02Codec(), "tcp", framer=H02Framer),
    "zigbee2mqtt": Family(Zigbee2MqttCodec(), "mqtt"),
    "owntracks": Family(OwnTracksCodec(), "mqtt"),
    "fall_radar": Family(FallRadarCodec(), "mqtt"),
    "vda5050": Family(Vda5050Codec(), "mqtt"),
    "alink": Family(AlinkCodec(), "mqtt"),
    "onenet": Family(OneNetCodec(), "mqtt"),
    "huawei": Family(HuaweiCodec(), "mqtt"),
    "thingsboard": Family(ThingsBoardCodec(), "mqtt"),
}


class UnknownFamilyError(ValueError):
    """There is no such family; the message lists those there are."""

    def __init__(self, family: str) -> None:
        super().__init__(f"unknown family {family!r}; known: {' '.join(FAMILIES)}")
        self.family = family


def family_of(name: str) -> Family:
    """The family called `name`, or UnknownFamilyError."""
    found = FAMILIES.get(name)
    if found is None:
        raise UnknownFamilyError(name)
    return found
