-- Proof of visit: checks, what was done, what was measured, what is late, what somebody must look at.

-- What a check says to whoever may see the visit; where the phone was is for whoever reviews it. visit_checks c
-- :name check_json
json_build_object(
    'id', c.id, 'kind', c.kind, 'at', c.at, 'recorded_at', c.recorded_at, 'distance_m', round(c.distance_m::numeric),
    'accuracy_m', round(c.accuracy_m::numeric), 'flags', c.flags, 'findings', c.findings,
    'photo_sha256', encode(c.photo_sha256, 'hex'), 'responder_id', c.responder_id, 'assignment_id', c.assignment_id,
    'verdict', CASE WHEN c.flags = '{}' THEN 'verified' ELSE 'flagged' END,
    'review', CASE WHEN c.review IS NOT NULL THEN json_build_object(
        'verdict', c.review, 'reason', c.review_reason, 'at', c.reviewed_at,
        'by', (SELECT u.name FROM users u WHERE u.id = c.reviewed_by)) END,
    'version', c.version)

-- Of a visit v.
-- :name visit_checks_json
coalesce((SELECT json_agg(<<check_json>> ORDER BY c.at, c.kind, c.id) FROM visit_checks c WHERE c.visit_id = v.id), '[]')

-- :name visit_tasks_json
coalesce((SELECT json_agg(json_build_object('code', k.code, 'zh', k.zh, 'en', k.en, 'done', k.done, 'note', k.note,
                                            'responder_id', k.responder_id, 'at', k.at) ORDER BY k.position, k.code)
          FROM visit_tasks k WHERE k.visit_id = v.id), '[]')

-- What the other carer and the board must know of a gate; values are health and stand with the vitals.
-- :name visit_gate_json
CASE WHEN v.gate IS NOT NULL THEN json_build_object('verdict', v.gate -> 'verdict', 'at', v.gate -> 'at', 'by', v.gate -> 'by',
    'outcome', v.gate -> 'outcome', 'nurse_order_id', v.gate -> 'nurse_order_id') END

-- :name proof_check_add
INSERT INTO visit_checks (id, visit_id, assignment_id, responder_id, kind, at, recorded_at, lat, lon, accuracy_m, source,
                          fix_at, distance_m, flags, findings, photo_sha256, recorded_by)
VALUES (%(id)s, %(visit_id)s, %(assignment_id)s, %(responder_id)s, %(kind)s, %(at)s, %(recorded_at)s, %(lat)s, %(lon)s,
        %(accuracy_m)s, %(source)s, %(fix_at)s, %(distance_m)s, %(flags)s::text[], %(findings)s::jsonb,
        %(photo_sha256)s, %(recorded_by)s)
ON CONFLICT (assignment_id, kind) DO NOTHING

-- :name proof_check_get
SELECT to_jsonb(c) || jsonb_build_object('photo_sha256', encode(c.photo_sha256, 'hex')) AS record FROM visit_checks c
WHERE c.id = %(id)s::uuid

-- :name proof_check_lock
SELECT c.id FROM visit_checks c WHERE c.id = %(id)s::uuid FOR UPDATE

-- :name proof_checks_of
SELECT to_jsonb(c) || jsonb_build_object('photo_sha256', encode(c.photo_sha256, 'hex')) AS record FROM visit_checks c
WHERE c.visit_id = %(visit_id)s::uuid ORDER BY c.at, c.kind, c.id

-- :name proof_check_flag
UPDATE visit_checks SET flags = flags || %(flag)s::text, findings = findings || %(finding)s::jsonb, version = version + 1,
    review = NULL, reviewed_at = NULL, reviewed_by = NULL, review_reason = NULL
WHERE id = %(id)s::uuid AND NOT %(flag)s::text = ANY (flags)

-- :name proof_check_review
UPDATE visit_checks SET review = %(verdict)s, review_reason = %(reason)s, reviewed_by = %(user_id)s, reviewed_at = %(at)s,
    version = version + 1
WHERE id = %(id)s::uuid

-- :name proof_late_set
UPDATE visits SET late = %(late)s WHERE id = %(id)s::uuid AND late IS DISTINCT FROM %(late)s::text

-- :name proof_number
SELECT number FROM orders WHERE id = %(id)s::uuid

-- :name proof_gate_set
UPDATE visits SET gate = %(gate)s::jsonb WHERE id = %(id)s::uuid

-- :name proof_gate_of
SELECT gate FROM visits WHERE id = %(id)s::uuid

-- :name proof_task_put
INSERT INTO visit_tasks AS k (visit_id, code, position, zh, en, done, note, responder_id, at, recorded_at)
SELECT %(visit_id)s, r.code, r.position, r.zh, r.en, r.done, r.note, %(responder_id)s, %(at)s, %(recorded_at)s
FROM json_to_recordset(%(rows)s::json) AS r (code text, position smallint, zh text, en text, done boolean, note text)
ON CONFLICT (visit_id, code) DO UPDATE SET done = excluded.done, note = excluded.note,
    responder_id = excluded.responder_id, at = excluded.at, recorded_at = excluded.recorded_at
