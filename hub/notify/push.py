"""Web push: RFC 8030 by HTTP, RFC 8291 (aes128gcm) for the content, RFC 8292 (VAPID) to say who sends.

With `cryptography` alone. pywebpush and py-vapid do the same under the MPL-2.0 and bring aiohttp along; what is needed
of the three RFCs is one derivation and one signature, and is checked against the examples they print.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller, NoCalls
from hub.ports.notices import Message, PushTarget, SendFailedError, Sent

__all__ = ["PushOutlet", "VapidKey", "encrypted"]

_RECORD = 4096
_TTL: Mapping[str, int] = {"alarm": 600, "routine": 86_400}
_LIVES = timedelta(hours=12)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def encrypted(
    content: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """A push message's body for one browser. `sender`, `salt`: fresh ones unless given. ValueError: a key is none."""
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    ours = _point(sender.public_key())
    secret = _derived(sender.exchange(ec.ECDH(), receiver), auth, b"WebPush: info\x00" + p256dh + ours, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
    head = salt + _RECORD.to_bytes(4) + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, content + b"\x02", None)


class VapidKey:
    """By which push services know this hub. `public`: what a browser subscribes with."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._key = key
        self._contact = contact
        self.public = _b64(_point(key.public_key()))

    @classmethod
    def of_file(cls, path: Path, contact: str) -> VapidKey:
        """A PEM file of a P-256 key. ValueError where it is none."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("holds no private key without a password") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("holds no key of the curve P-256 (openssl ecparam -name prime256v1 -genkey -noout)")
        return cls(key, contact)

    def header(self, endpoint: str, now: datetime) -> str:
        """`vapid t=…, k=…` for the push service of an endpoint."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + _LIVES).timestamp()),
            "sub": self._contact,
        }
        head, body = (_b64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        signed = self._key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signed)
        return f"vapid t={head}.{body}.{_b64(r.to_bytes(32) + s.to_bytes(32))}, k={self.public}"


class PushOutlet(NoCalls):
    """Thread-safe. Sent when at least one of the person's browsers has it."""

    provider = "webpush"

    def __init__(self, key: VapidKey) -> None:
        self._key = key
        self._caller = HttpCaller("the push service")

    @property
    def public_key(self) -> str:
        """What a browser subscribes with."""
        return self._key.public

    def bucket(self, _address: str) -> str:
        return "push"

    def rule(self, _address: str) -> RateRule | None:
        return None

    def send(self, message: Message) -> Sent:
        # What stands on a lock screen everybody may read: the short text, nothing else.
        shown = {"title": message.title, "body": message.short, "tag": message.key, "lane": message.lane}
        content = json.dumps(shown, ensure_ascii=False).encode()[: _RECORD - 200]
        gone: list[str] = []
        taken, last = 0, SendFailedError("there is no browser to tell", final=True)
        for target in message.pushes:
            try:
                self._one(target, message, content)
                taken += 1
            except SendFailedError as error:
                gone += error.gone
                last = error
        if taken == 0:
            raise SendFailedError(
                last.detail, final=len(gone) == len(message.pushes), after_s=last.after_s, gone=tuple(gone)
            )
        return Sent(gone=tuple(gone), note=f"{taken} of {len(message.pushes)}")

    def _one(self, target: PushTarget, message: Message, content: bytes) -> None:
        try:
            body = encrypted(content, target.p256dh, target.auth)
        except ValueError:
            raise SendFailedError("a browser's key is none", final=True, gone=(target.id,)) from None
        response = self._caller.ask(
            "POST",
            target.endpoint,
            content=body,
            headers={
                "authorization": self._key.header(target.endpoint, message.now),
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(_TTL[message.lane]),
                "urgency": "high" if message.lane == "alarm" else "normal",
                # The same message again replaces the one before on the way.
                "topic": message.key.replace("-", "")[:32],
            },
        )
        if response.status_code in (404, 410):
            raise SendFailedError("the browser is gone", final=True, gone=(target.id,))
        if response.status_code // 100 != 2:
            raise self._caller.refuse(response, final=False)

    def check(self) -> str:
        return "browsers subscribe with the key of HUB_PUSH__KEY_FILE"
