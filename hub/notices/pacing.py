"""How many messages may leave, and when: rates of a channel, quiet hours, the pauses between tries. Pure.

A rate is a sliding window: in any stretch of `per` no more than `most` messages of one bucket, wherever the stretch
begins; a provider that counts by the clock's minutes is never over its limit either. Of `most`, `reserved` are for the
alarm lane alone, so that a hundred meal notices leave room for the one alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from hashlib import blake2b

from hub.notices.model import Channel, Lane

__all__ = ["QuietHours", "RateRule", "free_at", "most_tries", "retry_at", "room"]

_MOST: dict[Lane, int] = {"alarm": 6, "routine": 8}
_MOST_WEBHOOK = 60

_FIRST: dict[Lane, float] = {"alarm": 2.0, "routine": 30.0}
_LONGEST: dict[Lane, float] = {"alarm": 30.0, "routine": 1800.0}


def most_tries(lane: Lane, channel: Channel) -> int:
    """Tries by one channel; a notice's end may come earlier. Other people's systems may be away for a day."""
    return _MOST_WEBHOOK if channel == "webhook" else _MOST[lane]


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most `most` messages in any `per`; `reserved` of them only for the alarm lane."""

    most: int
    per: timedelta
    reserved: int = 0

    def __post_init__(self) -> None:
        if self.most < 1 or self.per <= timedelta(0) or not 0 <= self.reserved < self.most:
            raise ValueError("a rate needs at least one message, a time, and fewer reserved ones than messages")

    def allowed(self, lane: Lane) -> int:
        """How many of them the lane may fill."""
        return self.most if lane == "alarm" else self.most - self.reserved


def room(recent: Sequence[datetime], rule: RateRule, lane: Lane, now: datetime) -> int:
    """How many messages may leave now. `recent`: when messages of the bucket left, in any order."""
    counted = sum(at > now - rule.per for at in recent)
    return max(0, rule.allowed(lane) - counted)


def free_at(recent: Sequence[datetime], rule: RateRule, lane: Lane, now: datetime) -> datetime:
    """When the next one may leave: `now`, or when enough of the recent ones have left the window."""
    inside = sorted(at for at in recent if at > now - rule.per)
    over = len(inside) - rule.allowed(lane)
    return now if over < 0 else inside[over] + rule.per


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end` by the clock of `zone`, over midnight where `end` is the earlier; equal: never."""

    start: time
    end: time
    zone: tzinfo

    def until(self, at: datetime, lane: Lane) -> datetime | None:
        """When a notice may leave that would leave at `at`; None: at once. Alarms know no quiet hours."""
        if lane == "alarm" or self.start == self.end:
            return None
        here = at.astimezone(self.zone)
        clock = here.timetz().replace(tzinfo=None)
        begun, over = clock >= self.start, clock >= self.end
        over_midnight = self.start > self.end
        if not (begun or not over if over_midnight else begun and not over):
            return None
        day = here.date() + timedelta(days=int(over_midnight and begun))
        return datetime.combine(day, self.end, self.zone).astimezone(at.tzinfo)


def retry_at(notice_id: str, attempt: int, lane: Lane, now: datetime, asked_s: float | None = None) -> datetime:
    """When to try again after the `attempt`th try failed: doubling pauses, spread so that not all come at once.

    `asked_s`: the provider's own word for how long; never less than that. The spread comes from id and attempt, not
    from chance: the same history gives the same times.
    """
    pause = min(_FIRST[lane] * 2 ** min(attempt - 1, 20), _LONGEST[lane])
    digest = blake2b(f"{notice_id}/{attempt}".encode(), digest_size=4).digest()
    spread = 0.5 + int.from_bytes(digest) / 2**33  # 0.5 to 1.0 of the pause
    return now + timedelta(seconds=max(pause * spread, asked_s or 0.0))
