"""Response plans as JSON: a record or a copy becomes a value, with every fault told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeGuard, cast, get_args

from hub.alarms.model import CLASSES, PRIORITIES
from hub.alarms.plans import (
    ACCESS_WAYS,
    CHANNELS,
    PARTY_ROLES,
    AccessProcedure,
    DayKind,
    Party,
    PartyPart,
    PlanClocks,
    PlanConditions,
    PlanTier,
    ResponsePlan,
    TierMode,
    VoiceDevice,
    VoiceStep,
)
from hub.alarms.table import ALARM_TYPES
from hub.errors import BadRequestError

__all__ = ["PLAN_FIELDS", "plan_from_json", "plan_to_json"]

PLAN_FIELDS: Final = ("zh", "en", "conditions", "voice", "tiers", "access", "clocks", "priority", "at_once", "card")
"""What of a record is the plan, beside its id and version."""

_DAY_S: Final = 86_400
_MOST_TIERS: Final = 20
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def plan_to_json(plan: ResponsePlan) -> dict[str, Any]:
    """A plan as a JSON object; `plan_from_json` gives it back equal."""
    body = asdict(plan)
    body["voice"]["by_type"] = dict(plan.voice.by_type)
    return body


def plan_from_json(body: Mapping[str, Any]) -> ResponsePlan:
    """The plan of a JSON object. BadRequestError names every fault and its place; `field` is the first one's."""
    reading = _Reading()
    plan = reading.plan(body)
    if reading.faults:
        text = "; ".join(f"{place}: {fault}" for place, fault in reading.faults)
        raise BadRequestError(f"response plan: {text}", field=reading.faults[0][0])
    return plan


