"""Is this push from whom it says? One function a scheme. Pure: the request, the secret and the time are arguments.

| scheme | what is checked | stored |
|---|---|---|
| bearer | `Authorization: Bearer <secret>` | digest |
| basic  | `Authorization: Basic name:secret` | digest |
| key    | `?key=<secret>`, for makers that can neither sign nor send a header | digest |
| hmac   | `X-Hub-Signature: sha256=<hex>`, HMAC-SHA256 over time, nonce, query, body, joined by line feeds | secret |
| onenet | `signature` = base64(md5(token + nonce + msg)); encrypted pushes: over the encrypted text | secret |
| huawei | header `signature` = sha256 over token, `timestamp` and `nonce` sorted and joined | secret |
| aqara  | header `sign` = md5 over `appkey=…&nonce=…&time=…&token=…`, the key being the secret | secret |

A signature that covers a time is refused when that is more than five minutes off. What makes a request unique (its
nonce, or its signature) is given back: once committed it is never taken again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from devices.codecs.json_body import moment
from hub.ports import IntegrationRow, Scheme
from hub.service.deciphering import decipher, read_key

__all__ = ["RECOVERABLE", "Proof", "Push", "digest_of", "hmac_signature", "prove", "wrong_cipher_key"]

RECOVERABLE: frozenset[Scheme] = frozenset({"hmac", "onenet", "huawei", "aqara"})
"""Schemes whose secret must be known to check them."""

_CLOCKS_DIFFER = timedelta(minutes=5)
_TIMED = timedelta(hours=1)
_UNTIMED = timedelta(days=45)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Push:
    """One request of a maker's cloud. `headers` by their names in lower case."""

    method: str
    family: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    raw_query: str = ""
    address: str = "?"


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict. `reason` is None where the request is genuine; `replay_key` what it may be repeated by; `body` what
    it says where it came encrypted.
    """

    reason: str | None = None
    replay_key: bytes | None = None
    replay_for: timedelta = _TIMED
    body: bytes | None = None


def digest_of(secret: str) -> bytes:
    """What is stored of a secret that is sent along. Such secrets are made by the hub and long: no slow hash needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def prove(push: Push, integration: IntegrationRow) -> Proof:
    """Whether `push` comes from `integration`."""
    return _SCHEMES[integration.scheme](push, integration)


def wrong_cipher_key(scheme: Scheme, key: str) -> str | None:
    """What is wrong with a cipher key for pushes of this scheme; None where nothing is."""
    if scheme != "onenet":
        return f"pushes of scheme {scheme} are never encrypted, only those of onenet"
    try:
        read_key(key)
    except ValueError as problem:
        return str(problem)
    return None


# --- secrets that are sent along --------------------------------------------------------------------------------------


def _same_digest(sent: str, integration: IntegrationRow) -> bool:
    expected = integration.secret_digest or b""
    return bool(sent) and hmac.compare_digest(digest_of(sent), expected)


def _authorization(push: Push, scheme: str) -> str | None:
    said, _, value = push.headers.get("authorization", "").partition(" ")
    return value.strip() if said.lower() == scheme else None


def _bearer(push: Push, integration: IntegrationRow) -> Proof:
    sent = _authorization(push, "bearer")
    if sent is None:
        return Proof("no Authorization: Bearer header")
    return Proof() if _same_digest(sent, integration) else Proof("the bearer token is wrong")


def _basic(push: Push, integration: IntegrationRow) -> Proof:
    sent = _authorization(push, "basic")
    if sent is None:
        return Proof("no Authorization: Basic header")
    try:
        name, _, secret = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Proof("the Authorization header is not base64 of name:secret")
    right = _same_digest(secret, integration) and hmac.compare_digest(name.encode(), integration.name.encode())
    return Proof() if right else Proof("name or secret is wrong")


def _key(push: Push, integration: IntegrationRow) -> Proof:
    sent = push.query.get("key", "")
    if not sent:
        return Proof("no key in the address")
    return Proof() if _same_digest(sent, integration) else Proof("the key in the address is wrong")


# --- signatures -------------------------------------------------------------------------------------------------------


def _off(text: str, push: Push) -> str | None:
    """Why the time of a signature cannot stand."""
    at = moment(text, {})
    if at is None:
        return f"timestamp {text[:40]!r} is not a time"
    if abs(at - push.received_at) > _CLOCKS_DIFFER:
        return f"timestamp {at.isoformat()} is more than five minutes from {push.received_at.isoformat()}"
    return None


