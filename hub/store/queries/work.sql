-- Who goes where: responders, assignments, orders, calls, messages.

-- Work under way, keys and acquaintances of responders r.
-- :name responder_facts
LEFT JOIN LATERAL (
    SELECT bool_or(a.state IN ('en_route', 'on_scene')) AS busy,
           count(*) FILTER (WHERE a.state IN ('offered', 'accepted')) AS live
    FROM assignments a
    WHERE a.responder_id = r.id AND a.state IN ('offered', 'accepted', 'en_route', 'on_scene')
) w ON true
LEFT JOIN LATERAL (
    SELECT array_agg(c.resident_id) AS residents FROM contacts c WHERE c.responder_id = r.id AND c.has_key
) k ON true
LEFT JOIN LATERAL (
    SELECT array_agg(q.resident_id) AS residents FROM acquaintances q WHERE q.responder_id = r.id
) n ON true

-- :name responders_list
SELECT r.id, r.name, r.kind, r.skills, r.sex, r.languages, r.area_ids, r.lat, r.lon, r.position_at, r.mode, r.on_duty,
       coalesce(w.busy, false) AS busy, coalesce(w.live, 0) AS live, k.residents AS keys, n.residents AS known
FROM responders r
<<responder_facts>>
WHERE r.active
  AND (%(id)s::text IS NULL OR r.id = %(id)s)
  AND (NOT %(on_duty)s OR r.on_duty)
  AND (cardinality(%(area_path)s::text[]) = 0 OR cardinality(r.area_ids) = 0 OR r.area_ids && %(area_path)s::text[])
ORDER BY r.id

-- On duty is who signed on or is on shift by the rota, and is not absent by it.
-- :name responders_on_shift
SELECT r.id, r.name, r.kind, r.skills, r.sex, r.languages, r.area_ids, r.lat, r.lon, r.position_at, r.mode,
       true AS on_duty, coalesce(w.busy, false) AS busy, coalesce(w.live, 0) AS live, k.residents AS keys,
       n.residents AS known
FROM responders r
<<responder_facts>>
WHERE r.active
  AND (r.on_duty
       OR r.id IN (SELECT s.responder_id FROM shifts s WHERE s.starts_at <= %(at)s AND s.ends_at > %(at)s
                   AND NOT EXISTS (SELECT 1 FROM rota_overrides o
                                   WHERE o.withdrawn_at IS NULL AND o.kind = 'instead' AND o.responder_id = s.responder_id
                                     AND (o.shift_id IS NULL OR o.shift_id = s.id)
                                     AND o.starts_at <= %(at)s AND o.ends_at > %(at)s))
       OR r.id IN (SELECT o.substitute_id FROM rota_overrides o
                   WHERE o.withdrawn_at IS NULL AND o.starts_at <= %(at)s AND o.ends_at > %(at)s))
  AND NOT EXISTS (SELECT 1 FROM rota_overrides o
                  WHERE o.withdrawn_at IS NULL AND o.kind = 'absent' AND o.responder_id = r.id AND o.shift_id IS NULL
                    AND o.role IS NULL AND o.starts_at <= %(at)s AND o.ends_at > %(at)s)
  AND (cardinality(%(area_path)s::text[]) = 0 OR cardinality(r.area_ids) = 0 OR r.area_ids && %(area_path)s::text[])
ORDER BY r.id

-- :name responders_moved
UPDATE responders SET lat = %(lat)s, lon = %(lon)s, position_at = %(at)s, position_accuracy_m = %(accuracy_m)s
WHERE id = %(id)s AND (position_at IS NULL OR position_at <= %(at)s)

-- :name responders_hold
SELECT id FROM responders WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE

-- :name responders_provider
SELECT provider_of_responder(%(id)s) AS provider_id

-- What somebody has to do: offered and accepted visits at their planned time, the one under way for as long as it takes.
-- :name responders_visits
SELECT v.id AS visit_id, o.id AS order_id, o.kind, k.zh AS kind_zh, k.en AS kind_en, coalesce(r.name, oa.name) AS resident,
       coalesce(v.started_at, v.planned_start) AS starts_at,
       CASE WHEN v.started_at IS NOT NULL THEN greatest(v.started_at + o.duration_min * interval '1 minute', %(now)s)
            ELSE greatest(v.planned_start + o.duration_min * interval '1 minute', v.planned_end) END AS ends_at
FROM assignments s
JOIN visits v ON v.id = s.visit_id
JOIN orders o ON o.id = v.order_id
JOIN service_kinds k ON k.id = o.kind
LEFT JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas oa ON oa.id = o.area_id
WHERE s.responder_id = %(id)s AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')
  AND o.state IN ('requested', 'assigned', 'in_service')