WHERE k.at <= excluded.at

-- :name proof_vitals_add
INSERT INTO visit_vitals (id, visit_id, assignment_id, responder_id, purpose, at, recorded_at, measured, nurse, score,
                          incident_id)
VALUES (%(id)s, %(visit_id)s, %(assignment_id)s, %(responder_id)s, %(purpose)s, %(at)s, %(recorded_at)s,
        %(measured)s::jsonb, %(nurse)s, %(score)s::jsonb, %(incident_id)s)

-- :name proof_vitals_of
SELECT json_build_object('id', w.id, 'purpose', w.purpose, 'at', w.at, 'recorded_at', w.recorded_at, 'values', w.measured,
    'nurse', w.nurse, 'news2', w.score, 'incident_id', w.incident_id,
    'responder', json_build_object('id', p.id, 'name', p.name)) AS view
FROM visit_vitals w JOIN responders p ON p.id = w.responder_id
WHERE w.visit_id = %(visit_id)s::uuid ORDER BY w.at, w.id

-- Orders whose begin is overdue by a further level than what is marked. A promise stands before the wanted window.
-- :name proof_overdue
WITH due AS MATERIALIZED (  -- few, by their indexes; the orders of the weeks ahead are not looked at
    SELECT w.id FROM orders d JOIN visits w ON w.order_id = d.id
    WHERE d.state IN ('requested', 'assigned') AND d.wanted_to <= %(yellow)s
    UNION
    SELECT w.id FROM visits w
    WHERE w.promised_to IS NOT NULL AND w.promised_to <= %(yellow)s AND w.state IN ('planned', 'offered', 'accepted', 'en_route')
)
SELECT v.id::text AS visit_id
FROM due JOIN visits v ON v.id = due.id JOIN orders o ON o.id = v.order_id
CROSS JOIN LATERAL (SELECT coalesce(v.promised_to, o.wanted_to) AS begin_by) b
WHERE o.state IN ('requested', 'assigned')
  AND (b.begin_by <= %(missed)s
       -- To the canteen people come by themselves: nobody is late there, they come or they do not.
       OR o.kind <> 'meal_dine_in'
          AND (b.begin_by <= %(red)s AND v.late IS DISTINCT FROM 'red' OR b.begin_by <= %(yellow)s AND v.late IS NULL))
ORDER BY b.begin_by, v.id
LIMIT %(limit)s

-- Visits whose carer is still at another one that will not be over in time: the home is two minutes away at the least.
-- :name proof_predict
WITH found AS (
    SELECT v.id, max(s.on_scene_at + (d.duration_min + 2) * interval '1 minute') AS at
    FROM orders o JOIN visits v ON v.order_id = o.id
    JOIN assignments a ON a.visit_id = v.id AND a.state IN ('offered', 'accepted')
    JOIN assignments s ON s.responder_id = a.responder_id AND s.state = 'on_scene' AND s.visit_id <> v.id
    JOIN visits e ON e.id = s.visit_id JOIN orders d ON d.id = e.order_id
    WHERE o.state = 'assigned' AND o.wanted_to BETWEEN %(since)s AND %(until)s
    GROUP BY v.id
), set_now AS (
    SELECT v.id, CASE WHEN greatest(f.at, %(now)s) > coalesce(v.promised_to, o.wanted_to) THEN date_trunc('minute', greatest(f.at, %(now)s)) END AS at
    FROM visits v JOIN orders o ON o.id = v.order_id LEFT JOIN found f ON f.id = v.id
    WHERE (f.id IS NOT NULL OR v.expected_at IS NOT NULL) AND o.state IN ('requested', 'assigned')
      AND o.wanted_to BETWEEN %(since)s AND %(until)s
)
UPDATE visits v SET expected_at = n.at FROM set_now n
WHERE v.id = n.id AND v.expected_at IS DISTINCT FROM n.at
RETURNING v.id::text AS visit_id, v.order_id::text AS order_id, v.expected_at

-- Visits under way in which something has not come about: the second carer, the check-out. Each is found once.
-- :name proof_unfinished
SELECT v.id::text AS visit_id
FROM visits v JOIN orders o ON o.id = v.order_id
WHERE v.state = 'in_service'
  AND (o.carers > 1 AND v.started_at <= %(together)s
       AND (SELECT count(DISTINCT s.responder_id) FROM assignments s
            WHERE s.visit_id = v.id AND s.on_scene_at IS NOT NULL) < o.carers
       AND NOT EXISTS (SELECT 1 FROM visit_checks c WHERE c.visit_id = v.id AND 'alone' = ANY (c.flags))
       AND EXISTS (SELECT 1 FROM visit_checks c WHERE c.visit_id = v.id AND c.kind = 'in')
       OR v.started_at + (o.duration_min + %(grace_min)s) * interval '1 minute' <= %(now)s
       AND EXISTS (SELECT 1 FROM visit_checks c WHERE c.visit_id = v.id AND c.kind = 'in'
                   AND NOT 'no_check_out' = ANY (c.flags)
                   AND NOT EXISTS (SELECT 1 FROM visit_checks e WHERE e.assignment_id = c.assignment_id AND e.kind = 'out')))
