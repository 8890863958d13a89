"""Consents, photos and codes of areas as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from hub.ports.home import AreaCodeRow, ConsentFilter, ConsentRow, LatestValue, PhotoRow, Purpose
from hub.ports.records import Json
from hub.store.session import Session, is_uuid

__all__ = ["HomeDrawer"]


class HomeDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def consents(self, resident_id: str) -> Sequence[ConsentRow]:
        return [ConsentRow(**row) for row in self._session.all("consents_of", resident_id=resident_id)]

    def allowing(self, resident_ids: Collection[str], purpose: Purpose) -> set[str]:
        if not resident_ids:
            return set()
        return {row["id"] for row in self._session.all("consents_allowing", ids=sorted(resident_ids), purpose=purpose)}

    def grant(
        self, resident_id: str, purpose: Purpose, by: str, user_id: str | None, note: str | None, at: datetime
    ) -> bool:
        return (
            self._session.run(
                "consent_grant", resident_id=resident_id, purpose=purpose, by=by, user_id=user_id, note=note, at=at
            )
            > 0
        )

    def withdraw(self, resident_id: str, purpose: Purpose, by: str, user_id: str | None, at: datetime) -> bool:
        return (
            self._session.run("consent_revoke", resident_id=resident_id, purpose=purpose, by=by, user_id=user_id, at=at)
            > 0
        )

    def heard_at(self, resident_id: str) -> datetime | None:
        row = self._session.one("sign_of_life", resident_id=resident_id)
        return row["seen_at"] if row else None

    def latest_values(self, resident_id: str, since: datetime) -> Sequence[LatestValue]:
        return [LatestValue(**row) for row in self._session.all("latest_values", resident_id=resident_id, since=since)]

    def add_photo(self, row: PhotoRow, assignment_id: str, sha256: bytes, content: bytes) -> bool:
        return (
            self._session.run(
                "photo_add",
                id=row.id,
                assignment_id=assignment_id,
                sha256=sha256,
                content=content,
                taken_at=row.taken_at,
                received_at=row.received_at,
                taken_by=row.taken_by,
            )
            > 0
        )

    def photos(self, assignment_id: str) -> Sequence[PhotoRow]:
        return [PhotoRow(**row) for row in self._session.all("photos_of", assignment_id=assignment_id)]

    def photo(self, photo_id: str) -> tuple[str, bytes] | None:
        row = self._session.one("photo_content", id=photo_id) if is_uuid(photo_id) else None
        return (row["assignment_id"], bytes(row["content"])) if row else None

    def add_matter_photo(self, row: PhotoRow, incident_id: str, sha256: bytes, content: bytes) -> None:
        self._session.run(
            "photo_add_matter",
            id=row.id,
            incident_id=incident_id,
            sha256=sha256,
            content=content,
            taken_at=row.taken_at,
            received_at=row.received_at,
            taken_by=row.taken_by,
        )

    def matter_photo(self, incident_id: str, photo_id: str) -> bytes | None:
        if not is_uuid(incident_id) or not is_uuid(photo_id):
            return None
        row = self._session.one("photo_of_matter", id=photo_id, incident_id=incident_id)
        return bytes(row["content"]) if row else None

    def set_code(self, area_id: str, code_hash: bytes | None, user_id: str | None, at: datetime) -> bool:
        before = self._session.run("area_code_withdraw", area_id=area_id, at=at) > 0
        if code_hash is not None:
            self._session.run("area_code_add", code_hash=code_hash, area_id=area_id, user_id=user_id, at=at)
        return before

    def code_since(self, area_id: str) -> datetime | None:
        row = self._session.one("area_code_of", area_id=area_id)
        return row["created_at"] if row else None

    def codes(self) -> Sequence[AreaCodeRow]:
        return [AreaCodeRow(**row) for row in self._session.all("area_codes_all")]

    def consent_page(self, where: ConsentFilter, limit: int, after: str | None) -> Sequence[Json]:
        return self._session.all(
            "consent_page",
            purpose=where.purpose,
            given=where.given,
            area_id=where.area_id,
            q=where.q,
            limit=limit,
            after=after,
        )

    def consent_counts(self) -> Json:
        return self._session.one("consent_counts") or {}

    def area_of_code(self, code_hash: bytes) -> str | None:
        row = self._session.one("area_of_code", code_hash=code_hash)
        return row["area_id"] if row else None

    def caller_of(self, alarm_id: str) -> str | None:
        row = self._session.one("caller_of", id=alarm_id) if is_uuid(alarm_id) else None
        return row["caller"] if row else None

    def matter_of_key(self, key: bytes) -> tuple[str, str | None] | None:
        row = self._session.one("matter_of_key", key=key)
        return (row["alarm_id"], row["incident_id"]) if row else None
