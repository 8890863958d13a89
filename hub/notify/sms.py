"""Short messages: what the adapters share, and the generic one for gateways without an adapter of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller, NoCalls, plain_number
from hub.notify.signing import signed_headers
from hub.ports.notices import Message, SendFailedError, Sent

__all__ = ["GenericSms", "SmsBase", "SmsPlan"]


@dataclass(frozen=True, slots=True)
class SmsPlan:
    """An account. `templates`: the hub's template to the provider's number of the registered text.

    `params`: in which order a registered text wants its parameters, by the hub's template; without: as the text has
    them by name.
    """

    url: str
    key_id: str
    secret: str = field(repr=False)
    sign_name: str = ""
    app_id: str = ""
    region: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rule: RateRule | None = None

    def template_of(self, message: Message) -> str:
        """SendFailedError where the provider knows no text for it."""
        found = self.templates.get(f"{message.template}.{message.language}") or self.templates.get(message.template)
        if found is None:
            raise SendFailedError(f"HUB_SMS__TEMPLATES has no text registered for {message.template}", final=True)
        return found

    def values_of(self, message: Message) -> dict[str, str]:
        """What is filled into the registered text, in its order where one is given."""
        known = {**message.values}
        if message.link:
            # The end of the link alone: a registered text holds its beginning, as providers demand.
            known |= {"link": message.link, "token": message.link.rpartition("/")[2]}
        names = self.params.get(message.template)
        if names is None:
            return {name: value for name, value in known.items() if name not in ("site",)}
        return {name: known.get(name, "") for name in names}


class SmsBase(NoCalls):
    """What is the same for all of them."""

    provider = "sms"

    def __init__(self, plan: SmsPlan) -> None:
        self._plan = plan
        self._caller = HttpCaller("the short message service")

    def bucket(self, _address: str) -> str:
        return "sms"

    def rule(self, _address: str) -> RateRule | None:
        return self._plan.rule

    def _json(self, response: Any) -> dict[str, Any]:
        found = self._caller.answer(response)
        if not isinstance(found, dict):
            raise SendFailedError("the short message service answered something else than an object")
        return found


class GenericSms(SmsBase):
    """A signed POST of JSON: `{"id", "number", "text", "sign_name", "template", "params", "expires_at"}`."""

    provider = "generic"

    def send(self, message: Message) -> Sent:
        body = {
            "id": message.key,
            "number": plain_number(message.address),
            "text": message.short,
            "sign_name": self._plan.sign_name or None,
            "template": self._plan.templates.get(message.template),
            "params": self._plan.values_of(message),
            "expires_at": message.expires_at.isoformat(),
        }
        content = msgspec.json.encode(body)
        response = self._caller.ask(
            "POST", self._plan.url, content=content, headers=signed_headers([self._plan.secret], message.key, content)
        )
        if response.status_code // 100 != 2 and response.status_code != 409:
            raise self._caller.refuse(response)
        return Sent(message.key)

    def check(self) -> str:
        response = self._caller.ask("GET", self._plan.url)
        if response.status_code >= 500:
            raise self._caller.refuse(response)
        return f"the short message service answers ({response.status_code})"
