"""Calls through FreeSWITCH's HTTP interface (mod_xml_rpc): `originate` in the background, hung up by its own id.

GET /webapi/bgapi?originate … answers `+OK Job-UUID: …`. `origination_uuid` is the notice's own id, so a call asked for
twice is refused by the switch and rings once.
"""

from __future__ import annotations

from urllib.parse import quote

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller
from hub.notify.voice import VoicePlan, variables
from hub.ports.notices import CallOutcome, Message, SendFailedError, Sent

__all__ = ["FreeswitchVoice"]


class FreeswitchVoice:
    """Thread-safe."""

    provider = "freeswitch"

    def __init__(self, url: str, user: str, password: str, plan: VoicePlan) -> None:
        self._url = url.rstrip("/")
        self._plan = plan
        self._caller = HttpCaller("the telephone gateway (FreeSWITCH)", auth=(user, password))

    def bucket(self, _address: str) -> str:
        return "voice"

    def rule(self, _address: str) -> RateRule | None:
        return self._plan.rule

    def send(self, message: Message) -> Sent:
        given = {
            "origination_uuid": message.key,
            "originate_timeout": str(message.ring_s),
            "ignore_early_media": "true",
            **({"origination_caller_id_number": self._plan.caller_id} if self._plan.caller_id else {}),
            **{name.lower(): value for name, value in variables(message, self._plan).items()},
        }
        if self._command("uuid_exists", message.key) == "true":
            return Sent(message.key, note="the gateway had it already")
        head = ",".join(f"{name}='{_quoted(value)}'" for name, value in given.items())
        endpoint = self._plan.endpoint.replace("{number}", self._plan.dialled(message.address))
        answer = self._command("bgapi", f"originate {{{head}}}{endpoint} s XML {self._plan.context}")
        if not answer.startswith("+OK"):
            raise SendFailedError(f"the telephone gateway refused the call: {answer[:80]}")
        return Sent(message.key)

    def look(self, ref: str) -> CallOutcome | None:
        if self._command("uuid_exists", ref) == "true":
            state = self._command("uuid_getvar", f"{ref} answer_epoch")
            return "answered" if state.isdigit() and state != "0" else None
        return "no_answer"

    def hang_up(self, ref: str) -> None:
        self._command("uuid_kill", ref)

    def check(self) -> str:
        answer = self._command("status", "")
        if "UP" not in answer:
            raise SendFailedError(f"the telephone gateway is not up: {answer[:80]}")
        return "FreeSWITCH answers"

    def _command(self, name: str, arguments: str) -> str:
        url = f"{self._url}/webapi/{name}" + (f"?{quote(arguments, safe='')}" if arguments else "")
        response = self._caller.ask("GET", url)
        if response.status_code != 200:
            raise self._caller.refuse(response)
        return response.text.strip()


def _quoted(value: str) -> str:
    # Inside quotes only these two end a value; both are of no use to whoever listens.
    return value.replace("\\", "").replace("'", "")
