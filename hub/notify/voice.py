"""What every telephone gateway is told: whom to ring, what to say, where to tell which key was pressed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.notices.pacing import RateRule
from hub.notify.calling import plain_number
from hub.ports.notices import Message

__all__ = ["VoicePlan", "variables"]


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """How a gateway dials. `endpoint` holds {number}; `prefix` stands before it; `secret`: the gateway proves by it
    that it is the one who tells."""

    endpoint: str = "PJSIP/{number}@trunk"
    context: str = "care-hub"
    caller_id: str = ""
    prefix: str = ""
    rule: RateRule | None = None
    secret: str = field(default="", repr=False)

    def dialled(self, number: str) -> str:
        """The number as the trunk wants it."""
        return self.prefix + plain_number(number)


def variables(message: Message, plan: VoicePlan) -> dict[str, str]:
    """What the dialplan finds in its channel. One line each: a line end would end the variable."""
    found = {
        "CARE_TEXT": " ".join(message.spoken.split()),
        "CARE_LANGUAGE": message.language,
        "CARE_ID": message.key,
    }
    if message.answer_url:
        found["CARE_URL"] = message.answer_url
    if plan.secret:
        found["CARE_SECRET"] = plan.secret
    return found
