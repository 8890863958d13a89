"""Orders, visits, tasks and help as pages and programs see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from hub.ports.reads import OrderFilter, Page
from hub.ports.records import Json
from hub.store.reads_base import FIRST_ID, ReadsBase, bounded, cursor_values, given, page
from hub.store.session import is_uuid

__all__ = ["OrderReads"]

_NEXT = {"offered": "accept", "accepted": "en-route", "en_route": "on-scene", "on_scene": "complete"}


class OrderReads(ReadsBase):
    def orders(self, where: OrderFilter, limit: int, cursor: str | None) -> Page:
        """In the order in which they are wanted."""
        wanted_from, ident = cursor_values(cursor, (datetime, bytes), ("-infinity", FIRST_ID))
        with self._session() as session:
            rows = session.all(
                "orders_page",
                wanted_from=wanted_from,
                id=ident,
                day_from=where.day_from,
                day_to=where.day_to,
                states=given(where.states),
                kind=where.kind,
                resident_id=where.resident_id,
                provider_id=where.provider_id,
                limit=bounded(limit) + 1,
            )
            views = self._views(session, "order_views", [row["id"] for row in rows[:limit]])
        return page(rows, limit, ("wanted_from", "id"), lambda row: views[row["id"]])

    def orders_by_id(self, ids: Collection[str]) -> dict[str, Json]:
        with self._session() as session:
            return self._views(session, "order_views", list(ids))

    def asked_about(self, outcome: str | None, limit: int) -> list[str]:
        """Orders that somebody asked about, the latest first."""
        with self._session() as session:
            rows = session.all("return_visits_done", outcome=outcome, limit=bounded(limit))
        return [str(row["order_id"]) for row in rows]

    def order_of_visit(self, visit_id: str) -> Json | None:
        if not is_uuid(visit_id):
            return None
        with self._session() as session:
            order_id = session.value("order_of_visit", visit_id=visit_id)
            return self._views(session, "order_views", [order_id]).get(order_id) if order_id else None

    def tasks_of(self, responder_id: str) -> list[Json]:
        """`next` is the word of the assignment's next step."""
        with self._session() as session:
            rows = session.all("tasks_of", responder_id=responder_id)
            incidents = self._views(session, "incident_views", [r["incident_id"] for r in rows if r["incident_id"]])
            orders = self._views(session, "order_views", [r["order_id"] for r in rows if r["order_id"]])
        return [
            {
                "assignment": row["view"],
                "incident": incidents.get(row["incident_id"]),
                "order": orders.get(row["order_id"]),
                "next": _NEXT.get(row["view"]["state"]),
            }
            for row in rows
        ]

    def help_of(self, resident_id: str, now: datetime) -> Json | None:
        """`today` is the day of `now` in its own zone: give it in the customer's."""
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        with self._session() as session:
            row = session.one("help_of", resident_id=resident_id, day_from=start, day_to=start + timedelta(days=1))
            if row is None:
                return None
            incident_id = row["incident_id"]
            incident = self._views(session, "incident_views", [incident_id]).get(incident_id) if incident_id else None
            orders = self._views(session, "order_views", row["orders"])
        coming = [
            {
                "name": one["responder"]["name"],
                "kind": one["responder"]["kind"],
                "state": one["state"],
                "eta_s": one["eta_s"],
            }
            for one in (incident["assignments"] if incident else ())
            if one["state"] in ("accepted", "en_route", "on_scene")
        ]
        return {"resident": row["resident"], "incident": incident, "coming": coming, "today": list(orders.values())}
