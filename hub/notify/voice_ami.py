"""Calls through the Asterisk Manager Interface: Originate in the background, its end by OriginateResponse."""

from __future__ import annotations

import threading
from collections import OrderedDict
from urllib.parse import urlsplit

from hub.notices.pacing import RateRule
from hub.notify.ami import AmiConnection, Packet
from hub.notify.voice import VoicePlan, variables
from hub.ports.notices import CallOutcome, Message, SendFailedError, Sent

__all__ = ["AmiVoice"]

_REASONS: dict[str, CallOutcome] = {"1": "no_answer", "3": "no_answer", "4": "answered", "5": "busy"}
"""Of OriginateResponse: 1 and 3 rang in vain, 4 answered, 5 busy; 0 no such number, 8 congestion: failed."""
_KEPT = 1000


class AmiVoice:
    """Thread-safe; one connection, made anew when it was lost. `url`: tcp://host:5038 or tls://host:5039."""

    provider = "ami"

    def __init__(self, url: str, user: str, password: str, plan: VoicePlan) -> None:
        parts = urlsplit(url)
        self._tls = parts.scheme == "tls"
        self._address = (parts.hostname or "127.0.0.1", parts.port or (5039 if self._tls else 5038))
        self._user = user
        self._password = password
        self._plan = plan
        self._lock = threading.Lock()
        self._calls = threading.Lock()
        self._connection: AmiConnection | None = None
        self._outcomes: OrderedDict[str, CallOutcome] = OrderedDict()
        self._channels: OrderedDict[str, str] = OrderedDict()

    def bucket(self, _address: str) -> str:
        return "voice"

    def rule(self, _address: str) -> RateRule | None:
        return self._plan.rule

    def send(self, message: Message) -> Sent:
        ref = f"care-{message.key}"
        answer = self._open().ask(
            {
                "Action": "Originate",
                "ActionID": ref,
                "Channel": self._plan.endpoint.replace("{number}", self._plan.dialled(message.address)),
                "Context": self._plan.context,
                "Exten": "s",
                "Priority": "1",
                "Timeout": str(message.ring_s * 1000),
                "Async": "true",
                # Our own name for the channel: the same call again is refused while it rings.
                "ChannelId": ref,
                **({"CallerID": self._plan.caller_id} if self._plan.caller_id else {}),
            },
            variables(message, self._plan),
        )
        if answer.get("response") != "Success":
            words = answer.get("message", "refused")
            if "already" in words.lower() or "unique" in words.lower():
                return Sent(ref, note="the gateway had it already")
            raise SendFailedError(f"the telephone gateway refused the call: {words[:100]}")
        return Sent(ref)

    def look(self, ref: str) -> CallOutcome | None:
        with self._calls:
            return self._outcomes.get(ref)

    def hang_up(self, ref: str) -> None:
        with self._calls:
            channel = self._channels.get(ref)
            over = ref in self._outcomes and self._outcomes[ref] != "answered"
        if over:
            return
        answer = self._open().ask({"Action": "Hangup", "Channel": channel or ref})
        words = answer.get("message", "")
        if answer.get("response") != "Success" and "no such channel" not in words.lower():
            raise SendFailedError(f"the telephone gateway did not hang up: {words[:100]}")

    def check(self) -> str:
        connection = self._open()
        answer = connection.ask({"Action": "Ping"})
        if answer.get("response") not in ("Success", "Pong"):
            raise SendFailedError("the telephone gateway (AMI) does not answer a ping")
        return f"{connection.banner} answers"

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> AmiConnection:
        with self._lock:
            if self._connection is None or not self._connection.alive:
                self._connection = AmiConnection(self._address, self._user, self._password, self._heard, tls=self._tls)
            return self._connection

    def _heard(self, packet: Packet) -> None:
        event = packet.get("event", "").lower()
        ref = packet.get("uniqueid", "")
        with self._calls:
            if event == "newchannel" and ref.startswith("care-"):
                self._channels[ref] = packet.get("channel", ref)
                while len(self._channels) > _KEPT:
                    self._channels.popitem(last=False)
            elif event == "originateresponse":
                ref = packet.get("actionid") or ref
                good = packet.get("response", "").lower() == "success"
                self._outcomes[ref] = _REASONS.get(packet.get("reason", ""), "answered" if good else "failed")
                while len(self._outcomes) > _KEPT:
                    self._outcomes.popitem(last=False)
