-- Plans of a day, their routes, and what they are made of.

-- :name day_plans_insert
INSERT INTO day_plans (id, day, area_ids, kinds, state, seconds, seed, based_on, events, progress, cost, baseline,
                       unplanned, conflicts, changes, counts, reason, runner, beat_at, tries, created_by, created_at,
                       finished_at, published_by, published_at, version)
VALUES (%(id)s, %(day)s, %(area_ids)s, %(kinds)s, %(state)s, %(seconds)s, %(seed)s, %(based_on)s, %(events)s::jsonb,
        %(progress)s::jsonb, %(cost)s::jsonb, %(baseline)s::jsonb, %(unplanned)s::jsonb, %(conflicts)s::jsonb,
        %(changes)s::jsonb, %(counts)s::jsonb, %(reason)s, %(runner)s, %(beat_at)s, %(tries)s, %(created_by)s,
        %(created_at)s, %(finished_at)s, %(published_by)s, %(published_at)s, %(version)s)

-- :name day_plans_wake
SELECT pg_notify('care_hub_day_plans', '')

-- :name day_plans_get
SELECT * FROM day_plans WHERE id = %(id)s

-- :name day_plans_get_locked
SELECT * FROM day_plans WHERE id = %(id)s FOR NO KEY UPDATE

-- :name day_plans_save
UPDATE day_plans SET
    state = %(state)s, seconds = %(seconds)s, based_on = %(based_on)s, events = %(events)s::jsonb,
    progress = %(progress)s::jsonb, cost = %(cost)s::jsonb, baseline = %(baseline)s::jsonb,
    unplanned = %(unplanned)s::jsonb, conflicts = %(conflicts)s::jsonb, changes = %(changes)s::jsonb,
    counts = %(counts)s::jsonb, reason = %(reason)s, runner = %(runner)s, beat_at = %(beat_at)s, tries = %(tries)s,
    finished_at = %(finished_at)s, published_by = %(published_by)s, published_at = %(published_at)s,
    version = %(version)s
WHERE id = %(id)s

-- :name day_plans_claim
UPDATE day_plans SET runner = %(runner)s, beat_at = %(now)s, tries = tries + 1
WHERE id = (
    SELECT id FROM day_plans
    WHERE state = 'running' AND (runner IS NULL OR beat_at < %(dead_before)s)
      AND (jsonb_array_length(events) > 0) = %(replans)s
    ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *

-- :name day_plans_beat
UPDATE day_plans SET beat_at = %(now)s, progress = %(progress)s::jsonb
WHERE id = %(id)s AND runner = %(runner)s AND state = 'running'

-- :name day_plans_of_day
SELECT * FROM day_plans WHERE day = %(day)s AND state = ANY (%(states)s) ORDER BY id

-- :name day_plans_of_day_locked
SELECT * FROM day_plans WHERE day = %(day)s AND state = ANY (%(states)s) ORDER BY id FOR NO KEY UPDATE

-- :name day_plans_prune
DELETE FROM day_plans p WHERE p.state IN ('ready', 'cancelled', 'failed') AND p.published_at IS NULL AND p.created_at < %(before)s

-- :name routes_clear
DELETE FROM routes WHERE plan_id = ANY (%(plan_ids)s::uuid[])

-- :name routes_insert
INSERT INTO routes (id, plan_id, day, responder_id, crew_id, leave_at, back_at, breaks, trips, travel_s, service_s)
SELECT r.id, r.plan_id, r.day, r.responder_id, r.crew_id, r.leave_at, r.back_at, r.breaks, r.trips, r.travel_s,
       r.service_s
FROM json_to_recordset(%(rows)s::json) AS r (
    id uuid, plan_id uuid, day date, responder_id text, crew_id text, leave_at timestamptz, back_at timestamptz,
    breaks jsonb, trips jsonb, travel_s integer, service_s integer)

-- :name route_stops_insert
INSERT INTO route_stops (route_id, sequence, visit_id, part, arrive_at, start_at, leave_at, frozen, why)
SELECT s.route_id, s.sequence, s.visit_id, s.part, s.arrive_at, s.start_at, s.leave_at, s.frozen, s.why
FROM json_to_recordset(%(rows)s::json) AS s (
    route_id uuid, sequence smallint, visit_id uuid, part smallint, arrive_at timestamptz, start_at timestamptz,
    leave_at timestamptz, frozen text, why jsonb)

-- :name route_stops_forget
DELETE FROM route_stops s USING routes r
WHERE r.id = s.route_id AND r.plan_id = %(plan_id)s AND s.visit_id = ANY (%(ids)s::uuid[])

-- :name routes_of
SELECT r.id, r.plan_id, r.day, r.responder_id, r.crew_id, r.leave_at, r.back_at, r.breaks, r.trips, r.travel_s,
       r.service_s, coalesce(s.stops, '[]') AS stops
FROM routes r
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'visit_id', s.visit_id, 'part', s.part, 'arrive_at', s.arrive_at, 'start_at', s.start_at,
        'leave_at', s.leave_at, 'frozen', s.frozen, 'why', s.why) ORDER BY s.sequence) AS stops
    FROM route_stops s WHERE s.route_id = r.id
) s ON true
WHERE r.plan_id = ANY (%(plan_ids)s::uuid[])
ORDER BY r.plan_id, r.responder_id