ORDER BY starts_at, v.id

-- :name responders_on_duty
UPDATE responders SET on_duty = %(on_duty)s, version = version + 1 WHERE id = %(id)s

-- :name assignments_insert
INSERT INTO assignments (id, incident_id, visit_id, responder_id, state, offered_at, offered_by, accepted_at,
                         en_route_at, on_scene_at, ended_at, reason, outcome, note, reasons, eta_s, plan_round, version)
VALUES (%(id)s, %(incident_id)s, %(visit_id)s, %(responder_id)s, %(state)s, %(offered_at)s, %(offered_by)s,
        %(accepted_at)s, %(en_route_at)s, %(on_scene_at)s, %(ended_at)s, %(reason)s, %(outcome)s, %(note)s,
        %(reasons)s::jsonb, %(eta_s)s, %(plan_round)s, %(version)s)

-- :name assignments_save
UPDATE assignments SET
    responder_id = %(responder_id)s, state = %(state)s, offered_at = %(offered_at)s, offered_by = %(offered_by)s,
    accepted_at = %(accepted_at)s, en_route_at = %(en_route_at)s, on_scene_at = %(on_scene_at)s,
    ended_at = %(ended_at)s, reason = %(reason)s, outcome = %(outcome)s, note = %(note)s, reasons = %(reasons)s::jsonb,
    eta_s = %(eta_s)s, version = %(version)s
WHERE id = %(id)s

-- :name assignments_live_of
SELECT * FROM assignments
WHERE responder_id = %(responder_id)s AND state IN ('offered', 'accepted', 'en_route', 'on_scene')
ORDER BY id

-- The version stays: nobody's step is refused because a phone told where it is.
-- :name assignments_arrives
UPDATE assignments SET eta_s = %(eta_s)s, eta_at = %(eta_at)s
WHERE id = %(id)s AND state IN ('accepted', 'en_route') AND (eta_at IS NULL OR eta_at <= %(eta_at)s)

-- :name acquaintances_meet
INSERT INTO acquaintances (responder_id, resident_id, last_at)
SELECT %(responder_id)s, m.resident_id, %(at)s
FROM (SELECT resident_id FROM incidents WHERE id = %(incident_id)s
      UNION ALL
      SELECT o.resident_id FROM visits v JOIN orders o ON o.id = v.order_id WHERE v.id = %(visit_id)s) m
WHERE m.resident_id IS NOT NULL
ON CONFLICT (responder_id, resident_id) DO UPDATE SET last_at = greatest(acquaintances.last_at, excluded.last_at)

-- :name assignments_get
SELECT * FROM assignments WHERE id = %(id)s

-- :name assignments_get_locked
SELECT * FROM assignments WHERE id = %(id)s FOR NO KEY UPDATE

-- :name assignments_of_incident
SELECT * FROM assignments WHERE incident_id = %(id)s ORDER BY offered_at, id

-- :name assignments_of_visit
SELECT * FROM assignments WHERE visit_id = %(id)s ORDER BY offered_at, id

-- :name assignments_under_way
SELECT * FROM assignments WHERE responder_id = %(responder_id)s AND state IN ('en_route', 'on_scene')

-- :name orders_insert
INSERT INTO orders (id, kind, resident_id, incident_id, state, wanted_from, wanted_to, duration_min, carers, note,
                    attributes, source, created_by, created_at, reason, version, provider_id, care_plan_id,
                    occurrence_on, open_to, station_id, programme_id, preferred_responder_id, payer_hint, cancelled_by, area_id)
VALUES (%(id)s, %(kind)s, %(resident_id)s, %(incident_id)s, %(state)s, %(wanted_from)s, %(wanted_to)s,
        %(duration_min)s, %(carers)s, %(note)s, %(attributes)s::jsonb, %(source)s, %(created_by)s, %(created_at)s,
        %(reason)s, %(version)s, %(provider_id)s, %(care_plan_id)s, %(occurrence_on)s, %(open_to)s, %(station_id)s,
        %(programme_id)s, %(preferred_responder_id)s, %(payer_hint)s, %(cancelled_by)s, %(area_id)s)

-- :name visits_insert
INSERT INTO visits (id, order_id, state, planned_start, started_at, ended_at, outcome, note, version, route_id,
                    planned_end, promised_from, promised_to, sequence, pinned)
VALUES (%(id)s, %(order_id)s, %(state)s, %(planned_start)s, %(started_at)s, %(ended_at)s, %(outcome)s, %(note)s,
        %(version)s, %(route_id)s, %(planned_end)s, %(promised_from)s, %(promised_to)s, %(sequence)s, %(pinned)s)

