"""Events to other people's systems: a signed POST (`signing`), taken when it is answered with 2xx."""

from __future__ import annotations

from hub.notices.pacing import RateRule
from hub.notify.calling import HttpCaller, NoCalls
from hub.notify.signing import signed_headers
from hub.ports.notices import Message, Sent

__all__ = ["WebhookOutlet"]


class WebhookOutlet(NoCalls):
    """Thread-safe. `webhook-id` is the same for every try: a receiver that keeps ids takes each event once."""

    provider = "webhook"

    def __init__(self) -> None:
        self._caller = HttpCaller("the webhook")

    def bucket(self, address: str) -> str:
        return f"webhook:{address}"

    def rule(self, _address: str) -> RateRule | None:
        return None

    def send(self, message: Message) -> Sent:
        headers = {**signed_headers(message.secrets, message.key, message.body), "webhook-event": message.event}
        response = self._caller.ask("POST", message.address, content=message.body, headers=headers)
        if response.status_code // 100 == 2:
            return Sent(note=str(response.status_code))
        # A receiver that is set up wrongly today is set right tomorrow: only 410 says that nobody wants it any more.
        raise self._caller.refuse(response, final=response.status_code == 410)

    def check(self) -> str:
        return "events go out signed; each webhook's last delivery is on the page"
