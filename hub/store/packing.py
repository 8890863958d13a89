"""The ledger, packed: keys of telemetry that are two days old go into blocks by the time they were observed.

A key of 16 bytes is a row of 116 with its index while it lies in `uplink_seen`, and about eleven in a block. Nothing is
decided by the age: a key is in one place or in the other, it moves in one transaction, and whoever claims it looks in
both, in an order that no move can slip through (`ledger_take`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from hub.store.sql import SQL

__all__ = ["drop_packed", "pack_keys"]

_AGE: Final = timedelta(days=2)
"""By then a device has repeated what it repeats at all: a block is looked into by few."""
_LATEST: Final = timedelta(days=7)
"""What came later than that after it was observed is not packed (`packing_slice`)."""
_SLICE: Final = 256
"""Pages a transaction, some 30,000 keys. Whoever repeats one of them at that moment waits for a fifth of a second."""
_LEAST: Final = 8_192
_ROUND: Final = 36
"""Calls in which the whole table is gone through, 64 MB at least a call: at one in ten minutes, six hours."""
_STRETCH_S: Final = 10


def _stretch(at: datetime) -> int:
    return int(at.timestamp()) // _STRETCH_S


def pack_keys(connection: psycopg.Connection[Any], now: datetime) -> int:
    """Packs what is old enough in the next pages of the ledger, from where the last call ended; gives how many keys.

    `connection` is in autocommit mode; a slice of pages is a transaction. One caller at a time.
    """
    row = connection.execute(SQL["packing_place"].encode()).fetchone()
    assert row is not None
    page, pages = int(row[0]), int(row[1])
    page = page if page < pages else 0
    end = min(pages, page + max(_LEAST, pages // _ROUND + 1))
    before = _stretch(now - _AGE)
    packed = 0
    while page < end:
        until = min(end, page + _SLICE)
        place: dict[str, Any] = {"first": f"({page},0)", "end": f"({until},0)", "before": before}
        place["page"] = until if until < pages else 0
        found = connection.execute(SQL["packing_slice"].encode(), place).fetchone()
        assert found is not None
        packed += int(found[0])
        page = until
    return packed


def drop_packed(connection: psycopg.Connection[Any], before: datetime) -> int:
    """Forgets blocks all of whose keys were received before `before`; gives how many rows."""
    limit = _stretch(before - _LATEST)
    return connection.execute(SQL["packing_drop"].encode(), {"before": limit}).rowcount
