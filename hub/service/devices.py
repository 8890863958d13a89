"""Devices: adding one."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from devices import FAMILIES
from devices.topics import is_device_id
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database, DeviceRow, EntryRow

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

    def add(
        self, device_id: str, family: str, resident_id: str | None, actor: Actor, *, name: str | None = None
    ) -> str | None:
        """Adds a device; gives its credential, once, or None where the family has none.

        BadRequestError: an id or family that cannot be. ConflictError: it exists. NotFoundError: no such resident.
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
        secret = secrets.token_urlsafe(24) if FAMILIES[family].credential else None
        now = self._clock()
        with self._database.begin() as tx:
            resident = None
            if resident_id is not None:
                resident = tx.residents.get(resident_id)
                if resident is None:
                    raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            tx.devices.add(
                DeviceRow(
                    id=device_id,
                    family=family,
                    resident_id=resident_id,
                    area_id=resident.area_id if resident else None,
                ),
                name=name,
                secret_hash=self._hash_secret(secret) if secret else None,
            )
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
