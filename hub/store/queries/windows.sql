-- Silences, maintenance and test windows.

-- Shared with every other alarm and exclusive with the settling: what is held back is either seen by it or not held back.
-- :name windows_in_force
SELECT w.id, w.kind, w.device_id, w.area_id, w.type, w.starts_at, w.ends_at, w.reason, w.set_by,
       CASE WHEN w.area_id IS NOT NULL
            THEN ARRAY(SELECT a.id FROM areas a WHERE a.path @> ARRAY[w.area_id]) ELSE '{}' END AS areas
FROM alarm_windows w
WHERE w.settled_at IS NULL AND w.starts_at <= %(now)s AND w.ends_at > %(now)s
ORDER BY w.id
FOR SHARE OF w

-- :name windows_recent
SELECT p.device_id, p.type, array_agg(m.received_at) AS times
FROM unnest(%(pair_devices)s::text[], %(pair_types)s::text[]) AS p (device_id, type)
CROSS JOIN LATERAL (
    SELECT a.received_at FROM alarms a
    WHERE a.device_id = p.device_id AND a.received_at >= %(since)s AND a.type = p.type AND NOT a.buffered
    ORDER BY a.received_at DESC LIMIT 20
) m
GROUP BY p.device_id, p.type

-- :name windows_add
INSERT INTO alarm_windows (id, kind, device_id, area_id, type, starts_at, ends_at, planned_end, reason, user_id, set_by, set_at)
VALUES (%(id)s, %(kind)s, %(device_id)s, %(area_id)s, %(type)s, %(starts_at)s, %(ends_at)s, %(ends_at)s, %(reason)s,
        %(user_id)s, %(set_by)s, %(at)s)

-- w alarm_windows
-- :name window_columns
w.id, w.kind, w.device_id, w.area_id, w.type, w.starts_at, w.ends_at, w.reason, w.set_by, w.planned_end, w.set_at, w.user_id,
       w.ended_by, w.end_reason, w.settled_at, w.version,
       CASE WHEN w.area_id IS NOT NULL
            THEN ARRAY(SELECT a.id FROM areas a WHERE a.path @> ARRAY[w.area_id]) ELSE '{}' END AS areas

-- :name window_get
SELECT <<window_columns>> FROM alarm_windows w WHERE w.id = %(id)s

-- :name window_lock
SELECT <<window_columns>> FROM alarm_windows w WHERE w.id = %(id)s FOR UPDATE OF w

-- :name window_end
UPDATE alarm_windows
SET ends_at = greatest(starts_at, %(at)s), ended_by = %(by)s, end_reason = %(reason)s, version = version + 1
WHERE id = %(id)s

-- :name window_over
SELECT <<window_columns>> FROM alarm_windows w
WHERE w.settled_at IS NULL AND w.ends_at <= %(now)s
ORDER BY w.ends_at, w.id
LIMIT 1
FOR UPDATE OF w SKIP LOCKED

-- :name window_held_back
SELECT h.type, h.class, h.priority, h.device_id, h.resident_id, h.rule, h.count, h.first_at, h.last_at,
       coalesce(d.area_id, r.area_id) AS area_id, d.last_seen_at, d.battery_pct,
       coalesce(w.standing ? h.rule, false) AS rule_stands
FROM (
    SELECT m.type, m.class, m.device_id, m.resident_id, m.attributes ->> 'rule' AS rule, count(*)::integer AS count,
           min(m.received_at) AS first_at, max(m.received_at) AS last_at,
           (array_agg(m.priority ORDER BY m.received_at DESC))[1] AS priority
    FROM alarms m
    WHERE m.attributes ->> 'window' = %(id)s AND m.attributes ? 'window'
    GROUP BY m.type, m.class, m.device_id, m.resident_id, m.attributes ->> 'rule'
) h
LEFT JOIN devices d ON d.id = h.device_id
LEFT JOIN residents r ON r.id = h.resident_id
LEFT JOIN rule_watch w ON w.resident_id = h.resident_id
ORDER BY h.resident_id, h.device_id, h.type

-- :name window_settle
UPDATE alarm_windows SET settled_at = %(at)s, silenced = %(silenced)s, raised = %(raised)s WHERE id = %(id)s

-- Their supervision judges each at once, and folds them by what they have in common.
-- :name window_look_again
UPDATE device_watch w SET check_at = %(now)s
FROM devices d LEFT JOIN residents r ON r.id = d.resident_id
WHERE d.id = w.device_id AND w.silent_since IS NOT NULL AND w.incident_id IS NULL AND w.reason = 'silenced'
  AND (%(device_id)s::text IS NULL OR d.id = %(device_id)s)
  AND (%(areas)s::text[] IS NULL OR coalesce(d.area_id, r.area_id) = ANY (%(areas)s::text[]))

-- The latest of a device are few; those before are not looked at.
-- :name windows_changes
SELECT t.at FROM (
    SELECT at, kind FROM timeline WHERE subject_kind = 'device' AND subject_id = %(device_id)s ORDER BY seq DESC LIMIT 50
) t
WHERE t.kind IN ('silent', 'back') AND t.at >= %(since)s
ORDER BY t.at

-- :name windows_page
SELECT w.set_at, w.id, json_build_object(
    'id', w.id, 'kind', w.kind, 'device', CASE WHEN w.device_id IS NOT NULL THEN json_build_object('id', w.device_id, 'name', d.name) END,
    'area', CASE WHEN w.area_id IS NOT NULL THEN json_build_object('id', w.area_id, 'name', a.name) END,
    'type', w.type, 'starts_at', w.starts_at, 'ends_at', w.ends_at, 'planned_end', w.planned_end, 'reason', w.reason,
    'set_by', w.set_by, 'set_at', w.set_at, 'ended_by', w.ended_by, 'end_reason', w.end_reason, 'settled_at', w.settled_at,
    'state', CASE WHEN w.ends_at <= %(now)s THEN 'over' WHEN w.starts_at > %(now)s THEN 'coming' ELSE 'in_force' END,
    'silenced', CASE WHEN w.settled_at IS NOT NULL THEN w.silenced
                     ELSE (SELECT count(*) FROM alarms m WHERE m.attributes ->> 'window' = w.id::text AND m.attributes ? 'window') END,
    'raised', w.raised) AS view
FROM alarm_windows w
LEFT JOIN devices d ON d.id = w.device_id
LEFT JOIN areas a ON a.id = w.area_id
WHERE (w.set_at, w.id) < (%(set_at)s::timestamptz, %(before)s::uuid)
  AND CASE %(state)s::text WHEN 'in_force' THEN w.starts_at <= %(now)s AND w.ends_at > %(now)s
                           WHEN 'coming' THEN w.starts_at > %(now)s AND w.ends_at > %(now)s
                           WHEN 'over' THEN w.ends_at <= %(now)s ELSE true END
ORDER BY w.set_at DESC, w.id DESC
LIMIT %(limit)s
