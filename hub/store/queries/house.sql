-- Old rows away, and what was received against what became of it.

-- :name house_keys
DELETE FROM uplink_seen WHERE received_at < %(before)s

-- :name packing_place
SELECT page, pg_relation_size('uplink_seen') / current_setting('block_size')::bigint AS pages FROM uplink_packing

-- One statement, so that a key is never in neither place. Only where the device's clock was right to the hour and the record came within
-- a week: blocks are forgotten by their time, and none of the keys in one may be forgotten too early for it.
-- :name packing_slice
WITH gone AS (
    DELETE FROM uplink_seen
    WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND stretch < %(before)s
      AND received_at - to_timestamp(10.0 * stretch) BETWEEN interval '-1 hour' AND interval '7 days'
    RETURNING stretch, key
), packed AS (
    INSERT INTO uplink_packed (stretch, keys)
    SELECT stretch, string_agg(substring(key FROM 1 FOR 10), '' ORDER BY key) FROM gone GROUP BY stretch
), placed AS (
    UPDATE uplink_packing SET page = %(page)s
)
SELECT count(*) AS n FROM gone

-- :name packing_drop
DELETE FROM uplink_packed WHERE stretch < %(before)s

-- Before their day is dropped: alarms and their repeats, and what could not be taken.
-- :name house_uplinks_keep
INSERT INTO uplinks_kept (received_at, lane, device_id, topic, key, outcome, reason, events, payload)
SELECT received_at, lane, device_id, topic, key, outcome, reason, events, payload FROM uplinks
WHERE received_at < %(before)s::timestamptz
  AND (payload IS NOT NULL OR lane = 'alarm' OR outcome IN ('rejected', 'unsupported', 'quarantined'))

-- :name house_uplinks_kept
DELETE FROM uplinks_kept WHERE received_at < %(before)s

-- :name house_sign_ins
DELETE FROM sign_in_attempts WHERE at < %(before)s

-- :name house_idempotency
DELETE FROM idempotency WHERE at < %(before)s

-- :name house_messages
DELETE FROM outbox WHERE created_at < %(before)s AND (sent_at IS NOT NULL OR failed_at IS NOT NULL)

-- :name house_sessions
DELETE FROM sessions WHERE expires_at <= %(before)s

-- :name reconcile_uplinks
SELECT lane, outcome, count(*) AS n FROM uplinks_all
WHERE received_at >= %(since)s::timestamptz
GROUP BY lane, outcome ORDER BY lane, outcome

-- An uplink that raised an alarm keeps its payload; its alarm has its key, or at least its device and time of receipt.
-- :name reconcile_lost
SELECT u.device_id, u.received_at, u.lane, u.topic, count(*) OVER () AS total
FROM uplinks_all u
WHERE u.received_at >= %(since)s::timestamptz AND u.outcome = 'accepted' AND u.payload IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM alarms a WHERE a.key = u.key)
  AND NOT EXISTS (SELECT 1 FROM alarms a WHERE a.device_id = u.device_id AND a.received_at = u.received_at)
ORDER BY u.received_at
LIMIT %(limit)s

-- :name reconcile_doubled
SELECT a.device_id, a.ref, a.type, a.observed_at, count(*) AS times, count(*) OVER () AS total
FROM alarms a
WHERE a.received_at >= %(since)s::timestamptz AND a.ref IS NOT NULL AND a.source = 'device'
GROUP BY a.device_id, a.ref, a.type, a.observed_at
HAVING count(*) > 1
ORDER BY min(a.received_at)
LIMIT %(limit)s

-- :name reconcile_open
SELECT count(*) AS n FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.last_alarm_at >= %(since)s::timestamptz

-- :name reconcile_alarms
SELECT count(*) AS n FROM alarms WHERE received_at >= %(since)s::timestamptz

-- The later line of a press wins.
-- :name reconcile_presses
SELECT count(*) AS sent, count(*) FILTER (WHERE told IN ('received', 'hold', 'handled')) AS told,
       count(*) FILTER (WHERE told = 'rejected') AS rejected
FROM sent_press

-- :name reconcile_sent_lost
SELECT p.device_id, p.ref, p.sent_at, p.told, count(*) OVER () AS total
FROM sent_press p
WHERE p.told IN ('received', 'hold', 'handled')
  AND NOT EXISTS (SELECT 1 FROM alarms a WHERE a.device_id = p.device_id AND a.ref = p.ref
                  AND (a.observed_at IS NULL OR a.observed_at = p.observed_at
                       OR p.observed_at IS NULL AND (SELECT count(*) FROM alarms b
                                                     WHERE b.device_id = p.device_id AND b.ref = p.ref) >= p.nth))
ORDER BY p.sent_at, p.device_id, p.ref
LIMIT %(limit)s

-- :name reconcile_untold
SELECT p.device_id, p.ref, p.sent_at,
       EXISTS (SELECT 1 FROM alarms a WHERE a.device_id = p.device_id AND a.ref = p.ref
               AND (p.observed_at IS NULL OR a.observed_at IS NULL OR a.observed_at = p.observed_at)) AS stored,
       count(*) OVER () AS total
FROM sent_press p
WHERE p.told IS NULL
ORDER BY p.sent_at, p.device_id, p.ref
LIMIT %(limit)s

-- :name reconcile_sent_line
CREATE TEMPORARY TABLE sent_line (
    n bigint, device_id text, ref text, sent_at timestamptz, told text, observed_at timestamptz) ON COMMIT DROP

-- One row a press. A ref is used again when a device's counter starts anew: another observed_at is another press. Where
-- the ledger has no observed_at, a press ends with its answer: after it, another sent_at with an answer that is no step
-- further begins the next one. `nth`: of the presses of that device and ref that were told they are taken.
-- :name reconcile_sent_press
CREATE TEMPORARY TABLE sent_press ON COMMIT DROP AS
WITH dated AS (
    SELECT n, device_id, ref, sent_at, told, array_position(ARRAY['received', 'hold', 'handled'], told) AS step,
           coalesce(observed_at, max(observed_at) OVER (PARTITION BY device_id, ref, sent_at),
                    CASE WHEN min(observed_at) OVER of_ref = max(observed_at) OVER of_ref
                         THEN max(observed_at) OVER of_ref END) AS observed_at
    FROM sent_line
    WINDOW of_ref AS (PARTITION BY device_id, ref)
), begun AS (
    SELECT *, observed_at IS NULL AND lag(told) OVER w IS NOT NULL AND sent_at IS DISTINCT FROM lag(sent_at) OVER w
              AND coalesce(step, 0) <= coalesce(lag(step) OVER w, 0) AS anew
    FROM dated
    WINDOW w AS (PARTITION BY device_id, ref, observed_at ORDER BY n)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE anew) OVER (PARTITION BY device_id, ref, observed_at ORDER BY n) AS number
    FROM begun
), press AS (
    SELECT DISTINCT ON (device_id, ref, observed_at, number)
           n, device_id, ref, first_value(sent_at) OVER w AS sent_at, told, observed_at
    FROM numbered
    WINDOW w AS (PARTITION BY device_id, ref, observed_at, number ORDER BY n)
    ORDER BY device_id, ref, observed_at, number, n DESC
)
SELECT *, row_number() OVER (PARTITION BY device_id, ref, told IN ('received', 'hold', 'handled') ORDER BY n) AS nth
FROM press
