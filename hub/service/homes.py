"""What residents allow, what their family may be shown by it, and photos of visits."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import PURPOSES, Actor, ConsentRow, Database, Json, PhotoRow, Purpose
from hub.ports.home import ConsentFilter

__all__ = ["PHOTO_BYTES", "Homes"]

PHOTO_BYTES = 200_000
PHOTOS_EACH = 12
"""Of one assignment: a report, not an album."""
_JPEG = b"\xff\xd8\xff"
_RECENT = timedelta(hours=24)


class Homes:
    """Consents by purpose, in force until they are taken back; every change is in the audit."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    # ---- consents ---------------------------------------------------------------------------------------------------

    def consents(self, resident_id: str) -> list[Json]:
        """One line a purpose: `{"purpose", "granted", "since", "by", "note"}`."""
        with self._database.begin() as tx:
            return _lines(tx.home.consents(resident_id))

    def overview(self, where: ConsentFilter, limit: int, after: str | None) -> tuple[list[Json], str | None, Json]:
        """Residents with what they allow, where to go on (None: that was all), and how many of all allow what."""
        with self._database.begin() as tx:
            rows = tx.home.consent_page(where, limit + 1, after)
            counts = tx.home.consent_counts()
        following = rows[limit - 1]["id"] if len(rows) > limit else None
        return [row["view"] for row in rows[:limit]], following, counts

    def decide(
        self, resident_id: str, purpose: str, granted: bool, actor: Actor, *, note: str | None = None
    ) -> list[Json]:
        """Gives or takes back one permission; saying it twice is saying it once. Gives the lines as they are then.

        BadRequestError (purpose); NotFoundError for the resident. Photos that were taken under a permission stay until
        their time is over: they belong to the record of what was done.
        """
        known = next((one for one in PURPOSES if one == purpose), None)
        if known is None:
            raise BadRequestError(f"purpose must be one of {', '.join(PURPOSES)}", field="purpose")
        now = self._clock()
        with self._database.begin() as tx:
            if tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}")
            if granted:
                changed = tx.home.grant(resident_id, known, actor.name, actor.user_id, note, now)
            else:
                changed = tx.home.withdraw(resident_id, known, actor.name, actor.user_id, now)
            if changed:
                action = "consent.given" if granted else "consent.withdrawn"
                tx.audit.add(actor, action, f"residents:{resident_id}", {"purpose": known, "note": note}, now)
            return _lines(tx.home.consents(resident_id))

    def allowing(self, resident_ids: Collection[str], purpose: Purpose) -> set[str]:
        """Of these residents those whose permission is in force."""
        with self._database.begin() as tx:
            return tx.home.allowing(resident_ids, purpose)

    def shown(self, resident_id: str, *, all_of_it: bool) -> Json:
        """What of today may be shown: `{"consents", "heard_at", "values"}`; None where it is not allowed.

        `all_of_it`: to the resident, who needs nobody's permission.
        """
        now = self._clock()
        with self._database.begin() as tx:
            given = tx.home.consents(resident_id)
            purposes = {row.purpose for row in given}
            status, health = (all_of_it or one in purposes for one in ("status", "health"))
            values = tx.home.latest_values(resident_id, now - _RECENT) if health else None
            return {
                "consents": _lines(given),
                "heard_at": tx.home.heard_at(resident_id) if status else None,
                "values": None if values is None else [row._asdict() for row in values],
            }

    # ---- photos -----------------------------------------------------------------------------------------------------

    def add_photo(
        self, assignment_id: str, resident_id: str | None, content: bytes, taken_at: datetime | None, actor: Actor
    ) -> None:
        """Keeps a JPEG with the assignment it was taken at. The same picture again is taken as kept.

        `taken_at`: the phone's; never later than now. ConflictError: the resident does not allow photos
        (`no-consent`), or there are enough (`too-many`).
        """
        if not content.startswith(_JPEG):
            raise BadRequestError("content: must be a JPEG picture", field="content")
        if len(content) > PHOTO_BYTES:
            raise BadRequestError(f"content: a photo may have {PHOTO_BYTES} bytes at most", field="content")
        now = self._clock()
        digest = hashlib.sha256(content).digest()
        with self._database.begin() as tx:
            if resident_id is not None and not tx.home.allowing([resident_id], "photos"):
                raise ConflictError("the resident has not agreed to photos", code="no-consent")
            kept = tx.home.photos(assignment_id)
            if any(row.sha256 == digest.hex() for row in kept):
                return
            if len(kept) >= PHOTOS_EACH:
                raise ConflictError(f"there are {PHOTOS_EACH} photos already", code="too-many")
            taken = min(taken_at or now, now)
            row = PhotoRow(self._new_id(), digest.hex(), len(content), taken, now, actor.name)
            if tx.home.add_photo(row, assignment_id, digest, content):
                body = {"photo": row.id, "sha256": row.sha256, "size": row.size}
                tx.audit.add(actor, "photo.kept", f"assignment:{assignment_id}", body, now)

    def photos(self, assignment_id: str) -> list[Json]:
        with self._database.begin() as tx:
            return [row._asdict() for row in tx.home.photos(assignment_id)]

    def photo(self, photo_id: str) -> tuple[str, bytes]:
        """(assignment id, JPEG)."""
        with self._database.begin() as tx:
            found = tx.home.photo(photo_id)
        if found is None:
            raise NotFoundError("no such photo")
        return found

    def saw_photo(self, photo_id: str, actor: Actor) -> None:
        """A line in the audit: who looked."""
        with self._database.begin() as tx:
            tx.audit.add(actor, "photo.read", f"photo:{photo_id}", {}, self._clock())


def _lines(given: Sequence[ConsentRow]) -> list[Json]:
    found = {row.purpose: row for row in given}
    return [
        {
            "purpose": purpose,
            "granted": purpose in found,
            "since": found[purpose].granted_at if purpose in found else None,
            "by": found[purpose].granted_by if purpose in found else None,
            "note": found[purpose].note if purpose in found else None,
        }
        for purpose in PURPOSES
    ]
