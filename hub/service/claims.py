"""Claims: a word printed as a QR code on a device's box; whoever scans it on site binds the device to the resident."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, EntryRow

__all__ = ["Claims"]

DAYS = 30


class Claims:
    """Makes claims and takes them. A token has 128 random bits, works once and expires."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def make(self, device_id: str, actor: Actor, *, days: int = DAYS) -> tuple[str, datetime]:
        """A new claim of a device; gives (token, expiry). An older one that was not used is worth nothing any more."""
        if not 1 <= days <= 90:
            raise BadRequestError("days: 1 to 90", field="days")
        token = secrets.token_urlsafe(16)
        now = self._clock()
        with self._database.begin() as tx:
            device = tx.devices.get_many([device_id]).get(device_id)
            if device is None:
                raise NotFoundError(f"no device {device_id}")
            if device.revoked:
                raise ConflictError(f"device {device_id} is revoked; restore it first", code="revoked")
            expires_at = now + timedelta(days=days)
            tx.provisioning.add_claim(_digest(token), device_id, actor.user_id, now, expires_at)
            tx.audit.add(actor, "device.claim_made", f"device:{device_id}", {"days": days}, now)
        return token, expires_at

    def take(self, token: str, resident_id: str, actor: Actor) -> str:
        """Binds the claimed device to the resident; gives the device's id.

        NotFoundError: no such claim or resident. ConflictError: used (extra: by which resident), expired, or the device
        was revoked meanwhile.
        """
        now = self._clock()
        with self._database.begin() as tx:
            claim = tx.provisioning.claim(_digest(token))
            if claim is None:
                raise NotFoundError("there is no such claim, or a newer one was printed", field="token")
            if claim.used_at is not None:
                raise ConflictError("this code was used before", code="claim-used", at=claim.used_at.isoformat())
            if now >= claim.expires_at:
                raise ConflictError("this code has expired", code="claim-expired", at=claim.expires_at.isoformat())
            if tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            device = tx.devices.get_many([claim.device_id])[claim.device_id]
            if device.revoked:
                raise ConflictError(f"device {device.id} is revoked", code="revoked")
            tx.provisioning.use_claim(_digest(token), resident_id, actor.user_id, now)
            body = {"resident_id": resident_id, "before": device.resident_id}
            tx.audit.add(actor, "device.claimed", f"device:{device.id}", body, now)
            tx.timeline.add(
                EntryRow(at=now, subject_kind="device", subject_id=device.id, kind="bound", actor=actor, body=body)
            )
        return device.id


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.strip().encode()).digest()
