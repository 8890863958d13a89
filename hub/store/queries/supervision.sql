-- Supervision of devices: who could be silent, what they hang on, since when the hub can hear.

-- :name hearing_beat
INSERT INTO hearing AS h (process, way, up, since, beat_at)
SELECT %(process)s, w.way, w.up, %(now)s, %(now)s
FROM unnest(%(ways)s::text[], %(ups)s::boolean[]) AS w (way, up)
ORDER BY w.way
ON CONFLICT (process, way) DO UPDATE SET
    up = excluded.up, beat_at = excluded.beat_at,
    -- A gap in the beats is deafness, whatever caused it: no database, a process that stood still.
    since = CASE WHEN h.up = excluded.up AND h.beat_at > excluded.beat_at - %(gap)s::interval THEN h.since ELSE excluded.since END

-- :name hearing_forget
DELETE FROM hearing WHERE process = %(process)s OR beat_at < %(before)s

-- :name hearing_now
SELECT way, bool_or(up) AS up,
       min(since) FILTER (WHERE up) AS up_since, max(since) FILTER (WHERE NOT up) AS down_since
FROM hearing WHERE beat_at > %(fresh)s
GROUP BY way

-- Locked in the order of their time, several jobs beside each other. Who was heard meanwhile is put off here and does not
-- leave the database; of a way that is deaf everybody has the whole span again, so nobody is silent before it is over.
-- :name watch_claim
WITH due AS MATERIALIZED (
    SELECT w.device_id, w.silent_since, w.incident_id
    FROM device_watch w
    WHERE w.check_at <= %(now)s
    ORDER BY w.check_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), known AS MATERIALIZED (
    SELECT due.device_id, due.silent_since, due.incident_id, d.family, d.last_seen_at, d.online, d.charging, d.upstream,
           d.resident_id, coalesce(d.area_id, r.area_id) AS area_id, r.status AS resident_status, d.battery_pct,
           coalesce(d.installed_at, d.created_at) AS added_at, d.adopted AND d.revoked_at IS NULL AS watched,
           coalesce(d.interval_s, p.interval_s) AS interval_s, coalesce(p.silence, '{}') AS silence, p.id AS profile_id,
           (%(heard)s::jsonb ->> d.family)::timestamptz AS hearing_since,
           coalesce((p.silence ->> 'supervised')::boolean, true) AS supervised,
           coalesce((p.silence ->> 'after_s')::double precision,
                    coalesce(d.interval_s, p.interval_s) * 1.5 + 5) AS span_s
    FROM due
    JOIN devices d ON d.id = due.device_id
    LEFT JOIN residents r ON r.id = d.resident_id
    LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
), sorted AS MATERIALIZED (
    SELECT k.*,
           CASE WHEN NOT k.watched OR k.silent_since IS NOT NULL THEN NULL
                WHEN NOT k.supervised OR k.span_s IS NULL THEN %(now)s + interval '1 day'
                WHEN k.hearing_since IS NULL THEN %(now)s + k.span_s * interval '1 second'
                WHEN greatest(k.last_seen_at, CASE WHEN k.last_seen_at IS NOT NULL THEN k.hearing_since END)
                     + k.span_s * interval '1 second' > %(now)s
                THEN greatest(k.last_seen_at, k.hearing_since) + k.span_s * interval '1 second'
           END AS put_off_to
    FROM known k
), put_off AS (
    UPDATE device_watch w SET check_at = s.put_off_to
    FROM sorted s WHERE s.device_id = w.device_id AND s.put_off_to IS NOT NULL
    RETURNING w.device_id
)
SELECT s.*, (SELECT count(*) FROM put_off) AS put_off FROM sorted s WHERE s.put_off_to IS NULL
UNION ALL
SELECT s.*, (SELECT count(*) FROM put_off) AS put_off
FROM (SELECT * FROM sorted WHERE put_off_to IS NOT NULL LIMIT 1) s

-- :name watch_settle
UPDATE device_watch w
SET check_at = r.check_at, silent_since = r.silent_since, reason = r.reason, incident_id = r.incident_id
FROM json_to_recordset(%(rows)s::json) AS r (
    device_id text, check_at timestamptz, silent_since timestamptz, reason text, incident_id uuid)
WHERE w.device_id = r.device_id