def hmac_signature(secret: str, timestamp: str, nonce: str, query: str, body: bytes) -> str:
    """The value of `X-Hub-Signature` for a request; docs/wire/intake.md has it in words."""
    head = (text.encode("utf-8", "replace") for text in (timestamp, nonce, query))
    signed = b"\n".join((*head, body))
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _hmac(push: Push, integration: IntegrationRow) -> Proof:
    timestamp, nonce = push.headers.get("x-hub-timestamp", ""), push.headers.get("x-hub-nonce", "")
    sent = push.headers.get("x-hub-signature", "")
    if not timestamp or not sent or not 8 <= len(nonce) <= 128:
        return Proof("X-Hub-Timestamp, X-Hub-Nonce (8 to 128 characters) and X-Hub-Signature are needed")
    expected = hmac_signature(integration.secret or "", timestamp, nonce, push.raw_query, push.body)
    if not hmac.compare_digest(expected.encode(), sent.strip().lower().encode("utf-8", "replace")):
        return Proof("the signature is wrong")
    off = _off(timestamp, push)
    return Proof(off) if off else Proof(replay_key=_named("hmac", nonce))


def _onenet(push: Push, integration: IntegrationRow) -> Proof:
    """Address check (GET, in the query) and push (POST, in the body): both sign `msg` with a nonce, and no time."""
    if push.method == "GET":
        msg, nonce, sent = (push.query.get(name, "") for name in ("msg", "nonce", "signature"))
    else:
        try:
            fields = _RAW.decode(push.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Proof("the body is not {msg, nonce, signature}")
        msg, nonce = _text(fields.get("enc_msg")) or _text(fields.get("msg")), _text(fields.get("nonce"))
        sent = _text(fields.get("signature")) or _text(fields.get("msg_signature"))
    if not nonce or not sent or not msg:
        return Proof("msg, nonce and signature are needed")
    expected = base64.b64encode(
        hashlib.md5(f"{integration.secret}{nonce}{msg}".encode("utf-8", "replace"), usedforsecurity=False).digest()
    )
    # A plus sign of base64 arrives as a blank where the sender did not escape it.
    if not hmac.compare_digest(expected, sent.replace(" ", "+").encode("utf-8", "replace")):
        return Proof("the signature is wrong")
    proof = Proof(replay_key=_named("onenet", nonce + sent), replay_for=_UNTIMED)
    if push.method == "GET" or msg.lstrip()[:1] in ("{", "["):
        return proof
    if not integration.cipher_key:
        return Proof("the push is encrypted: give its cipher key, or choose plain text at OneNET")
    try:
        return replace(proof, body=decipher(msg, read_key(integration.cipher_key)))
    except ValueError as problem:
        return Proof(str(problem))


def _text(raw: msgspec.Raw | None) -> str:
    """A text member's value; any other member as it was written, which is what was signed."""
    if raw is None:
        return ""
    written = bytes(raw)
    if written.startswith(b'"'):
        return msgspec.json.decode(written, type=str)
    return written.decode("utf-8", "replace")


def _huawei(push: Push, integration: IntegrationRow) -> Proof:
    timestamp, nonce = push.headers.get("timestamp", ""), push.headers.get("nonce", "")
    sent = push.headers.get("signature", "")
    if not timestamp or not nonce or not sent:
        return Proof("the headers timestamp, nonce and signature are needed")
    joined = "".join(sorted((integration.secret or "", timestamp, nonce)))
    expected = hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()
    if not hmac.compare_digest(expected.encode(), sent.strip().lower().encode("utf-8", "replace")):
        return Proof("the signature is wrong")
    off = _off(timestamp, push)
    return Proof(off) if off else Proof(replay_key=_named("huawei", f"{timestamp}\n{nonce}"))


def _aqara(push: Push, integration: IntegrationRow) -> Proof:
    """The key goes along in a header of its own, so the signature is no better than the key: TLS protects both."""
    token, nonce = push.headers.get("token", ""), push.headers.get("nonce", "")
    timestamp, sent = push.headers.get("time", ""), push.headers.get("sign", "")
    if not token or not nonce or not timestamp or not sent:
        return Proof("the headers token, time, nonce and sign are needed: turn signing on at Aqara")
    joined = f"appkey={integration.secret or ''}&nonce={nonce}&time={timestamp}&token={token}"
    # Aqara's own interface folds what it signs to lower case and its push description does not say: either is its.
    either = [
        hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        for text in (joined, joined.lower())
    ]
    said = sent.strip().lower().encode("utf-8", "replace")
    if not any(hmac.compare_digest(one.encode(), said) for one in either):
        return Proof("the signature is wrong")
    off = _off(timestamp, push)
    return Proof(off) if off else Proof(replay_key=_named("aqara", f"{timestamp}\n{nonce}"))


def _named(scheme: str, text: str) -> bytes:
    return hashlib.blake2b(f"{scheme}\n{text}".encode("utf-8", "replace"), digest_size=16).digest()


_SCHEMES: Mapping[Scheme, Callable[[Push, IntegrationRow], Proof]] = {
    "bearer": _bearer,
    "basic": _basic,
    "key": _key,
    "hmac": _hmac,
    "onenet": _onenet,
    "huawei": _huawei,
    "aqara": _aqara,
}
