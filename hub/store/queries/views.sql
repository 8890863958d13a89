-- The shapes of docs/wire/http-v1.md. A `_json` block is an expression; the aliases it needs are named above it.

-- assignments s, responders p
-- :name assignment_json
json_build_object(
    'id', s.id, 'version', s.version, 'incident_id', s.incident_id, 'visit_id', s.visit_id,
    'responder', json_build_object('id', p.id, 'name', p.name, 'kind', p.kind, 'phone', p.phone),
    'state', s.state, 'offered_at', s.offered_at, 'offered_by', s.offered_by, 'accepted_at', s.accepted_at,
    'en_route_at', s.en_route_at, 'on_scene_at', s.on_scene_at, 'ended_at', s.ended_at, 'reason', s.reason,
    'outcome', s.outcome, 'note', s.note, 'reasons', s.reasons, 'eta_s', s.eta_s,
    'eta_at', s.eta_at)

-- residents r
-- :name resident_json
CASE WHEN r.id IS NOT NULL THEN json_build_object(
    'id', r.id, 'name', r.name, 'age', date_part('year', age(r.born_on))::integer, 'sex', r.sex, 'phone', r.phone,
    'address', r.address, 'lat', r.lat, 'lon', r.lon, 'lives_alone', r.lives_alone, 'status', r.status,
    'warnings', to_json(r.flags || ARRAY(SELECT '过敏 ' || x FROM unnest(r.allergies) x) || array_remove(ARRAY[r.hearing], NULL)))
END

-- areas a
-- :name area_path_json
coalesce((SELECT json_agg(json_build_object('id', q.id, 'name', q.name, 'kind', q.kind) ORDER BY u.n)
          FROM unnest(a.path) WITH ORDINALITY u (id, n) JOIN areas q ON q.id = u.id), '[]')

-- :name incident_views
SELECT row_to_json(v) AS view FROM (
    <<incident_view>>
    WHERE i.id = ANY (%(ids)b::uuid[])
) v

-- :name critical_news_views
SELECT row_to_json(v) AS view FROM (
    <<incident_view>>
    WHERE i.id = ANY (ARRAY(<<critical_news>>))
) v

-- :name incident_view
    SELECT i.id, i.number, coalesce(n.seq, 0) AS seq, i.version, i.state, i.class, i.type, i.types, i.priority, i.subject,
           <<resident_json>> AS resident,
           CASE WHEN d.id IS NOT NULL THEN json_build_object(
               'id', d.id, 'name', d.name, 'family', d.family, 'online', d.online, 'battery_pct', d.battery_pct,
               'last_seen_at', d.last_seen_at) END AS device,
           CASE WHEN a.id IS NOT NULL THEN json_build_object(
               'id', a.id, 'name', a.name, 'kind', a.kind, 'path', <<area_path_json>>) END AS area,
           i.fix, a.lat AS area_lat, a.lon AS area_lon, i.area_id IS DISTINCT FROM r.area_id AS elsewhere,
           i.alarm_count AS alarms, i.opened_at, i.first_alarm_at, i.last_alarm_at,
           CASE WHEN ua.id IS NOT NULL THEN json_build_object('id', ua.id, 'name', ua.name) END AS acknowledged_by,
           i.acknowledged_at, i.first_acknowledged_at, i.lease_until,
           coalesce(w.list, '[]') AS assignments, t.due_at, t.step AS due_step, i.reasons, i.shelved_until, i.shelve_reason,
           i.disposition, i.summary,
           CASE WHEN ur.id IS NOT NULL THEN json_build_object('id', ur.id, 'name', ur.name) END AS resolved_by,
           i.resolved_at, i.supervision,
           CASE WHEN us.id IS NOT NULL THEN json_build_object('id', us.id, 'name', us.name) END AS supervised_by,
           i.supervised_at, i.on_scene, i.under_way, i.plan_round
    FROM incidents i
    LEFT JOIN residents r ON r.id = i.resident_id
    LEFT JOIN devices d ON d.id = i.device_id
    LEFT JOIN areas a ON a.id = i.area_id
    LEFT JOIN users ua ON ua.id = i.acknowledged_by
    LEFT JOIN users ur ON ur.id = i.resolved_by
    LEFT JOIN users us ON us.id = i.supervised_by
    LEFT JOIN LATERAL (
        SELECT max(l.seq) AS seq FROM timeline l WHERE l.subject_kind = 'incident' AND l.subject_id = i.id::text
    ) n ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(<<assignment_json>> ORDER BY s.offered_at, s.id) AS list
        FROM assignments s JOIN responders p ON p.id = s.responder_id
        WHERE s.incident_id = i.id
    ) w ON true
    LEFT JOIN LATERAL (
        SELECT x.due_at, x.step FROM due x
        WHERE x.subject_kind = 'incident' AND x.subject_id = i.id ORDER BY x.due_at LIMIT 1
    ) t ON true

