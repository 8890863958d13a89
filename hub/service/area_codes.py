"""Codes of areas: printed on a notice board, scanned by anybody. What comes in by them is a matter, never critical.

A code has 128 random bits and the database knows only its digest. A page that everybody can open must not be able to
send people out: its matters are of medium priority at most, for which no plan goes on by itself; somebody at the desk
reads them first. Whoever is in danger is told to call.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.alarms import Priority
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, Json
from hub.service.raising import NewAlarm, Raising, alarm_of_person

__all__ = ["MATTERS", "AreaCodes", "Matter"]


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing a passer-by can tell: as which type it comes to the desk."""

    type: str
    priority: Priority
    zh: str
    en: str


MATTERS: Final[Mapping[str, Matter]] = MappingProxyType(
    {
        "help": Matter("assistance", "medium", "有老人需要帮助", "An older person needs help"),
        "lost": Matter("wandering", "medium", "遇到走失的老人", "Somebody seems lost"),
        "water": Matter("water_leak", "medium", "漏水", "Water leak"),
        "equipment": Matter("device_fault", "low", "设施损坏", "Something is broken"),
        "other": Matter("assistance", "low", "其他事情", "Something else"),
    }
)
"""By the word of the page. To add one: a line here and its words in the page's locales. None may be critical."""

_SCANNED = Actor(kind="system", name="扫码 QR")


class AreaCodes:
    """Makes, withdraws and honours codes."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising

    def make(self, area_id: str, actor: Actor) -> str:
        """A new code of the area, told once; an older one is worth nothing any more."""
        code = secrets.token_urlsafe(16)
        now = self._clock()
        with self._database.begin() as tx:
            if tx.reference.get("areas", area_id) is None:
                raise NotFoundError(f"no area {area_id}")
            replaced = tx.home.set_code(area_id, _digest(code), actor.user_id, now)
            tx.audit.add(actor, "area.code_made", f"areas:{area_id}", {"replaced": replaced}, now)
        return code

    def withdraw(self, area_id: str, actor: Actor) -> None:
        """The area has no code any more."""
        now = self._clock()
        with self._database.begin() as tx:
            if tx.reference.get("areas", area_id) is None:
                raise NotFoundError(f"no area {area_id}")
            if tx.home.set_code(area_id, None, actor.user_id, now):
                tx.audit.add(actor, "area.code_withdrawn", f"areas:{area_id}", {}, now)

    def state(self, area_id: str) -> Json:
        """`{"area_id", "since"}`; since None: there is none."""
        with self._database.begin() as tx:
            return {"area_id": area_id, "since": tx.home.code_since(area_id)}

    def in_force(self) -> list[Json]:
        """`{"area_id", "since", "by"}` of every area that has one."""
        with self._database.begin() as tx:
            return [row._asdict() for row in tx.home.codes()]

    def area_of(self, code: str) -> Json:
        """The area of a code, as a record. NotFoundError for a code that is not in force."""
        with self._database.begin() as tx:
            area_id = tx.home.area_of_code(_digest(code))
            area = tx.reference.get("areas", area_id) if area_id else None
        if area is None:
            raise NotFoundError("this code is not valid any more")
        return area

    def raise_matter(self, code: str, kind: str, note: str | None, phone: str | None, key: str | None) -> str:
        """Gives the id of the alarm; the same `key` with the same code gives the first one again.

        BadRequestError: kind; note where the kind says nothing by itself. NotFoundError: the code.
        """
        matter = MATTERS.get(kind)
        if matter is None:
            raise BadRequestError(f"kind must be one of {', '.join(MATTERS)}", field="kind")
        if kind == "other" and not (note or "").strip():
            raise BadRequestError("say in a few words what it is", field="note")
        digest = hashlib.sha256(f"qr\0{code}\0{key}".encode()).digest()[:16] if key else None
        attributes = {"channel": "qr", "matter": kind, **({"phone": phone} if phone else {})}
        try:
            return self._raise(code, matter, note, attributes, digest)
        except ConflictError as error:
            if error.code != "repeat":
                raise
            # Pressed twice in one moment: the other press is committed now.
            return self._raise(code, matter, note, attributes, digest)

    def _raise(
        self, code: str, matter: Matter, note: str | None, attributes: Mapping[str, str], digest: bytes | None
    ) -> str:
        now = self._clock()
        with self._database.begin() as tx:
            area_id = tx.home.area_of_code(_digest(code))
            if area_id is None:
                raise NotFoundError("this code is not valid any more")
            first = tx.home.matter_of_key(digest) if digest else None
            if first is not None:
                return first[0]
            alarm = alarm_of_person(
                self._new_id(),
                matter.type,
                now,
                area_id=area_id,
                priority=matter.priority,
                note=note,
                attributes=attributes,
            )
            self._raising.raise_alarms(tx, [NewAlarm(alarm, key=digest, actor=_SCANNED, area_id=area_id)], now)
        return alarm.id


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode()).digest()
