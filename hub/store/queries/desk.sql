-- The desk: presence, open calls, hand-overs.

-- :name presence_look
INSERT INTO presence AS p (seat, user_id, incident_id, since, seen_at)
SELECT s.token_hash, %(user_id)s::uuid, i.id, %(at)s, %(at)s
FROM sessions s, incidents i WHERE s.token_hash = %(seat)s AND i.id = %(incident_id)s::uuid
ON CONFLICT (seat) DO UPDATE SET user_id = excluded.user_id, incident_id = excluded.incident_id, seen_at = excluded.seen_at,
    since = CASE WHEN p.incident_id = excluded.incident_id THEN p.since ELSE excluded.since END
RETURNING since = %(at)s AS moved

-- :name presence_leave
DELETE FROM presence WHERE seat = %(seat)s

-- :name presence_now
SELECT json_build_object('user', json_build_object('id', u.id, 'name', u.name), 'incident_id', p.incident_id,
                         'since', min(p.since)) AS view
FROM presence p JOIN users u ON u.id = p.user_id
WHERE p.seen_at >= %(seen_since)s
GROUP BY u.id, u.name, p.incident_id
ORDER BY min(p.since), u.id

-- A call that the plan placed by itself is no sign that the operator is at it.
-- :name calls_open_on
SELECT EXISTS (SELECT 1 FROM calls WHERE incident_id = %(incident_id)s AND ended_at IS NULL AND outcome IS NULL
               AND notice_id IS NULL
               AND coalesce(answered_at, started_at) >= %(since)s) AS open

-- :name handovers_insert
INSERT INTO handovers (id, state, shift_from, made_at, outgoing, remarks)
VALUES (%(id)s, 'draft', %(shift_from)s, %(made_at)s, %(outgoing)s, %(remarks)s)
ON CONFLICT DO NOTHING
RETURNING id

-- :name handovers_get
SELECT id, number, state, shift_from, made_at, outgoing, incoming, body, remarks, signed_at, ticked, accepted_at, moved,
       version
FROM handovers WHERE id = %(id)s FOR UPDATE

-- :name handovers_open_of
SELECT id FROM handovers WHERE outgoing = %(outgoing)s AND state IN ('draft', 'signed')

-- :name handovers_save
UPDATE handovers SET state = %(state)s, incoming = %(incoming)s, body = %(body)s, remarks = %(remarks)s,
       signed_at = %(signed_at)s, ticked = %(ticked)s, accepted_at = %(accepted_at)s, moved = %(moved)s, version = %(version)s
WHERE id = %(id)s

-- :name held_by
SELECT id FROM incidents
WHERE acknowledged_by = %(user_id)s::uuid AND state IN ('open', 'acknowledged', 'in_progress')
ORDER BY subject, class

-- handovers t
-- :name view_handovers
SELECT t.id, t.number, t.state, t.shift_from, t.made_at,
       json_build_object('id', uo.id, 'name', uo.name) AS outgoing,
       CASE WHEN ui.id IS NOT NULL THEN json_build_object('id', ui.id, 'name', ui.name) END AS incoming,
       t.body, t.remarks, t.signed_at, t.ticked, t.accepted_at, t.moved, t.version
FROM handovers t JOIN users uo ON uo.id = t.outgoing LEFT JOIN users ui ON ui.id = t.incoming

-- :name handovers_page
SELECT x.id, x.made_at, row_to_json(x) AS view FROM (<<view_handovers>>) x
WHERE (x.made_at, x.id) < (%(made_at)s::timestamptz, %(id)s::uuid)
ORDER BY x.made_at DESC, x.id DESC
LIMIT %(limit)s

-- :name handover_one
SELECT row_to_json(x) AS view FROM (<<view_handovers>>) x WHERE x.id = %(id)s

