"""What residents allow, photos of visits and codes of areas, as they cross the floors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, get_args

from hub.ports.records import Json

__all__ = ["PURPOSES", "AreaCodeRow", "ConsentFilter", "ConsentRow", "Home", "LatestValue", "PhotoRow", "Purpose"]

Purpose = Literal["status", "health", "photos"]
"""`status`: the family sees when something was last heard. `health`: the family sees diagnoses and measured values.
`photos`: whoever visits may take photos for the report.
"""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class ConsentRow(NamedTuple):
    """A permission in force. `note`: how it was given, where the desk wrote it down."""

    purpose: Purpose
    granted_at: datetime
    granted_by: str
    note: str | None


class PhotoRow(NamedTuple):
    """A photo without its content. `size` in bytes, `sha256` in hex."""

    id: str
    sha256: str
    size: int
    taken_at: datetime
    received_at: datetime
    taken_by: str


class LatestValue(NamedTuple):
    """The newest record of one metric."""

    metric: str
    value: float | None
    state: str | None
    observed_at: datetime


class AreaCodeRow(NamedTuple):
    """A code in force: of which area, since when, made by whom."""

    area_id: str
    since: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class ConsentFilter:
    """`given` with `purpose`: those who allow it (True) or do not (False). `area_id`: of an area and all below it."""

    purpose: Purpose | None = None
    given: bool | None = None
    area_id: str | None = None
    q: str | None = None


class Home(Protocol):
    def consents(self, resident_id: str) -> Sequence[ConsentRow]: ...

    def allowing(self, resident_ids: Collection[str], purpose: Purpose) -> set[str]:
        """Of these residents those whose permission is in force."""

    def grant(
        self, resident_id: str, purpose: Purpose, by: str, user_id: str | None, note: str | None, at: datetime
    ) -> bool:
        """False where it was in force already."""

    def withdraw(self, resident_id: str, purpose: Purpose, by: str, user_id: str | None, at: datetime) -> bool:
        """False where it was not in force."""

    def heard_at(self, resident_id: str) -> datetime | None:
        """When any device of the resident was last heard."""

    def latest_values(self, resident_id: str, since: datetime) -> Sequence[LatestValue]:
        """The newest record of each metric received since then."""

    def add_photo(self, row: PhotoRow, assignment_id: str, sha256: bytes, content: bytes) -> bool:
        """False where the assignment has this very photo already."""

    def photos(self, assignment_id: str) -> Sequence[PhotoRow]: ...

    def photo(self, photo_id: str) -> tuple[str, bytes] | None:
        """(assignment id, JPEG)."""

    def add_matter_photo(self, row: PhotoRow, incident_id: str, sha256: bytes, content: bytes) -> None:
        """A photo of a reported matter; the same picture of one matter is kept once."""

    def matter_photo(self, incident_id: str, photo_id: str) -> bytes | None: ...

    def set_code(self, area_id: str, code_hash: bytes | None, user_id: str | None, at: datetime) -> bool:
        """A new code of the area, or (None) no code any more; the one before is worth nothing from now on.

        Gives whether there was one before.
        """

    def code_since(self, area_id: str) -> datetime | None:
        """When the area's code in force was made."""

    def codes(self) -> Sequence[AreaCodeRow]:
        """All codes in force."""

    def consent_page(self, where: ConsentFilter, limit: int, after: str | None) -> Sequence[Json]:
        """Residents by id with what they allow: `{"id", "view": {"resident": …, "items": […]}}`."""

    def consent_counts(self) -> Json:
        """`{"residents": n, "status": n, "health": n, "photos": n}`: how many allow each."""

    def area_of_code(self, code_hash: bytes) -> str | None: ...

    def caller_of(self, alarm_id: str) -> str | None:
        """The responder who raised this alarm for themselves."""

    def matter_of_key(self, key: bytes) -> tuple[str, str | None] | None:
        """(alarm id, incident id) of what was taken under this key before."""
