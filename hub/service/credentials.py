"""How devices sign in: credentials made, told once, rotated and revoked; what a broker asks about them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from devices import FAMILIES
from devices.topics import is_device_id
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, CredentialRow, Database, EntryRow, OutboxRow, Transaction
from hub.service.commands import tell_command

__all__ = ["Credentials", "broker_hash", "fits", "give_credential"]

_ROUNDS = 101
"""Mosquitto's own number. The secret is 24 random bytes: rounds protect words that people choose."""

Access = Literal["publish", "subscribe"]


def broker_hash(secret: str, salt: bytes | None = None) -> str:
    """The secret as Mosquitto's password file has it: PBKDF2-HMAC-SHA512, `$7$rounds$salt$hash`."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ROUNDS, 64)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(secret: str, stored: str) -> bool:
    """Whether the secret is the one behind a `broker_hash`; False too for anything that is none."""
    try:
        _, kind, rounds, salt, digest = stored.split("$")
        wanted = base64.b64decode(digest, validate=True)
        if kind != "7" or not 1 <= int(rounds) <= 1_000_000:
            return False
        found = hashlib.pbkdf2_hmac("sha512", secret.encode(), base64.b64decode(salt, validate=True), int(rounds), 64)
    except ValueError:
        return False
    return hmac.compare_digest(found, wanted)


def give_credential(tx: Transaction, device_id: str, family: str, hash_secret: Callable[[str], str]) -> str | None:
    """Makes and stores a new credential; gives it, or None where the family has none."""
    known = FAMILIES.get(family)
    if known is None or not known.credential:
        return None
    secret = secrets.token_urlsafe(24)
    tx.provisioning.set_credential(device_id, hash_secret(secret), broker_hash(secret))
    return secret


_FORGET_AFTER = (timedelta(seconds=5), timedelta(seconds=90))
"""Its last will is kept when the broker throws it out: so once after the hub has told the broker, and once after a
broker that looks at its password file itself.
"""


def _forget(device_id: str, now: datetime, after: timedelta) -> OutboxRow:
    """The broker is to drop the status it keeps of a device: whoever subscribes later would take it for alive."""
    return OutboxRow(
        channel="device",
        target=device_id,
        body={"kind": "forget"},
        created_at=now,
        due_at=now + after,
        expires_at=now + timedelta(hours=24),
    )


class Credentials:
    """Rotates and revokes, and answers brokers."""

    def __init__(self, database: Database, clock: Clock, hash_secret: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._hash_secret = hash_secret

    def rotate(self, device_id: str, actor: Actor) -> str:
        """A new credential, told once; the old one is refused from now on. ConflictError: it has none or is revoked."""
        with self._database.begin() as tx:
            row = self._known(tx, device_id)
            if row.revoked:
                raise ConflictError(f"device {device_id} is revoked; restore it first", code="revoked")
            secret = give_credential(tx, device_id, row.family, self._hash_secret)
            if secret is None:
                raise ConflictError(f"devices of family {row.family} have no credential", code="no-credential")
            self._note(tx, device_id, "rotated", None, actor)
        return secret

    def revoke(self, device_id: str, reason: str, actor: Actor) -> None:
        """From now on it may not sign in; what still comes from it, and what came and was not taken yet, is kept aside;
        what was to be told to it is dropped. Done twice it is done once.
        """
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        with self._database.begin() as tx:
            row = self._known(tx, device_id)
            if row.revoked:
                return
            now = self._clock()
            tx.provisioning.revoke(device_id, now)
            for command in tx.commands.withdraw(device_id, "the device was revoked", now):
                tell_command(tx, command, "command_failed", actor, now)
            if row.family == "care":  # what makers' gateways keep of their own is theirs
                tx.outbox.add(*(_forget(device_id, now, after) for after in _FORGET_AFTER))
            self._note(tx, device_id, "revoked", reason, actor)

    def restore(self, device_id: str, reason: str, actor: Actor) -> str | None:
        """Takes a revocation back, with a new credential (None: the family has none): the old one may be known."""
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        with self._database.begin() as tx:
            row = self._known(tx, device_id)
            if not row.revoked:
                raise ConflictError(f"device {device_id} is not revoked", code="not-revoked")
            tx.provisioning.restore(device_id)
            secret = give_credential(tx, device_id, row.family, self._hash_secret)
            self._note(tx, device_id, "restored", reason, actor)
        return secret

    def of_broker(self) -> Mapping[str, str | None]:
        """Every device with a credential: its line for the password file, None where it must not have one."""
        with self._database.begin() as tx:
            return {row.device_id: row.broker_hash if row.valid else None for row in tx.provisioning.credentials()}

    def admits(self, username: str, password: str, client_id: str) -> str | None:
        """None: it may sign in. Else why not. The client id must be the user name: nobody takes another's session."""
        if client_id != username:
            return "the client id must be the user name"
        row = self._credential(username)
        if row is None or row.broker_hash is None:
            return "there is no such device, or it has no credential"
        if not row.valid:
            return "the device is revoked or not added"
        return None if fits(password, row.broker_hash) else "the credential is wrong"

    def may(self, username: str, client_id: str, topic: str, access: Access) -> str | None:
        """None: it may. A device writes its own uplinks and reads its own downlinks, nothing else."""
        if client_id != username or not is_device_id(username):
            return "the client id must be the user name of a device"
        row = self._credential(username)
        if row is None or not row.valid:
            return "the device is revoked or not added"
        if any(sign in username for sign in "+#/"):
            return "no device"
        below = f"care/v1/{username}/{'up' if access == 'publish' else 'down'}/"
        if not topic.startswith(below) or (access == "publish" and any(sign in topic for sign in "+#")):
            return f"only {below}#"
        return None

    def _credential(self, device_id: str) -> CredentialRow | None:
        if not is_device_id(device_id):
            return None
        with self._database.begin() as tx:
            return next(iter(tx.provisioning.credentials(device_id)), None)

    @staticmethod
    def _known(tx: Transaction, device_id: str) -> CredentialRow:
        row = next(iter(tx.provisioning.credentials(device_id, all_families=True)), None)
        if row is None:
            raise NotFoundError(f"no device {device_id}")
        return row

    def _note(self, tx: Transaction, device_id: str, what: str, reason: str | None, actor: Actor) -> None:
        now = self._clock()
        body = {"reason": reason} if reason else {}
        tx.audit.add(actor, f"device.{what}", f"device:{device_id}", body, now)
        tx.timeline.add(
            EntryRow(at=now, subject_kind="device", subject_id=device_id, kind=what, actor=actor, body=body)
        )
