-- Commands to devices, and ids that two use.

-- :name command_row
c.id, c.device_id, c.family, c.command, c.token, c.created_at, c.expires_at, c.state, c.fields, c.created_by,
c.incident_id, c.attempts, c.sent_at, c.reason

-- :name commands_add
INSERT INTO commands (id, device_id, family, command, fields, token, incident_id, state, created_at, created_by, expires_at)
VALUES (%(id)s, %(device_id)s, %(family)s, %(command)s, %(fields)s::jsonb, %(token)s, %(incident_id)s, 'queued',
        %(created_at)s, %(created_by)s, %(expires_at)s)

-- :name commands_are_waiting
SELECT EXISTS (SELECT 1 FROM commands WHERE device_id = %(device_id)s AND command = %(command)s
               AND state IN ('queued', 'sent', 'delivered'))

-- :name commands_asked
SELECT EXISTS (SELECT 1 FROM commands WHERE incident_id = %(incident_id)s::uuid AND command IN ('speak', 'call')
               AND created_at > %(since)s)

-- Whether it was said already, of this incident, that no device of theirs has a voice.
-- :name commands_voiceless_said
SELECT EXISTS (SELECT 1 FROM timeline WHERE subject_kind = 'incident' AND subject_id = %(incident_id)s AND kind = 'no_voice')

-- The device that called first, then what the resident has, whatever was heard last before the rest; one that failed at
-- it is the last. `cannot`: the words it said lately that it does not know.
-- :name commands_devices_near
SELECT d.id, d.family, d.resident_id, d.area_id, coalesce(p.reading, '{}') || d.profile AS profile,
       ARRAY(SELECT DISTINCT c.command FROM commands c
             WHERE c.device_id = d.id AND c.command IN ('speak', 'call') AND c.state = 'failed'
               AND c.reason LIKE 'unsupported%%' AND c.created_at > %(since)s) AS cannot
FROM incidents i JOIN devices d ON d.id = i.device_id OR d.resident_id = i.resident_id
LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
WHERE i.id = %(incident_id)s::uuid AND d.adopted AND d.revoked_at IS NULL
ORDER BY EXISTS (SELECT 1 FROM commands c WHERE c.device_id = d.id AND c.command IN ('speak', 'call') AND c.state = 'failed'),
         (d.id = i.device_id) DESC NULLS LAST, d.online DESC NULLS LAST, d.last_seen_at DESC NULLS LAST, d.id
LIMIT 20

-- :name commands_sent
UPDATE commands c SET state = CASE WHEN c.state = 'queued' THEN 'sent' ELSE c.state END, sent_at = %(at)s,
                      attempts = c.attempts + 1
FROM outbox o
WHERE o.id = ANY (%(ids)s::bigint[]) AND o.body->>'kind' = 'command' AND c.id = (o.body->>'id')::uuid
  AND c.state IN ('queued', 'sent', 'delivered')

-- :name commands_refused
UPDATE commands c SET state = 'failed', reason = %(reason)s, ended_at = %(at)s
FROM outbox o
WHERE o.id = %(outbox_id)s AND o.body->>'kind' = 'command' AND c.id = (o.body->>'id')::uuid AND c.state = 'queued'
RETURNING <<command_row>>

-- What has left is preferred: an answer cannot belong to what was never sent, unless its mark was late.
-- :name commands_heard
UPDATE commands c SET
    state = CASE WHEN %(state)s = 'failed' THEN 'failed'
                 WHEN %(state)s = 'taken' AND c.command IN ('locate', 'measure') THEN 'delivered'
                 ELSE 'answered' END,
    reason = coalesce(%(reason)s, c.reason),
    delivered_at = coalesce(c.delivered_at, %(at)s),
    ended_at = CASE WHEN %(state)s <> 'taken' OR c.command NOT IN ('locate', 'measure') THEN %(at)s::timestamptz END
WHERE c.id = (SELECT w.id FROM commands w
              WHERE w.device_id = %(device_id)s AND w.token = %(token)s AND w.state IN ('queued', 'sent', 'delivered')
                AND (w.state <> 'delivered' OR %(state)s <> 'taken')
              ORDER BY w.state = 'queued', w.created_at, w.id LIMIT 1 FOR UPDATE)
RETURNING <<command_row>>

-- :name commands_awaited
SELECT DISTINCT device_id FROM commands
WHERE state IN ('sent', 'delivered') AND command IN ('locate', 'measure')

-- :name commands_measured
UPDATE commands c SET state = 'answered', answer = %(answer)s::jsonb, ended_at = %(at)s,
                      delivered_at = coalesce(c.delivered_at, %(at)s)