-- One row of everything a shift leaves behind. Lists are cut at a number that still fits on paper; counts are whole.
-- :name handover_body
SELECT
    coalesce((SELECT json_agg(o.view ORDER BY o.urgency, o.opened_at) FROM (
        SELECT i.urgency, i.opened_at, json_build_object(
            'id', i.id, 'number', i.number, 'state', i.state, 'priority', i.priority, 'type', i.type, 'class', i.class,
            'resident', r.name, 'address', r.address, 'device', i.device_id, 'area', a.name, 'opened_at', i.opened_at,
            'alarms', i.alarm_count, 'shelved_until', i.shelved_until, 'shelve_reason', i.shelve_reason,
            'on_scene', i.on_scene, 'holder', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END,
            'responders', ARRAY(SELECT p.name FROM assignments s JOIN responders p ON p.id = s.responder_id
                                WHERE s.incident_id = i.id AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')
                                ORDER BY s.offered_at)) AS view
        FROM incidents i LEFT JOIN residents r ON r.id = i.resident_id LEFT JOIN areas a ON a.id = i.area_id
        LEFT JOIN users u ON u.id = i.acknowledged_by
        WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class <> 'technical'
        ORDER BY i.urgency, i.opened_at LIMIT 500) o), '[]') AS open,
    coalesce((SELECT json_agg(o.view ORDER BY o.wanted_to) FROM (
        SELECT d.wanted_to, json_build_object('id', d.id, 'number', d.number, 'kind', d.kind, 'resident', coalesce(r.name, oa.name),
            'wanted_to', d.wanted_to, 'state', d.state) AS view
        FROM orders d LEFT JOIN residents r ON r.id = d.resident_id LEFT JOIN areas oa ON oa.id = d.area_id
        WHERE d.wanted_to < %(now)s AND d.wanted_to >= %(now)s::timestamptz - interval '7 days'
          AND d.state IN ('requested', 'assigned')
        ORDER BY d.wanted_to LIMIT 100) o), '[]') AS late_orders,
    coalesce((SELECT json_agg(o.view ORDER BY o.n DESC, o.id) FROM (
        SELECT r.id, count(*) AS n, json_build_object('id', r.id, 'name', r.name, 'status', r.status, 'incidents', count(*)) AS view
        FROM incidents i JOIN residents r ON r.id = i.resident_id
        WHERE i.opened_at >= %(now)s::timestamptz - interval '24 hours' AND i.class IN ('emergency', 'health', 'whereabouts')
        GROUP BY r.id HAVING count(*) >= 2 ORDER BY 2 DESC, r.id LIMIT 50) o), '[]') AS watched,
    coalesce((SELECT json_agg(json_build_object('upstream', o.upstream, 'family', o.family, 'devices', o.n, 'since', o.since)
                              ORDER BY o.n DESC) FROM (
        SELECT d.upstream, d.family, count(*) AS n, min(d.last_seen_at) AS since FROM devices d
        WHERE d.adopted AND d.revoked_at IS NULL AND d.online = false GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 30) o), '[]') AS outages,
    coalesce((SELECT json_agg(o.view ORDER BY o.seq) FROM (
        SELECT l.seq, json_build_object('at', l.at, 'name', l.actor_name, 'incident_id', l.subject_id, 'number', i.number,
                                        'text', l.body ->> 'text') AS view
        FROM incidents i JOIN timeline l ON l.subject_kind = 'incident' AND l.subject_id = i.id::text
        WHERE l.kind = 'noted' AND l.at >= %(since)s AND l.body ->> 'text' IS NOT NULL
          AND (i.opened_at >= %(since)s::timestamptz - interval '7 days')
        ORDER BY l.seq DESC LIMIT 60) o), '[]') AS notes,
    coalesce((SELECT json_agg(json_build_object('id', p.id, 'name', p.name, 'kind', p.kind, 'phone', p.phone) ORDER BY p.kind, p.name)
              FROM responders p WHERE p.active AND p.on_duty), '[]') AS on_duty,
    (SELECT json_build_object(
        'opened', count(*) FILTER (WHERE i.opened_at >= %(since)s AND i.class <> 'technical'),
        'resolved', count(*) FILTER (WHERE i.resolved_at >= %(since)s AND i.class <> 'technical'),
        'genuine', count(*) FILTER (WHERE i.resolved_at >= %(since)s AND i.disposition = 'genuine'),
        'false', count(*) FILTER (WHERE i.resolved_at >= %(since)s AND i.disposition = 'false'),
        'technical_open', count(*) FILTER (WHERE i.class = 'technical' AND i.state IN ('open', 'acknowledged', 'in_progress')),
        'review', count(*) FILTER (WHERE i.state = 'resolved' AND i.supervision = 'required'))
     FROM incidents i WHERE i.opened_at >= %(since)s OR i.resolved_at >= %(since)s
        OR i.state IN ('open', 'acknowledged', 'in_progress', 'resolved')) AS counts,
    (SELECT json_build_object('at', max(a.at), 'name', (array_agg(a.name ORDER BY a.id DESC))[1])
     FROM (SELECT * FROM audit WHERE action = 'desk.sound_test' ORDER BY id DESC LIMIT 1) a) AS sound_test

-- :name responders_on_duty_count
SELECT count(*) FROM responders WHERE active AND on_duty

-- :name screens_list
SELECT id::text, name, created_by, created_at, seen_at, seen_from, revoked_at, revoked_by FROM wall_screens
ORDER BY revoked_at IS NOT NULL, created_at DESC, id LIMIT 500

-- :name screens_add
INSERT INTO wall_screens (id, name, token_hash, created_by, created_at)
VALUES (%(id)s::uuid, %(name)s, %(token_hash)s, %(by)s, %(at)s)

-- :name screens_of_token
SELECT id::text, seen_at FROM wall_screens WHERE token_hash = %(token_hash)s AND revoked_at IS NULL

-- :name screens_seen
UPDATE wall_screens SET seen_at = %(at)s, seen_from = %(address)s WHERE id = %(id)s::uuid

-- :name screens_revoke
UPDATE wall_screens SET revoked_at = %(at)s, revoked_by = %(by)s WHERE id = %(id)s::uuid AND revoked_at IS NULL
