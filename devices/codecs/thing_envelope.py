"""What Alink and OneNET share: the `params` of a property, event, pack or history post, and the ends of a topic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from devices.codecs.json_body import as_list, as_object
from devices.codecs.thing_model import Thing, stamped
from devices.fields import clean_text
from devices.model import Event

__all__ = ["ThingTopic", "events_of", "identifier_of", "packed", "thing_topic"]

_TOPIC = re.compile(r"(?:^|[/ ])([^/\s]{1,128})/([^/\s]{1,128})/thing/([^\s]{1,200})")


class ThingTopic:
    """`…/{product}/{device}/thing/{path}` taken apart; all empty where the topic is not of that form."""

    __slots__ = ("device", "path", "product")

    def __init__(self, product: str, device: str, path: str) -> None:
        self.product, self.device, self.path = product, device, path


def thing_topic(topic: str) -> ThingTopic:
    """The parts of a thing-model topic, wherever in the text it begins (platforms push it without its head)."""
    found = _TOPIC.search(topic[:600])
    return ThingTopic(found[1], found[2], found[3]) if found else ThingTopic("", "", "")


def events_of(thing: Thing, sent: object, *, at: object = None, stored: bool = False) -> list[Event]:
    """The events of `{identifier: {"value", "time"}}`; one identifier may hold a list of them."""
    found: list[Event] = []
    for identifier, one in list(as_object(sent).items())[:50]:
        for item in as_list(one, 50) if isinstance(one, list) else [one]:
            value, time = stamped(item)
            found += thing.happened(identifier, value, at if time is None else time, stored=stored)
    return found


def packed(
    sent: object, named: Callable[[Mapping[str, Any]], Thing], own: Thing, *, stored: bool = False, depth: int = 2
) -> list[Event]:
    """A pack or history: `properties` and `events` of the device itself and of sub-devices, each with its identity."""
    found: list[Event] = []
    for part in map(as_object, sent[:50] if isinstance(sent, list) else [sent]):
        identity = as_object(part.get("identity"))
        thing = named(identity) if identity else own
        for name, read in (("properties", "p"), ("events", "e")):
            inner = part.get(name)
            for bag in as_list(inner, 50) if isinstance(inner, list) else [inner] if inner else []:
                if read == "p":
                    found += thing.properties(as_object(bag), stored=stored)
                else:
                    found += events_of(thing, bag, stored=stored)
        inner = part.get("subDevices")
        if inner and depth:
            found += packed(as_list(inner, 50), named, own, stored=stored, depth=depth - 1)
    return found


def identifier_of(path: str) -> str:
    """The event's identifier in `event/{identifier}/post`, or ""."""
    parts = path.split("/")
    return clean_text(parts[1], 64) if len(parts) >= 3 and parts[0] == "event" else ""
