"""Chat groups and mail. Addresses are written as `apprise` takes them; it sends to all but three of its kinds.

The robots of WeCom, DingTalk and Feishu answer 200 also where they refuse, with the reason in the body, and apprise
looks at the status alone: a message that was never shown would count as sent. Theirs is therefore one POST of our own,
whose answer is read; apprise still reads their addresses.

    wecombot://KEY                          a WeCom group's robot
    dingtalk://SECRET@TOKEN/                a DingTalk group's robot, signed
    feishu://TOKEN                          a Feishu group's robot
    mailto(s)://user:password@host:port/?from=…&to=…
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import apprise

from hub.clock import utc_now
from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller, NoCalls
from hub.notify.limits import CHAT_RULES, MAIL_RULE
from hub.ports.notices import Message, SendFailedError, Sent

__all__ = ["ChatGroups", "Mail"]

_HOSTS: Mapping[str, str] = {
    "wecombot": "https://qyapi.weixin.qq.com",
    "dingtalk": "https://oapi.dingtalk.com",
    "feishu": "https://open.feishu.cn",
}
_FULL: Mapping[str, frozenset[int]] = {
    "wecombot": frozenset({45009}),
    "dingtalk": frozenset({130101, 660026}),
    "feishu": frozenset({9499, 11232}),
}
"""What a robot answers that has had enough: wait; a DingTalk robot is then blocked for ten minutes."""
_WAIT_S: Mapping[str, float] = {"wecombot": 60.0, "dingtalk": 600.0, "feishu": 60.0}
_LONGEST = 1900

# It tells addresses, keys among them, on its debug level.
logging.getLogger("apprise").setLevel(logging.ERROR)


def _parsed(name: str, url: str) -> Any:
    """An address as apprise understands it. ValueError that does not repeat it."""
    found = apprise.Apprise.instantiate(url)
    if found is None:
        raise ValueError(f"{name}: is no address that apprise knows, such as wecombot://KEY or feishu://TOKEN")
    return found


class ChatGroups(NoCalls):
    """Groups by name. `hosts`: where robots are, else their makers' own. ValueError names a group that is wrong."""

    provider = "chat"

    def __init__(self, groups: Mapping[str, str], hosts: Mapping[str, str] = _HOSTS) -> None:
        self._groups = {name: _parsed(name, url) for name, url in groups.items()}
        self._schemes = {name: urlsplit(url).scheme for name, url in groups.items()}
        self._hosts = {**_HOSTS, **hosts}
        self._caller = HttpCaller("the chat service")

    @property
    def names(self) -> list[str]:
        """The groups there are."""
        return sorted(self._groups)

    def bucket(self, address: str) -> str:
        return f"chat:{address}"

    def rule(self, address: str) -> RateRule | None:
        return CHAT_RULES.get(self._schemes.get(address, ""), CHAT_RULES["wecombot"])

    def send(self, message: Message) -> Sent:
        target = self._groups.get(message.address)
        if target is None:
            raise SendFailedError(f"there is no chat group {message.address}", final=True)
        scheme, text = self._schemes[message.address], message.full[:_LONGEST]
        if scheme in _HOSTS:
            self._robot(scheme, target, message.title, text)
        elif not apprise_sends(target, message.title, text):
            raise SendFailedError(f"the chat service ({scheme}) did not take it")
        return Sent()

    def check(self) -> str:
        return f"{len(self._groups)} group(s): {', '.join(self.names)}; `hub notify test chat NAME` sends one"

    def _robot(self, scheme: str, target: Any, title: str, text: str) -> None:
        url, body = _robot_message(scheme, self._hosts[scheme].rstrip("/"), target, title, text)
        response = self._caller.ask("POST", url, json=body)
        if response.status_code == 429 or response.status_code // 100 != 2:
            raise self._caller.refuse(response)
        answer = self._caller.answer(response)
        code = answer.get("errcode", answer.get("code", answer.get("StatusCode", 0)))
        if code in (0, None):
            return
        words = str(answer.get("errmsg", answer.get("msg", "")))[:80]
        if code in _FULL[scheme]:
            raise SendFailedError(f"the robot has had enough messages: {code} {words}", after_s=_WAIT_S[scheme])
        raise SendFailedError(f"the robot refused: {code} {words}", final=True)


def _robot_message(scheme: str, host: str, target: Any, title: str, text: str) -> tuple[str, dict[str, Any]]:
    plain = text.replace("**", "")
    if scheme == "wecombot":
        return f"{host}/cgi-bin/webhook/send?key={quote(target.key)}", {"msgtype": "text", "text": {"content": plain}}
    if scheme == "feishu":
        return f"{host}/open-apis/bot/v2/hook/{quote(target.token)}", {"msg_type": "text", "content": {"text": plain}}
    query = f"access_token={quote(target.token)}"
    if target.secret:
        at = str(round(utc_now().timestamp() * 1000))
        signed = hmac.digest(target.secret.encode(), f"{at}\n{target.secret}".encode(), "sha256")
        query += f"&timestamp={at}&sign={quote(base64.b64encode(signed).decode(), safe='')}"
    body = {"msgtype": "text", "text": {"content": f"{title}\n{plain}" if title else plain}}
    return f"{host}/robot/send?{query}", body


def apprise_sends(target: Any, title: str, text: str) -> bool:
    """Whether apprise says that it was taken."""
    sender = apprise.Apprise()
    sender.add(target)
    return bool(sender.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))


class Mail(NoCalls):
    """Mail by one server; the address of the notice is the receiver. ValueError where the server's address is wrong."""

    provider = "mail"

    def __init__(self, server: str) -> None:
        self._server = server
        parts = urlsplit(server)
        if parts.scheme not in ("mailto", "mailtos"):
            raise ValueError("must begin with mailto:// or mailtos://")
        _parsed("HUB_MAIL__URL", self._to("somebody@example.com"))
        self._host = parts.hostname or "?"

    def bucket(self, _address: str) -> str:
        return "mail"

    def rule(self, _address: str) -> RateRule | None:
        return MAIL_RULE

    def send(self, message: Message) -> Sent:
        if "@" not in message.address or any(char in message.address for char in " \r\n,;?&"):
            raise SendFailedError("this is no mail address", final=True)
        if not apprise_sends(_parsed("mail", self._to(message.address)), message.title, message.full.replace("**", "")):
            raise SendFailedError(f"the mail server {self._host} did not take it")
        return Sent()

    def check(self) -> str:
        return f"mail goes by {self._host}; `hub notify test mail ADDRESS` sends one"

    def _to(self, address: str) -> str:
        return f"{self._server}{'&' if '?' in self._server else '/?'}to={quote(address)}"