class _Reading:
    """Reads on after a fault, so that all of them are told."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []

    def plan(self, body: Mapping[str, Any]) -> ResponsePlan:
        self._known(body, "", {"id", "version", *PLAN_FIELDS})
        tiers = tuple(
            self._tier(one, f"tiers[{index}]") for index, one in enumerate(self._list(body, "tiers", "", _MOST_TIERS))
        )
        if not tiers:
            self.faults.append(("tiers", "a plan that calls nobody would forget an incident; give at least one"))
        codes = [tier.code for tier in tiers]
        if len(set(codes)) < len(codes):
            self.faults.append(("tiers", "every tier needs a code of its own"))
        if tiers and not any(party.part == "go" for tier in tiers for party in tier.parties):
            self.faults.append(("tiers", "nobody is asked to go: at least one party must have part 'go'"))
        return ResponsePlan(
            id=self._words(body, "id", "", most=64),
            zh=self._words(body, "zh", ""),
            en=self._words(body, "en", ""),
            tiers=tiers,
            conditions=self._conditions(self._object(body, "conditions", "")),
            voice=self._voice(self._object(body, "voice", "")),
            access=self._access(self._object(body, "access", "")),
            clocks=self._clocks(self._object(body, "clocks", "")),
            priority=self._choice(body, "priority", "", PRIORITIES, None),
            at_once=self._flag(body, "at_once", "", default=False),
            card=self._flag(body, "card", "", default=True),
            version=self._whole(body, "version", "", 1, 2**31 - 1, default=1),
        )

    def _conditions(self, body: Mapping[str, Any]) -> PlanConditions:
        at = "conditions"
        self._known(body, at, {"types", "classes", "priorities", "area_id", "hours", "days", "flags"})
        hours = body.get("hours")
        span: tuple[int, int] | None = None
        if hours is not None:
            if _pair(hours):
                span = (hours[0], hours[1])
            else:
                self.faults.append((f"{at}.hours", "two different minutes of the day, 0 to 1439: [from, to]"))
        area = body.get("area_id")
        return PlanConditions(
            types=self._chosen(body, "types", at, ALARM_TYPES.keys()),
            classes=self._chosen(body, "classes", at, CLASSES),
            priorities=self._chosen(body, "priorities", at, PRIORITIES),
            area_id=None if area is None else self._words(body, "area_id", at, most=64),
            hours=span,
            days=cast(DayKind, self._choice(body, "days", at, get_args(DayKind), "any")),
            flags=self._chosen(body, "flags", at, None),
        )

    def _voice(self, body: Mapping[str, Any]) -> VoiceStep:
        self._known(body, "voice", {"seconds", "by_type", "device", "say"})
        by_type = self._object(body, "by_type", "voice")
        for one in by_type.keys() - ALARM_TYPES.keys():
            self.faults.append((f"voice.by_type.{one}", "there is no such type of alarm"))
        return VoiceStep(
            seconds=self._whole(body, "seconds", "voice", 0, 600, default=45),
            by_type=tuple((one, self._whole(by_type, one, "voice.by_type", 0, 600)) for one in sorted(by_type)),
            device=cast(VoiceDevice, self._choice(body, "device", "voice", get_args(VoiceDevice), "")),
            say=self._words(body, "say", "voice", most=200) if body.get("say") else "",
        )

    def _tier(self, body: Any, at: str) -> PlanTier:
        if not isinstance(body, Mapping):
            self.faults.append((at, "must be an object"))
            body = {}
        self._known(body, at, {"code", "zh", "en", "parties", "wait_s", "mode", "at_once", "channels"})
        code = self._words(body, "code", at, most=32)
        if code and not _CODE.fullmatch(code):
            self.faults.append((f"{at}.code", "small letters, digits and _ only, a letter first"))
        parties = tuple(
            self._party(one, f"{at}.parties[{index}]")
            for index, one in enumerate(self._list(body, "parties", at, len(PARTY_ROLES)))
        )
        if not parties:
            self.faults.append((f"{at}.parties", "a tier needs at least one"))
        channels = self._chosen(body, "channels", at, CHANNELS) if "channels" in body else ("voice", "sms", "push")
        if not channels:
            self.faults.append((f"{at}.channels", "give at least one: nobody is reached by none"))
        return PlanTier(
            code=code,
            zh=self._words(body, "zh", at),
            en=self._words(body, "en", at),
            parties=parties,
            wait_s=self._whole(body, "wait_s", at, 5, _DAY_S, default=60),
            mode=cast(TierMode, self._choice(body, "mode", at, get_args(TierMode), "parallel")),
            at_once=self._whole(body, "at_once", at, 1, 50, default=1),
            channels=cast(Any, channels),
        )

    def _party(self, body: Any, at: str) -> Party:
        if not isinstance(body, Mapping):
            self.faults.append((at, "must be an object"))
            body = {}
        self._known(body, at, {"role", "part", "most"})
        role = self._choice(body, "role", at, PARTY_ROLES, "")
        if role == "" and body.get("role") in (None, ""):
            self.faults.append((f"{at}.role", "is missing"))
        return Party(
            role=cast(Any, role),
            part=cast(PartyPart, self._choice(body, "part", at, get_args(PartyPart), "go")),
            most=self._whole(body, "most", at, 0, 50, default=0),
        )

    def _access(self, body: Mapping[str, Any]) -> AccessProcedure:
        self._known(body, "access", {"ways", "consent", "zh", "en"})
        ways = self._chosen(body, "ways", "access", ACCESS_WAYS) if "ways" in body else ACCESS_WAYS
        return AccessProcedure(
            ways=cast(Any, ways),
            consent=self._flag(body, "consent", "access", default=True),
            zh=self._words(body, "zh", "access", most=500, needed=False),
            en=self._words(body, "en", "access", most=500, needed=False),
        )

    def _clocks(self, body: Mapping[str, Any]) -> PlanClocks:
        names = ("accept_s", "on_scene_s", "welfare_s", "welfare_grace_s")
        self._known(body, "clocks", set(names))
        given = {
            name: self._whole(body, name, "clocks", 1, _DAY_S, default=1)
            for name in names
            if body.get(name) is not None
        }
        return PlanClocks(**given)

    # ---- parts of JSON ----------------------------------------------------------------------------------------------

    def _fault(self, at: str, name: str, text: str) -> None:
        self.faults.append((f"{at}.{name}" if at else name, text))

    def _known(self, body: Mapping[str, Any], at: str, names: Collection[str]) -> None:
        for name in body.keys() - set(names):
            self._fault(at, name, "there is no such field")

    def _object(self, body: Mapping[str, Any], name: str, at: str) -> Mapping[str, Any]:
        value = body.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._fault(at, name, "must be an object")
            return {}
        return value

    def _list(self, body: Mapping[str, Any], name: str, at: str, most: int) -> Sequence[Any]:
        value = body.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self._fault(at, name, "must be a list")
            return ()
        if len(value) > most:
            self._fault(at, name, f"at most {most}, not {len(value)}")
        return value

    def _words(self, body: Mapping[str, Any], name: str, at: str, *, most: int = 120, needed: bool = True) -> str:
        value = body.get(name)
        if value is None or value == "":
            if needed:
                self._fault(at, name, "is missing")
            return ""
        if not isinstance(value, str) or len(value) > most or not value.strip():
            self._fault(at, name, f"must be text of at most {most} characters")
            return ""
        return value

    def _whole(self, body: Mapping[str, Any], name: str, at: str, least: int, most: int, *, default: int = 0) -> int:
        value = body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._fault(at, name, f"must be a whole number from {least} to {most}, not {value!r}")
            return least
        return value

    def _flag(self, body: Mapping[str, Any], name: str, at: str, *, default: bool) -> bool:
        value = body.get(name, default)
        if not isinstance(value, bool):
            self._fault(at, name, "must be true or false")
            return default
        return value

    def _choice(
        self, body: Mapping[str, Any], name: str, at: str, words: Collection[str], otherwise: str | None
    ) -> Any:
        value = body.get(name)
        if value is None:
            return otherwise
        if value not in words:
            self._fault(at, name, f"must be one of {', '.join(words)}, not {value!r}")
            return otherwise
        return value

    def _chosen(self, body: Mapping[str, Any], name: str, at: str, words: Collection[str] | None) -> tuple[str, ...]:
        known: Callable[[Any], bool] = lambda one: isinstance(one, str) and (words is None or one in words)  # noqa: E731
        found = self._list(body, name, at, 60)
        for one in found:
            if not known(one):
                wanted = f": one of {', '.join(words)}" if words is not None and len(words) < 15 else ""
                self._fault(at, name, f"there is no {one!r}{wanted}")
        return tuple(dict.fromkeys(one for one in found if known(one)))


def _pair(value: Any) -> TypeGuard[Sequence[int]]:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 1440 for one in value)
        and value[0] != value[1]
    )
