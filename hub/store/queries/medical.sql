-- Questions to the community doctor.

-- :name teleconsult_add
INSERT INTO teleconsults (id, resident_id, incident_id, order_id, reason, urgent, vitals, doctor_id, state, requested_at,
                          requested_by, requested_by_name)
VALUES (%(id)s, %(resident_id)s, %(incident_id)s, %(order_id)s, %(reason)s, %(urgent)s, %(vitals)s::jsonb, %(doctor_id)s,
        %(state)s, %(requested_at)s, %(requested_by)s, %(requested_by_name)s)

-- :name teleconsult_get
SELECT to_jsonb(t) AS row FROM teleconsults t WHERE t.id = %(id)s::uuid

-- :name teleconsult_locked
SELECT to_jsonb(t) AS row FROM teleconsults t WHERE t.id = %(id)s::uuid FOR UPDATE

-- :name teleconsult_save
UPDATE teleconsults SET state = %(state)s, doctor_id = %(doctor_id)s, advice = %(advice)s, answer = %(answer)s,
    answered_at = %(answered_at)s, answered_by = %(answered_by)s, visit_order_id = %(visit_order_id)s,
    incident_id = %(incident_id)s, version = version + 1
WHERE id = %(id)s

-- :name responder_kind
SELECT kind FROM responders WHERE id = %(id)s AND active

-- teleconsults t, residents r
-- :name teleconsult_json
json_build_object(
    'id', t.id, 'version', t.version, 'state', t.state, 'urgent', t.urgent, 'reason', t.reason, 'vitals', t.vitals,
    'resident', json_build_object('id', r.id, 'name', r.name, 'age', date_part('year', age(r.born_on))::integer,
                                  'sex', r.sex, 'phone', r.phone, 'address', r.address, 'conditions', r.conditions,
                                  'medications', r.medications, 'allergies', r.allergies),
    'incident_id', t.incident_id, 'order_id', t.order_id,
    'doctor', (SELECT json_build_object('id', d.id, 'name', d.name, 'phone', d.phone) FROM responders d WHERE d.id = t.doctor_id),
    'requested_at', t.requested_at, 'requested_by', t.requested_by_name, 'advice', t.advice, 'answer', t.answer,
    'answered_at', t.answered_at, 'answered_by', t.answered_by, 'visit_order_id', t.visit_order_id)

-- :name teleconsults_list
SELECT <<teleconsult_json>> AS view FROM teleconsults t JOIN residents r ON r.id = t.resident_id
WHERE (%(state)s::text IS NULL OR t.state = %(state)s::text)
  AND (%(resident_id)s::text IS NULL OR t.resident_id = %(resident_id)s::text)
  AND (%(incident_id)s::uuid IS NULL OR t.incident_id = %(incident_id)s::uuid)
  AND (%(doctor_id)s::text IS NULL OR t.doctor_id IS NULL OR t.doctor_id = %(doctor_id)s::text)
ORDER BY t.state <> 'requested', t.state = 'requested' AND NOT t.urgent, t.requested_at DESC, t.id
LIMIT %(limit)s

-- :name teleconsult_view
SELECT <<teleconsult_json>> AS view FROM teleconsults t JOIN residents r ON r.id = t.resident_id WHERE t.id = %(id)s::uuid
