-- The alarm rules: whose turn it is, what is known of them, what was found.

-- Locked in the order of their time, several jobs beside each other. Of whom nothing was heard is put off here. Ten seconds of
-- grace: a record has the time of its receipt, and is committed a moment later.
-- :name rules_claim
WITH due AS MATERIALIZED (
    SELECT w.resident_id, w.due_at, w.looked_at
    FROM rule_watch w
    WHERE w.check_at <= %(now)s
    ORDER BY w.check_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), judged AS MATERIALIZED (
    SELECT due.resident_id, due.due_at,
           due.looked_at IS NULL OR coalesce(due.due_at <= %(now)s, false)
           OR EXISTS (SELECT FROM devices d WHERE d.resident_id = due.resident_id
                      AND d.last_seen_at > due.looked_at - interval '10 seconds') AS wanted
    FROM due
), put_off AS (
    UPDATE rule_watch w SET check_at = least(j.due_at, %(next)s)
    FROM judged j WHERE j.resident_id = w.resident_id AND NOT j.wanted
    RETURNING w.resident_id
)
SELECT resident_id, wanted FROM judged ORDER BY resident_id

-- :name rules_people
SELECT r.id AS resident_id, r.name, r.status, r.lives_alone, r.area_id, w.standing, w.known,
       coalesce(s.thresholds, '{}') AS thresholds, coalesce(s.geofences, '[]') AS geofences,
       coalesce(u.usual, '{}') AS usual, u.learned_at
FROM residents r
JOIN rule_watch w ON w.resident_id = r.id
LEFT JOIN resident_rules s ON s.resident_id = r.id
LEFT JOIN resident_usual u ON u.resident_id = r.id
WHERE r.id = ANY (%(ids)s::text[])
ORDER BY r.id

-- :name rules_readings
SELECT r.id AS resident_id, m.metric, o.value, o.received_at, o.observed_at, o.device_id, o.buffered
FROM unnest(%(ids)s::text[]) AS r (id)
CROSS JOIN unnest(%(metrics)s::text[]) AS m (metric)
CROSS JOIN LATERAL (
    SELECT o.value, o.received_at, o.observed_at, o.device_id, o.buffered
    FROM observations o
    WHERE o.resident_id = r.id AND o.metric = m.metric AND o.received_at > %(since)s AND o.received_at <= %(now)s
      AND o.value IS NOT NULL
    ORDER BY o.received_at DESC
    LIMIT %(most)s
) o
ORDER BY o.received_at, o.observed_at

-- :name rules_words
SELECT resident_id, state, received_at, observed_at, device_id, buffered
FROM (
    SELECT o.resident_id, o.state, o.received_at, o.observed_at, o.device_id, o.buffered,
           row_number() OVER (PARTITION BY o.resident_id, o.state, o.buffered ORDER BY o.received_at DESC) AS place
    FROM observations o
    WHERE o.resident_id = ANY (%(ids)s::text[]) AND o.metric = 'activity' AND o.received_at > %(since)s
      AND o.received_at <= %(now)s AND o.state = ANY (%(states)s::text[])
) o
WHERE place <= %(most)s
ORDER BY received_at, observed_at

-- :name rules_positions
SELECT d.resident_id, f.lat, f.lon, f.accuracy_m::float8 AS accuracy_m, f.source, f.received_at, f.observed_at, f.buffered
FROM devices d
CROSS JOIN LATERAL (
    SELECT f.* FROM fixes f
    WHERE f.device_id = d.id AND f.resident_id = d.resident_id AND f.received_at > %(since)s AND f.received_at <= %(now)s
    ORDER BY f.received_at DESC
    LIMIT %(most)s
) f
WHERE d.resident_id = ANY (%(ids)s::text[])
ORDER BY f.received_at, f.observed_at

-- :name rules_sources
SELECT d.resident_id, d.id AS device_id, d.last_seen_at AS heard_at, w.silent_since IS NOT NULL AS silent
FROM devices d LEFT JOIN device_watch w ON w.device_id = d.id
WHERE d.resident_id = ANY (%(ids)s::text[]) AND d.adopted AND d.revoked_at IS NULL
ORDER BY d.id