-- :name incidents_live_page
SELECT i.id, i.urgency, i.opened_at
FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress')
  AND (i.urgency, i.opened_at, i.id) > (%(urgency)s, %(opened_at)s::timestamptz, %(id)s::uuid)
  AND <<incident_filter>>
ORDER BY i.urgency, i.opened_at, i.id
LIMIT %(limit)s

-- :name incidents_page
SELECT i.id, i.opened_at
FROM incidents i
WHERE (i.opened_at, i.id) < (%(opened_at)s::timestamptz, %(id)s::uuid)
  AND <<incident_filter>>
ORDER BY i.opened_at DESC, i.id DESC
LIMIT %(limit)s

-- incidents i
-- :name incident_filter
(%(states)s::text[] IS NULL OR i.state = ANY (%(states)s::text[]))
  AND (%(classes)s::text[] IS NULL OR i.class = ANY (%(classes)s::text[]))
  AND (%(priorities)s::text[] IS NULL OR i.priority = ANY (%(priorities)s::text[]))
  AND (%(area_id)s::text IS NULL OR i.area_path @> ARRAY[%(area_id)s::text])
  AND (%(resident_id)s::text IS NULL OR i.resident_id = %(resident_id)s::text)
  AND (%(supervision)s::text IS NULL OR i.supervision = %(supervision)s::text)
  AND (%(assignee)s::text IS NULL OR i.acknowledged_by::text = %(assignee)s::text
       OR EXISTS (SELECT 1 FROM assignments s WHERE s.incident_id = i.id AND s.responder_id = %(assignee)s::text
                  AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')))
  AND (%(q)s::text IS NULL OR i.number::text = %(q)s::text OR i.summary ILIKE %(like)s::text OR i.device_id ILIKE %(like)s::text
       OR EXISTS (SELECT 1 FROM residents r WHERE r.id = i.resident_id
                  AND (r.id ILIKE %(like)s::text OR r.name ILIKE %(like)s::text OR r.phone ILIKE %(like)s::text
                       OR r.address ILIKE %(like)s::text)))

-- :name incident_extras
SELECT i.class, i.priority, e.body AS policy,
       CASE WHEN r.id IS NOT NULL THEN json_build_object(
           'conditions', r.conditions, 'medications', r.medications, 'allergies', r.allergies,
           'ability_level', r.ability_level, 'languages', r.languages, 'hearing', r.hearing, 'access', r.access,
           'notes', r.notes) END AS resident_detail,
       coalesce((SELECT json_agg(<<contact_json>> ORDER BY t.position, t.id) FROM contacts t
                 WHERE t.resident_id = i.resident_id), '[]') AS contacts,
       coalesce((SELECT json_agg(<<call_json>> ORDER BY c.started_at DESC, c.id DESC) FROM calls c
                 WHERE c.incident_id = i.id), '[]') AS calls,
       coalesce((SELECT json_agg(<<alarm_json>> ORDER BY m.received_at DESC, m.id DESC)
                 FROM (SELECT * FROM alarms z WHERE z.incident_id = i.id ORDER BY z.received_at DESC, z.id DESC LIMIT 50) m),
                '[]') AS alarm_rows
FROM incidents i
JOIN escalation_policies e ON e.digest = i.policy
LEFT JOIN residents r ON r.id = i.resident_id
WHERE i.id = %(id)s

-- contacts t
-- :name contact_json
json_build_object(
    'id', t.id, 'resident_id', t.resident_id, 'name', t.name, 'relation', t.relation, 'phone', t.phone, 'kind', t.kind,
    'other_phones', t.other_phones, 'has_key', t.has_key, 'position', t.position, 'responder_id', t.responder_id,
    'hours', t.hours, 'languages', t.languages, 'consented_on', t.consented_on, 'confirmed_on', t.confirmed_on,
    'version', t.version)

-- calls c
-- :name call_json
json_build_object(
    'id', c.id, 'direction', c.direction, 'number', c.number, 'incident_id', c.incident_id, 'resident_id', c.resident_id,
    'party', c.party, 'placed_by', c.placed_by, 'started_at', c.started_at, 'answered_at', c.answered_at,
    'ended_at', c.ended_at, 'outcome', c.outcome, 'note', c.note, 'version', c.version,
    'answered_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = c.answered_by))

-- alarms m
-- :name alarm_json
json_build_object(
    'id', m.id, 'ref', m.ref, 'device_id', m.device_id, 'type', m.type, 'class', m.class, 'priority', m.priority,
    'observed_at', m.observed_at, 'received_at', m.received_at, 'fix', m.fix, 'battery_pct', m.battery_pct, 'test', m.test,
    'buffered', m.buffered, 'resident_id', m.resident_id, 'incident_id', m.incident_id, 'attributes', m.attributes,
    'note', m.note, 'cancels', m.cancels, 'source', m.source, 'repeats', m.repeats)

-- timeline l
-- :name entry_json
json_build_object(
    'seq', l.seq, 'at', l.at, 'recorded_at', l.recorded_at, 'subject_kind', l.subject_kind, 'subject_id', l.subject_id,
    'kind', l.kind, 'actor', json_build_object('kind', l.actor_kind, 'id', l.actor_id, 'name', l.actor_name),
    'body', l.body)

-- :name cursor_now
SELECT epoch, seq FROM timeline_counter

-- :name timeline_page
SELECT l.seq, <<entry_json>> AS view FROM timeline l
WHERE l.subject_kind = %(subject_kind)s AND l.subject_id = %(subject_id)s AND l.seq < %(seq)s
ORDER BY l.seq DESC
LIMIT %(limit)s

-- :name entries_since
SELECT <<entry_json>> AS view FROM timeline l WHERE l.seq > %(seq)s ORDER BY l.seq LIMIT %(limit)s

-- The incidents of entries after %(seq)s that must be shown at once.
-- :name critical_news
SELECT l.subject_id::uuid AS id
FROM (SELECT * FROM timeline WHERE seq > %(seq)s ORDER BY seq LIMIT %(limit)s) l
WHERE l.subject_kind = 'incident' AND (l.kind = 'priority_raised' OR l.body ->> 'priority' = 'critical')

-- :name alarms_page
SELECT m.id, m.received_at, <<alarm_json>> AS view
FROM alarms m LEFT JOIN incidents i ON i.id = m.incident_id
WHERE (m.received_at, m.id) < (%(received_at)s::timestamptz, %(id)s::uuid)
  AND (%(states)s::text[] IS NULL OR i.state = ANY (%(states)s::text[]))
  AND (%(types)s::text[] IS NULL OR m.type = ANY (%(types)s::text[]))
  AND (%(resident_id)s::text IS NULL OR m.resident_id = %(resident_id)s::text)
  AND (%(since)s::timestamptz IS NULL OR m.received_at >= %(since)s::timestamptz)
  AND (%(area_id)s::text IS NULL OR i.area_path @> ARRAY[%(area_id)s::text])
  AND (%(q)s::text IS NULL OR m.ref = %(q)s::text OR m.device_id ILIKE %(like)s::text OR m.note ILIKE %(like)s::text
       OR EXISTS (SELECT 1 FROM residents r WHERE r.id = m.resident_id
                  AND (r.id ILIKE %(like)s::text OR r.name ILIKE %(like)s::text)))
ORDER BY m.received_at DESC, m.id DESC
LIMIT %(limit)s

-- :name assignments_by_id
SELECT s.id, <<assignment_json>> AS view
FROM assignments s JOIN responders p ON p.id = s.responder_id
WHERE s.id = ANY (%(ids)b::uuid[])

-- order_satisfaction sat
-- :name order_satisfaction_json
CASE WHEN sat.order_id IS NOT NULL THEN json_build_object(
    'score', sat.score, 'words', sat.words, 'given_by', sat.given_by, 'complaint', sat.complaint,
    'incident_id', sat.incident_id, 'at', sat.at, 'version', sat.version) END

-- order_return_visits ret
-- :name order_return_visit_json
CASE WHEN ret.order_id IS NOT NULL THEN json_build_object(
    'why', ret.why, 'due_at', ret.due_at, 'tries', ret.tries, 'done_at', ret.done_at, 'way', ret.way,
    'outcome', ret.outcome, 'note', ret.note, 'version', ret.version,
    'done_by', (SELECT u.name FROM users u WHERE u.id = ret.done_by)) END

-- :name order_views
SELECT row_to_json(x) AS view FROM (
    SELECT o.id, o.number, o.version, o.kind, o.state, <<resident_json>> AS resident,
           CASE WHEN a.id IS NOT NULL THEN json_build_object(
               'id', a.id, 'name', a.name, 'kind', a.kind, 'path', <<area_path_json>>, 'lat', a.lat, 'lon', a.lon) END AS area,
           (SELECT json_build_object('id', d.id, 'name', d.name, 'family', d.family) FROM devices d
            WHERE d.id = o.attributes ->> 'device_id') AS device, o.incident_id, o.wanted_from,
           o.wanted_to, o.duration_min, o.carers, o.note, o.attributes, o.source, o.created_by, o.created_at, o.reason,
           o.provider_id, o.care_plan_id, o.occurrence_on, o.open_to, o.station_id, o.programme_id,
           o.preferred_responder_id, o.payer_hint, o.cancelled_by, <<order_satisfaction_json>> AS satisfaction,
           <<order_return_visit_json>> AS return_visit, v.late,
           json_build_object(
               'id', v.id, 'order_id', v.order_id, 'state', v.state, 'version', v.version,
               'planned_start', v.planned_start, 'started_at', v.started_at, 'ended_at', v.ended_at,
               'planned_end', v.planned_end, 'promised_from', v.promised_from, 'promised_to', v.promised_to,
               'route_id', v.route_id, 'sequence', v.sequence, 'pinned', v.pinned, 'late', v.late, 'expected_at', v.expected_at,
               'checks', <<visit_checks_json>>, 'tasks', <<visit_tasks_json>>, 'gate', <<visit_gate_json>>,
               'assignments', coalesce(w.list, '[]'), 'outcome', v.outcome, 'note', v.note) AS visit
    FROM orders o
    JOIN visits v ON v.order_id = o.id
    LEFT JOIN residents r ON r.id = o.resident_id
    LEFT JOIN areas a ON a.id = o.area_id
    LEFT JOIN order_satisfaction sat ON sat.order_id = o.id
    LEFT JOIN order_return_visits ret ON ret.order_id = o.id
    LEFT JOIN LATERAL (
        SELECT json_agg(<<assignment_json>> ORDER BY s.offered_at, s.id) AS list
        FROM assignments s JOIN responders p ON p.id = s.responder_id
        WHERE s.visit_id = v.id
    ) w ON true
    WHERE o.id = ANY (%(ids)b::uuid[])
) x

-- :name orders_page
SELECT o.id, o.wanted_from
FROM orders o
WHERE (o.wanted_from, o.id) > (%(wanted_from)s::timestamptz, %(id)s::uuid)
  AND (%(day_from)s::timestamptz IS NULL OR o.wanted_from >= %(day_from)s::timestamptz)
  AND (%(day_to)s::timestamptz IS NULL OR o.wanted_from < %(day_to)s::timestamptz)
  AND (%(states)s::text[] IS NULL OR o.state = ANY (%(states)s::text[]))
  AND (%(kind)s::text IS NULL OR o.kind = %(kind)s::text)
  AND (%(resident_id)s::text IS NULL OR o.resident_id = %(resident_id)s::text)
  AND (%(provider_id)s::text IS NULL OR o.provider_id = %(provider_id)s::text)
ORDER BY o.wanted_from, o.id
LIMIT %(limit)s

-- :name order_of_visit
SELECT order_id FROM visits WHERE id = %(visit_id)s

-- :name tasks_of
SELECT <<assignment_json>> AS view, s.incident_id, v.order_id
FROM assignments s
JOIN responders p ON p.id = s.responder_id
LEFT JOIN incidents i ON i.id = s.incident_id
LEFT JOIN visits v ON v.id = s.visit_id
WHERE s.responder_id = %(responder_id)s AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')
ORDER BY coalesce(i.urgency, 9), coalesce(v.planned_start, s.offered_at), s.id

-- :name help_of
SELECT <<resident_json>> AS resident,
       (SELECT i.id FROM incidents i
        WHERE i.resident_id = r.id AND i.state IN ('open', 'acknowledged', 'in_progress')
          AND i.class IN ('emergency', 'health', 'whereabouts')
        ORDER BY i.urgency, i.opened_at LIMIT 1) AS incident_id,
       ARRAY(SELECT o.id FROM orders o
             WHERE o.resident_id = r.id AND o.wanted_from >= %(day_from)s AND o.wanted_from < %(day_to)s
             ORDER BY o.wanted_from, o.id) AS orders
FROM residents r WHERE r.id = %(resident_id)s

-- :name summary
SELECT
    (SELECT json_object_agg(p.priority, coalesce(c.n, 0))
     FROM unnest(ARRAY['critical', 'high', 'medium', 'low']) p (priority)
     LEFT JOIN (SELECT priority, count(*) AS n FROM incidents
                WHERE state IN ('open', 'acknowledged', 'in_progress') AND state = 'open'
                  AND class IN ('emergency', 'health', 'whereabouts')
                GROUP BY priority) c USING (priority)) AS unclaimed,
    (SELECT count(*) FROM incidents WHERE state IN ('open', 'acknowledged', 'in_progress')
        AND acknowledged_by = %(user_id)s::uuid) AS mine,
    (SELECT max(received_at) FROM alarms) AS last_alarm_at,
    (SELECT json_build_object('online', count(*) FILTER (WHERE online), 'total', count(*))
     FROM devices WHERE adopted AND revoked_at IS NULL) AS devices,
    (SELECT count(*) FROM incidents WHERE state IN ('open', 'acknowledged', 'in_progress') AND class = 'technical')
        AS technical_open,
    (SELECT epoch || '-' || seq FROM timeline_counter) AS cursor

-- :name calls_page
SELECT c.id, c.started_at, <<call_json>> AS view FROM calls c
WHERE (c.started_at, c.id) < (%(started_at)s::timestamptz, %(id)s::uuid)
  AND (%(incident_id)s::uuid IS NULL OR c.incident_id = %(incident_id)s::uuid)
ORDER BY c.started_at DESC, c.id DESC
LIMIT %(limit)s

-- Rings, or is being spoken on: not answered for so long, or answered and not hung up for so long, it counts as over.
-- :name calls_incoming
SELECT <<call_json>> AS view FROM calls c
WHERE c.direction = 'in' AND c.ended_at IS NULL AND c.outcome IS NULL
  AND (c.answered_at IS NULL AND c.started_at > %(rang_since)s OR c.answered_at > %(spoke_since)s)
ORDER BY c.started_at, c.id
LIMIT 50

-- :name audit_page
SELECT a.id, json_build_object(
    'id', a.id, 'at', a.at, 'user_id', a.user_id, 'name', a.name, 'action', a.action, 'subject', a.subject,
    'detail', a.detail, 'address', a.address) AS view
FROM audit a WHERE a.id < %(id)s
ORDER BY a.id DESC
LIMIT %(limit)s
