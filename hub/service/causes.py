"""What silent devices hang on: their upstream, their area and the area above it. Read once for a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from devices import FAMILIES
from hub.alarms.silence import Cause, CauseKind
from hub.ports import HearingRow, Json, SuspectRow, Transaction

__all__ = ["Causes"]

LATELY = timedelta(minutes=10)
_LEVELS = 2
"""An area and the one above it; what is wider hangs on a carrier or on the way in."""


class Causes:
    """The causes of a run's silent devices."""

    def __init__(
        self, tx: Transaction, silent: Sequence[SuspectRow], now: datetime, hearing: Mapping[str, HearingRow]
    ) -> None:
        self._hearing = hearing
        self._areas = tx.supervision.areas({one.area_id for one in silent if one.area_id})
        upstreams = {one.upstream for one in silent if one.upstream}
        areas = {area for one in silent for area in self._areas_of(one)}
        self._names = {ident: str(row["name"]) for ident, row in tx.supervision.areas(areas).items()}
        self._found: dict[tuple[str, str], list[Json]] = defaultdict(list)
        for row in tx.supervision.causes(upstreams, areas, now - LATELY):
            self._found[row["kind"], row["key"]].append(row)
        self._newly: dict[tuple[str, str], int] = defaultdict(int)
        for one in silent:
            if one.silent_since is None:
                for place in self._places(one):
                    self._newly[place] += 1

    def of(self, one: SuspectRow) -> list[Cause]:
        """What the device hangs on, the narrowest first."""
        way = FAMILIES[one.family].transport if one.family in FAMILIES else "mqtt"
        row = self._hearing.get(way)
        since = row.since if row is not None else one.added_at
        return [self._cause(kind, key, since) for kind, key in self._places(one)]

    def _places(self, one: SuspectRow) -> list[tuple[CauseKind, str]]:
        found: list[tuple[CauseKind, str]] = [("upstream", one.upstream)] if one.upstream else []
        return [*found, *(("area", area) for area in self._areas_of(one))]

    def _areas_of(self, one: SuspectRow) -> list[str]:
        area = self._areas.get(one.area_id or "")
        return list(reversed(area["path"]))[:_LEVELS] if area else []

    def _cause(self, kind: CauseKind, key: str, hearing_since: datetime) -> Cause:
        rows = self._found.get((kind, key), [])
        heard = [row["last_heard_at"] for row in rows if row["last_heard_at"] is not None]
        return Cause(
            kind=kind,
            key=key,
            name=self._names.get(key, key),
            intervals={float(row["interval_s"]): int(row["devices"]) for row in rows},
            silent=sum(int(row["silent"]) for row in rows) + self._newly[kind, key],
            last_heard_at=max(heard, default=None),
            hearing_since=hearing_since,
        )