-- A meal nobody ate: it was never brought, or nobody was there to take it.
-- :name rules_meals
SELECT o.resident_id, CASE o.state WHEN 'missed' THEN o.wanted_to ELSE v.ended_at END AS at
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.resident_id = ANY (%(ids)s::text[]) AND o.kind IN ('meal_delivery', 'meal_dine_in')
  AND o.wanted_from > %(since)s::timestamptz - interval '1 day'
  AND (o.state = 'missed' AND o.wanted_to > %(since)s AND o.wanted_to <= %(now)s
       OR o.state = 'aborted' AND v.outcome IN ('no_answer', 'not_found') AND v.ended_at > %(since)s AND v.ended_at <= %(now)s)
ORDER BY at

-- Any other visit that nobody made, or for which nobody opened. Devices and the visit programme say nothing of the person.
-- :name rules_visits
SELECT o.resident_id, CASE o.state WHEN 'missed' THEN o.wanted_to ELSE v.ended_at END AS at
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.resident_id = ANY (%(ids)s::text[]) AND o.kind NOT IN ('meal_delivery', 'meal_dine_in', 'device_repair')
  AND o.programme_id IS NULL AND o.wanted_from > %(since)s::timestamptz - interval '1 day'
  AND (o.state = 'missed' AND o.wanted_to > %(since)s AND o.wanted_to <= %(now)s
       OR o.state = 'aborted' AND v.outcome IN ('no_answer', 'not_found') AND v.ended_at > %(since)s AND v.ended_at <= %(now)s)
ORDER BY at

-- A late record makes a row of its own on TimescaleDB: they are added up.
-- :name rules_hours
SELECT resident_id, metric, at, sum(total) / nullif(sum(valued), 0) AS mean
FROM observation_hours
WHERE resident_id = ANY (%(ids)s::text[]) AND metric = ANY (%(metrics)s::text[]) AND at >= %(since)s AND at < %(now)s
  AND received >= %(since)s AND state = ''
GROUP BY resident_id, metric, at
HAVING sum(valued) > 0
ORDER BY at

-- :name rules_signs
SELECT DISTINCT resident_id, at
FROM observation_hours
WHERE resident_id = ANY (%(ids)s::text[]) AND at >= %(since)s AND at < %(now)s AND received >= %(since)s
  AND (metric = 'activity' AND state = ANY (%(states)s::text[]) OR metric = 'steps' AND high > low)
ORDER BY at

-- :name rules_learned
INSERT INTO resident_usual (resident_id, learned_at, usual)
SELECT r.resident_id, %(now)s, r.usual FROM json_to_recordset(%(rows)s::json) AS r (resident_id text, usual jsonb)
ON CONFLICT (resident_id) DO UPDATE SET learned_at = excluded.learned_at, usual = excluded.usual

-- :name rules_settle
UPDATE rule_watch w
SET check_at = r.check_at, due_at = r.due_at, looked_at = r.looked_at, standing = r.standing, known = r.known
FROM json_to_recordset(%(rows)s::json) AS r (
    resident_id text, check_at timestamptz, due_at timestamptz, looked_at timestamptz, standing jsonb, known jsonb)
WHERE w.resident_id = r.resident_id

-- :name rules_wake
UPDATE rule_watch SET check_at = 'epoch', looked_at = NULL WHERE resident_id = %(resident_id)s

-- :name rules_of
SELECT thresholds, geofences, version FROM resident_rules WHERE resident_id = %(resident_id)s

-- :name rules_lock
INSERT INTO resident_rules (resident_id) VALUES (%(resident_id)s) ON CONFLICT (resident_id) DO NOTHING

-- :name rules_locked
SELECT thresholds, geofences, version FROM resident_rules WHERE resident_id = %(resident_id)s FOR UPDATE

-- :name rules_save
UPDATE resident_rules SET thresholds = %(thresholds)s::jsonb, geofences = %(geofences)s::jsonb, version = version + 1
WHERE resident_id = %(resident_id)s
