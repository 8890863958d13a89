"""Device profiles as records: those the hub brings along, and a site's own. Checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.profiles import BUILT_IN_PROFILES, check_profile
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import SYSTEM, Actor, Database, Json, Transaction

__all__ = ["ProfileRegister", "profile_for"]

TABLE = "device_profiles"
_FIELDS = ("family", "zh", "en", "model", "interval_s", "silence", "reading", "setup", "note")


class ProfileRegister:
    """Adds and changes profiles. Devices refer to one by id; without one they have that of their family."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seed(self) -> int:
        """Makes the built-in profiles, and brings those nobody edited up to date; gives how many were written."""
        with self._database.begin() as tx:
            rows = [
                {**{name: profile[name] for name in _FIELDS}, "id": ident, "built_in": True}
                for ident, profile in BUILT_IN_PROFILES.items()
                if not (tx.reference.get(TABLE, ident) or {}).get("edited")
            ]
            return tx.reference.upsert(TABLE, rows)

    def add(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """A new profile; gives its id. BadRequestError says every fault; ConflictError where the id is taken."""
        row = _whole({"id": fields.get("id"), **fields})
        with self._database.begin() as tx:
            if tx.reference.get(TABLE, str(row["id"])) is not None:
                raise ConflictError(f"profile {row['id']} is there already", field="id", value=row["id"])
            tx.reference.insert(TABLE, {**row, "built_in": False, "edited": True})
            tx.audit.add(
                actor, "device_profiles.add", f"device_profiles:{row['id']}", {"family": row["family"]}, self._clock()
            )
        return str(row["id"])

    def change(self, profile_id: str, changes: Mapping[str, Any], actor: Actor, *, version: int | None = None) -> None:
        """Changes what is given; what results must be a whole profile. The family stays: devices lean on it."""
        with self._database.begin() as tx:
            found = tx.reference.get(TABLE, profile_id)
            if found is None:
                raise NotFoundError(f"no device profile {profile_id}")
            if changes.get("family", found["family"]) != found["family"]:
                raise BadRequestError("family: cannot be changed; make a new profile", field="family")
            row = _whole({**{name: found[name] for name in _FIELDS}, **changes, "id": profile_id})
            written = {name: row[name] for name in changes if name in _FIELDS}
            tx.reference.patch(TABLE, profile_id, {**written, "edited": True}, version=version)
            detail = {"fields": sorted(changes)}
            tx.audit.add(actor, "device_profiles.change", f"device_profiles:{profile_id}", detail, self._clock())

    def reset(self, profile_id: str, actor: Actor = SYSTEM) -> None:
        """A built-in profile as the hub brought it. NotFoundError for any other."""
        profile = BUILT_IN_PROFILES.get(profile_id)
        if profile is None:
            raise NotFoundError(f"{profile_id} is no built-in profile")
        with self._database.begin() as tx:
            changes = {name: profile[name] for name in _FIELDS if name != "family"}
            tx.reference.patch(TABLE, profile_id, {**changes, "edited": False}, version=None)
            tx.audit.add(actor, "device_profiles.reset", f"device_profiles:{profile_id}", {}, self._clock())


def profile_for(tx: Transaction, profile_id: str | None, family: str) -> str | None:
    """The profile a device may be given. NotFoundError: there is none; BadRequestError: it is of another family."""
    if profile_id is None:
        return None
    found = tx.reference.get(TABLE, profile_id)
    if found is None:
        raise NotFoundError(f"no device profile {profile_id}", field="profile_id")
    if found["family"] != family:
        raise BadRequestError(
            f"profile {profile_id} is for {found['family']}, the device is {family}", field="profile_id"
        )
    return profile_id


def _whole(fields: Mapping[str, Any]) -> Json:
    row: Json = {name: fields.get(name) for name in ("id", *_FIELDS)}
    row |= {name: row[name] or empty for name, empty in (("silence", {}), ("reading", {}), ("setup", []))}
    wrong = check_profile(row)
    if wrong:
        raise BadRequestError("; ".join(wrong), field=wrong[0].partition(":")[0])
    return row
