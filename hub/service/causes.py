"""What silent devices hang on: their upstream, their area and the area above it. Read once for a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from devices import FAMILIES
from hub.alarms.shared_silence import LATELY, Cause, CauseKind, Group, SharedCauses, SharedSilence
from hub.ports import HearingRow, Json, SharedRow, SuspectRow, Transaction

__all__ = ["Causes"]

_LEVELS = 2
"""An area and the one above it; what is wider hangs on a carrier or on the way in."""
_ENDED_LATELY = timedelta(days=2)


class Causes:
    """The causes of a run's silent devices, with the open matters of many that they may belong to."""

    def __init__(
        self, tx: Transaction, silent: Sequence[SuspectRow], now: datetime, hearing: Mapping[str, HearingRow]
    ) -> None:
        self._hearing = hearing
        self._now = now
        self._areas = tx.supervision.areas({one.area_id for one in silent if one.area_id})
        shared = tx.supervision.shared(now - _ENDED_LATELY)
        open_ones = [row for row in shared if row.over_at is None]
        since: dict[tuple[CauseKind, str], datetime] = {}
        for one in silent:
            for place in self._places(one):
                since[place] = max(since.get(place, self._since(one)), self._since(one))
        for row in open_ones:
            # Known as parts of others, also where nobody of them fell silent in this run.
            since.setdefault(_place(row), max((way.since for way in hearing.values() if way.up), default=now))
        areas = {key for kind, key in since if kind == "area"}
        upstreams = {key for kind, key in since if kind == "upstream"}
        names = {ident: str(row["name"]) for ident, row in tx.supervision.areas(areas).items()}
        groups: dict[str, list[Group]] = defaultdict(list)
        found = [one.device_id for one in silent]
        for json in tx.supervision.causes(upstreams, areas, found, now - LATELY):
            group = _group(json)
            for name in group.places:
                groups[name].append(group)
        causes = [
            Cause(kind, key, names.get(key, key), tuple(groups[f"{kind}:{key}"]), hearing_since)
            for (kind, key), hearing_since in since.items()
        ]
        self._shared = SharedCauses(
            causes,
            now=now,
            live={row.subject: row.opened_at for row in open_ones},
            over={row.subject: row.over_at for row in shared if row.over_at is not None},
        )

    def explain(self, one: SuspectRow, span_s: float) -> SharedSilence:
        """Whether its silence is one of many. `span_s`: for how long it may be silent."""
        places = [f"{kind}:{key}" for kind, key in self._places(one)]
        return self._shared.of(places, heard_at=one.last_seen_at, span_s=span_s)

    def _since(self, one: SuspectRow) -> datetime:
        way = FAMILIES[one.family].transport if one.family in FAMILIES else "mqtt"
        row = self._hearing.get(way)
        return row.since if row is not None else one.added_at

    def _places(self, one: SuspectRow) -> list[tuple[CauseKind, str]]:
        """The narrowest first."""
        found: list[tuple[CauseKind, str]] = [("upstream", one.upstream)] if one.upstream else []
        area = self._areas.get(one.area_id or "")
        return [*found, *(("area", key) for key in (list(reversed(area["path"]))[:_LEVELS] if area else []))]


def _place(row: SharedRow) -> tuple[CauseKind, str]:
    kind, _, key = row.subject.partition(":")
    return ("area" if kind == "area" else "upstream"), key


def _group(row: Json) -> Group:
    return Group(
        places=frozenset(row["places"]),
        interval_s=float(row["interval_s"]),
        devices=int(row["devices"]),
        silent=int(row["silent"]),
        last_heard_at=row["last_heard_at"],
    )
