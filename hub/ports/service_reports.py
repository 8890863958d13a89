"""What supervisors count of services: by area, provider and kind, never by person. Protocols only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hub.ports.records import Json
from hub.ports.report_lists import RowsPage, RowsWanted

__all__ = ["ServiceReads", "ServiceSpan"]


@dataclass(frozen=True, slots=True)
class ServiceSpan:
    """What a report is about: orders wanted in [start, end), of an area and all below it, a provider, a kind.

    `first_day`, `last_day`: the same span in days of the site, for plans and routes. `now`: what is due by.
    """

    start: datetime
    end: datetime
    first_day: date
    last_day: date
    now: datetime
    area_id: str | None = None
    provider_id: str | None = None
    kind: str | None = None


class ServiceReads(Protocol):
    """Rows of `group` (a code, "" for what belongs to none), `name` and counts; `by`: all, provider, an area kind."""

    def service_report(self, span: ServiceSpan, by: str) -> list[Json]:
        """Orders: how many were wanted, served, begun when, missed, and what people thought; `by` also kind."""

    def service_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage:
        """The orders behind a number of `service_report`, the newest first."""

    def cover_report(self, span: ServiceSpan, by: str) -> list[Json]:
        """Residents: entitled, with a plan, and how many of them were served."""

    def cover_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage: ...

    def continuity_report(self, span: ServiceSpan, by: str) -> list[Json]:
        """How many different carers residents had, and the share of visits by regular ones; `by` also kind."""

    def continuity_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage:
        """Residents, without the names of who came."""

    def travel_report(self, span: ServiceSpan, by: str) -> list[Json]:
        """Minutes on the way and at people's places, of published plans."""

    def travel_list(self, span: ServiceSpan, wanted: RowsWanted) -> RowsPage:
        """Routes by day, without names."""

    def providers_named(self) -> list[Json]:
        """(id, name, kind) of the provider organisations, for a filter."""
