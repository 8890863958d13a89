"""Devices: adding one."""

from __future__ import annotations

from collections.abc import Callable

from devices import FAMILIES
from devices.topics import is_device_id
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database, DeviceRow, EntryRow
from hub.service.credentials import give_credential
from hub.service.profiles import profile_for

__all__ = ["DeviceRegister"]


class DeviceRegister:
    """Adds devices.

    `hash_secret` makes the hash that is stored; the credential itself is given once and never kept.
    """

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, hash_secret: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._hash_secret = hash_secret

    def check_profile(self, device_id: str, profile_id: str) -> None:
        """NotFoundError: no such device or profile; BadRequestError: the profile is of another family."""
        with self._database.begin() as tx:
            row = tx.devices.get_many([device_id]).get(device_id)
            if row is None:
                raise NotFoundError(f"no device {device_id}")
            profile_for(tx, profile_id, row.family)

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
