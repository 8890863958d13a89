-- What is counted for monitoring: rows each statement finds by an index over what waits, never over what was.

-- :name measure_outbox
SELECT channel, count(*) AS n, max(extract(epoch FROM %(now)s::timestamptz - created_at))::float8 AS oldest_s
FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL GROUP BY channel
UNION ALL
-- Routine notices wait for quiet hours and rates on purpose.
SELECT channel, count(*), greatest(0, max(extract(epoch FROM %(now)s::timestamptz - due_at)))::float8
FROM notices WHERE lane = 'alarm' AND state = 'waiting' GROUP BY channel

-- :name measure_due
SELECT subject_kind, count(*) AS n, count(*) FILTER (WHERE due_at < %(now)s::timestamptz - interval '2 seconds') AS overdue,
       greatest(0, max(extract(epoch FROM %(now)s::timestamptz - due_at)))::float8 AS overdue_s
FROM due GROUP BY subject_kind

-- :name measure_quarantine
SELECT why, count(*) AS n, max(extract(epoch FROM %(now)s::timestamptz - received_at))::float8 AS oldest_s
FROM quarantine WHERE state = 'waiting' GROUP BY why

-- :name measure_incidents
SELECT state, priority, count(*) AS n, max(extract(epoch FROM %(now)s::timestamptz - opened_at))::float8 AS oldest_s
FROM incidents WHERE state IN ('open', 'acknowledged', 'in_progress') GROUP BY state, priority

-- :name measure_timeline
SELECT seq FROM timeline_counter

-- :name measure_lead
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = %(key)s::bigint::oid
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held

-- :name measure_schema
SELECT name FROM schema_migrations

-- :name measure_devices
SELECT count(*) FILTER (WHERE adopted AND revoked_at IS NULL) AS adopted, count(*) FILTER (WHERE NOT adopted) AS unadopted,
       count(*) FILTER (WHERE adopted AND revoked_at IS NULL AND online) AS online
FROM devices

-- :name measure_sizes
SELECT pg_database_size(current_database()) AS database_bytes,
       (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'uplink_seen'::regclass)
       + pg_table_size('uplink_packed') / 11 AS ledger_keys
