"""Whom a recording hears, and since when: what judging the silence of devices needs. Only devices whose record says how
often they report are judged (`interval_s`, or `silence.after_s`); the hub could hear from the first record on, but for
the spans that `deaf` records name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, cast

from devices import FAMILIES
from hub.alarms.shared_silence import LATELY, Cause, CauseKind, Group, SharedCauses, SharedSilence
from hub.alarms.silence import SilenceRule, SilenceVerdict, Watched, judge_silence, silence_rule
from hub.care import raises_alarms

__all__ = ["Heard", "Hearing"]

_ENDED_LATELY: Final = timedelta(days=2)


@dataclass(slots=True)
class Heard:
    """A device that is listened for. `silent_since`: it was found silent; `slot`: the incident of its silence."""

    id: str
    family: str
    rule: SilenceRule
    interval_s: float
    added_at: datetime
    upstream: str | None
    area_id: str | None
    owned: bool
    heard_at: datetime | None = None
    charging: bool | None = None
    goodbye: bool = False
    silent_since: datetime | None = None
    subject: str | None = None


@dataclass(slots=True)
class Hearing:
    """`began_at`: the recording's first moment; before it nothing is known."""

    zone: tzinfo
    began_at: datetime | None = None
    devices: dict[str, Heard] = field(default_factory=dict)
    _deaf: list[tuple[datetime, datetime, str | None]] = field(default_factory=list)
    _over: dict[str, datetime] = field(default_factory=dict)

    def watch(self, body: Mapping[str, Any], at: datetime) -> Heard | None:
        """A device's record; None where it does not say how often it reports. ValueError names what is wrong."""
        interval, silence = body.get("interval_s"), body.get("silence") or {}
        if isinstance(interval, bool) or not isinstance(interval, int | float | None) or (interval or 1) <= 0:
            raise ValueError(f"interval_s: seconds above zero, not {interval!r}")
        if not isinstance(silence, dict):
            raise ValueError("silence: must be an object")
        rule = silence_rule(None if interval is None else int(interval), silence)
        if not rule.supervised or rule.span_s is None or not body.get("adopted", True) or body.get("revoked", False):
            self.devices.pop(body["id"], None)
            return None
        known = self.devices.get(body["id"])
        found = Heard(
            id=body["id"],
            family=body["family"],
            rule=rule,
            interval_s=float(interval or rule.span_s),
            added_at=known.added_at if known else at,
            upstream=body.get("upstream"),
            area_id=body.get("area_id"),
            owned=bool(body.get("resident_id")),
            heard_at=known.heard_at if known else None,
        )
        self.devices[found.id] = found
        return found

    def deaf(self, start: datetime, end: datetime, way: str | None) -> None:
        """The hub could not hear (by a way in: mqtt, tcp, http; or at all) in this span: nobody's silence."""
        self._deaf.append((start, end, way))

    def since(self, one: Heard, now: datetime) -> datetime:
        """Since when the hub can hear the device without a gap."""
        ends = [end for _, end, way in self._deaf if end <= now and way in (None, _way(one))]
        return max([self.began_at or now, *ends])

    def is_deaf(self, one: Heard, now: datetime) -> datetime | None:
        """Until when the hub cannot hear it now; None: it can."""
        ends = [end for start, end, way in self._deaf if start <= now < end and way in (None, _way(one))]
        return max(ends, default=None)

    def judge(self, one: Heard, now: datetime, status: str | None) -> SilenceVerdict:
        """Is it silent? `status`: of its resident."""
        absent = status if status is not None and not raises_alarms(status) else None  # type: ignore[arg-type]
        since = self.since(one, now)
        watched = Watched(
            device_id=one.id,
            rule=one.rule,
            added_at=max(one.added_at, self.began_at or one.added_at),
            hearing_since=since,
            # Nothing is known of before the recording: each device has its whole span from its beginning.
            heard_at=one.heard_at or since,
            charging=one.charging,
            owned=one.owned,
            excused=absent,
            goodbye=one.goodbye,
        )
        return judge_silence(watched, now=now, zone=self.zone)

    def shared(self, one: Heard, now: datetime, live: Mapping[str, datetime]) -> SharedSilence:
        """Whether many silences have one cause: what the device hangs on, or its area. `live`: subjects of open matters
        of many, with the time they were opened.
        """
        looked_at = {*self.places(one), *live}
        alike: Counter[tuple[frozenset[str], float]] = Counter()
        silent: Counter[tuple[frozenset[str], float]] = Counter()
        last: dict[tuple[frozenset[str], float], datetime] = {}
        for other in self.devices.values():
            places = looked_at.intersection(self.places(other))
            # Those silent for long before say nothing about now.
            if not places or (other.silent_since is not None and now - other.silent_since > LATELY):
                continue
            key = frozenset(places), other.interval_s
            alike[key] += 1
            silent[key] += other.silent_since is not None or other is one
            if other.heard_at is not None:
                last[key] = max(last.get(key, other.heard_at), other.heard_at)
        groups = [Group(key[0], key[1], count, silent[key], last.get(key)) for key, count in alike.items()]
        causes = [_cause(place, groups, self.since(one, now)) for place in sorted(looked_at)]
        over = {place: at for place, at in self._over.items() if now - at <= _ENDED_LATELY}
        known = SharedCauses(causes, now=now, live=live, over=over)
        return known.of(self.places(one), heard_at=one.heard_at, span_s=one.rule.span_s or 0)

    @staticmethod
    def places(one: Heard) -> list[str]:
        """What it hangs on, each the subject of a matter of many; the narrowest first."""
        found = (("upstream", one.upstream), ("area", one.area_id))
        return [f"{kind}:{key}" for kind, key in found if key is not None]

    def ended(self, subject: str, at: datetime) -> None:
        """A matter of many is over: everybody behind it has the whole span again."""
        self._over[subject] = at


def _cause(place: str, groups: Iterable[Group], hearing_since: datetime) -> Cause:
    kind, _, key = place.partition(":")
    own = tuple(group for group in groups if place in group.places)
    return Cause(cast("CauseKind", kind), key, key, own, hearing_since)


def _way(one: Heard) -> str:
    return FAMILIES[one.family].transport