WHERE c.device_id = %(device_id)s AND c.command = %(command)s AND c.state IN ('sent', 'delivered') AND c.sent_at <= %(at)s
RETURNING <<command_row>>

-- :name commands_expire
UPDATE commands c SET state = 'expired', ended_at = %(at)s, reason = coalesce(c.reason, CASE c.state
    WHEN 'queued' THEN 'the device was not there in time'
    WHEN 'sent' THEN 'the device never said that it had it'
    ELSE 'the device had it and never said what came of it' END)
WHERE c.id IN (SELECT x.id FROM commands x
               WHERE x.state IN ('queued', 'sent', 'delivered') AND x.expires_at <= %(at)s
               ORDER BY x.id FOR UPDATE SKIP LOCKED)
RETURNING <<command_row>>

-- Nothing that was meant for the device before reaches it after; an answer that comes all the same belongs to nothing.
-- :name commands_withdraw
UPDATE commands c SET state = 'failed', ended_at = %(at)s, reason = %(reason)s
WHERE c.device_id = %(device_id)s AND c.state IN ('queued', 'sent', 'delivered')
RETURNING <<command_row>>

-- :name outbox_withdraw
UPDATE outbox SET failed_at = %(at)s, error = %(reason)s
WHERE channel = 'device' AND target = %(device_id)s AND sent_at IS NULL AND failed_at IS NULL AND body->>'kind' <> 'forget'

-- :name commands_unheard
SELECT <<command_row>> FROM commands c
WHERE c.state = 'sent' AND c.sent_at <= %(before)s AND c.attempts < %(most)s
ORDER BY c.id LIMIT 200 FOR UPDATE SKIP LOCKED

-- :name commands_again
UPDATE commands SET state = 'queued' WHERE id = ANY (%(ids)s::uuid[]) AND state = 'sent'

-- :name outbox_hasten
UPDATE outbox SET due_at = %(at)s
WHERE channel = 'device' AND target = ANY (%(ids)s::text[]) AND sent_at IS NULL AND failed_at IS NULL AND due_at > %(at)s

-- :name device_conflict
INSERT INTO device_conflicts AS d (device_id, family, kind, addresses, first_at, last_at)
VALUES (%(device_id)s, %(family)s, %(kind)s, %(addresses)s::text[], %(at)s, %(at)s)
ON CONFLICT (device_id) DO UPDATE SET
    family = excluded.family, kind = excluded.kind, addresses = excluded.addresses, times = d.times + 1,
    first_at = CASE WHEN d.last_at < excluded.last_at - interval '1 hour' THEN excluded.last_at ELSE d.first_at END,
    last_at = excluded.last_at
RETURNING first_at = last_at AS fresh

-- :name view_commands
SELECT t.id, t.device_id, t.command, t.fields, t.state, t.reason, t.incident_id, t.created_at,
       CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END AS created_by,
       t.expires_at, t.attempts, t.sent_at, t.delivered_at,
       CASE WHEN t.state = 'answered' THEN t.ended_at END AS answered_at, t.ended_at, t.answer
FROM commands t LEFT JOIN users u ON u.id::text = t.created_by

-- :name commands_page
SELECT x.created_at, x.id, row_to_json(x) AS view FROM (
    <<view_commands>>
    WHERE t.device_id = %(device_id)s AND (t.created_at, t.id) < (%(created_at)s::timestamptz, %(id)s::uuid)
    ORDER BY t.created_at DESC, t.id DESC LIMIT %(limit)s) x

-- :name commands_one
SELECT row_to_json(x) AS view FROM (<<view_commands>> WHERE t.id = %(id)s::uuid AND t.device_id = %(device_id)s) x

-- A gateway may list a name twice. What is set already, by hand or by a profile, stays.
-- :name devices_describe
INSERT INTO devices AS d (id, family, name, model, upstream, profile, adopted, created_at)
SELECT DISTINCT ON (r.id) r.id, %(family)s, r.name, r.model, %(upstream)s, r.profile, false, %(at)s
FROM json_to_recordset(%(rows)s::json) AS r (id text, name text, model text, profile jsonb)
ORDER BY r.id
ON CONFLICT (id) DO UPDATE SET
    model = coalesce(d.model, excluded.model), upstream = coalesce(d.upstream, excluded.upstream),
    name = coalesce(d.name, excluded.name), profile = excluded.profile || d.profile
WHERE d.family = excluded.family
  AND (d.model IS NULL OR d.upstream IS NULL OR d.name IS NULL OR d.profile <> excluded.profile || d.profile)
