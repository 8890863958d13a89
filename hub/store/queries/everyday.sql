-- Everyday services: kinds, care plans, the visit programme, what follows an order.

-- :name kinds_all
SELECT id, zh, en, skills, any_skills, duration_min, carers, personal, priority, attributes, active, price_fen, price_per
FROM service_kinds
WHERE %(id)s::text IS NULL OR id = %(id)s
ORDER BY id

-- :name care_plans_insert
INSERT INTO care_plans (id, resident_id, kind, rule, exdates, rdates, starts_on, ends_on, begins, ends, duration_min,
                        holidays, preferred_responder_id, provider_id, station_id, payer_hint, open_to, note, attributes,
                        active, created_at, created_by, changed_at, made_until, version)
VALUES (%(id)s, %(resident_id)s, %(kind)s, %(rule)s, %(exdates)s::date[], %(rdates)s::date[], %(starts_on)s, %(ends_on)s,
        %(begins)s, %(ends)s, %(duration_min)s, %(holidays)s, %(preferred_responder_id)s, %(provider_id)s, %(station_id)s,
        %(payer_hint)s, %(open_to)s, %(note)s, %(attributes)s::jsonb, %(active)s, %(created_at)s, %(created_by)s,
        %(changed_at)s, %(made_until)s, %(version)s)

-- care_plans p
-- :name care_plan_columns
p.id, p.resident_id, p.kind, p.rule, p.exdates, p.rdates, p.starts_on, p.ends_on, p.begins, p.ends, p.duration_min,
p.holidays, p.preferred_responder_id, p.provider_id, p.station_id, p.payer_hint, p.open_to, p.note, p.attributes,
p.active, p.created_at, p.created_by, p.changed_at, p.made_until, p.version

-- :name care_plans_get
SELECT <<care_plan_columns>> FROM care_plans p WHERE p.id = %(id)s::uuid

-- :name care_plans_get_locked
SELECT <<care_plan_columns>> FROM care_plans p WHERE p.id = %(id)s::uuid FOR NO KEY UPDATE

-- :name care_plans_save
UPDATE care_plans SET
    kind = %(kind)s, rule = %(rule)s, exdates = %(exdates)s::date[], rdates = %(rdates)s::date[],
    starts_on = %(starts_on)s, ends_on = %(ends_on)s, begins = %(begins)s, ends = %(ends)s,
    duration_min = %(duration_min)s, holidays = %(holidays)s, preferred_responder_id = %(preferred_responder_id)s,
    provider_id = %(provider_id)s, station_id = %(station_id)s, payer_hint = %(payer_hint)s, open_to = %(open_to)s,
    note = %(note)s, attributes = %(attributes)s::jsonb, active = %(active)s, changed_at = %(changed_at)s,
    made_until = %(made_until)s, version = %(version)s
WHERE id = %(id)s

-- :name care_plans_due
SELECT p.id FROM care_plans p
WHERE p.active AND (p.made_until IS NULL
    OR p.made_until < %(horizon)s AND p.starts_on <= %(horizon)s
       AND (p.ends_on IS NULL OR p.made_until < p.ends_on) AND (p.ends_on IS NULL OR p.ends_on >= %(today)s))
ORDER BY p.made_until NULLS FIRST, p.id
LIMIT %(limit)s

-- :name care_plans_of_resident
SELECT <<care_plan_columns>> FROM care_plans p
WHERE p.resident_id = %(resident_id)s AND p.active
ORDER BY p.id
FOR NO KEY UPDATE

-- :name care_plans_look_again
UPDATE care_plans SET made_until = NULL WHERE active AND holidays <> 'keep' AND made_until IS NOT NULL

-- :name care_plans_orders
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.care_plan_id = %(id)s::uuid AND o.occurrence_on >= %(since)s
ORDER BY o.wanted_from, o.id
FOR NO KEY UPDATE OF o, v

-- :name care_plan_pauses
SELECT id, care_plan_id, from_on, to_on, reason, created_at, created_by
FROM care_plan_pauses WHERE care_plan_id = %(id)s::uuid
ORDER BY from_on, id

