-- Matters that people reported: deadlines, and who has which part.

-- :name matters_follow
INSERT INTO matters AS m (incident_id, priority, due_at)
SELECT i.id, i.priority, i.opened_at + t.seconds * interval '1 second'
FROM incidents i JOIN json_to_recordset(%(times)s::json) AS t (priority text, seconds double precision) USING (priority)
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class NOT IN ('technical', 'test')
  AND EXISTS (SELECT 1 FROM alarms a WHERE a.incident_id = i.id AND a.source = 'person')
  AND NOT EXISTS (SELECT 1 FROM matters k WHERE k.incident_id = i.id AND k.priority = i.priority)
ON CONFLICT (incident_id) DO UPDATE SET priority = excluded.priority, due_at = least(m.due_at, excluded.due_at)

-- :name matters_due
SELECT m.incident_id FROM matters m JOIN incidents i ON i.id = m.incident_id
WHERE m.due_at <= %(now)s AND i.state IN ('open', 'acknowledged', 'in_progress')
ORDER BY m.due_at, m.incident_id
LIMIT %(limit)s

-- :name matters_get
SELECT incident_id, priority, due_at, raised FROM matters WHERE incident_id = %(id)s::uuid FOR UPDATE

-- :name matters_put
INSERT INTO matters (incident_id, priority, due_at, raised)
VALUES (%(incident_id)s, %(priority)s, %(due_at)s, %(raised)s)
ON CONFLICT (incident_id) DO UPDATE SET priority = excluded.priority, due_at = excluded.due_at, raised = excluded.raised

-- :name matters_parts
SELECT json_build_object(
    'opened_at', i.opened_at, 'area_id', i.area_id, 'supervision', i.supervision,
    'report', (SELECT json_build_object('source', a.source, 'channel', a.attributes ->> 'channel', 'at', a.received_at,
                                        'device_id', a.device_id, 'phone', a.attributes ->> 'phone',
                                        'caller', a.attributes ->> 'caller', 'by', e.actor_name, 'by_kind', e.actor_kind)
               FROM alarms a LEFT JOIN LATERAL (
                   SELECT t.actor_name, t.actor_kind FROM timeline t
                   WHERE t.subject_kind = 'incident' AND t.subject_id = i.id::text ORDER BY t.seq LIMIT 1) e ON true
               WHERE a.incident_id = i.id ORDER BY a.received_at, a.id LIMIT 1),
    'responder', (SELECT json_build_object('id', r.id, 'name', r.name) FROM assignments s JOIN responders r ON r.id = s.responder_id
                  WHERE s.incident_id = i.id AND s.state IN ('accepted', 'en_route', 'on_scene', 'completed')
                  ORDER BY s.accepted_at DESC NULLS LAST LIMIT 1),
    'holder', CASE WHEN ua.id IS NOT NULL THEN json_build_object('id', ua.id, 'name', ua.name) END,
    'resolver', CASE WHEN ur.id IS NOT NULL THEN json_build_object('id', ur.id, 'name', ur.name) END,
    'supervisor', CASE WHEN us.id IS NOT NULL THEN json_build_object('id', us.id, 'name', us.name) END,
    'matter', (SELECT json_build_object('priority', m.priority, 'due_at', m.due_at, 'raised', m.raised)
               FROM matters m WHERE m.incident_id = i.id),
    'photos', coalesce((SELECT json_agg(json_build_object('id', f.id, 'taken_at', f.taken_at, 'taken_by', f.taken_by)
                                        ORDER BY f.taken_at, f.id) FROM photos f WHERE f.incident_id = i.id), '[]'),
    'return_visit', (SELECT json_build_object('order_id', o.id, 'state', o.state, 'wanted_from', o.wanted_from,
                                              'wanted_to', o.wanted_to)
                     FROM orders o WHERE o.incident_id = i.id AND o.attributes ? 'return_visit'
                     ORDER BY o.created_at DESC LIMIT 1)) AS view
FROM incidents i
LEFT JOIN users ua ON ua.id = i.acknowledged_by
LEFT JOIN users ur ON ur.id = i.resolved_by
LEFT JOIN users us ON us.id = i.supervised_by
WHERE i.id = %(id)s::uuid

-- :name matters_return_visit
SELECT EXISTS (SELECT 1 FROM orders WHERE incident_id = %(id)s::uuid AND attributes ? 'return_visit'
               AND state IN ('requested', 'assigned', 'in_service', 'completed')) AS there