-- An order whose window spans several days is planned on the first that has room; one that has its place on another day
-- is not of this one.
-- Text, decoded once and into rows: somebody waits while it is read.
-- :name day_orders
SELECT jsonb_build_object(
    'order', to_jsonb(o), 'visit', to_jsonb(v), 'lat', coalesce(r.lat, a.lat), 'lon', coalesce(r.lon, a.lon),
    'resident', jsonb_build_object('id', r.id, 'name', r.name, 'sex', r.sex, 'never', r.never_responders,
                                   'regular', r.regular_responders),
    'area_path', coalesce(a.path, '{}'), 'assignments', coalesce(w.list, '[]'),
    'on_trip', EXISTS (SELECT 1 FROM meal_orders m WHERE m.order_id = o.id AND m.trip_id IS NOT NULL))::text AS row
FROM orders o
JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(to_jsonb(s) ORDER BY s.offered_at, s.id) AS list
    FROM assignments s WHERE s.visit_id = v.id AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene', 'completed')
) w ON true
WHERE o.wanted_from < %(end)s AND o.wanted_from >= %(earliest)s AND o.wanted_to >= %(start)s
  AND o.state IN ('requested', 'assigned', 'in_service', 'completed', 'aborted')
  AND (o.wanted_from >= %(start)s OR o.state IN ('requested', 'assigned'))
  AND (v.route_id IS NULL OR (v.planned_start >= %(start)s AND v.planned_start < %(end)s))
ORDER BY o.id

-- :name day_kinds
SELECT id, zh, en, skills, any_skills, priority, attributes FROM service_kinds

-- :name day_visits_lock
SELECT o.id
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE v.id = ANY (%(ids)s::uuid[])
ORDER BY o.id
FOR NO KEY UPDATE OF o, v

-- :name day_carers
SELECT r.id, r.name, r.kind, r.sex, r.skills, r.area_ids, r.mode, r.station_id, r.lat, r.lon,
       provider_of_responder(r.id) AS provider_id, w.id AS crew_id, w.begins AS crew_begins, w.ends AS crew_ends
FROM responders r
LEFT JOIN LATERAL (
    SELECT c.id, c.begins, c.ends FROM crew_members m JOIN crews c ON c.id = m.crew_id
    WHERE m.responder_id = r.id AND c.active
      AND (c.days = '{}' OR extract(isodow FROM %(day)s::date)::smallint = ANY (c.days))
    ORDER BY c.id LIMIT 1
) w ON true
WHERE r.active ORDER BY r.id

-- :name day_stations
SELECT id, kind, name, lat, lon FROM stations WHERE lat IS NOT NULL AND lon IS NOT NULL ORDER BY id

