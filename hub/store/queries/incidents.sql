-- Incidents, their timeline and their due rows.

-- :name incidents_lock_live
SELECT i.* FROM incidents i
WHERE (i.subject, i.class) IN (SELECT s.subject, s.class FROM unnest(%(subjects)b::text[], %(classes)b::text[]) AS s (subject, class))
  AND i.state IN ('open', 'acknowledged', 'in_progress')
ORDER BY i.subject, i.class
FOR NO KEY UPDATE

-- :name incidents_get
SELECT i.* FROM incidents i
WHERE i.id = %(id)s

-- :name incidents_get_locked
SELECT i.* FROM incidents i
WHERE i.id = %(id)s
FOR NO KEY UPDATE

-- :name policies_get
SELECT digest, body FROM escalation_policies WHERE digest = ANY (%(digests)b::bytea[])

-- :name policies_keep
INSERT INTO escalation_policies (digest, body)
SELECT decode(p.digest, 'base64'), p.body
FROM json_to_recordset(%(rows)s::json) AS p (digest text, body jsonb)
ON CONFLICT DO NOTHING

-- :name incidents_insert
INSERT INTO incidents (id, subject, class, state, type, types, priority, opened_at, first_alarm_at, last_alarm_at,
                       alarm_count, resident_id, device_id, area_id, area_path, fix, acknowledged_by, acknowledged_at,
                       first_acknowledged_at, lease_until, shelved_until, shelve_reason, under_way, on_scene,
                       plan_round, policy, response_plan, plan_run, reasons, version)
SELECT r.id, r.subject, r.class, r.state, r.type, r.types, r.priority, r.opened_at, r.first_alarm_at, r.last_alarm_at,
       r.alarm_count, r.resident_id, r.device_id, r.area_id, r.area_path, r.fix, r.acknowledged_by, r.acknowledged_at,
       r.acknowledged_at, r.lease_until, r.shelved_until, r.shelve_reason, r.under_way, r.on_scene,
       r.plan_round, decode(r.policy, 'base64'), decode(r.response_plan, 'base64'), r.plan_run, r.reasons, r.version
FROM json_to_recordset(%(rows)s::json) AS r (
    id uuid, subject text, class text, state text, type text, types text[], priority text, opened_at timestamptz,
    first_alarm_at timestamptz, last_alarm_at timestamptz, alarm_count integer, resident_id text, device_id text,
    area_id text, area_path text[], fix jsonb, acknowledged_by uuid, acknowledged_at timestamptz,
    lease_until timestamptz, shelved_until timestamptz, shelve_reason text, under_way boolean, on_scene boolean,
    plan_round integer, policy text, response_plan text, plan_run jsonb, reasons jsonb, version integer)
ORDER BY r.subject, r.class
ON CONFLICT (subject, class) WHERE state IN ('open', 'acknowledged', 'in_progress') DO NOTHING
RETURNING id

-- A fix that is not given stays as it is; everything else is written.
-- :name incidents_save
UPDATE incidents i SET
    state = r.state, type = r.type, types = r.types, priority = r.priority, first_alarm_at = r.first_alarm_at,
    last_alarm_at = r.last_alarm_at, alarm_count = r.alarm_count, resident_id = r.resident_id, device_id = r.device_id,
    area_id = r.area_id, fix = coalesce(r.fix, i.fix), acknowledged_by = r.acknowledged_by,
    acknowledged_at = r.acknowledged_at, first_acknowledged_at = coalesce(i.first_acknowledged_at, r.acknowledged_at),
    lease_until = r.lease_until, resolved_by = r.resolved_by, resolved_at = r.resolved_at, disposition = r.disposition,
    summary = r.summary, supervision = r.supervision, supervised_by = r.supervised_by, supervised_at = r.supervised_at,
    shelved_until = r.shelved_until, shelve_reason = r.shelve_reason, under_way = r.under_way, on_scene = r.on_scene,
    plan_round = r.plan_round, plan_run = r.plan_run, reasons = r.reasons, version = r.version
FROM json_to_recordset(%(rows)s::json) AS r (
    id uuid, state text, type text, types text[], priority text, first_alarm_at timestamptz, last_alarm_at timestamptz,
    alarm_count integer, resident_id text, device_id text, area_id text, fix jsonb, acknowledged_by uuid,
    acknowledged_at timestamptz, lease_until timestamptz, resolved_by uuid, resolved_at timestamptz, disposition text,
    summary text, supervision text, supervised_by uuid, supervised_at timestamptz, shelved_until timestamptz,
    shelve_reason text, under_way boolean, on_scene boolean, plan_round integer, plan_run jsonb, reasons jsonb, version integer)
WHERE i.id = r.id

-- Devices whose position matters now: those of people with an open matter, and devices that have one themselves.
-- :name incidents_devices_about
SELECT d.id
FROM incidents i JOIN devices d ON d.resident_id = i.resident_id AND d.adopted AND d.revoked_at IS NULL
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class IN ('emergency', 'health', 'whereabouts')
UNION
SELECT d.id
FROM incidents i JOIN devices d ON d.id = i.device_id AND i.resident_id IS NULL AND d.revoked_at IS NULL
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class IN ('emergency', 'health', 'whereabouts')

