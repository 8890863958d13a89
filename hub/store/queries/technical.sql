-- The work list of devices: what somebody must see to, the bad actors first.

-- Open at some time of the day. `silent` counts the devices that hang on a shared cause.
-- :name technical_work
SELECT i.id AS incident_id, json_build_object(
           'rank', 0,
           'station', CASE WHEN st.id IS NOT NULL THEN json_build_object('id', st.id, 'name', st.name) END,
           'area', CASE WHEN a.id IS NOT NULL THEN json_build_object('id', a.id, 'name', a.name) END,
           'device', CASE WHEN d.id IS NOT NULL THEN json_build_object(
               'id', d.id, 'family', d.family, 'name', d.name, 'model', d.model, 'online', d.online,
               'battery_pct', d.battery_pct, 'last_seen_at', d.last_seen_at, 'profile_id', coalesce(d.profile_id, d.family),
               'clock_skew_s', d.clock_skew_s) END,
           'resident', CASE WHEN r.id IS NOT NULL THEN json_build_object(
               'id', r.id, 'name', r.name, 'phone', r.phone, 'address', r.address, 'status', r.status) END,
           'cause', CASE WHEN i.subject ~ '^(upstream|area|way):' THEN json_build_object(
               'kind', split_part(i.subject, ':', 1), 'key', substr(i.subject, strpos(i.subject, ':') + 1)) END,
           'incident', json_build_object(
               'id', i.id, 'number', i.number, 'state', i.state, 'type', i.type, 'types', i.types, 'opened_at', i.opened_at,
               'last_alarm_at', i.last_alarm_at, 'alarms', i.alarm_count, 'reasons', i.reasons,
               'shelved_until', i.shelved_until, 'acknowledged_by', CASE WHEN u.id IS NOT NULL THEN
                   json_build_object('id', u.id, 'name', u.name) END,
               'resolved_at', i.resolved_at, 'version', i.version),
           'open', i.state IN ('open', 'acknowledged', 'in_progress'),
           'silent', w.silent,
           'alarms_30d', n.alarms,
           'incidents_30d', n.incidents,
           'bad_actor', n.alarms >= %(bad_from)s,
           'order', CASE WHEN o.id IS NOT NULL THEN json_build_object(
               'id', o.id, 'number', o.number, 'state', o.state, 'wanted_from', o.wanted_from, 'wanted_to', o.wanted_to) END
       ) AS view,
       st.id AS station_id, st.name AS station_name, i.state IN ('open', 'acknowledged', 'in_progress') AS open,
       n.alarms >= %(bad_from)s AS bad
FROM incidents i
LEFT JOIN devices d ON d.id = i.device_id
LEFT JOIN residents r ON r.id = i.resident_id
LEFT JOIN areas a ON a.id = coalesce(i.area_id, d.area_id, r.area_id)
LEFT JOIN users u ON u.id = i.acknowledged_by
LEFT JOIN LATERAL (
    SELECT s.id, s.name FROM stations s
    WHERE s.kind = 'care_station' AND s.area_id = ANY (a.path)
    ORDER BY array_position(a.path, s.area_id) DESC, s.id LIMIT 1
) st ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS alarms, count(DISTINCT m.incident_id) AS incidents
    FROM alarms m
    WHERE m.class = 'technical' AND m.received_at >= %(month_ago)s AND m.type <> 'cancel'
      AND m.device_id IN (SELECT x.device_id FROM alarms x WHERE x.incident_id = i.id)
) n ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS silent FROM device_watch v WHERE v.incident_id = i.id AND v.silent_since IS NOT NULL
) w ON true
LEFT JOIN LATERAL (
    SELECT q.id, q.number, q.state, q.wanted_from, q.wanted_to FROM orders q
    WHERE q.incident_id = i.id AND q.kind = 'device_repair' AND q.state NOT IN ('cancelled', 'aborted', 'missed')
    ORDER BY q.created_at DESC LIMIT 1
) o ON true
WHERE i.class = 'technical' AND i.opened_at < %(day_end)s
  AND (i.state IN ('open', 'acknowledged', 'in_progress') OR i.resolved_at >= %(day_start)s)
ORDER BY i.state IN ('open', 'acknowledged', 'in_progress') DESC, greatest(n.alarms, w.silent) DESC, i.opened_at, i.id
LIMIT %(limit)s
