-- A recorded night: everything that decides, as JSON lines for `hub replay`. Names of people are not among it.

-- :name recording_residents
SELECT json_build_object('kind', 'resident', 'id', r.id, 'status', r.status, 'area_id', r.area_id, 'lives_alone', r.lives_alone,
                         'area_path', coalesce(a.path, '{}'), 'thresholds', coalesce(s.thresholds, '{}'),
                         'geofences', coalesce(s.geofences, '[]'), 'usual', coalesce(u.usual, '{}')) AS line
FROM residents r
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN resident_rules s ON s.resident_id = r.id
LEFT JOIN resident_usual u ON u.resident_id = r.id
ORDER BY r.id

-- :name recording_devices
SELECT json_build_object('kind', 'device', 'id', d.id, 'family', d.family, 'resident_id', d.resident_id, 'area_id', d.area_id,
                         'adopted', d.adopted, 'revoked', d.revoked_at IS NOT NULL,
                         'profile', coalesce(p.reading, '{}'), 'interval_s', coalesce(d.interval_s, p.interval_s),
                         'silence', coalesce(p.silence, '{}'), 'upstream', d.upstream) AS line
FROM devices d LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
ORDER BY d.id

-- Signs of life of which nothing else was kept: one a device and minute says as much as all of them.
-- :name recording_heard
SELECT json_build_object('kind', 'heard', 'device_id', u.device_id, 'at', min(u.received_at)) AS line
FROM uplinks u
WHERE u.received_at >= %(start)s AND u.received_at < %(end)s AND u.payload IS NULL AND u.device_id IS NOT NULL
GROUP BY u.device_id, date_trunc('minute', u.received_at)
ORDER BY min(u.received_at)

-- When a way in was deaf the hub has said so by an incident of its own.
-- :name recording_deaf
SELECT json_build_object('kind', 'deaf', 'way', substr(i.subject, 5), 'at', greatest(i.opened_at, %(start)s),
                         'ends_at', least(coalesce(i.resolved_at, %(end)s), %(end)s)) AS line
FROM incidents i
WHERE i.subject LIKE 'way:%%' AND i.class = 'technical' AND i.opened_at < %(end)s
  AND coalesce(i.resolved_at, %(end)s) > greatest(i.opened_at, %(start)s)
ORDER BY i.opened_at

-- :name recording_windows
SELECT json_build_object('kind', 'window', 'window_kind', w.kind, 'device_id', w.device_id, 'area_id', w.area_id, 'type', w.type,
                         'starts_at', w.starts_at, 'ends_at', w.ends_at, 'reason', w.reason, 'by', w.set_by,
                         'areas', CASE WHEN w.area_id IS NOT NULL
                                       THEN ARRAY(SELECT a.id FROM areas a WHERE a.path @> ARRAY[w.area_id]) ELSE '{}' END) AS line
FROM alarm_windows w
WHERE w.starts_at < %(end)s AND w.ends_at > %(start)s AND w.ends_at > w.starts_at
ORDER BY w.starts_at

-- What the status of each resident was before and what it became: the latest entries tell.
-- :name recording_statuses
SELECT json_build_object('kind', 'resident', 'at', t.at, 'id', t.subject_id, 'status', t.body ->> 'to') AS line
FROM timeline t
WHERE t.subject_kind = 'resident' AND t.kind = 'status' AND t.at >= %(start)s AND t.at < %(end)s AND t.body ->> 'to' IS NOT NULL
ORDER BY t.seq

-- :name recording_first_statuses
SELECT DISTINCT ON (t.subject_id) t.subject_id AS id, t.body ->> 'from' AS status
FROM timeline t
WHERE t.subject_kind = 'resident' AND t.kind = 'status' AND t.at >= %(start)s AND t.body ->> 'from' IS NOT NULL
ORDER BY t.subject_id, t.seq

