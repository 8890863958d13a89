"""Service kinds as records of the site: what can be ordered, how long it takes, who may do it, what it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dispatch import SKILLS
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, Json

__all__ = ["KindRegister"]

TABLE: Final = "service_kinds"
_COLUMNS: Final = (
    "zh",
    "en",
    "skills",
    "any_skills",
    "duration_min",
    "carers",
    "personal",
    "priority",
    "active",
    "price_fen",
    "price_per",
)
_SPECIAL: Final = ("same_sex", "gate", "deliver_within_min")
"""Kept among the attributes."""
_SHORTEST_PERSONAL: Final = 30  # NICE NG21
_NEEDED: Final = frozenset({"safety_visit", "device_repair"})
"""The hub itself orders these: after a closing, for a device that is broken."""


class KindRegister:
    """Adds and changes kinds. Orders and care plans refer to one by id."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """A new kind; gives its id. BadRequestError with the field; ConflictError where the id is taken."""
        ident = str(fields.get("id") or "")
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", ident):
            raise BadRequestError("id: small letters, digits and _, such as haircut", field="id")
        row = _whole(fields, {"active": True, "carers": 1, "priority": "low", "price_per": "visit", "attributes": {}})
        with self._database.begin() as tx:
            if tx.reference.get(TABLE, ident) is not None:
                raise ConflictError(f"service kind {ident} is there already", field="id", value=ident)
            tx.reference.insert(TABLE, {"id": ident, **row})
            tx.audit.add(actor, "service_kinds.add", f"{TABLE}:{ident}", {"fields": sorted(fields)}, self._clock())
        return ident

    def change(self, kind_id: str, changes: Mapping[str, Any], actor: Actor, *, version: int | None = None) -> None:
        """Changes what is given; orders that are there keep the duration and the carers they were made with."""
        with self._database.begin() as tx:
            found = tx.reference.get(TABLE, kind_id)
            if found is None:
                raise NotFoundError(f"no service kind {kind_id}")
            row = _whole(changes, found)
            if kind_id in _NEEDED and not row["active"]:
                raise BadRequestError(f"active: the hub itself orders {kind_id}", field="active")
            tx.reference.patch(TABLE, kind_id, row, version=version)
            tx.audit.add(
                actor, "service_kinds.change", f"{TABLE}:{kind_id}", {"fields": sorted(changes)}, self._clock()
            )


def _whole(changes: Mapping[str, Any], found: Mapping[str, Any]) -> Json:
    """The whole row, once it holds together."""
    row: Json = {name: changes.get(name, found.get(name)) for name in _COLUMNS}
    special = {**(found.get("attributes") or {}), **{name: changes[name] for name in _SPECIAL if name in changes}}
    row["attributes"] = {name: value for name, value in special.items() if value not in (None, False)}
    row |= {name: row[name] or [] for name in ("skills", "any_skills")} | {"personal": bool(row["personal"])}
    for name in ("zh", "en", "duration_min"):
        if not row[name]:
            raise BadRequestError(f"{name}: is missing", field=name)
    for name in ("skills", "any_skills"):
        unknown = sorted(set(row[name]) - SKILLS.keys())
        if unknown:
            known = ", ".join(sorted(SKILLS))
            raise BadRequestError(f"{name}: there is no skill {', '.join(unknown)}; known: {known}", field=name)
    if not row["skills"] and not row["any_skills"]:
        raise BadRequestError("skills: say what somebody must be able to do for it", field="skills")
    if row["personal"] and row["duration_min"] < _SHORTEST_PERSONAL:
        raise BadRequestError(
            f"duration_min: personal care is planned for {_SHORTEST_PERSONAL} min at least", field="duration_min"
        )
    return row