ORDER BY v.started_at, v.id
LIMIT %(limit)s

-- Whoever was to go to a visit that was missed a day ago need not have it in hand any more.
-- :name proof_left_over
SELECT DISTINCT v.id::text AS visit_id
FROM assignments s JOIN visits v ON v.id = s.visit_id JOIN orders o ON o.id = v.order_id
WHERE s.state IN ('offered', 'accepted', 'en_route') AND o.state = 'missed'
  AND coalesce(v.promised_to, o.wanted_to) <= %(before)s
LIMIT %(limit)s

-- Who hears of it: coordinators of the order's provider and those of none, else supervisors.
-- :name proof_told
SELECT u.id::text AS id FROM users u
WHERE u.active AND u.role = 'coordinator' AND (u.provider_id IS NULL OR u.provider_id = %(provider_id)s::text)
   OR u.active AND u.role = 'supervisor' AND u.provider_id IS NULL AND NOT EXISTS (
       SELECT 1 FROM users k WHERE k.active AND k.role = 'coordinator'
       AND (k.provider_id IS NULL OR k.provider_id = %(provider_id)s::text))
ORDER BY u.username

-- visit_checks c, visits v, orders o, residents r, responders p
-- :name review_view
json_build_object('check', <<check_json>>, 'resident', json_build_object('id', r.id, 'name', coalesce(r.name, (SELECT q.name FROM areas q WHERE q.id = o.area_id)),
        'lat', r.lat, 'lon', r.lon, 'address', r.address),
    'responder', json_build_object('id', p.id, 'name', p.name, 'kind', p.kind),
    'order', json_build_object('id', o.id, 'number', o.number, 'kind', o.kind, 'state', o.state, 'wanted_from', o.wanted_from,
        'wanted_to', o.wanted_to, 'carers', o.carers, 'duration_min', o.duration_min, 'provider_id', o.provider_id),
    'visit', json_build_object('id', v.id, 'state', v.state, 'late', v.late, 'started_at', v.started_at, 'ended_at', v.ended_at,
        'outcome', v.outcome, 'note', v.note, 'gate', <<visit_gate_json>>),
    'fix', CASE WHEN c.lat IS NOT NULL THEN json_build_object('lat', c.lat, 'lon', c.lon, 'accuracy_m', c.accuracy_m,
        'source', c.source, 'observed_at', c.fix_at) END,
    'photos', coalesce((SELECT json_agg(json_build_object('id', f.id, 'sha256', encode(f.sha256, 'hex'), 'taken_at', f.taken_at,
        'received_at', f.received_at, 'taken_by', f.taken_by) ORDER BY f.taken_at, f.id)
        FROM photos f WHERE f.assignment_id = c.assignment_id), '[]'))

-- :name proof_reviews
SELECT c.id::text AS id, <<review_view>> AS view
FROM visit_checks c JOIN visits v ON v.id = c.visit_id JOIN orders o ON o.id = v.order_id
LEFT JOIN residents r ON r.id = o.resident_id JOIN responders p ON p.id = c.responder_id
LEFT JOIN areas a ON a.id = coalesce(r.area_id, o.area_id)
WHERE c.flags <> '{}'
  AND (%(after)s::uuid IS NULL OR (c.recorded_at, c.id) < (SELECT b.recorded_at, b.id FROM visit_checks b WHERE b.id = %(after)s::uuid))
  AND CASE %(state)s::text WHEN 'open' THEN c.review IS NULL WHEN 'all' THEN true ELSE c.review = %(state)s::text END
  AND (%(flag)s::text IS NULL OR %(flag)s::text = ANY (c.flags))
  AND (%(kind)s::text IS NULL OR o.kind = %(kind)s::text)
  AND (%(responder_id)s::text IS NULL OR c.responder_id = %(responder_id)s::text)
  AND (%(provider_id)s::text IS NULL OR o.provider_id = %(provider_id)s::text)
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])
  AND (%(q)s::text IS NULL OR strpos(r.name, %(q)s::text) > 0 OR strpos(p.name, %(q)s::text) > 0
       OR o.number::text = %(q)s::text)
ORDER BY c.recorded_at DESC, c.id DESC
LIMIT %(limit)s

-- :name proof_review
SELECT o.provider_id, <<review_view>> AS view
FROM visit_checks c JOIN visits v ON v.id = c.visit_id JOIN orders o ON o.id = v.order_id
LEFT JOIN residents r ON r.id = o.resident_id JOIN responders p ON p.id = c.responder_id
WHERE c.id = %(id)s::uuid
