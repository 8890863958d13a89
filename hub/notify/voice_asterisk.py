"""Calls through Asterisk's REST interface (ARI): the gateway dials, its dialplan speaks and tells the key pressed.

POST /ari/channels puts the call into a context of the dialplan when it is answered; `channelId` is our own name for the
call, so that the same call asked for twice is answered 409 and rings once. See docs/howto/notifications.md for the
dialplan, which reads CARE_TEXT aloud and tells CARE_URL what happens.
"""

from __future__ import annotations

from urllib.parse import quote

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller, plain_number
from hub.notify.voice import VoicePlan, variables
from hub.ports.notices import CallOutcome, Message, SendFailedError, Sent

__all__ = ["AriVoice"]


class AriVoice:
    """Thread-safe. `url` ends before /ari."""

    provider = "ari"

    def __init__(self, url: str, user: str, password: str, plan: VoicePlan) -> None:
        self._url = url.rstrip("/")
        self._plan = plan
        self._caller = HttpCaller("the telephone gateway (ARI)", auth=(user, password))

    def bucket(self, _address: str) -> str:
        return "voice"

    def rule(self, _address: str) -> RateRule | None:
        return self._plan.rule

    def send(self, message: Message) -> Sent:
        ref = f"care-{message.key}"
        number = self._plan.dialled(message.address)
        response = self._caller.ask(
            "POST",
            f"{self._url}/ari/channels",
            params={
                "endpoint": self._plan.endpoint.replace("{number}", number),
                "context": self._plan.context,
                "extension": "s",
                "priority": "1",
                "timeout": str(message.ring_s),
                "channelId": ref,
                **({"callerId": self._plan.caller_id} if self._plan.caller_id else {}),
            },
            json={"variables": variables(message, self._plan)},
        )
        if response.status_code == 409:
            return Sent(ref, note="the gateway had it already")
        if response.status_code // 100 != 2:
            raise self._caller.refuse(response, final=response.status_code == 400)
        return Sent(ref)

    def look(self, ref: str) -> CallOutcome | None:
        response = self._caller.ask("GET", f"{self._url}/ari/channels/{quote(ref, safe='')}")
        if response.status_code == 404:
            # Gone, and its dialplan told nothing: it rang and nobody took it.
            return "no_answer"
        if response.status_code != 200:
            raise self._caller.refuse(response)
        state = str(self._caller.answer(response).get("state", ""))
        return "answered" if state == "Up" else "busy" if state == "Busy" else None

    def hang_up(self, ref: str) -> None:
        response = self._caller.ask("DELETE", f"{self._url}/ari/channels/{quote(ref, safe='')}")
        if response.status_code not in (200, 204, 404):
            raise self._caller.refuse(response)

    def check(self) -> str:
        response = self._caller.ask("GET", f"{self._url}/ari/asterisk/info", params={"only": "system"})
        if response.status_code != 200:
            raise self._caller.refuse(response)
        system = self._caller.answer(response).get("system") or {}
        if plain_number("+8613800000000") not in self._plan.dialled("+8613800000000"):
            raise SendFailedError("HUB_VOICE__PREFIX hides the number that is dialled")
        return f"Asterisk {system.get('version', '')} answers".replace("  ", " ")
