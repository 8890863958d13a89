"""Credentials of devices and claims, as they cross the floors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

__all__ = ["ClaimRow", "CredentialRow", "Provisioning"]


class CredentialRow(NamedTuple):
    """How a device signs in. `broker_hash` as in a broker's password file; None: it has no credential."""

    device_id: str
    family: str
    broker_hash: str | None
    adopted: bool
    revoked: bool

    @property
    def valid(self) -> bool:
        return self.adopted and not self.revoked


class ClaimRow(NamedTuple):
    """A word printed for a device. Used once, until it expires."""

    device_id: str
    expires_at: datetime
    used_at: datetime | None
    resident_id: str | None


class Provisioning(Protocol):
    def set_credential(self, device_id: str, secret_hash: str, broker_hash: str) -> None: ...

    def credentials(self, device_id: str | None = None, *, all_families: bool = False) -> Sequence[CredentialRow]:
        """Of one device or of all; `all_families`: also those that have none."""

    def revoke(self, device_id: str, at: datetime) -> None: ...

    def restore(self, device_id: str) -> None: ...

    def add_claim(
        self, token_hash: bytes, device_id: str, user_id: str | None, at: datetime, expires_at: datetime
    ) -> None:
        """A new claim; those of the device that were not used are worth nothing from now on."""

    def claim(self, token_hash: bytes) -> ClaimRow | None:
        """The claim, locked."""

    def use_claim(self, token_hash: bytes, resident_id: str, user_id: str | None, at: datetime) -> None:
        """Binds the device of the claim to the resident, and the claim is used."""