-- :name care_plan_pause
INSERT INTO care_plan_pauses (id, care_plan_id, from_on, to_on, reason, created_at, created_by)
VALUES (%(id)s, %(care_plan_id)s, %(from_on)s, %(to_on)s, %(reason)s, %(created_at)s, %(created_by)s)

-- :name care_plan_pause_ends
UPDATE care_plan_pauses SET to_on = %(to_on)s
WHERE id = %(id)s::uuid AND care_plan_id = %(plan_id)s::uuid

-- :name care_plan_pause_gone
DELETE FROM care_plan_pauses WHERE id = %(id)s::uuid AND care_plan_id = %(plan_id)s::uuid

-- :name care_plan_views
SELECT p.id, json_build_object(
    'id', p.id, 'number', p.number, 'version', p.version,
    'resident', json_build_object('id', r.id, 'name', r.name, 'status', r.status),
    'kind', p.kind, 'rule', p.rule, 'exdates', p.exdates, 'rdates', p.rdates, 'starts_on', p.starts_on,
    'ends_on', p.ends_on, 'begins', to_char(p.begins, 'HH24:MI'), 'ends', to_char(p.ends, 'HH24:MI'),
    'duration_min', coalesce(p.duration_min, k.duration_min), 'duration_own', p.duration_min,
    'holidays', p.holidays,
    'preferred_responder', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
    'provider_id', p.provider_id, 'station_id', p.station_id, 'payer_hint', p.payer_hint, 'open_to', p.open_to,
    'note', p.note, 'attributes', p.attributes, 'active', p.active, 'created_at', p.created_at,
    'changed_at', p.changed_at, 'made_until', p.made_until,
    'pauses', coalesce((SELECT json_agg(json_build_object('id', z.id, 'from_on', z.from_on, 'to_on', z.to_on,
                                                          'reason', z.reason) ORDER BY z.from_on, z.id)
                        FROM care_plan_pauses z WHERE z.care_plan_id = p.id), '[]'),
    'open_orders', (SELECT count(*) FROM orders o WHERE o.care_plan_id = p.id AND o.state IN ('requested', 'assigned')),
    'next_at', (SELECT min(o.wanted_from) FROM orders o
                WHERE o.care_plan_id = p.id AND o.state IN ('requested', 'assigned'))) AS view
FROM care_plans p
JOIN residents r ON r.id = p.resident_id
JOIN service_kinds k ON k.id = p.kind
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN responders c ON c.id = p.preferred_responder_id
WHERE (%(after)s::uuid IS NULL OR p.id > %(after)s::uuid)
  AND (%(plan_id)s::uuid IS NULL OR p.id = %(plan_id)s::uuid)
  AND (%(resident_id)s::text IS NULL OR p.resident_id = %(resident_id)s)
  AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
  AND (%(provider_id)s::text IS NULL OR p.provider_id = %(provider_id)s)
  AND (%(active)s::boolean IS NULL OR p.active = %(active)s)
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])
ORDER BY p.id
LIMIT %(limit)s

-- :name programmes_all
SELECT id, zh, en, kind, groups, area_ids, per_month, makes, begins, ends, active, made_until, version
FROM programmes
WHERE (%(id)s::text IS NULL OR id = %(id)s) AND (%(active)s::boolean IS NULL OR active = %(active)s)
ORDER BY id

-- :name programmes_get_locked
SELECT id, zh, en, kind, groups, area_ids, per_month, makes, begins, ends, active, made_until, version
FROM programmes WHERE id = %(id)s FOR NO KEY UPDATE

-- :name programmes_made
UPDATE programmes SET made_until = %(until)s WHERE id = %(id)s

-- Who could be in a group by the record, or was put in by a person; what counts since a day. An order of the programme
-- that was done without a tap counts as a visit.
-- :name programme_people
SELECT r.id, r.name, r.status, r.address, r.phone, r.area_id, coalesce(a.path, '{}') AS area_path, r.lat, r.lon, r.flags, r.lives_alone,
       r.ability_level, r.born_on, m.stands, m.risk, coalesce(n.counted, 0) + coalesce(d.done, 0) AS counted,
       n.last_result, greatest(n.last_at, d.last_at) AS last_at
