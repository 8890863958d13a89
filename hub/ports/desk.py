"""The desk as use cases and pages see it: presence, open calls, hand-overs, reports. Protocols only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from hub.ports.records import Json

__all__ = ["Desk", "DeskReads", "HandoverRow", "HandoverState", "ReportSpan", "ScreenRow"]

HandoverState = Literal["draft", "signed", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One shift's end. `body` is the desk as it was at the first signature; ownership moves at the second."""

    id: str
    number: int
    state: HandoverState
    shift_from: datetime
    made_at: datetime
    outgoing: str
    incoming: str | None
    body: Json
    remarks: str | None
    signed_at: datetime | None
    ticked: Sequence[str]
    accepted_at: datetime | None
    moved: Sequence[str]
    version: int


class ScreenRow(NamedTuple):
    """A wall screen: where it hangs, who let it in, when and from where it was last heard."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    seen_from: str | None
    revoked_at: datetime | None
    revoked_by: str | None


class Desk(Protocol):
    def look(self, seat: bytes, user_id: str, incident_id: str, at: datetime) -> bool:
        """A seat looks at an incident; True where it did not look at it before. Nothing for an unknown one."""

    def leave(self, seat: bytes) -> bool:
        """The seat looks at nothing; True where it looked at something."""

    def on_call(self, incident_id: str, since: datetime) -> bool:
        """Whether a call about the incident is under way that began (or was answered) since."""

    def held_by(self, user_id: str) -> list[str]:
        """Ids of the live incidents a person holds, in the order in which rows are locked."""

    def handover_open_of(self, user_id: str) -> str | None:
        """The id of the person's hand-over that is not finished."""

    def handover_insert(
        self, row_id: str, outgoing: str, shift_from: datetime, at: datetime, remarks: str | None
    ) -> bool:
        """False where the person has one under way already."""

    def handover(self, row_id: str) -> HandoverRow | None:
        """Locked for the transaction."""

    def handover_save(self, row: HandoverRow) -> None: ...

    def handover_body(self, since: datetime, now: datetime) -> Json:
        """What a shift leaves behind now: open, late_orders, watched, outages, notes, on_duty, counts, sound_test."""

    def responders_on_duty(self) -> int: ...

    def screens(self) -> Sequence[ScreenRow]:
        """All wall screens, those in use first, the newest first."""

    def screen_add(self, row_id: str, name: str, token_hash: bytes, by: str, at: datetime) -> None: ...

    def screen_of(self, token_hash: bytes) -> tuple[str, datetime | None] | None:
        """(id, when it was last noted as seen) of the screen in use with this token."""

    def screen_seen(self, row_id: str, at: datetime, address: str) -> None: ...

    def screen_revoke(self, row_id: str, by: str, at: datetime) -> bool:
        """False where there is no such screen in use."""


@dataclass(frozen=True, slots=True)
class ReportSpan:
    """What a report is about: incidents opened in [start, end), of an area and all below it."""

    start: datetime
    end: datetime
    area_id: str | None = None
    priority: str | None = None


class DeskReads(Protocol):
    def presence(self, now: datetime) -> list[Json]:
        """Who looks at what: `{"user", "incident_id", "since"}`, one row a person and incident."""

    def handover_view(self, row_id: str) -> Json | None: ...

    def handover_list(self, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """The newest first."""

    def baseline(self, resident_id: str, metric: str, end: datetime, days: int, zone: str) -> list[Json]:
        """A resident's own usual values by hour of the day: `{"hour", "low", "mid", "high", "n"}` (p10, p50, p90)."""

    def report_responses(self, span: ReportSpan, by: str) -> list[Json]:
        """Distributions of the times of the chain, a row a group (`by`: all, priority, type, community, grid)."""

    def report_loop(self, span: ReportSpan, by: str) -> list[Json]:
        """How many incidents went all the way round, a row an area of the kind `by`."""

    def report_load(self, span: ReportSpan) -> list[Json]:
        """Alarms an hour, operators who took some, minutes in flood: a row an hour with any alarm."""

    def report_devices(self, span: ReportSpan) -> list[Json]:
        """False alarms by device model, and the devices that alarm most."""

    def report_counts(self, span: ReportSpan, now: datetime) -> Json:
        """The numbers of the supervisor's page, one word each."""
