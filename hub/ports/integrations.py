"""Makers' clouds that push over HTTP, and devices watched while they are brought in: rows and drawer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, get_args

from hub.ports.records import Json

__all__ = ["SCHEMES", "IntegrationRow", "Integrations", "RawWatch", "Scheme", "WatchedRow"]

Scheme = Literal["bearer", "basic", "key", "hmac", "onenet", "huawei", "aqara"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


@dataclass(frozen=True, slots=True)
class IntegrationRow:
    """One maker's cloud.

    `secret` is set where a signature is checked with it, `secret_digest` (sha256) where it is sent along. `cipher_key`:
    what its pushes are encrypted with. `devices`: the ids it may speak for, a pattern with `*` and `?`. `rate_per_s`:
    requests it may send on average.
    """

    name: str
    family: str
    scheme: Scheme
    created_at: datetime
    secret: str | None = None
    secret_digest: bytes | None = None
    devices: str = "*"
    rate_per_s: int = 50
    created_by: str | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    last_refused_at: datetime | None = None
    last_refusal: str | None = None
    cipher_key: str | None = None


class RawWatch(NamedTuple):
    """Every message of this device is kept raw until then."""

    device_id: str
    since: datetime
    until: datetime
    asked_by: str | None = None


class WatchedRow(NamedTuple):
    """One message of a watched device, and what became of it."""

    received_at: datetime
    device_id: str
    family: str
    lane: str
    topic: str | None
    outcome: str
    reason: str | None
    payload: bytes


class Integrations(Protocol):
    def active(self, family: str) -> list[IntegrationRow]:
        """Those of a family that are not revoked, with what their secrets are checked by."""

    def all(self) -> list[IntegrationRow]:
        """Every one, without secrets."""

    def add(self, row: IntegrationRow) -> None:
        """ConflictError where the name is taken (a revoked one keeps its name)."""

    def revoke(self, name: str, at: datetime) -> None:
        """NotFoundError where there is none; one that is revoked stays as it is."""

    def used(self, name: str, at: datetime) -> None: ...

    def refused(self, family: str, reason: str, at: datetime) -> None:
        """A push nobody could be found for: shown beside every active integration of the family."""

    def seen(self, integration: str, key: bytes) -> bytes | None:
        """The digest that was committed under this replay key, None where it is new."""

    def remember(self, integration: str, key: bytes, body: bytes, until: datetime) -> None: ...

    def watch(self, watch: RawWatch) -> None: ...

    def unwatch(self, device_id: str) -> None: ...

    def watches(self, now: datetime) -> list[RawWatch]: ...

    def keep(self, rows: Sequence[WatchedRow]) -> None:
        """Messages of watched devices, raw."""

    def newcomers(self, now: datetime, limit: int) -> list[Json]:
        """Devices that were not added yet, and watched ones; the latest heard first."""

    def newcomer(self, device_id: str) -> Json | None:
        """One device as onboarding shows it, with its profile."""

    def heard(self, device_id: str, since: datetime, limit: int) -> list[Json]:
        """Raw messages of a device since then, the newest first; `""`: messages that named no device."""