FROM residents r
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN programme_members m ON m.programme_id = %(programme_id)s AND m.resident_id = r.id
LEFT JOIN (
    SELECT resident_id, count(*) FILTER (WHERE result <> 'not_home') AS counted, max(at) AS last_at,
           (array_agg(result ORDER BY at DESC, id DESC))[1] AS last_result
    FROM programme_results
    WHERE programme_id = %(programme_id)s AND at >= %(since)s AND at < %(until)s
    GROUP BY resident_id
) n ON n.resident_id = r.id
LEFT JOIN (
    SELECT o.resident_id, count(*) AS done, max(v.ended_at) AS last_at
    FROM orders o JOIN visits v ON v.order_id = o.id
    WHERE o.programme_id = %(programme_id)s AND o.state = 'completed' AND v.ended_at >= %(since)s
      AND v.ended_at < %(until)s AND NOT EXISTS (SELECT 1 FROM programme_results x WHERE x.order_id = o.id)
    GROUP BY o.resident_id
) d ON d.resident_id = r.id
WHERE r.served
  AND (%(resident_id)s::text IS NULL OR r.id = %(resident_id)s)
  AND (m.stands = 'in' OR r.lives_alone OR r.ability_level >= 3 OR r.born_on <= %(grown_old_by)s
       OR r.flags && %(flags)s::text[])
  AND (cardinality(%(area_ids)s::text[]) = 0 OR m.stands = 'in' OR a.path && %(area_ids)s::text[])
  AND (%(below)s::text[] IS NULL OR a.path && %(below)s::text[])
ORDER BY r.id

-- :name programme_members_put
INSERT INTO programme_members (programme_id, resident_id, stands, risk, reason, changed_at, changed_by)
VALUES (%(programme_id)s, %(resident_id)s, %(stands)s, %(risk)s, %(reason)s, %(changed_at)s, %(changed_by)s)
ON CONFLICT (programme_id, resident_id) DO UPDATE SET
    stands = excluded.stands, risk = excluded.risk, reason = excluded.reason, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by

-- :name programme_members_drop
DELETE FROM programme_members WHERE programme_id = %(programme_id)s AND resident_id = %(resident_id)s

-- :name programme_results_add
INSERT INTO programme_results (id, programme_id, resident_id, result, at, recorded_at, note, by_phone, responder_id,
                               recorded_by, order_id, incident_id)
VALUES (%(id)s, %(programme_id)s, %(resident_id)s, %(result)s, %(at)s, %(recorded_at)s, %(note)s, %(by_phone)s,
        %(responder_id)s, %(recorded_by)s, %(order_id)s, %(incident_id)s)

-- :name programme_results
SELECT json_build_object(
    'id', x.id, 'programme_id', x.programme_id, 'resident', json_build_object('id', r.id, 'name', r.name),
    'result', x.result, 'at', x.at, 'recorded_at', x.recorded_at, 'note', x.note, 'by_phone', x.by_phone,
    'responder', CASE WHEN p.id IS NOT NULL THEN json_build_object('id', p.id, 'name', p.name) END,
    'order_id', x.order_id, 'incident_id', x.incident_id) AS view
FROM programme_results x
JOIN residents r ON r.id = x.resident_id
LEFT JOIN responders p ON p.id = x.responder_id
WHERE x.programme_id = %(programme_id)s AND x.at >= %(since)s
  AND (%(resident_id)s::text IS NULL OR x.resident_id = %(resident_id)s)
ORDER BY x.at DESC, x.id DESC
LIMIT %(limit)s

-- :name programme_orders
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.programme_id = %(id)s AND o.occurrence_on >= %(since)s AND o.resident_id = ANY (%(residents)s::text[])
ORDER BY o.wanted_from, o.id
FOR NO KEY UPDATE OF o, v

-- :name programme_holders
SELECT DISTINCT resident_id FROM orders
WHERE programme_id = %(id)s AND occurrence_on BETWEEN %(first)s AND %(last)s

-- :name programme_open_order
SELECT id FROM orders
WHERE programme_id = %(programme_id)s AND resident_id = %(resident_id)s AND state IN ('requested', 'assigned', 'in_service')
  AND wanted_from <= %(until)s
ORDER BY wanted_from, id
LIMIT 1

-- :name satisfaction_get
SELECT order_id, score, given_by, at, words, complaint, incident_id, recorded_by, version
FROM order_satisfaction WHERE order_id = %(id)s::uuid FOR UPDATE