-- :name orders_get
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.id = coalesce(%(order_id)s::uuid, (SELECT order_id FROM visits WHERE id = %(visit_id)s::uuid))

-- :name orders_get_many
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.id = ANY (%(ids)s::uuid[])

-- :name orders_get_locked
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.id = coalesce(%(order_id)s::uuid, (SELECT order_id FROM visits WHERE id = %(visit_id)s::uuid))
FOR NO KEY UPDATE OF o, v

-- Whose it is follows whoever it is given to (a trigger of assignments); a row read before must not undo that.
-- :name orders_save
UPDATE orders SET
    kind = %(kind)s, resident_id = %(resident_id)s, incident_id = %(incident_id)s, state = %(state)s,
    wanted_from = %(wanted_from)s, wanted_to = %(wanted_to)s, duration_min = %(duration_min)s, carers = %(carers)s,
    note = %(note)s, attributes = %(attributes)s::jsonb, source = %(source)s, reason = %(reason)s, version = %(version)s,
    provider_id = CASE WHEN EXISTS (SELECT 1 FROM visits v JOIN assignments a ON a.visit_id = v.id
                                    WHERE v.order_id = orders.id AND a.state NOT IN ('declined', 'stood_down'))
                       THEN provider_id ELSE %(provider_id)s END,
    care_plan_id = %(care_plan_id)s, occurrence_on = %(occurrence_on)s,
    open_to = %(open_to)s, station_id = %(station_id)s, programme_id = %(programme_id)s,
    preferred_responder_id = %(preferred_responder_id)s, payer_hint = %(payer_hint)s, cancelled_by = %(cancelled_by)s,
    area_id = %(area_id)s
WHERE id = %(id)s

-- :name visits_save
UPDATE visits SET
    state = %(state)s, planned_start = %(planned_start)s, started_at = %(started_at)s, ended_at = %(ended_at)s,
    outcome = %(outcome)s, note = %(note)s, version = %(version)s, route_id = %(route_id)s,
    planned_end = %(planned_end)s, promised_from = %(promised_from)s, promised_to = %(promised_to)s,
    sequence = %(sequence)s, pinned = %(pinned)s
WHERE id = %(id)s

-- :name orders_open_of_resident
SELECT to_jsonb(o) AS "order", to_jsonb(v) AS visit
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.resident_id = %(resident_id)s AND o.state IN ('requested', 'assigned', 'in_service')
ORDER BY o.wanted_from, o.id
FOR NO KEY UPDATE OF o, v

-- :name calls_get
SELECT id, direction, number, incident_id, resident_id, party, placed_by, started_at, answered_at, ended_at, outcome,
       note, version, answered_by
FROM calls WHERE id = %(id)s
FOR UPDATE

-- :name outbox_add
INSERT INTO outbox (channel, target, body, incident_id, created_at, due_at, expires_at)
SELECT r.channel, r.target, r.body, r.incident_id, r.created_at, r.due_at, r.expires_at
FROM json_to_recordset(%(rows)s::json) AS r (
    n integer, channel text, target text, body jsonb, incident_id uuid, created_at timestamptz, due_at timestamptz,
    expires_at timestamptz)
ORDER BY r.n

-- :name outbox_notify
SELECT pg_notify('care_hub_outbox', '')

-- :name outbox_supersede
UPDATE outbox SET failed_at = %(at)s, error = 'superseded'
WHERE channel = %(channel)s AND incident_id = %(incident_id)s AND sent_at IS NULL AND failed_at IS NULL

-- :name outbox_expire
UPDATE outbox SET failed_at = %(now)s, error = 'expired'
WHERE id IN (
    SELECT id FROM outbox
    WHERE channel = %(channel)s AND sent_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s AND expires_at <= %(now)s
    ORDER BY id
    FOR UPDATE SKIP LOCKED)

-- :name outbox_claim
WITH ripe AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE channel = %(channel)s AND sent_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
      AND (expires_at IS NULL OR expires_at > %(now)s)
    ORDER BY due_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox o SET attempts = o.attempts + 1, due_at = %(now)s + %(retry_after)s
FROM ripe r WHERE o.id = r.id
RETURNING o.id, o.channel, o.target, o.body, o.incident_id, o.created_at, o.due_at, o.expires_at, o.attempts

-- :name outbox_sent
UPDATE outbox SET sent_at = %(at)s, error = NULL WHERE id = ANY (%(ids)s::bigint[]) AND sent_at IS NULL

-- :name outbox_failed
UPDATE outbox SET error = %(error)s, failed_at = CASE WHEN %(final)s THEN %(at)s::timestamptz END
WHERE id = %(id)s AND sent_at IS NULL