-- :name watch_offline
UPDATE devices SET online = false
WHERE id IN (SELECT id FROM devices WHERE id = ANY (%(ids)s::text[]) AND online IS DISTINCT FROM false ORDER BY id
             FOR NO KEY UPDATE)

-- :name watch_drop
DELETE FROM device_watch WHERE device_id = ANY (%(ids)s::text[])

-- What devices hang on: how many hang on the same of these places and report equally often. Those silent for long before
-- say nothing about now; those found silent in this run (`found`) are silent.
-- :name watch_causes
WITH hung AS (
    SELECT c.device_id, array_agg(c.place ORDER BY c.place) AS places
    FROM (
        SELECT 'upstream:' || d.upstream AS place, d.id AS device_id
        FROM devices d WHERE d.upstream = ANY (%(upstreams)s::text[])
        UNION ALL
        SELECT 'area:' || a.key, d.id
        FROM unnest(%(areas)s::text[]) AS a (key)
        JOIN areas b ON b.path @> ARRAY[a.key]
        JOIN devices d ON d.area_id = b.id
        UNION ALL
        SELECT 'area:' || a.key, d.id
        FROM unnest(%(areas)s::text[]) AS a (key)
        JOIN areas b ON b.path @> ARRAY[a.key]
        JOIN residents r ON r.area_id = b.id
        JOIN devices d ON d.resident_id = r.id AND d.area_id IS NULL
    ) c
    GROUP BY c.device_id
), watched AS (
    SELECT h.places, d.last_seen_at, p.silence,
           w.silent_since IS NOT NULL OR d.id = ANY (%(found)s::text[]) AS silent,
           coalesce((p.silence ->> 'after_s')::double precision, coalesce(d.interval_s, p.interval_s)) AS interval_s
    FROM hung h
    JOIN devices d ON d.id = h.device_id AND d.last_seen_at IS NOT NULL
    JOIN device_watch w ON w.device_id = d.id AND (w.silent_since IS NULL OR w.silent_since > %(since)s)
    LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
)
SELECT places, interval_s, count(*) AS devices, max(last_seen_at) AS last_heard_at, count(*) FILTER (WHERE silent) AS silent
FROM watched
WHERE interval_s > 0 AND coalesce((silence ->> 'supervised')::boolean, true)
GROUP BY places, interval_s

-- Matters of many: those open, and when those ended that ended by themselves.
-- :name watch_shared
SELECT i.subject, i.opened_at, NULL::timestamptz AS over_at
FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class = 'technical' AND i.device_id IS NULL
  AND split_part(i.subject, ':', 1) IN ('upstream', 'area') AND 'offline' = ANY (i.types)
UNION ALL
SELECT i.subject, max(i.opened_at), max(i.resolved_at)
FROM incidents i
WHERE i.class = 'technical' AND i.opened_at > %(since)s AND i.state NOT IN ('open', 'acknowledged', 'in_progress')
  AND i.device_id IS NULL AND split_part(i.subject, ':', 1) IN ('upstream', 'area') AND 'offline' = ANY (i.types)
  AND i.disposition = 'device_fault'
GROUP BY i.subject

-- Matters of single devices that are only silent, nobody at work on them, whose silent devices all hang on the place.
-- :name watch_singles
SELECT i.id
FROM incidents i
JOIN device_watch w ON w.incident_id = i.id AND w.silent_since IS NOT NULL
JOIN devices d ON d.id = w.device_id
LEFT JOIN residents r ON r.id = d.resident_id
LEFT JOIN areas a ON a.id = coalesce(d.area_id, r.area_id)
WHERE i.class = 'technical' AND i.opened_at >= %(since)s AND i.state = 'open' AND i.types = '{offline}'
  AND i.device_id IS NOT NULL AND i.shelved_until IS NULL AND NOT i.under_way AND NOT i.on_scene
GROUP BY i.id
HAVING bool_and(coalesce('upstream:' || d.upstream = %(place)s OR a.path @> ARRAY[nullif(%(area)s, '')], false))
ORDER BY i.id

-- :name watch_move
UPDATE device_watch SET incident_id = %(to)s::uuid WHERE incident_id = ANY (%(of)s::uuid[])

-- :name watch_areas
SELECT a.id, a.name, a.path, a.kind FROM areas a WHERE a.id = ANY (%(ids)s::text[])

