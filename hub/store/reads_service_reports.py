"""Reports on services, as pages see them."""

from __future__ import annotations

from typing import Any, Final

from dispatch.proof import PROOF_LIMITS
from hub.errors import BadRequestError
from hub.ports.records import Json
from hub.ports.report_lists import RowsPage, RowsWanted
from hub.ports.service_reports import ServiceSpan
from hub.store.reads_base import ReadsBase
from hub.store.reads_lists import one_page, skipped

__all__ = ["MANY_CARERS", "ServiceReadsPostgres"]

MANY_CARERS: Final = 4
"""So many different people in one home, within the span, are many."""

_AREA_KINDS: Final = ("district", "street", "community", "grid", "micro_grid")
_PASSING: Final = ("meal_delivery", "meal_dine_in", "errands", "device_repair")
"""Kinds in which nobody expects the same face: they count for no continuity."""


def _by(by: str, *more: str) -> str:
    words = ("all", "provider", *more, *_AREA_KINDS)
    if by not in words:
        raise BadRequestError(f"by: one of {', '.join(words)}, not {by}", field="by")
    return by


def _params(span: ServiceSpan, by: str) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "area_id": span.area_id, "provider_id": span.provider_id, "by": by}


def _orders(span: ServiceSpan, by: str = "all") -> dict[str, Any]:
    limits = PROOF_LIMITS
    times = {"early": limits.yellow, "yellow": limits.yellow, "red": limits.red, "missed": limits.missed}
    return {**_params(span, by), **times, "now": span.now, "service": span.kind}


def _days(span: ServiceSpan) -> dict[str, Any]:
    return {"first_day": span.first_day, "last_day": span.last_day}


class ServiceReadsPostgres(ReadsBase):
    def service_report(self, span: ServiceSpan, by: str) -> list[Json]:
        return [row["view"] for row in self._ask("service_report", **_orders(span, _by(by, "kind")))]

    def service_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage:
        return self._rows_behind("service_list", wanted, number=number, **_orders(span, _by(wanted.by, "kind")))

    def cover_report(self, span: ServiceSpan, by: str) -> list[Json]:
        rows = self._ask("cover_report", service=span.kind, **_days(span), **_params(span, _by(by)))
        return [row["view"] for row in rows]

    def cover_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage:
        params = {"service": span.kind, **_days(span), **_params(span, _by(wanted.by))}
        return self._rows_behind("cover_list", wanted, number=number, **params)

    def continuity_report(self, span: ServiceSpan, by: str) -> list[Json]:
        params = {**_orders(span, _by(by, "kind")), "passing": list(_PASSING), "many": MANY_CARERS}
        return [row["view"] for row in self._ask("continuity_report", **params)]

    def continuity_list(self, span: ServiceSpan, number: str, wanted: RowsWanted) -> RowsPage:
        params = {**_orders(span, _by(wanted.by, "kind")), "passing": list(_PASSING), "many": MANY_CARERS}
        return self._rows_behind("continuity_list", wanted, number=number, **params)

    def travel_report(self, span: ServiceSpan, by: str) -> list[Json]:
        return [row["view"] for row in self._ask("travel_report", **_travel(span, _by(by)))]

    def travel_list(self, span: ServiceSpan, wanted: RowsWanted) -> RowsPage:
        return self._rows_behind("travel_list", wanted, **_travel(span, _by(wanted.by)))

    def providers_named(self) -> list[Json]:
        return [row["view"] for row in self._ask("providers_named")]

    def _rows_behind(self, block: str, wanted: RowsWanted, **params: Any) -> RowsPage:
        rows = self._ask(block, code=wanted.group, **params, **skipped(wanted))
        return one_page([row["view"] for row in rows], wanted)


def _travel(span: ServiceSpan, by: str) -> dict[str, Any]:
    return {**_days(span), "area_id": span.area_id, "provider_id": span.provider_id, "by": by}
