"""Credentials and claims as rows. Whatever changes who may sign in wakes those who keep a broker's files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.ports.provisioning import ClaimRow, CredentialRow
from hub.store.session import Session

__all__ = ["ProvisioningDrawer"]


class ProvisioningDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def set_credential(self, device_id: str, secret_hash: str, broker_hash: str) -> None:
        self._session.run("credential_set", id=device_id, secret_hash=secret_hash, broker_hash=broker_hash)
        self._session.run("credential_notify")

    def credentials(self, device_id: str | None = None, *, all_families: bool = False) -> Sequence[CredentialRow]:
        return [CredentialRow(**row) for row in self._session.all("credentials_of", id=device_id, all=all_families)]

    def revoke(self, device_id: str, at: datetime) -> None:
        self._session.run("credential_revoke", id=device_id, at=at)
        self._session.run("credential_notify")

    def restore(self, device_id: str) -> None:
        self._session.run("credential_restore", id=device_id)
        self._session.run("credential_notify")

    def add_claim(
        self, token_hash: bytes, device_id: str, user_id: str | None, at: datetime, expires_at: datetime
    ) -> None:
        self._session.run("claim_withdraw", device_id=device_id)
        self._session.run(
            "claim_add", token_hash=token_hash, device_id=device_id, user_id=user_id, at=at, expires_at=expires_at
        )

    def claim(self, token_hash: bytes) -> ClaimRow | None:
        row = self._session.one("claim_lock", token_hash=token_hash)
        return None if row is None else ClaimRow(**row)

    def use_claim(self, token_hash: bytes, resident_id: str, user_id: str | None, at: datetime) -> None:
        self._session.run("claim_bind", token_hash=token_hash, resident_id=resident_id, at=at)
        self._session.run("claim_use", token_hash=token_hash, resident_id=resident_id, user_id=user_id, at=at)
