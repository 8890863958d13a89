"""Makers' clouds that push over HTTP, and devices watched while they are brought in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from hub.errors import ConflictError, NotFoundError
from hub.ports.integrations import IntegrationRow, RawWatch, WatchedRow
from hub.ports.records import Json
from hub.store.session import Session

__all__ = ["IntegrationsDrawer"]

_ADDED = (
    "name",
    "family",
    "scheme",
    "secret",
    "secret_digest",
    "devices",
    "rate_per_s",
    "created_at",
    "created_by",
    "cipher_key",
)


class IntegrationsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def active(self, family: str) -> list[IntegrationRow]:
        return [IntegrationRow(**row) for row in self._session.all("integrations_active", family=family)]

    def all(self) -> list[IntegrationRow]:
        return [IntegrationRow(**row) for row in self._session.all("integrations_all")]

    def add(self, row: IntegrationRow) -> None:
        fields = asdict(row)
        if self._session.one("integrations_add", **{name: fields[name] for name in _ADDED}) is None:
            raise ConflictError(f"an integration called {row.name} is there already", field="name", value=row.name)

    def revoke(self, name: str, at: datetime) -> None:
        if not self._session.run("integrations_revoke", name=name, at=at):
            raise NotFoundError(f"no integration {name}", field="name")

    def used(self, name: str, at: datetime) -> None:
        self._session.run("integrations_used", name=name, at=at)

    def refused(self, family: str, reason: str, at: datetime) -> None:
        self._session.run("integrations_refused", family=family, reason=reason, at=at)

    def seen(self, integration: str, key: bytes) -> bytes | None:
        found: bytes | None = self._session.value("intake_seen_get", integration=integration, key=key)
        return found

    def remember(self, integration: str, key: bytes, body: bytes, until: datetime) -> None:
        self._session.run("intake_seen_add", integration=integration, key=key, body=body, until=until)

    def watch(self, watch: RawWatch) -> None:
        self._session.run("watches_set", **watch._asdict())

    def unwatch(self, device_id: str) -> None:
        self._session.run("watches_end", device_id=device_id)

    def watches(self, now: datetime) -> list[RawWatch]:
        return [RawWatch(**row) for row in self._session.all("watches_active", now=now)]

    def keep(self, rows: Sequence[WatchedRow]) -> None:
        with self._session.together():
            for row in rows:
                self._session.queue("watched_add", **row._asdict())

    def newcomers(self, now: datetime, limit: int) -> list[Json]:
        return self._session.all("onboarding_devices", now=now, limit=limit)

    def newcomer(self, device_id: str) -> Json | None:
        return self._session.one("onboarding_device", id=device_id)

    def heard(self, device_id: str, since: datetime, limit: int) -> list[Json]:
        return self._session.all("onboarding_uplinks", device_id=device_id, since=since, limit=limit)
