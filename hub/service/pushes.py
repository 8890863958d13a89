"""Makers' clouds push over HTTP: proved, taken by the same way in as MQTT, and answered only after the commit.

What is refused or cannot be read never answers success, so that the maker repeats; what was committed before is
answered again without being taken again. A push that cannot be read is kept raw under no device.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from devices import FAMILIES, Codec, Decoded, DeviceRef, Reply, Uplink
from devices.codecs.json_body import as_object, read_body
from devices.shares import shares
from devices.topics import UP_CHANNELS, is_device_id
from hub.clock import Clock
from hub.errors import BadRequestError, HubError, NotFoundError, UnavailableError
from hub.ports import SCHEMES, Actor, Database, Incoming, IntegrationRow, Outcome, Scheme
from hub.service.push_shelter import PushMemory
from hub.service.signatures import RECOVERABLE, Proof, Push, digest_of, prove, wrong_cipher_key

__all__ = ["Given", "Pushes", "RefusedError", "Taken", "Trusted"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PATTERN = re.compile(r"[A-Za-z0-9_.:*?-]{1,80}")
_SHORTEST_SECRET = 16
_USED_EVERY = timedelta(seconds=30)
_REFUSED_EVERY = timedelta(seconds=5)
_ENVELOPED = frozenset({"care", "zigbee2mqtt", "owntracks", "fall_radar", "vda5050", "thingsboard"})
"""Families whose codec needs the topic; a bridge may send it beside the payload."""


class RefusedError(HubError):
    """The push is from nobody we know, or its proof does not hold."""

    code = "intake-refused"
    status = 401


@dataclass(frozen=True, slots=True)
class Trusted:
    """A push whose sender is known; its body decrypted, where it came encrypted."""

    push: Push
    integration: IntegrationRow
    proof: Proof
    blind: bool = False
    """Proved by what is remembered: the database is away."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a push, after the commit. `repeated`: it was committed before, nothing was done now."""

    outcomes: tuple[Outcome, ...] = ()
    replies: tuple[Reply, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A new integration: its secret is told once."""

    name: str
    family: str
    scheme: Scheme
    secret: str


class Pushes:
    """Knows the integrations and takes their pushes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        codecs: Mapping[str, Codec],
        *,
        commit: Callable[[Sequence[Incoming]], list[Outcome]],
        quarantine: Callable[[Incoming, str], None],
    ) -> None:
        """`commit` takes a batch of uplinks by the way of alarms; `quarantine` keeps one raw, with the reason."""
        self._database = database
        self._clock = clock
        self._codecs = codecs
        self._take_batch = commit
        self._quarantine = quarantine
        self._memory = PushMemory()
        self._away: Callable[[], bool] = lambda: False
        self._used: dict[str, datetime] = {}
        self._refused: dict[str, datetime] = {}

    def take_by(
        self,
        commit: Callable[[Sequence[Incoming]], list[Outcome]],
        quarantine: Callable[[Incoming, str], None],
        away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Other ways in than those given at first: counted, and with a journal behind them.

        `away`: whether the database is known to be away, so that it need not be asked.
        """
        self._take_batch, self._quarantine, self._away = commit, quarantine, away

    def remember(self) -> None:
        """Reads the integrations, for the time when the database is away. UnavailableError: it is."""
        with self._database.begin() as tx:
            known = {family: tx.integrations.active(family) for family in FAMILIES}
        for family, active in known.items():
            self._memory.note(family, active)

    # --- integrations -------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        family: str,
        scheme: Scheme,
        actor: Actor,
        *,
        secret: str | None = None,
        devices: str = "*",
        rate_per_s: int = 50,
        cipher_key: str | None = None,
    ) -> Given:
        """Adds one. `secret`: what the maker dictates, else made here; `cipher_key`: OneNET's, where it encrypts.

        BadRequestError: a field; ConflictError: the name.
        """
        if not _NAME.fullmatch(name):
            raise BadRequestError(f"name {name!r}: 1 to 40 of a-z 0-9 -, not beginning with -", field="name")
        if family not in FAMILIES:
            raise BadRequestError(f"there is no device family {family!r}; known: {', '.join(FAMILIES)}", field="family")
        if scheme not in SCHEMES:
            raise BadRequestError(f"there is no scheme {scheme!r}; known: {', '.join(SCHEMES)}", field="scheme")
        if not _PATTERN.fullmatch(devices):
            raise BadRequestError(f"devices {devices!r}: an id, or a pattern of one with * and ?", field="devices")
        if secret is not None and scheme not in RECOVERABLE and len(secret) < _SHORTEST_SECRET:
            # Only a fast digest of it is kept: a short one could be found by trying.
            raise BadRequestError(f"secret: at least {_SHORTEST_SECRET} characters are needed", field="secret")
        if secret is not None and not 3 <= len(secret) <= 200:
            raise BadRequestError("secret: 3 to 200 characters", field="secret")
        if cipher_key is not None and (wrong := wrong_cipher_key(scheme, cipher_key)):
            raise BadRequestError(f"cipher_key: {wrong}", field="cipher_key")
        # Makers' consoles take letters and digits, at most 32 of them (Huawei).
        given = secret or secrets.token_hex(16)
        now = self._clock()
        row = IntegrationRow(
            name,
            family,
            scheme,
            created_at=now,
            secret=given if scheme in RECOVERABLE else None,
            secret_digest=None if scheme in RECOVERABLE else digest_of(given),
            devices=devices,
            rate_per_s=rate_per_s,
            created_by=actor.name,
            cipher_key=cipher_key,
        )
        with self._database.begin() as tx:
            tx.integrations.add(row)
            detail = {"family": family, "scheme": scheme, "devices": devices}
            tx.audit.add(actor, "integration.add", f"integration:{name}", detail, now)
        return Given(name, family, scheme, given)

    def all(self) -> list[IntegrationRow]:
        with self._database.begin() as tx:
            return tx.integrations.all()

    def revoke(self, name: str, actor: Actor) -> None:
        """From now on its pushes are refused. NotFoundError."""
        now = self._clock()
        with self._database.begin() as tx:
            tx.integrations.revoke(name, now)
            tx.audit.add(actor, "integration.revoke", f"integration:{name}", {}, now)

    # --- pushes -------------------------------------------------------------------------------------------------------

    def identify(self, push: Push) -> Trusted:
        """Who sends it. NotFoundError: no such family; RefusedError: no integration whose proof holds."""
        if push.family not in FAMILIES:
            raise NotFoundError(f"there is no device family {push.family[:40]!r}")
        known, blind = self._active(push.family)
        wanted = push.query.get("integration")
        if wanted is not None:
            known = [one for one in known if one.name == wanted]
        reasons: list[str] = []
        for integration in known:
            proof = prove(push, integration)
            if proof.reason is None:
                plain = push if proof.body is None else replace(push, body=proof.body)
                return Trusted(plain, integration, proof, blind)
            reasons.append(proof.reason)
        reason = "; ".join(dict.fromkeys(reasons)) or f"no integration of family {push.family} is registered"
        self._tell_refused(push.family, reason)
        raise RefusedError(reason)

    def handshake(self, trusted: Trusted) -> bytes:
        """What a GET is answered: OneNET's address check wants its `msg` back. BadRequestError for the others."""
        if trusted.integration.scheme != "onenet":
            raise BadRequestError(f"family {trusted.push.family} has no address check: it pushes by POST")
        return trusted.push.query.get("msg", "")[:1000].encode("utf-8", "replace")

    def take(self, trusted: Trusted) -> Taken:
        """Commits what a push says. BadRequestError: nothing could be read (kept raw); UnavailableError: repeat."""
        push, integration, proof = trusted.push, trusted.integration, trusted.proof
        said = hashlib.blake2b(b"\n".join((push.raw_query.encode(), push.body)), digest_size=16).digest()
        if proof.replay_key is not None:
            before = self._heard_before(trusted, proof.replay_key)
            if before is not None and bytes(before) != said:
                reason = "this nonce was used for another message"
                self._tell_refused(push.family, reason)
                raise RefusedError(reason, code="intake-replayed")
            if before is not None:
                return Taken(repeated=True)
        batch, unread = self._batch(trusted)
        # What was understood first: while the database is away an alarm must not wait for its unreadable neighbour.
        outcomes = self._commit(batch)
        for uplink, reason in unread:
            self._keep_unread(uplink, integration, reason)
        if unread and not batch:
            raise BadRequestError(f"nothing could be read: {unread[0][1]}", code="not-understood")
        self._remember(trusted, said)
        replies = tuple(reply for outcome in outcomes for reply in outcome.replies)
        return Taken(tuple(outcomes), replies)

    def _active(self, family: str) -> tuple[list[IntegrationRow], bool]:
        """The integrations of a family, and whether they are only remembered."""
        try:
            if not self._away():
                with self._database.begin() as tx:
                    known = tx.integrations.active(family)
                self._memory.note(family, known)
                return known, False
        except UnavailableError:
            if not self._memory.active(family):
                raise
        return self._memory.active(family), True

    def _heard_before(self, trusted: Trusted, nonce: bytes) -> bytes | None:
        """What is remembered here counts always: the database was not told what came while it was away."""
        name = trusted.integration.name
        heard = self._memory.heard(name, nonce, self._clock())
        if heard is not None or trusted.blind:
            return heard
        with self._database.begin() as tx:
            return tx.integrations.seen(name, nonce)

    def _batch(self, trusted: Trusted) -> tuple[list[Incoming], list[tuple[Uplink, str]]]:
        """One `Incoming` a device, and what names no device or cannot be read, with the reason."""
        push, integration = trusted.push, trusted.integration
        codec = self._codecs[push.family]
        named = push.query.get("device") or push.headers.get("x-device-id") or ""
        if named and not is_device_id(named):
            raise BadRequestError(f"device {named[:80]!r} is not a device id", field="device")
        batch: list[Incoming] = []
        unread: list[tuple[Uplink, str]] = []
        topic, payload = _topic_and_payload(push, named)
        bodies = [payload] if named else shares(push.family, payload, topic)
        for number, body in enumerate(bodies):
            uplink = Uplink(body, push.received_at, topic)
            decoded = codec.decode(uplink, DeviceRef(named, push.family))
            device_id = named or _device_of(decoded)
            if not decoded.events and decoded.error is None:
                continue  # it says nothing, such as a retained message being wiped
            if decoded.error is not None and not decoded.events:
                unread.append((uplink, decoded.error))
            elif not is_device_id(device_id):
                unread.append((uplink, "it names no device; give ?device= where the body cannot"))
            elif not fnmatchcase(device_id, integration.devices):
                unread.append((uplink, f"{integration.name} may not speak for {device_id}"))
            else:
                batch.append(Incoming(uplink, device_id, push.family, "http", number=number))
        return batch, unread

    def _commit(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """The alarm lane's own connection; a batch that fails is taken one by one, as the other ways in do."""
        if not batch:
            return []
        try:
            return self._take_batch(batch)
        except UnavailableError:
            raise
        except Exception:
            if len(batch) == 1:
                raise
        return [outcome for one in batch for outcome in self._take_batch([one])]

    def _keep_unread(self, uplink: Uplink, integration: IntegrationRow, reason: str) -> None:
        topic = f"intake/{integration.family}/{integration.name}"
        kept = Uplink(uplink.payload, uplink.received_at, topic)
        self._quarantine(Incoming(kept, "", integration.family, "http"), reason)

    def _remember(self, trusted: Trusted, said: bytes) -> None:
        """After the commit: a crash in between lets a repeat in, and the ledger knows its events."""
        name, proof, now = trusted.integration.name, trusted.proof, self._clock()
        if proof.replay_key is not None:
            self._memory.hear(name, proof.replay_key, said, now + proof.replay_for)
        if trusted.blind or self._away():
            return
        last = self._used.get(name)
        used = last is None or now - last >= _USED_EVERY
        # This one, and those that came while the database was away: another process knows them only from there.
        unwritten = self._memory.unwritten(now)
        if not used and not unwritten:
            return
        with self._database.begin() as tx:
            for nonce in unwritten:
                tx.integrations.remember(*nonce)
            if used:
                tx.integrations.used(name, now)
        self._memory.written(unwritten)
        self._used[name] = now if used else self._used[name]

    def _tell_refused(self, family: str, reason: str) -> None:
        """Shown beside the family's integrations; not for every one of a flood."""
        now = self._clock()
        last = self._refused.get(family)
        if last is not None and now - last < _REFUSED_EVERY:
            return
        self._refused[family] = now
        with suppress(UnavailableError), self._database.begin() as tx:
            tx.integrations.refused(family, reason[:300], now)


def _device_of(decoded: Decoded) -> str:
    """Whose events these are, where they are all one device's."""
    ids = {event.device_id for event in decoded.events}
    # A push that could not be taken apart stays with the first device it names; the events keep the others' names.
    return next(iter(ids)) if len(ids) == 1 else next((event.device_id for event in decoded.events), "")


_Envelope = tuple[str, bytes]


def _topic_and_payload(push: Push, named: str) -> _Envelope:
    """The topic a codec wants, from the address, the headers or an envelope; "" where there is none."""
    topic = push.query.get("topic", "")[:500]
    if not topic and push.family == "care" and named:
        channel = push.query.get("channel", "alarm")
        if channel not in UP_CHANNELS:
            raise BadRequestError(f"channel {channel[:40]!r}: one of {', '.join(UP_CHANNELS)}", field="channel")
        return f"care/v1/{named}/up/{channel}", push.body
    if not topic and push.family == "owntracks":
        topic = _owntracks_topic(push)
    if topic or push.family not in _ENVELOPED or not push.body.lstrip().startswith(b"{"):
        return topic, push.body
    body, _ = read_body(push.body)
    sent: Mapping[str, Any] = as_object(body)
    inner = sent.get("payload")
    if isinstance(sent.get("topic"), str) and inner is not None:
        payload = inner.encode("utf-8", "replace") if isinstance(inner, str) else json.dumps(inner).encode("ascii")
        return str(sent["topic"])[:500], payload
    return topic, push.body


def _owntracks_topic(push: Push) -> str:
    """The app's HTTP mode names user and device in headers, some versions in the body's own `topic`."""
    user, device = push.headers.get("x-limit-u", ""), push.headers.get("x-limit-d", "")
    if not user or not device:
        body, _ = read_body(push.body)
        sent = as_object(body).get("topic")
        return sent[:500] if isinstance(sent, str) else ""
    return f"owntracks/{user[:64]}/{device[:64]}"
