"""Devices: adding one, and what becomes of it told on its timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devices import FAMILIES
from devices.topics import is_device_id
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database, DeviceRow, EntryRow, Json, Transaction
from hub.service.credentials import give_credential
from hub.service.profiles import profile_for

__all__ = ["DeviceRegister"]


class DeviceRegister:
    """Adds devices, and tells of their changes.

    `hash_secret` makes the hash that is stored; the credential itself is given once and never kept.
    """

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, hash_secret: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._hash_secret = hash_secret

    def note_change(self, tx: Transaction, device_id: str, changes: Mapping[str, Any], actor: Actor) -> None:
        """Inside the transaction that changes a device, before it does: whose it becomes and how it is read are told on
        its timeline. What was recorded stays with whose it was then: each value has its resident.

        NotFoundError: no such device, resident or profile; BadRequestError: the profile is of another family.
        """
        row = tx.devices.get_many([device_id]).get(device_id)
        if row is None:
            raise NotFoundError(f"no device {device_id}")
        if changes.get("profile_id") is not None:
            profile_for(tx, changes["profile_id"], row.family)
        before = tx.reference.get("devices", device_id) or {}
        now = self._clock()

        def tell(kind: str, body: Json) -> None:
            tx.timeline.add(
                EntryRow(at=now, subject_kind="device", subject_id=device_id, kind=kind, actor=actor, body=body)
            )

        if "resident_id" in changes and changes["resident_id"] != before.get("resident_id"):
            resident_id = changes["resident_id"]
            if resident_id is not None and tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            tell(
                "bound" if resident_id is not None else "unbound",
                {"resident_id": resident_id, "before": before.get("resident_id")},
            )
        if "profile_id" in changes and changes["profile_id"] != before.get("profile_id"):
            tell("profile", {"profile_id": changes["profile_id"], "before": before.get("profile_id")})

    def add(
        self,
        device_id: str,
        family: str,
        resident_id: str | None,
        actor: Actor,
        *,
        name: str | None = None,
        profile_id: str | None = None,
        upstream: str | None = None,
        area_id: str | None = None,
    ) -> str | None:
        """Adds a device, or adopts one that was heard of; `area_id` None: that of its resident. Gives its credential,
        once, or None where the family has none.

        BadRequestError: an id, family or profile that cannot be. ConflictError: it exists. NotFoundError: no such
        resident, area or profile.
        """
        if not is_device_id(device_id):
            raise BadRequestError(
                f"device id {device_id!r}: 1-64 of A-Z a-z 0-9 _ . : - are allowed, and it may not begin with hub-",
                field="id",
            )
        if family not in FAMILIES:
            raise BadRequestError(
                f"there is no device family {family!r}; known: {', '.join(sorted(FAMILIES))}", field="family"
            )
        now = self._clock()
        with self._database.begin() as tx:
            resident = None
            if resident_id is not None:
                resident = tx.residents.get(resident_id)
                if resident is None:
                    raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            if area_id is not None and tx.reference.get("areas", area_id) is None:
                raise NotFoundError(f"no area {area_id}", field="area_id")
            tx.devices.add(
                DeviceRow(
                    id=device_id,
                    family=family,
                    resident_id=resident_id,
                    area_id=area_id or (resident.area_id if resident else None),
                ),
                name=name,
                secret_hash=None,
            )
            more = {"profile_id": profile_for(tx, profile_id, family), "upstream": upstream}
            if any(value is not None for value in more.values()):
                tx.reference.patch("devices", device_id, more, version=None)
            secret = give_credential(tx, device_id, family, self._hash_secret)
            tx.audit.add(actor, "device.add", f"device:{device_id}", {"family": family, "resident": resident_id}, now)
            tx.timeline.add(
                EntryRow(
                    at=now,
                    subject_kind="device",
                    subject_id=device_id,
                    kind="added",
                    actor=actor,
                    body={"family": family, "resident_id": resident_id},
                )
            )
        return secret