-- :name recording_meals
SELECT json_build_object('kind', CASE WHEN o.kind IN ('meal_delivery', 'meal_dine_in') THEN 'missed_meal' ELSE 'missed_visit' END,
                         'resident_id', o.resident_id,
                         'at', CASE o.state WHEN 'missed' THEN o.wanted_to ELSE v.ended_at END) AS line
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.kind <> 'device_repair' AND o.programme_id IS NULL
  AND o.wanted_to >= %(start)s::timestamptz - interval '1 day' AND o.wanted_to < %(end)s
  AND (o.state = 'missed' OR o.state = 'aborted' AND v.outcome IN ('no_answer', 'not_found') AND v.ended_at IS NOT NULL)
ORDER BY o.wanted_to

-- :name recording_done
SELECT json_build_object('kind', 'done', 'at', t.at, 'action', CASE t.kind WHEN 'acknowledged' THEN 'acknowledge' ELSE 'close' END,
                         'class', i.class, 'resident_id', i.resident_id,
                         'device_id', CASE WHEN i.resident_id IS NULL THEN i.device_id END,
                         'disposition', CASE WHEN t.kind = 'resolved' THEN t.body ->> 'disposition' END) AS line
FROM timeline t JOIN incidents i ON i.id = t.subject_id::uuid
WHERE t.subject_kind = 'incident' AND t.kind IN ('acknowledged', 'resolved') AND t.at >= %(start)s AND t.at < %(end)s
  AND (i.resident_id IS NOT NULL OR i.device_id IS NOT NULL)
ORDER BY t.seq

-- Raw, where the hub kept it: alarms, and what could not be taken.
-- :name recording_uplinks
SELECT u.received_at, u.device_id, d.family, u.topic, u.payload
FROM uplinks u JOIN devices d ON d.id = u.device_id
WHERE u.received_at >= %(start)s AND u.received_at < %(end)s AND u.payload IS NOT NULL AND u.outcome IN ('accepted', 'quarantined')
ORDER BY u.received_at

-- Telemetry as what was understood of it; its raw messages are not kept.
-- :name recording_observations
SELECT o.received_at, o.observed_at, o.device_id, d.family, o.buffered,
       json_object_agg(o.metric, o.value) FILTER (WHERE o.value IS NOT NULL) AS vitals,
       array_agg(o.state) FILTER (WHERE o.state IS NOT NULL) AS words
FROM observations o JOIN devices d ON d.id = o.device_id
WHERE o.received_at >= %(start)s AND o.received_at < %(end)s
  AND NOT EXISTS (SELECT FROM uplinks u WHERE u.device_id = o.device_id AND u.received_at = o.received_at AND u.payload IS NOT NULL
                  AND u.received_at >= %(start)s AND u.received_at < %(end)s)
GROUP BY o.received_at, o.observed_at, o.device_id, d.family, o.buffered
ORDER BY o.received_at, o.device_id

-- :name recording_fixes
SELECT f.received_at, f.observed_at, f.device_id, d.family, f.buffered, f.lat, f.lon, f.accuracy_m, f.source
FROM fixes f JOIN devices d ON d.id = f.device_id
WHERE f.received_at >= %(start)s AND f.received_at < %(end)s
  AND NOT EXISTS (SELECT FROM uplinks u WHERE u.device_id = f.device_id AND u.received_at = f.received_at AND u.payload IS NOT NULL
                  AND u.received_at >= %(start)s AND u.received_at < %(end)s)
ORDER BY f.received_at, f.device_id

-- What a centre should have had in a span, for the comparison with its own list.
-- :name recording_matters
SELECT i.id, i.first_alarm_at, i.last_alarm_at, i.type, i.priority, i.class, i.resident_id, r.name, i.alarm_count,
       coalesce((SELECT array_agg(DISTINCT m.device_id) FROM alarms m WHERE m.incident_id = i.id AND m.device_id IS NOT NULL), '{}') AS devices
FROM incidents i LEFT JOIN residents r ON r.id = i.resident_id
WHERE i.first_alarm_at >= %(start)s AND i.first_alarm_at < %(end)s AND i.class IN ('emergency', 'health', 'whereabouts')
ORDER BY i.first_alarm_at, i.id
