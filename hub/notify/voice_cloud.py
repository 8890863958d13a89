"""Calls through a cloud's voice service by a plain signed webhook: for providers without an adapter of their own.

POST of JSON, signed like the hub's own webhooks (`hub.notify.signing`); the service, or a small function before it,
rings, reads `text` aloud, and POSTs what happens to `answer_url` with the same signature. docs/howto/notifications.md.
"""

from __future__ import annotations

import msgspec

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller
from hub.notify.signing import signed_headers
from hub.notify.voice import VoicePlan
from hub.ports.notices import CallOutcome, Message, Sent

__all__ = ["CloudVoice"]


class CloudVoice:
    """Thread-safe."""

    provider = "cloud"

    def __init__(self, url: str, secret: str, plan: VoicePlan) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._plan = plan
        self._caller = HttpCaller("the voice service")

    def bucket(self, _address: str) -> str:
        return "voice"

    def rule(self, _address: str) -> RateRule | None:
        return self._plan.rule

    def send(self, message: Message) -> Sent:
        body = {
            "id": message.key,
            "number": self._plan.dialled(message.address),
            "caller_id": self._plan.caller_id or None,
            "text": message.spoken,
            "language": message.language,
            "template": message.template,
            "params": dict(message.values),
            "ring_s": message.ring_s,
            "answer_url": message.answer_url,
            "expires_at": message.expires_at.isoformat(),
        }
        answer = self._post("/calls", body, message)
        ref = answer.get("call_id") if isinstance(answer, dict) else None
        return Sent(str(ref) if ref else message.key)

    def look(self, _ref: str, /) -> CallOutcome | None:
        return None  # it tells by itself

    def hang_up(self, ref: str) -> None:
        response = self._caller.ask(
            "DELETE", f"{self._url}/calls/{ref}", headers=signed_headers([self._secret], ref, b"")
        )
        if response.status_code not in (200, 202, 204, 404):
            raise self._caller.refuse(response)

    def check(self) -> str:
        response = self._caller.ask("GET", f"{self._url}/health")
        if response.status_code >= 500:
            raise self._caller.refuse(response)
        return f"the voice service answers ({response.status_code})"

    def _post(self, path: str, body: object, message: Message) -> object:
        content = msgspec.json.encode(body)
        headers = signed_headers([self._secret], message.key, content)
        response = self._caller.ask("POST", self._url + path, content=content, headers=headers)
        if response.status_code == 409:
            return {}  # it has the call: the same id rings once
        if response.status_code // 100 != 2:
            raise self._caller.refuse(response)
        return self._caller.answer(response) if response.content else {}