-- :name satisfaction_put
INSERT INTO order_satisfaction (order_id, score, words, given_by, complaint, incident_id, at, recorded_by, version)
VALUES (%(order_id)s, %(score)s, %(words)s, %(given_by)s, %(complaint)s, %(incident_id)s, %(at)s, %(recorded_by)s,
        %(version)s)
ON CONFLICT (order_id) DO UPDATE SET
    score = excluded.score, words = excluded.words, given_by = excluded.given_by, complaint = excluded.complaint,
    incident_id = excluded.incident_id, at = excluded.at, recorded_by = excluded.recorded_by, version = excluded.version

-- :name return_visits_get
SELECT order_id, why, due_at, made_at, tries, done_at, way, outcome, note, done_by, version
FROM order_return_visits WHERE order_id = %(id)s::uuid FOR UPDATE

-- :name return_visits_put
INSERT INTO order_return_visits (order_id, why, due_at, made_at, tries, done_at, way, outcome, note, done_by, version)
VALUES (%(order_id)s, %(why)s, %(due_at)s, %(made_at)s, %(tries)s, %(done_at)s, %(way)s, %(outcome)s, %(note)s,
        %(done_by)s, %(version)s)
ON CONFLICT (order_id) DO UPDATE SET
    why = excluded.why, due_at = excluded.due_at, tries = excluded.tries, done_at = excluded.done_at, way = excluded.way,
    outcome = excluded.outcome, note = excluded.note, done_by = excluded.done_by, version = excluded.version

-- Of orders that ended lately: every one that was not done, the first of a care plan, and a share of the others, drawn
-- by their id. Visits of the programme and return visits are not asked about.
-- :name return_visits_draw
INSERT INTO order_return_visits (order_id, why, due_at, made_at)
SELECT o.id,
       CASE WHEN o.state <> 'completed' THEN 'undone' WHEN f.first THEN 'first' ELSE 'sample' END,
       coalesce(v.ended_at, o.wanted_to) + %(within)s, %(now)s
FROM orders o
JOIN visits v ON v.order_id = o.id
CROSS JOIN LATERAL (
    SELECT o.care_plan_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM orders p WHERE p.care_plan_id = o.care_plan_id AND p.wanted_from < o.wanted_from
        AND p.state IN ('completed', 'aborted', 'missed')) AS first) f
WHERE o.wanted_from >= %(since)s AND o.wanted_from <= %(now)s AND o.state IN ('completed', 'aborted', 'missed')
  AND o.programme_id IS NULL AND NOT o.attributes ? 'return_visit'
  AND NOT EXISTS (SELECT 1 FROM order_return_visits x WHERE x.order_id = o.id)
  AND (o.state <> 'completed' OR f.first
       OR ('x' || substr(md5(o.id::text), 1, 8))::bit(32)::bigint < %(share)s * 4294967296)
ON CONFLICT (order_id) DO NOTHING

-- :name return_visits_due
SELECT order_id, due_at FROM order_return_visits
WHERE done_at IS NULL AND due_at <= %(until)s
  AND (%(after_at)s::timestamptz IS NULL OR (due_at, order_id) > (%(after_at)s::timestamptz, %(after_id)s::uuid))
ORDER BY due_at, order_id
LIMIT %(limit)s

-- :name return_visits_done
SELECT order_id FROM order_return_visits
WHERE done_at IS NOT NULL AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s::text)
ORDER BY done_at DESC, order_id
LIMIT %(limit)s

-- :name orders_to_claim
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o
JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas a ON a.id = r.area_id
WHERE o.open_to = 'claim' AND o.state IN ('requested', 'assigned') AND o.wanted_to > %(now)s AND r.status = 'home'
  AND (cardinality(%(area_ids)s::text[]) = 0 OR a.path && %(area_ids)s::text[])
  AND (SELECT count(*) FROM assignments s
       WHERE s.visit_id = v.id AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')) < o.carers
  AND NOT EXISTS (SELECT 1 FROM assignments s WHERE s.visit_id = v.id AND s.responder_id = %(responder_id)s)
ORDER BY o.wanted_from, o.id
LIMIT %(limit)s