-- :name day_visits_save
UPDATE visits v SET
    state = x.state, planned_start = x.planned_start, planned_end = x.planned_end, promised_from = x.promised_from,
    promised_to = x.promised_to, route_id = x.route_id, sequence = x.sequence, pinned = x.pinned, version = x.version
FROM json_to_recordset(%(rows)s::json) AS x (
    id uuid, state text, planned_start timestamptz, planned_end timestamptz, promised_from timestamptz,
    promised_to timestamptz, route_id uuid, sequence smallint, pinned boolean, version integer)
WHERE v.id = x.id

-- :name day_orders_save
UPDATE orders o SET state = x.state, version = x.version
FROM json_to_recordset(%(rows)s::json) AS x (id uuid, state text, version integer)
WHERE o.id = x.id

-- :name day_offers_insert
INSERT INTO assignments (id, visit_id, responder_id, state, offered_at, offered_by, accepted_at, reasons, note, version)
SELECT x.id, x.visit_id, x.responder_id, x.state, x.offered_at, x.offered_by, x.accepted_at, x.reasons, x.note, x.version
FROM json_to_recordset(%(rows)s::json) AS x (
    id uuid, visit_id uuid, responder_id text, state text, offered_at timestamptz, offered_by uuid,
    accepted_at timestamptz, reasons jsonb, note text, version integer)

-- :name day_stand_down
UPDATE assignments SET state = 'stood_down', ended_at = %(now)s, reason = %(reason)s, version = version + 1
WHERE id = ANY (%(ids)s::uuid[]) AND state IN ('offered', 'accepted')

-- :name day_parties
SELECT r.id, array_remove(ARRAY[
    CASE WHEN r.phone IS NOT NULL THEN 'resident:' || r.id END,
    (SELECT 'contact:' || c.id FROM contacts c WHERE c.resident_id = r.id AND c.kind = 'family'
     ORDER BY c.position, c.id LIMIT 1)], NULL) AS parties
FROM residents r WHERE r.id = ANY (%(ids)s)

-- :name day_notices_add
INSERT INTO notices (id, lane, channel, party, template, params, until, next_channels, key, created_at, due_at, expires_at)
SELECT x.id, x.lane, x.channel, x.party, x.template, x.params, x.until,
       ARRAY(SELECT jsonb_array_elements_text(x.next_channels)), x.key, x.created_at, x.due_at, x.expires_at
FROM json_to_recordset(%(rows)s::json) AS x (
    id uuid, lane text, channel text, party text, template text, params jsonb, until text, next_channels jsonb,
    key text, created_at timestamptz, due_at timestamptz, expires_at timestamptz)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING

-- day_plans p
-- :name day_plan_short_json
json_build_object(
    'id', p.id, 'version', p.version, 'date', p.day, 'areas', p.area_ids, 'kinds', p.kinds, 'state', p.state,
    'seconds', p.seconds, 'based_on', p.based_on, 'events', p.events, 'progress', p.progress, 'cost', p.cost,
    'baseline', p.baseline, 'counts', p.counts, 'reason', p.reason, 'created_at', p.created_at,
    'created_by', p.created_by, 'finished_at', p.finished_at, 'published_at', p.published_at,
    'published_by', p.published_by)

-- day_plans p; what was published and has somebody or something of the provider in it. A proposal is the district's.
-- :name day_plan_of_provider
(%(provider)s::text IS NULL OR p.published_at IS NOT NULL AND p.state IN ('published', 'superseded') AND (
    EXISTS (SELECT 1 FROM routes r WHERE r.plan_id = p.id AND provider_of_responder(r.responder_id) = %(provider)s::text)
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(p.unplanned) u JOIN orders o ON o.id = (u ->> 'order_id')::uuid
               WHERE o.provider_id = %(provider)s::text)))