-- :name watch_left
SELECT count(*) FROM device_watch WHERE incident_id = %(incident_id)s AND silent_since IS NOT NULL

-- Each of them is looked at again by itself, once it has had its whole span.
-- :name watch_release
UPDATE device_watch w
SET incident_id = NULL, silent_since = NULL,
    check_at = %(now)s::timestamptz + coalesce((p.silence ->> 'after_s')::double precision,
                                  coalesce(d.interval_s, p.interval_s) * 1.5 + 5, 0) * interval '1 second'
FROM devices d LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
WHERE w.incident_id = %(incident_id)s AND d.id = w.device_id

-- :name repair_of
SELECT id::text FROM orders
WHERE incident_id = %(incident_id)s AND kind = 'device_repair' AND state NOT IN ('cancelled', 'aborted', 'missed', 'completed')
ORDER BY created_at DESC LIMIT 1

-- Its word counts from now on: what it said of its power before it lost it says nothing.
-- :name power_cut_join
WITH joined AS (
    INSERT INTO power_cut_devices (incident_id, device_id, lost_at, ref, tells)
    SELECT %(shared_id)s::uuid, d.id, a.received_at, a.ref, d.charging IS NOT NULL
    FROM devices d
    JOIN LATERAL (SELECT m.received_at, m.ref FROM alarms m WHERE m.incident_id = %(incident_id)s::uuid
                  ORDER BY m.received_at DESC LIMIT 1) a ON true
    WHERE d.id = %(device_id)s
    ON CONFLICT (incident_id, device_id) DO UPDATE SET
        lost_at = excluded.lost_at, ref = excluded.ref, back_at = NULL, how = NULL
    RETURNING device_id
)
UPDATE devices d SET charging = false FROM joined j WHERE d.id = j.device_id AND d.charging

-- :name power_cuts_running
SELECT DISTINCT i.id FROM incidents i JOIN power_cut_devices p ON p.incident_id = i.id
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class = 'technical'

-- :name power_cut_heard
UPDATE power_cut_devices p SET back_at = %(now)s, how = CASE WHEN d.charging THEN 'charging' ELSE 'cancel' END
FROM devices d
WHERE p.incident_id = %(id)s::uuid AND p.back_at IS NULL AND d.id = p.device_id
  AND (d.charging AND d.last_seen_at > p.lost_at
       OR EXISTS (SELECT 1 FROM alarms a WHERE a.device_id = p.device_id AND a.type = 'cancel' AND a.cancels = p.ref
                  AND a.received_at >= p.lost_at))

-- :name power_cut_members
SELECT p.device_id, p.lost_at, p.tells, p.back_at, p.how, d.last_seen_at, d.resident_id, d.family,
       coalesce(d.area_id, r.area_id) AS area_id
FROM power_cut_devices p JOIN devices d ON d.id = p.device_id LEFT JOIN residents r ON r.id = d.resident_id
WHERE p.incident_id = %(id)s::uuid
ORDER BY p.device_id

-- :name power_cut_settle
UPDATE power_cut_devices SET back_at = %(now)s, how = 'heard' WHERE incident_id = %(id)s::uuid AND device_id = ANY (%(ids)s::text[])

-- A power cut tells of itself by every mains-powered device behind it. The smallest area that is known is the cause.
-- :name watch_without_power
WITH alone AS (
    SELECT i.id, i.device_id, coalesce(i.area_path[array_length(i.area_path, 1)], i.area_id) AS area_id
    FROM incidents i
    WHERE i.state = 'open' AND i.class = 'technical' AND i.types = '{power_fail}' AND i.device_id IS NOT NULL
      AND i.opened_at >= %(since)s AND i.shelved_until IS NULL AND NOT i.under_way AND NOT i.on_scene
)
SELECT a.area_id, r.name AS area_name, a.id AS incident_id, a.device_id
FROM alone a JOIN areas r ON r.id = a.area_id
WHERE (SELECT count(DISTINCT b.device_id) FROM alone b WHERE b.area_id = a.area_id) >= %(fewest)s
   OR EXISTS (SELECT FROM incidents s WHERE s.subject = 'power:' || a.area_id AND s.class = 'technical'
              AND s.state IN ('open', 'acknowledged', 'in_progress'))
ORDER BY a.area_id, a.id
