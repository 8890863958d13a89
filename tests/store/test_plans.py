"""The queue and the feed are read by their indexes, however much history lies beside them."""

from __future__ import annotations

from typing import Any

import psycopg

from hub.store import PostgresDatabase
from hub.store.reads_base import FIRST_ID, LAST_ID
from hub.store.sql import SQL
from tests.store.rows import NOW, opened, populate

HISTORY = """
INSERT INTO incidents (id, subject, class, state, type, types, priority, opened_at, first_alarm_at, last_alarm_at,
                       disposition, policy)
SELECT gen_random_uuid(), 'device:' || n, 'emergency', CASE WHEN n % 100 = 0 THEN 'open' ELSE 'closed' END, 'sos',
       '{sos}', 'critical', t, t, t, CASE WHEN n % 100 = 0 THEN NULL ELSE 'false' END,
       (SELECT digest FROM escalation_policies LIMIT 1)
FROM generate_series(1, 20000) n, LATERAL (SELECT now() - n * interval '1 minute' AS t) x
"""
TIMELINE = """
INSERT INTO timeline (seq, at, subject_kind, subject_id, kind, actor_kind)
SELECT 100 + n, now(), 'incident', 'i-' || n % 2000, 'noted', 'system' FROM generate_series(1, 30000) n
"""
ALARMS = """
INSERT INTO alarms (id, device_id, ref, type, class, priority, received_at, source)
SELECT gen_random_uuid(), 'W-1', 'r-' || n, 'sos', 'emergency', 'critical', now() - n * interval '1 minute', 'device'
FROM generate_series(1, 20000) n
"""
DUE = """
INSERT INTO due SELECT 'incident', gen_random_uuid(), 'lease', now() + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
OUTBOX = """
INSERT INTO outbox (channel, target, body, created_at, due_at, sent_at)
SELECT 'sms', 't', '{}', now(), now(), CASE WHEN n % 200 = 0 THEN NULL ELSE now() END FROM generate_series(1, 20000) n
"""
FILTER: dict[str, Any] = dict.fromkeys(
    ("states", "classes", "priorities", "area_id", "resident_id", "supervision", "assignee", "q", "like")
)


READS: list[tuple[str, dict[str, Any], str, bool]] = [
    (
        "incidents_live_page",
        {**FILTER, "urgency": -1, "opened_at": "-infinity", "id": FIRST_ID, "limit": 101},
        "incidents_live",
        False,
    ),
    ("incidents_page", {**FILTER, "opened_at": "infinity", "id": LAST_ID, "limit": 101}, "incidents_opened", False),
    ("entries_since", {"seq": 30_000, "limit": 500}, "timeline_pkey", False),
    (
        "timeline_page",
        {"subject_kind": "incident", "subject_id": "i-7", "seq": 2**62, "limit": 50},
        "timeline_subject",
        False,
    ),
    (
        "alarms_page",
        {
            **dict.fromkeys(("states", "types", "resident_id", "since", "area_id", "q", "like")),
            "received_at": "infinity",
            "id": LAST_ID,
            "limit": 101,
        },
        "alarms_received",
        False,
    ),
    ("incidents_lock_live", {"subjects": ["device:100"], "classes": ["emergency"]}, "incidents_one_live", True),
    ("due_claim", {"now": NOW, "limit": 100}, "due_at", True),
    ("outbox_claim", {"channel": "sms", "now": NOW, "limit": 50, "retry_after": "9 s"}, "outbox_due", True),
    ("alarms_incident_of_ref", {"device_id": "W-1", "ref": "r-9"}, "alarms_device_ref", True),
]
"""Block, parameters, the index its plan must name, whether it may sort."""


def test_each_is_read_by_its_index(database: PostgresDatabase) -> None:
    populate(database)
    opened(database)
    with psycopg.connect(database.url, autocommit=True) as connection:
        for fill in (HISTORY, TIMELINE, ALARMS, DUE, OUTBOX):
            connection.execute(fill.encode())
        connection.execute("ANALYZE")
        for block, params, index, sorts in READS:
            rows = connection.execute(b"EXPLAIN " + SQL[block].encode(), params).fetchall()
            plan = "\n".join([block, *(row[0] for row in rows)])
            assert index in plan, plan
            assert "Seq Scan on " not in plan.replace("Seq Scan on residents", ""), plan
            assert sorts or "Sort" not in plan, plan
