"""How loaded the desk is, as use cases see it; and its reports and silences, as pages and programs read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from hub.alarms.load import Actor
from hub.alarms.model import Priority
from hub.ports.desk import ReportSpan
from hub.ports.records import Json

__all__ = ["Load", "LoadCursor", "LoadReads", "RingRow", "SeatBin", "SeatLoad", "SeatedRow"]


class LoadCursor(NamedTuple):
    """Up to where the timeline was looked at, and when."""

    seq: int
    at: datetime | None


class RingRow(NamedTuple):
    """Something that rang at the desk. `place`: the community, "" where nobody knows it. `seat`: of its incident, where
    it has one already.
    """

    seq: int
    at: datetime
    incident_id: str
    priority: Priority
    place: str
    first: bool
    seat: str | None


class SeatedRow(NamedTuple):
    """At which seat an incident belongs, and why. `user_id` None: nobody was on duty."""

    incident_id: str
    user_id: str | None
    home_id: str | None
    rule: str
    at: datetime


class SeatBin(NamedTuple):
    """What is added to a seat's ten minutes."""

    user_id: str
    duty_s: int = 0
    flood_s: int = 0
    rings: int = 0
    spilled_in: int = 0
    spilled_out: int = 0


class SeatLoad(NamedTuple):
    """A seat on duty: rings of the last ten minutes, and since when it is in a flood (None: it is not)."""

    user_id: str
    name: str
    rings: int
    flood_since: datetime | None


class Load(Protocol):
    def cursor(self) -> LoadCursor | None:
        """Locked; None where another process is at it."""

    def rings(self, after: int, limit: int) -> tuple[int, list[RingRow]]:
        """What rang after that place on the timeline, in order, and up to where was looked."""

    def seats(self, now: datetime) -> list[SeatLoad]:
        """Those on duty."""

    def seat(self, rows: Sequence[SeatedRow], rings: Sequence[tuple[RingRow, str | None]], bin_at: datetime) -> None:
        """Writes where incidents belong, and each ringing with its seat and the ten minutes in which it counts."""

    def floods(self, since: Mapping[str, datetime | None]) -> None: ...

    def count(self, bin_at: datetime, rows: Sequence[SeatBin]) -> None: ...

    def moved(self, seq: int, at: datetime) -> None: ...

    def prune(self, before: datetime) -> int:
        """Forgets ringings; what reports are made of stays."""


class LoadReads(Protocol):
    def windows_page(self, state: str, now: datetime, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Silences and maintenance windows, `state` in_force, coming, over or all; the newest first."""

    def load_now(self, now: datetime) -> Json:
        """Seats on duty, what is stale, shelved, chattering and silenced, the mix of a day, what was spilled."""

    def seated(self) -> list[Json]:
        """(incident_id, seat, home, rule) of live incidents about people."""

    def report_operator_load(self, span: ReportSpan, by: str, zone: str) -> list[Json]:
        """Seats' hours by `seat`, `hour` or `day`: duty_h, rings, flood_min, spilled_in, spilled_out."""

    def report_mix(self, span: ReportSpan) -> dict[Priority, int]:
        """Ringings by priority."""

    def path_tests_report(self, span: ReportSpan) -> list[Json]:
        """Tests of the alarm path, the latest first."""

    def bad_actor_counts(self, span: ReportSpan, classes: Collection[str]) -> tuple[int, list[Actor], dict[str, Json]]:
        """All alarms of the span, those of each device, and what is known of the devices."""
