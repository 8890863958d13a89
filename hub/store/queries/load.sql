-- How loaded the desk is: what rings, at whose seat, floods, and the reports of it.

-- :name load_cursor
SELECT seq, at FROM load_cursor FOR UPDATE SKIP LOCKED

-- :name load_upto
SELECT least(c.seq, %(after)s::bigint + %(limit)s) AS upto FROM timeline_counter c

-- A new incident, a press after the claim, a stronger alarm. That the same one rings again because nobody came is no
-- further alarm.
-- :name load_rings
SELECT t.seq, t.at, i.id AS incident_id, t.kind = 'raised' AS first, s.user_id AS seat,
       coalesce(t.body ->> 'to', t.body ->> 'priority', i.priority) AS priority,
       coalesce((SELECT a.id FROM areas a WHERE a.id = ANY (i.area_path) AND a.kind = 'community' LIMIT 1), i.area_id, '') AS place
FROM timeline t
JOIN incidents i ON i.id = t.subject_id::uuid
LEFT JOIN incident_seats s ON s.incident_id = i.id
WHERE t.seq > %(after)s AND t.seq <= %(upto)s AND t.subject_kind = 'incident'
  AND (t.kind IN ('raised', 'priority_raised') OR t.kind = 'realerted' AND t.body ->> 'reason' = 'pressed_again')
  AND i.class IN ('emergency', 'health', 'whereabouts')
ORDER BY t.seq

-- The same seats as those that count as signed in.
-- :name load_seats
SELECT u.id AS user_id, u.name, st.flood_since,
       (SELECT count(*)::integer FROM seat_rings r WHERE r.user_id = u.id AND r.at > %(since)s AND r.at <= %(now)s) AS rings
FROM users u LEFT JOIN seat_states st ON st.user_id = u.id
WHERE u.id IN (SELECT s.user_id FROM sessions s
               WHERE s.kind = 'console' AND s.on_duty AND s.expires_at > %(now)s AND s.last_seen_at > %(seen_since)s)
  AND u.active AND u.role IN ('operator', 'supervisor', 'admin')
ORDER BY u.id

-- :name load_seat_incidents
INSERT INTO incident_seats (incident_id, user_id, home_id, rule, at)
SELECT r.incident_id, r.user_id, r.home_id, r.rule, r.at
FROM json_to_recordset(%(rows)s::json) AS r (incident_id uuid, user_id uuid, home_id uuid, rule text, at timestamptz)
ORDER BY r.incident_id
ON CONFLICT (incident_id) DO UPDATE SET user_id = excluded.user_id, home_id = excluded.home_id, rule = excluded.rule, at = excluded.at

-- :name load_ring
INSERT INTO seat_rings (seq, at, user_id, incident_id, priority, bin)
SELECT r.seq, r.at, r.user_id, r.incident_id, r.priority, %(bin)s
FROM json_to_recordset(%(rows)s::json) AS r (seq bigint, at timestamptz, user_id uuid, incident_id uuid, priority text)
ON CONFLICT DO NOTHING

-- :name load_floods
INSERT INTO seat_states (user_id, flood_since)
SELECT r.user_id, r.flood_since FROM json_to_recordset(%(rows)s::json) AS r (user_id uuid, flood_since timestamptz)
ORDER BY r.user_id
ON CONFLICT (user_id) DO UPDATE SET flood_since = excluded.flood_since

-- :name load_count
INSERT INTO seat_load AS l (bin, user_id, duty_s, flood_s, rings, spilled_in, spilled_out)
SELECT %(bin)s, r.user_id, r.duty_s, r.flood_s, r.rings, r.spilled_in, r.spilled_out
FROM json_to_recordset(%(rows)s::json) AS r (
    user_id uuid, duty_s integer, flood_s integer, rings integer, spilled_in integer, spilled_out integer)
ORDER BY r.user_id
ON CONFLICT (bin, user_id) DO UPDATE SET
    duty_s = l.duty_s + excluded.duty_s, flood_s = l.flood_s + excluded.flood_s, rings = l.rings + excluded.rings,
    spilled_in = l.spilled_in + excluded.spilled_in, spilled_out = l.spilled_out + excluded.spilled_out

-- :name load_moved
UPDATE load_cursor SET seq = %(seq)s, at = %(at)s

-- :name load_prune
DELETE FROM seat_rings WHERE at < %(before)s

-- What stands at the desk now, in one look.
-- :name load_standing
SELECT json_build_object(
    'live', count(*),
    'stale', count(*) FILTER (WHERE i.opened_at < %(stale_before)s),
    'stale_technical', (SELECT count(*) FROM incidents t WHERE t.state IN ('open', 'acknowledged', 'in_progress')
                        AND t.class = 'technical' AND t.opened_at < %(stale_before)s),
    'shelved', (SELECT count(*) FROM incidents t WHERE t.state IN ('open', 'acknowledged', 'in_progress')
                AND t.shelved_until > %(now)s),
    'chattering', (SELECT count(*) FROM incidents t WHERE t.state IN ('open', 'acknowledged', 'in_progress')
                   AND t.reasons @> '[{"code": "chattering"}]'),
    'silences', (SELECT count(*) FROM alarm_windows w WHERE w.settled_at IS NULL AND w.starts_at <= %(now)s AND w.ends_at > %(now)s),
    'oldest_stale', (SELECT json_agg(x.view) FROM (
        SELECT json_build_object('id', t.id, 'number', t.number, 'type', t.type, 'priority', t.priority, 'opened_at', t.opened_at) AS view
        FROM incidents t WHERE t.state IN ('open', 'acknowledged', 'in_progress') AND t.opened_at < %(stale_before)s
          AND t.class IN ('emergency', 'health', 'whereabouts')
        ORDER BY t.opened_at LIMIT 20) x)) AS view
FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class IN ('emergency', 'health', 'whereabouts')

-- :name load_rings_by_seat
SELECT user_id, count(*)::integer AS n, count(*) FILTER (WHERE at > %(ten_ago)s)::integer AS lately
FROM seat_rings WHERE at > %(since)s AND at <= %(now)s GROUP BY user_id

-- :name load_mix
SELECT priority, count(*)::integer AS n FROM seat_rings WHERE at >= %(start)s AND at < %(end)s GROUP BY priority

-- :name load_spilled
SELECT json_build_object('incident', s.incident_id, 'number', i.number, 'type', i.type, 'priority', i.priority, 'state', i.state,
                         'at', s.at, 'rule', s.rule, 'seat', u.name, 'home', h.name) AS view
FROM incident_seats s JOIN incidents i ON i.id = s.incident_id
LEFT JOIN users u ON u.id = s.user_id LEFT JOIN users h ON h.id = s.home_id
WHERE s.at > %(since)s AND s.rule <> 'home'
ORDER BY s.at DESC LIMIT 50

-- Of what is live and about people; the job writes it within a second of the opening.
-- :name load_seated
SELECT json_build_object('incident_id', i.id, 'rule', s.rule,
                         'seat', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END,
                         'home', CASE WHEN h.id IS NOT NULL THEN json_build_object('id', h.id, 'name', h.name) END) AS view
FROM incidents i JOIN incident_seats s ON s.incident_id = i.id
LEFT JOIN users u ON u.id = s.user_id LEFT JOIN users h ON h.id = s.home_id
WHERE i.state IN ('open', 'acknowledged', 'in_progress')
ORDER BY i.urgency, i.opened_at, i.id
LIMIT 5000

-- :name report_operator_seat
SELECT u.name AS "group", sum(l.duty_s)::integer AS duty_s, sum(l.flood_s)::integer AS flood_s, sum(l.rings)::integer AS rings,
       sum(l.spilled_in)::integer AS spilled_in, sum(l.spilled_out)::integer AS spilled_out, count(DISTINCT l.user_id)::integer AS seats
FROM seat_load l JOIN users u ON u.id = l.user_id
WHERE l.bin >= %(start)s AND l.bin < %(end)s AND %(zone)s::text IS NOT NULL
GROUP BY u.id, u.name ORDER BY sum(l.rings) DESC, u.name

-- :name report_operator_hour
SELECT date_trunc('hour', l.bin, %(zone)s) AS "group", sum(l.duty_s)::integer AS duty_s, sum(l.flood_s)::integer AS flood_s,
       sum(l.rings)::integer AS rings, sum(l.spilled_in)::integer AS spilled_in, sum(l.spilled_out)::integer AS spilled_out,
       count(DISTINCT l.user_id)::integer AS seats
FROM seat_load l WHERE l.bin >= %(start)s AND l.bin < %(end)s
GROUP BY 1 ORDER BY 1

-- :name report_operator_day
SELECT date_trunc('day', l.bin, %(zone)s) AS "group", sum(l.duty_s)::integer AS duty_s, sum(l.flood_s)::integer AS flood_s,
       sum(l.rings)::integer AS rings, sum(l.spilled_in)::integer AS spilled_in, sum(l.spilled_out)::integer AS spilled_out,
       count(DISTINCT l.user_id)::integer AS seats
FROM seat_load l WHERE l.bin >= %(start)s AND l.bin < %(end)s
GROUP BY 1 ORDER BY 1

-- :name bad_actor_counts
SELECT m.device_id, count(*)::integer AS alarms, (array_agg(DISTINCT m.type))[1:8] AS types,
       count(DISTINCT m.incident_id)::integer AS incidents,
       count(DISTINCT m.incident_id) FILTER (WHERE i.disposition IN ('false', 'device_fault'))::integer AS false,
       max(m.received_at) AS last_at, d.family, d.model, a.name AS area
FROM alarms m
LEFT JOIN incidents i ON i.id = m.incident_id
LEFT JOIN devices d ON d.id = m.device_id
LEFT JOIN residents r ON r.id = d.resident_id
LEFT JOIN areas a ON a.id = coalesce(d.area_id, r.area_id)
WHERE <<bad_actor_span>>
GROUP BY m.device_id, d.family, d.model, a.name

-- alarms m, areas a of their devices
-- :name bad_actor_span
m.received_at >= %(start)s AND m.received_at < %(end)s AND m.class = ANY (%(classes)s::text[]) AND NOT m.test
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])
  AND (%(priority)s::text IS NULL OR m.priority = %(priority)s)
