"""What people must be told: wording, lanes, rates, quiet hours. Pure."""

from __future__ import annotations

from hub.notices.model import (
    CHANNELS,
    LANES,
    LATE_AFTER,
    LIVES,
    PARTY_KINDS,
    Channel,
    Lane,
    Language,
    Notice,
    NoticeRef,
    Until,
    party_of,
    reached_by,
    stands,
)
from hub.notices.templates import TEMPLATES, Template, Words
from hub.notices.wording import Wordings, worded

__all__ = [
    "CHANNELS",
    "LANES",
    "LATE_AFTER",
    "LIVES",
    "PARTY_KINDS",
    "TEMPLATES",
    "Channel",
    "Lane",
    "Language",
    "Notice",
    "NoticeRef",
    "Template",
    "Until",
    "Wordings",
    "Words",
    "party_of",
    "reached_by",
    "stands",
    "worded",
]