-- In the order in which whoever raises locks them.
-- :name incidents_lock_about
SELECT i.id, i.fix,
       ARRAY(SELECT d.id FROM devices d WHERE d.id = ANY (%(devices)b::text[])
             AND (d.resident_id = i.resident_id OR i.resident_id IS NULL AND d.id = i.device_id)) AS devices
FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress') AND i.class IN ('emergency', 'health', 'whereabouts')
  AND (i.resident_id IN (SELECT d.resident_id FROM devices d WHERE d.id = ANY (%(devices)b::text[]))
       OR i.resident_id IS NULL AND i.device_id = ANY (%(devices)b::text[]))
ORDER BY i.subject, i.class
FOR NO KEY UPDATE OF i

-- The version stays: an operator's action is about the matter, whatever its tracker tells meanwhile.
-- :name incidents_set_fix
UPDATE incidents SET fix = %(fix)s::jsonb WHERE id = %(id)s

-- :name incidents_supervise
UPDATE incidents SET supervision = 'done', supervised_by = %(user_id)s, supervised_at = %(at)s
WHERE id = %(id)s

-- :name incidents_shelve_reason
UPDATE incidents SET shelve_reason = %(reason)s WHERE id = %(id)s

-- All lines of a transaction at once, as its last statement: every other lock is held by then, so whoever holds the counter
-- waits for nobody, and the next one to get it sees these lines committed.
-- :name timeline_write
WITH counter AS (
    UPDATE timeline_counter SET seq = seq + %(count)s RETURNING seq - %(count)s AS base
), written AS (
    INSERT INTO timeline (seq, at, subject_kind, subject_id, kind, actor_kind, actor_id, actor_name, body)
    SELECT c.base + l.n, l.at, l.subject_kind, l.subject_id, l.kind, l.actor_kind, l.actor_id, l.actor_name, l.body
    FROM counter c, json_to_recordset(%(rows)s::json) AS l (
        n integer, at timestamptz, subject_kind text, subject_id text, kind text, actor_kind text, actor_id text,
        actor_name text, body jsonb)
)
SELECT pg_notify('care_hub_feed', '') FROM counter

-- What pages are told beside the timeline, all processes' pages; nothing is written.
-- :name timeline_beside
SELECT pg_notify('care_hub_feed', %(text)s)

-- :name due_clear
DELETE FROM due d
USING unnest(%(kinds)b::text[], %(subjects)b::uuid[], %(steps)b::text[]) AS c (kind, subject, step)
WHERE d.subject_kind = c.kind AND d.subject_id = c.subject AND (c.step IS NULL OR d.step = c.step)

-- Says with it when the earliest of them is due: whoever waits for an earlier one anyway sleeps on.
-- :name due_set
WITH put AS (
    INSERT INTO due (subject_kind, subject_id, step, due_at, body)
    SELECT r.subject_kind, r.subject_id, r.step, r.due_at, r.body
    FROM json_to_recordset(%(rows)s::json)
        AS r (subject_kind text, subject_id uuid, step text, due_at timestamptz, body jsonb)
    ORDER BY r.subject_kind, r.subject_id, r.step
    ON CONFLICT (subject_kind, subject_id, step) DO UPDATE SET due_at = excluded.due_at, body = excluded.body
    RETURNING due_at
)
SELECT pg_notify('care_hub_due', extract(epoch FROM min(due_at))::text) FROM put

-- The incident before its rows, as everywhere; and whoever has an incident in hand just now is not waited for: an operator
-- who claims at the very second of the re-alert would otherwise wait for us, and we for him.
-- :name due_claim
WITH ripe AS MATERIALIZED (
    SELECT subject_kind, subject_id, step,
           CASE WHEN subject_kind = 'incident' THEN subject_id
                WHEN body ->> 'incident_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
                THEN (body ->> 'incident_id')::uuid
           END AS incident_id
    FROM due
    WHERE due_at <= %(now)s
    ORDER BY due_at
    LIMIT %(limit)s
), held AS MATERIALIZED (
    SELECT i.id FROM incidents i WHERE i.id IN (SELECT incident_id FROM ripe)
    ORDER BY i.id
    FOR UPDATE SKIP LOCKED
), taken AS MATERIALIZED (
    SELECT d.subject_kind, d.subject_id, d.step
    FROM due d JOIN ripe r USING (subject_kind, subject_id, step)
    WHERE d.due_at <= %(now)s
      AND (r.incident_id IN (SELECT id FROM held) OR r.incident_id IS NULL
           OR NOT EXISTS (SELECT FROM incidents i WHERE i.id = r.incident_id))
    FOR UPDATE OF d SKIP LOCKED
)
DELETE FROM due d USING taken t
WHERE d.subject_kind = t.subject_kind AND d.subject_id = t.subject_id AND d.step = t.step AND d.due_at <= %(now)s
RETURNING d.subject_kind, d.subject_id, d.step, d.due_at, d.body

-- :name due_next
SELECT min(due_at) AS due_at FROM due
