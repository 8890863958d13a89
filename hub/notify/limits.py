"""What providers allow, as data. Sources: their own pages; a site's contract may say otherwise (settings)."""

from __future__ import annotations

from datetime import timedelta

from hub.notices.pacing import RateRule

__all__ = ["CHAT_RULES", "MAIL_RULE", "calls_a_minute", "messages_a_minute"]

_MINUTE = timedelta(minutes=1)

CHAT_RULES: dict[str, RateRule] = {
    # A WeCom group robot takes 20 messages a minute.
    "wecombot": RateRule(20, _MINUTE, reserved=6),
    # A DingTalk robot takes 20 a minute and is blocked for ten minutes beyond: stay clear of it.
    "dingtalk": RateRule(18, _MINUTE, reserved=6),
    # A Feishu robot takes 100 a minute (and 5 a second).
    "feishu": RateRule(90, _MINUTE, reserved=20),
    "lark": RateRule(90, _MINUTE, reserved=20),
}
"""By the scheme of the address; others get the first."""

MAIL_RULE = RateRule(60, _MINUTE, reserved=20)


def calls_a_minute(most: int) -> RateRule:
    """A trunk takes so many new calls a minute; a third of them is kept for alarms."""
    return RateRule(most, _MINUTE, reserved=min(most - 1, max(1, most // 3)) if most > 1 else 0)


def messages_a_minute(most: int) -> RateRule:
    """Short messages of one account."""
    return calls_a_minute(most)