-- How much of a plan is the provider's.
-- :name day_plan_own_counts
SELECT p.id::text AS id, json_build_object(
    'responders', (SELECT count(*) FROM routes r
                   WHERE r.plan_id = p.id AND provider_of_responder(r.responder_id) = %(provider)s),
    'planned', (SELECT count(DISTINCT s.visit_id) FROM routes r JOIN route_stops s ON s.route_id = r.id
                JOIN visits v ON v.id = s.visit_id JOIN orders o ON o.id = v.order_id
                WHERE r.plan_id = p.id AND o.provider_id = %(provider)s),
    'unplanned', (SELECT count(*) FROM jsonb_array_elements(p.unplanned) u JOIN orders o ON o.id = (u ->> 'order_id')::uuid
                  WHERE o.provider_id = %(provider)s)) AS counts
FROM day_plans p WHERE p.id = ANY (%(ids)s::uuid[])

-- Of these orders and visits, those of the provider.
-- :name day_own_matters
SELECT o.id::text AS order_id, v.id::text AS visit_id
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE o.provider_id = %(provider)s AND (o.id = ANY (%(ids)s::uuid[]) OR v.id = ANY (%(ids)s::uuid[]))

-- :name day_plans_page
SELECT <<day_plan_short_json>> AS view
FROM day_plans p
WHERE (%(day)s::date IS NULL OR p.day = %(day)s::date) AND (%(states)s::text[] IS NULL OR p.state = ANY (%(states)s::text[]))
  AND <<day_plan_of_provider>>
ORDER BY p.day DESC, p.created_at DESC, p.id DESC
LIMIT %(limit)s

-- :name day_plan_view
SELECT <<day_plan_short_json>> AS view, p.unplanned, p.conflicts, p.changes FROM day_plans p WHERE p.id = %(id)s
  AND <<day_plan_of_provider>>

-- A provider sees its own people's routes of what was published, and on them its own orders.
-- Without a plan: what is published; a carer's whole day is in the newest of several plans.
-- :name day_routes_page
SELECT DISTINCT ON (r.responder_id) json_build_object(
    'id', r.id, 'plan_id', r.plan_id, 'date', r.day, 'responder_id', r.responder_id,
    'responder', json_build_object('id', w.id, 'name', w.name, 'kind', w.kind), 'crew_id', r.crew_id,
    'leave_at', r.leave_at, 'back_at', r.back_at, 'breaks', r.breaks, 'trips', r.trips,
    'travel_min', round(r.travel_s / 60.0, 1), 'service_min', round(r.service_s / 60.0, 1),
    'stops', coalesce(s.stops, '[]')) AS view
FROM routes r
JOIN day_plans p ON p.id = r.plan_id
JOIN responders w ON w.id = r.responder_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object(
        'visit_id', s.visit_id, 'order_id', v.order_id, 'kind', o.kind, 'state', v.state,
        'resident', json_build_object('id', e.id, 'name', e.name, 'address', e.address),
        'lat', coalesce(e.lat, a.lat), 'lon', coalesce(e.lon, a.lon), 'sequence', s.sequence, 'part', s.part,
        'arrive_at', s.arrive_at, 'start_at', s.start_at, 'leave_at', s.leave_at, 'wanted_from', o.wanted_from,
        'wanted_to', o.wanted_to, 'frozen', s.frozen, 'why', s.why) ORDER BY s.sequence) AS stops
    FROM route_stops s
    JOIN visits v ON v.id = s.visit_id
    JOIN orders o ON o.id = v.order_id
    JOIN residents e ON e.id = o.resident_id
    LEFT JOIN areas a ON a.id = e.area_id
    WHERE s.route_id = r.id AND (%(provider)s::text IS NULL OR o.provider_id = %(provider)s::text)
) s ON true
WHERE r.day = %(day)s
  AND (%(provider)s::text IS NULL OR provider_of_responder(r.responder_id) = %(provider)s::text
       AND p.published_at IS NOT NULL AND p.state IN ('published', 'superseded'))
  AND (%(responder_id)s::text IS NULL OR r.responder_id = %(responder_id)s::text)
  AND CASE WHEN %(plan_id)s::uuid IS NULL THEN p.state = 'published' ELSE r.plan_id = %(plan_id)s::uuid END
ORDER BY r.responder_id, p.published_at DESC, r.id
