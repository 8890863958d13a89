"""Signatures of what the hub sends and of what gateways tell it: the Standard Webhooks scheme.

`webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body`; several, one for each secret in force, separated by blanks. Libraries check it in every language.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.clock import utc_now

__all__ = ["WINDOW_S", "signature", "signed_headers", "verified"]

WINDOW_S = 300
"""A signature older or newer than this is refused: nobody can send an old message again."""


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret[6:], validate=True)
        except (ValueError, binascii.Error):
            pass
    return secret.encode()


def signature(secret: str, ident: str, at_s: int, body: bytes) -> str:
    """`v1,…` of one secret."""
    signed = b".".join((ident.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def signed_headers(secrets: Sequence[str], ident: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """The headers of a signed request. `at` None: now."""
    at_s = int((at or utc_now()).timestamp())
    return {
        "content-type": "application/json",
        "user-agent": "care-hub",
        "webhook-id": ident,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signature(secret, ident, at_s, body) for secret in secrets),
    }


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether a request is signed with the secret, and lately. Header names in lower case."""
    ident, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not secret or not ident or not at.isascii() or not at.isdigit() or len(at) > 12:
        return False
    if abs(now.timestamp() - int(at)) > WINDOW_S:
        return False
    wanted = signature(secret, ident, int(at), body)
    return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given.split(" "))
