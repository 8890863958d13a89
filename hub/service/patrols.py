"""What a grid officer sees on patrol: kind, place, a photo. It enters the same flow as every other report.

No check-in and no track: only what the officer chooses to report is kept, with the place of the matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database, PhotoRow, Transaction
from hub.service.area_codes import Matter
from hub.service.homes import PHOTO_BYTES
from hub.service.raising import NewAlarm, Raising, alarm_of_person

__all__ = ["PATROL_MATTERS", "PatrolDesk"]

PATROL_MATTERS: Final[Mapping[str, Matter]] = {
    "help": Matter("assistance", "high", "老人需要帮助", "An older person needs help"),
    "lost": Matter("wandering", "high", "走失的老人", "Somebody seems lost"),
    "fire_risk": Matter("assistance", "medium", "消防隐患", "Fire risk"),
    "water": Matter("water_leak", "medium", "漏水", "Water leak"),
    "way": Matter("assistance", "medium", "通道或扶手损坏", "A way or handrail is broken"),
    "equipment": Matter("assistance", "low", "设施损坏", "Something is broken"),
    "other": Matter("assistance", "low", "其他事情", "Something else"),
}
"""By the word of the form: as which type and level it comes to the desk; all are matters with a deadline, none a
technical one. To add one: a line, and its words in the pages."""

_JPEG: Final = b"\xff\xd8\xff"


class PatrolDesk:
    """Takes reports from patrol; each is an incident with its deadline, by the rules of every other."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising

    def report(self, fields: Mapping[str, Any], photo: bytes | None, actor: Actor) -> tuple[str, str | None]:
        """Gives (alarm id, incident id). `fields`: kind, area_id, optionally note, fix (with `observed_at`), at, phone.

        The photo is kept in the same transaction. BadRequestError: no such kind, no picture, too large.
        NotFoundError: no such area.
        """
        matter = PATROL_MATTERS.get(str(fields["kind"]))
        if matter is None:
            raise BadRequestError(f"kind: one of {', '.join(PATROL_MATTERS)}", field="kind")
        if photo is not None and not photo.startswith(_JPEG):
            raise BadRequestError("photo: must be a JPEG picture", field="photo")
        if photo is not None and len(photo) > PHOTO_BYTES:
            raise BadRequestError(f"photo: {PHOTO_BYTES} bytes at most", field="photo")
        with self._database.begin() as tx:
            return self._report(tx, matter, fields, photo, actor, self._clock())

    def _report(
        self,
        tx: Transaction,
        matter: Matter,
        fields: Mapping[str, Any],
        photo: bytes | None,
        actor: Actor,
        now: datetime,
    ) -> tuple[str, str | None]:
        area_id = str(fields["area_id"])
        if tx.reference.get("areas", area_id) is None:
            raise NotFoundError(f"no area {area_id}", field="area_id")
        seen_at = min(fields.get("at") or now, now)
        said = [matter.zh, fields.get("note")]
        attributes = {"channel": "patrol", "kind": fields["kind"], "caller": actor.name}
        if fields.get("phone"):
            attributes["phone"] = fields["phone"]
        alarm = alarm_of_person(
            self._new_id(),
            matter.type,
            now,
            area_id=area_id,
            priority=matter.priority,
            observed_at=seen_at,
            fix=fields.get("fix"),
            note=" · ".join(str(one) for one in said if one),
            attributes=attributes,
        )
        new = NewAlarm(alarm, actor=actor, area_id=area_id)
        self._raising.raise_alarms(tx, [new], now)
        if photo is not None and new.incident_id is not None:
            digest = hashlib.sha256(photo).digest()
            row = PhotoRow(self._new_id(), digest.hex(), len(photo), seen_at, now, actor.name)
            tx.home.add_matter_photo(row, new.incident_id, digest, photo)
        return alarm.id, new.incident_id

    def photo(self, incident_id: str, photo_id: str, actor: Actor) -> bytes:
        """The JPEG of a matter; who looked is in the audit. NotFoundError."""
        with self._database.begin() as tx:
            found = tx.home.matter_photo(incident_id, photo_id)
            if found is None:
                raise NotFoundError("no such photo")
            tx.audit.add(actor, "photo.read", f"photo:{photo_id}", {"incident": incident_id}, self._clock())
            return found
