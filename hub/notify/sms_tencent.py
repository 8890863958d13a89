"""Short messages by Tencent Cloud (sms 2021-01-11, SendSms), signed by TC3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from hub.clock import utc_now
from hub.notify.calling import plain_number
from hub.notify.sms import SmsBase
from hub.ports.notices import Message, SendFailedError, Sent

__all__ = ["TencentSms", "tc3_headers"]

_VERSION = "2021-01-11"
_TYPE = "application/json; charset=utf-8"
_AGAIN = ("LimitExceeded.", "RequestLimitExceeded", "InternalError", "FailedOperation.Timeout")


def tc3_headers(
    key_id: str, secret: str, host: str, action: str, body: bytes, *, region: str, at: datetime
) -> dict[str, str]:
    """The headers of a signed POST of JSON."""
    at_s = int(at.timestamp())
    day = at.astimezone(UTC).strftime("%Y-%m-%d")
    signed_names = "content-type;host;x-tc-action"
    canonical = (
        f"POST\n/\n\ncontent-type:{_TYPE}\nhost:{host}\nx-tc-action:{action.lower()}\n\n{signed_names}\n"
        + hashlib.sha256(body).hexdigest()
    )
    scope = f"{day}/sms/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{at_s}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = hmac.digest(key, to_sign.encode(), "sha256").hex()
    proof = f"Credential={key_id}/{scope}, SignedHeaders={signed_names}, Signature={signed}"
    return {
        "authorization": f"TC3-HMAC-SHA256 {proof}",
        "content-type": _TYPE,
        "host": host,
        "x-tc-action": action,
        "x-tc-version": _VERSION,
        "x-tc-timestamp": str(at_s),
        "x-tc-region": region or "ap-guangzhou",
    }


class TencentSms(SmsBase):
    """`url`: https://sms.tencentcloudapi.com. `SessionContext` carries the notice's id."""

    provider = "tencent"

    def send(self, message: Message) -> Sent:
        number = plain_number(message.address)
        found = self._call(
            "SendSms",
            {
                "PhoneNumberSet": [number if number.startswith("+") else f"+86{number}"],
                "SmsSdkAppId": self._plan.app_id,
                "SignName": self._plan.sign_name,
                "TemplateId": self._plan.template_of(message),
                "TemplateParamSet": list(self._plan.values_of(message).values()),
                "SessionContext": message.key,
            },
        )
        status = (found.get("SendStatusSet") or [{}])[0]
        code = str(status.get("Code", ""))
        if code == "Ok":
            return Sent(str(status.get("SerialNo") or message.key))
        raise _refused(code, str(status.get("Message", "")))

    def check(self) -> str:
        self._call("DescribeSmsSignList", {"SignIdSet": [], "International": 0})
        return "Tencent Cloud takes the key"

    def _call(self, action: str, asked: Mapping[str, object]) -> dict[str, list[dict[str, object]]]:
        body = json.dumps(asked, ensure_ascii=False).encode()
        host = urlsplit(self._plan.url).netloc
        headers = tc3_headers(
            self._plan.key_id, self._plan.secret, host, action, body, region=self._plan.region, at=utc_now()
        )
        response = self._caller.ask("POST", self._plan.url.rstrip("/") + "/", content=body, headers=headers)
        if response.status_code != 200:
            raise self._caller.refuse(response)
        found = self._json(response).get("Response") or {}
        error = found.get("Error")
        if error:
            raise _refused(str(error.get("Code", "")), str(error.get("Message", "")))
        answer: dict[str, list[dict[str, object]]] = found
        return answer


def _refused(code: str, words: str) -> SendFailedError:
    again = code.startswith(_AGAIN)
    detail = f"the short message service {'is busy' if again else 'refused'}: {code} {words[:80]}".rstrip()
    return SendFailedError(detail, final=not again, after_s=60.0 if again else None)
