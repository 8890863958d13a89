-- Response plans, and what carrying them out must know.

-- :name plans_stamp
SELECT stamp FROM response_plan_stamp

-- :name plans_active
SELECT to_jsonb(p) AS record FROM response_plans p WHERE p.active ORDER BY p.id

-- :name plan_copies_get
SELECT digest, body FROM response_plan_copies WHERE digest = ANY (%(digests)b::bytea[])

-- :name plan_copies_keep
INSERT INTO response_plan_copies (digest, body)
SELECT decode(p.digest, 'base64'), p.body
FROM json_to_recordset(%(rows)s::json) AS p (digest text, body jsonb)
ON CONFLICT DO NOTHING

-- :name plan_contacts
SELECT c.id, c.name, c.phone, c.kind, c.has_key, c.responder_id, c.version
FROM contacts c WHERE c.resident_id = %(resident_id)s
ORDER BY c.position, c.id

-- :name plan_supervisors
SELECT u.id, u.name, nullif(u.phone, '') AS phone, EXISTS (
    SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.kind = 'console' AND s.on_duty AND s.expires_at > %(now)s) AS on_duty
FROM users u WHERE u.role = 'supervisor' AND u.active
ORDER BY on_duty DESC, u.id

-- :name plan_place
SELECT i.number, r.address, a.name AS area
FROM incidents i LEFT JOIN residents r ON r.id = i.resident_id LEFT JOIN areas a ON a.id = i.area_id
WHERE i.id = %(id)s

-- :name plan_of_incident
SELECT i.id, i.number, i.class, i.type, i.state, i.priority, i.resident_id, i.area_id, i.plan_round, i.plan_run,
       i.shelved_until, i.under_way, c.body AS plan,
       (SELECT x FROM jsonb_array_elements(i.reasons) x WHERE x ->> 'code' = 'plan' LIMIT 1) AS chosen,
       r.name AS resident, r.phone, r.address, r.access, r.conditions, r.medications, r.allergies, r.hearing, r.languages,
       r.sex, r.born_on, r.lat, r.lon, i.fix,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'phone', t.phone, 'kind', t.kind,
                                                     'has_key', t.has_key) ORDER BY t.position, t.id)
                 FROM contacts t WHERE t.resident_id = i.resident_id), '[]') AS contacts,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', s.id, 'responder_id', s.responder_id, 'name', p.name, 'phone', p.phone,
                                                     'state', s.state, 'reason', s.reason) ORDER BY s.offered_at, s.id)
                 FROM assignments s JOIN responders p ON p.id = s.responder_id WHERE s.incident_id = i.id), '[]') AS assignments,
       coalesce((SELECT jsonb_agg(jsonb_build_object('party', n.party, 'assignment_id', n.assignment_id, 'channel', n.channel,
                                                     'template', n.template, 'state', n.state, 'outcome', n.outcome,
                                                     'reason', n.reason, 'at', coalesce(n.sent_at, n.created_at))
                                  ORDER BY n.created_at, n.id)
                 FROM notices n WHERE n.incident_id = i.id), '[]') AS notices,
       coalesce((SELECT jsonb_agg(jsonb_build_object('number', k.number, 'party', k.party, 'outcome', k.outcome,
                                                     'at', k.started_at, 'direction', k.direction) ORDER BY k.started_at)
                 FROM calls k WHERE k.incident_id = i.id), '[]') AS calls
FROM incidents i
LEFT JOIN response_plan_copies c ON c.digest = i.response_plan
LEFT JOIN residents r ON r.id = i.resident_id
WHERE i.id = %(id)s

-- :name plan_versions
SELECT v.version, v.at, v.record FROM response_plan_versions v WHERE v.plan_id = %(id)s ORDER BY v.version DESC LIMIT 200

-- :name view_response_plans
SELECT t.id, t.zh, t.en, t.note, t.active, t.conditions, t.voice, t.tiers, t.access, t.clocks, t.priority, t.at_once, t.card,
       t.built_in, t.edited, t.version,
       (SELECT max(v.at) FROM response_plan_versions v WHERE v.plan_id = t.id) AS changed_at
FROM response_plans t
