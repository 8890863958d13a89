"""Services wanted, and the visits that do them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from hub.errors import NotFoundError
from hub.ports.records import Json, OrderRow, VisitRow
from hub.store.session import Session, as_json, is_uuid

__all__ = ["OrdersDrawer"]


def _pair(row: Json) -> tuple[OrderRow, VisitRow]:
    return msgspec.convert(row["order"], OrderRow), msgspec.convert(row["visit"], VisitRow)


def _params(row: OrderRow | VisitRow) -> dict[str, Any]:
    params = {name: getattr(row, name) for name in row.__slots__}
    if "attributes" in params:
        params["attributes"] = as_json(params["attributes"])
    return params


class OrdersDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, order: OrderRow, visit: VisitRow) -> None:
        self._session.run("orders_insert", **_params(order))
        self._session.run("visits_insert", **_params(visit))

    def get(self, order_id: str, *, lock: bool = False) -> tuple[OrderRow, VisitRow] | None:
        return self._get(order_id, None, lock=lock)

    def get_many(self, order_ids: Collection[str]) -> dict[str, tuple[OrderRow, VisitRow]]:
        ids = sorted(one for one in set(order_ids) if is_uuid(one))
        return {row["order"]["id"]: _pair(row) for row in self._session.all("orders_get_many", ids=ids)} if ids else {}

    def of_visit(self, visit_id: str, *, lock: bool = False) -> tuple[OrderRow, VisitRow] | None:
        return self._get(None, visit_id, lock=lock)

    def _get(self, order_id: str | None, visit_id: str | None, *, lock: bool) -> tuple[OrderRow, VisitRow] | None:
        if not is_uuid(order_id or visit_id or ""):
            return None
        block = "orders_get_locked" if lock else "orders_get"
        row = self._session.one(block, order_id=order_id, visit_id=visit_id)
        return _pair(row) if row else None

    def save(self, order: OrderRow, visit: VisitRow) -> None:
        if not self._session.run("orders_save", **_params(order)):
            raise NotFoundError(f"there is no order {order.id}")
        self._session.run("visits_save", **_params(visit))

    def open_of_resident(self, resident_id: str) -> list[tuple[OrderRow, VisitRow]]:
        """Requested, assigned or in service; locked, as whoever asks is about to change them."""
        return [_pair(row) for row in self._session.all("orders_open_of_resident", resident_id=resident_id)]
