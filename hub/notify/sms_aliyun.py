"""Short messages by Alibaba Cloud (Dysmsapi 2017-05-25, SendSms), signed by its third scheme, ACS3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from hub.clock import utc_now
from hub.notify.calling import plain_number
from hub.notify.sms import SmsBase
from hub.ports.notices import Message, SendFailedError, Sent

__all__ = ["AliyunSms", "acs3_headers"]

_VERSION = "2017-05-25"
_AGAIN = frozenset(
    {"isv.BUSINESS_LIMIT_CONTROL", "isp.SYSTEM_ERROR", "Throttling", "Throttling.User", "ServiceUnavailable"}
)
_LIMIT_S = 60.0
"""A number takes one message a minute and five an hour of one account unless the contract says otherwise."""


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def acs3_headers(
    key_id: str,
    secret: str,
    host: str,
    action: str,
    query: Mapping[str, str],
    *,
    at: datetime,
    nonce: str,
    version: str = _VERSION,
) -> tuple[str, dict[str, str]]:
    """The canonical query and the headers of a signed POST without a body."""
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    text = "&".join(f"{_encoded(name)}={_encoded(query[name])}" for name in sorted(query))
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n{text}\n{lines}\n{names}\n{body_hash}"
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signed = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signed}"
    return text, headers


class AliyunSms(SmsBase):
    """`url`: https://dysmsapi.aliyuncs.com. `OutId` carries the notice's id; the provider itself does not tell repeats
    apart, so a crash between sending and marking may send one twice."""

    provider = "aliyun"

    def send(self, message: Message) -> Sent:
        found = self._call(
            "SendSms",
            {
                "PhoneNumbers": plain_number(message.address),
                "SignName": self._plan.sign_name,
                "TemplateCode": self._plan.template_of(message),
                "TemplateParam": json.dumps(self._plan.values_of(message), ensure_ascii=False),
                "OutId": message.key,
            },
        )
        code = str(found.get("Code", ""))
        if code == "OK":
            return Sent(str(found.get("BizId") or message.key))
        if code in _AGAIN:
            raise SendFailedError(f"the short message service is busy: {code}", after_s=_LIMIT_S)
        raise SendFailedError(
            f"the short message service refused: {code} {str(found.get('Message', ''))[:80]}", final=True
        )

    def check(self) -> str:
        # Asks for the balance of nothing: a wrong key is told, and nothing is sent.
        found = self._call("QuerySmsSign", {"SignName": self._plan.sign_name})
        code = str(found.get("Code", ""))
        if code != "OK":
            raise SendFailedError(f"Alibaba Cloud answers {code}: {str(found.get('Message', ''))[:80]}")
        return f"Alibaba Cloud knows the signature {self._plan.sign_name}"

    def _call(self, action: str, query: Mapping[str, str]) -> dict[str, object]:
        host = urlsplit(self._plan.url).netloc
        text, headers = acs3_headers(
            self._plan.key_id, self._plan.secret, host, action, query, at=utc_now(), nonce=secrets.token_hex(16)
        )
        response = self._caller.ask("POST", f"{self._plan.url.rstrip('/')}/?{text}", headers=headers)
        if response.status_code >= 500 or response.status_code in (401, 403):
            raise self._caller.refuse(response)
        return self._json(response)
