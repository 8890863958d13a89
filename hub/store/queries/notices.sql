-- What people must be told, and the tries to tell them.

-- :name notice_row
n.id, n.lane, n.channel, n.party, n.template, n.until, n.created_at, n.due_at, n.expires_at, n.params, n.incident_id,
n.assignment_id, n.next_channels, n.before_id, n.key, n.late_at, n.state, n.attempts, n.claimed_by, n.outcome, n.reason,
n.provider_ref

-- :name notices_add
INSERT INTO notices (id, lane, channel, party, template, params, until, incident_id, assignment_id, next_channels, before_id,
                     key, created_at, due_at, late_at, expires_at)
VALUES (%(id)s, %(lane)s, %(channel)s, %(party)s, %(template)s, %(params)s::jsonb, %(until)s, %(incident_id)s,
        %(assignment_id)s, %(next_channels)s::text[], %(before_id)s, %(key)s, %(created_at)s, %(due_at)s, %(late_at)s,
        %(expires_at)s)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
RETURNING id

-- :name notices_by_key
SELECT id FROM notices WHERE key = %(key)s

-- :name notices_notify
SELECT pg_notify('care_hub_notices', '')

-- What is on its way already cannot be called back; a call that rings is hung up.
-- :name notices_withdraw
UPDATE notices n SET state = 'withdrawn', ended_at = %(at)s, reason = %(reason)s, late_at = NULL
WHERE n.incident_id = %(incident_id)s AND n.until = ANY (%(until)s::text[])
  AND (n.state = 'waiting' OR (n.state = 'sent' AND n.channel = 'voice' AND n.outcome IS NULL))
  AND (n.assignment_id IS NULL OR n.assignment_id <> ALL (%(keep)s::uuid[]))
RETURNING <<notice_row>>

-- :name notices_of_incident
SELECT <<notice_row>> FROM notices n WHERE n.incident_id = %(incident_id)s ORDER BY n.created_at, n.id

-- :name notices_get
SELECT <<notice_row>> FROM notices n WHERE n.id = %(id)s

-- :name notices_get_locked
SELECT <<notice_row>> FROM notices n WHERE n.id = %(id)s FOR UPDATE

-- :name notices_ripe
SELECT <<notice_row>> FROM notices n
WHERE n.lane = %(lane)s AND n.channel = %(channel)s AND n.state = 'waiting' AND n.due_at <= %(now)s AND n.expires_at > %(now)s
ORDER BY n.due_at, n.id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- An incident in somebody's hands this moment is not there: whether it is being accepted is not known yet.
-- :name notices_incidents
SELECT i.id, i.state, i.shelved_until IS NOT NULL AS shelved FROM incidents i
WHERE i.id = ANY (%(ids)s::uuid[]) FOR SHARE SKIP LOCKED

-- :name notices_assignments
SELECT a.id, a.state FROM assignments a WHERE a.id = ANY (%(ids)s::uuid[])

-- :name notices_people
WITH asked AS (SELECT p AS party, split_part(p, ':', 1) AS kind, substr(p, strpos(p, ':') + 1) AS id
               FROM unnest(%(parties)s::text[]) p),
found AS (
    SELECT a.party, r.name, r.phone, CASE WHEN 'zh' = ANY (r.languages) THEN 'zh' ELSE 'en' END AS language,
           u.id AS user_id, u.language AS chosen
    FROM asked a JOIN responders r ON a.kind = 'responder' AND r.id = a.id
    LEFT JOIN users u ON u.role = 'staff' AND u.person_id = r.id AND u.active
    UNION ALL
    SELECT a.party, c.name, c.phone, 'zh', u.id, u.language
    FROM asked a JOIN contacts c ON a.kind = 'contact' AND c.id = a.id
    LEFT JOIN users u ON u.role = 'family' AND u.person_id = c.id AND u.active
    UNION ALL
    SELECT a.party, r.name, r.phone, CASE WHEN 'zh' = ANY (r.languages) THEN 'zh' ELSE 'en' END, u.id, u.language
    FROM asked a JOIN residents r ON a.kind = 'resident' AND r.id = a.id
    LEFT JOIN users u ON u.role = 'resident' AND u.person_id = r.id AND u.active
    UNION ALL
    SELECT a.party, u.name, coalesce(nullif(u.phone, ''), r.phone, c.phone), u.language, u.id, u.language
    FROM asked a JOIN users u ON a.kind = 'user' AND u.id::text = a.id AND u.active
    LEFT JOIN responders r ON r.id = u.person_id
    LEFT JOIN contacts c ON u.role = 'family' AND c.id = u.person_id
)
SELECT f.party, min(f.name) AS name, coalesce(min(f.phone), '') AS phone, coalesce(min(f.chosen), min(f.language)) AS language,
       coalesce(json_agg(json_build_object('id', s.id, 'endpoint', s.endpoint, 'p256dh', encode(s.p256dh, 'base64'),
                                           'auth', encode(s.auth, 'base64')))
                FILTER (WHERE s.id IS NOT NULL), '[]') AS pushes
FROM found f LEFT JOIN push_subscriptions s ON s.user_id = f.user_id AND s.gone_at IS NULL
GROUP BY f.party

-- The newest of each; the hub's own words again are no row of the answer.
-- :name notices_wordings
SELECT w.template, w.language, w.title, w.short, w.spoken, w.full_text AS full
FROM (SELECT DISTINCT ON (template, language) * FROM notice_wordings ORDER BY template, language, version DESC) w
WHERE NOT w.standard

-- :name notices_wording_add
INSERT INTO notice_wordings (template, language, version, standard, title, short, spoken, full_text, note, changed_by, changed_at)
VALUES (%(template)s, %(language)s, %(version)s, %(standard)s, %(title)s, %(short)s, %(spoken)s, %(full)s, %(note)s,
        %(changed_by)s::uuid, %(now)s)
ON CONFLICT DO NOTHING
RETURNING version

-- :name notice_wording_versions
SELECT json_build_object('language', w.language, 'version', w.version, 'standard', w.standard, 'title', w.title,
                         'short', w.short, 'spoken', w.spoken, 'full', w.full_text, 'note', w.note, 'at', w.changed_at,
                         'by', u.name) AS view
FROM notice_wordings w LEFT JOIN users u ON u.id = w.changed_by
WHERE w.template = %(template)s
ORDER BY w.changed_at DESC, w.language, w.version DESC
LIMIT 200

-- :name notice_wording_states
SELECT DISTINCT ON (w.template, w.language) json_build_object(
    'template', w.template, 'language', w.language, 'version', w.version, 'standard', w.standard, 'title', w.title,
    'short', w.short, 'spoken', w.spoken, 'full', w.full_text, 'at', w.changed_at) AS view
FROM notice_wordings w
ORDER BY w.template, w.language, w.version DESC

-- :name notices_lock_bucket
SELECT pg_advisory_xact_lock(hashtextextended('care-hub notices ' || %(bucket)s, 0))

-- Tries of one message count once.
-- :name notices_recent
SELECT min(t.at) AS at FROM notice_tries t WHERE t.bucket = %(bucket)s AND t.at > %(since)s GROUP BY t.message ORDER BY 1

-- :name notices_claim
WITH tried AS (
    INSERT INTO notice_tries (notice_id, number, at, channel, bucket, message)
    SELECT r.notice_id, r.number, %(now)s, r.channel, r.bucket, r.message
    FROM json_to_recordset(%(rows)s::json) AS r (notice_id uuid, number integer, channel text, bucket text, message text)
    RETURNING notice_id, number)
UPDATE notices n SET attempts = t.number, claimed_by = %(claimed_by)s, due_at = %(lease_until)s
FROM tried t WHERE n.id = t.notice_id

-- :name notices_put_off
UPDATE notices SET due_at = %(due_at)s, claimed_by = NULL WHERE id = ANY (%(ids)s::uuid[]) AND state = 'waiting'

-- :name notices_try_ended
UPDATE notice_tries SET ended_at = %(now)s, result = %(result)s, reason = %(reason)s
WHERE notice_id = %(id)s AND number = %(number)s AND result IS NULL

-- One that was taken back while it left stays withdrawn; what the provider calls it is kept, to hang up.
-- :name notices_sent
UPDATE notices n SET
    state = CASE WHEN n.state = 'waiting' THEN 'sent' ELSE n.state END,
    sent_at = %(now)s, provider_ref = %(ref)s, claimed_by = NULL,
    outcome = coalesce(n.outcome, %(outcome)s),
    late_at = CASE WHEN n.channel = 'voice' AND n.state = 'waiting' AND %(outcome)s::text IS NULL AND n.outcome IS NULL
              THEN n.late_at END,
    ended_at = CASE WHEN n.channel = 'voice' AND n.state = 'waiting' AND %(outcome)s::text IS NULL THEN NULL
               ELSE coalesce(n.ended_at, %(now)s) END,
    reason = CASE WHEN n.state = 'waiting' THEN NULL ELSE n.reason END
WHERE n.id = %(id)s AND (n.claimed_by = %(claimed_by)s OR n.state = 'withdrawn')
RETURNING n.state

-- :name notices_failed
UPDATE notices n SET
    state = CASE WHEN %(again_at)s::timestamptz IS NULL THEN 'failed' ELSE n.state END,
    due_at = coalesce(%(again_at)s, n.due_at), claimed_by = NULL, reason = %(reason)s,
    ended_at = CASE WHEN %(again_at)s::timestamptz IS NULL THEN %(now)s::timestamptz END,
    late_at = CASE WHEN %(again_at)s::timestamptz IS NULL THEN NULL ELSE n.late_at END
WHERE n.id = %(id)s AND n.state = 'waiting' AND n.claimed_by = %(claimed_by)s
RETURNING n.id

-- :name notices_end
UPDATE notices n SET state = %(state)s, ended_at = %(now)s, reason = %(reason)s, claimed_by = NULL, late_at = NULL
WHERE n.id = %(id)s AND n.state = 'waiting'
RETURNING n.id

-- A call that was answered by nobody in time is late as well as a message that has not left.
-- :name notices_late
WITH ripe AS MATERIALIZED (
    SELECT id FROM notices n
    WHERE n.late_at <= %(now)s
      AND (n.state = 'waiting' OR (n.state = 'sent' AND n.channel = 'voice'
                                   AND (n.outcome IS NULL OR n.outcome = 'answered')))
    ORDER BY n.late_at, n.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE notices n SET late_at = NULL FROM ripe r WHERE n.id = r.id
RETURNING <<notice_row>>

-- :name notices_expired
WITH ripe AS MATERIALIZED (
    SELECT id FROM notices n WHERE n.state = 'waiting' AND n.expires_at <= %(now)s
      AND (n.claimed_by IS NULL OR n.due_at <= %(now)s)
    ORDER BY n.expires_at, n.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE notices n SET state = 'expired', ended_at = %(now)s, claimed_by = NULL, late_at = NULL,
                     reason = coalesce(n.reason, 'it could not be sent in time')
FROM ripe r WHERE n.id = r.id
RETURNING <<notice_row>>

-- :name notices_followed
SELECT EXISTS (SELECT 1 FROM notices WHERE before_id = %(id)s)

-- Who was asked to go and only picked up has not answered: it may have been a mailbox.
-- :name notices_settle
UPDATE notices n SET outcome = %(outcome)s, ended_at = coalesce(n.ended_at, %(now)s),
                     late_at = CASE WHEN %(outcome)s = 'answered' AND n.assignment_id IS NOT NULL THEN n.late_at END
WHERE n.id = %(id)s AND (n.outcome IS NULL OR (n.outcome = 'answered' AND %(outcome)s IN ('accepted', 'declined')))
RETURNING n.id

-- :name notices_ringing
SELECT <<notice_row>> FROM notices n
WHERE n.channel = 'voice' AND n.provider_ref IS NOT NULL
  AND ((n.state = 'withdrawn' AND n.hung_up_at IS NULL) OR (n.state = 'sent' AND n.outcome IS NULL AND n.sent_at > %(since)s))
ORDER BY n.state DESC, n.sent_at LIMIT %(limit)s

-- :name notices_hung_up
UPDATE notices SET hung_up_at = %(now)s WHERE id = %(id)s

-- :name notices_next
SELECT min(due_at) FROM notices WHERE lane = %(lane)s AND state = 'waiting'

-- :name notices_keep_token
INSERT INTO notice_tokens (token_hash, notice_id, purpose, party, assignment_id, expires_at)
VALUES (%(digest)s, %(notice_id)s, %(purpose)s, %(party)s, %(assignment_id)s, %(expires_at)s)

-- :name notices_token
SELECT t.notice_id, t.purpose, t.party, t.assignment_id, t.expires_at, t.used_at, t.action, t.answer, n.incident_id,
       n.template, n.params, coalesce(u.language, 'zh') AS language
FROM notice_tokens t JOIN notices n ON n.id = t.notice_id
LEFT JOIN users u ON u.active AND t.party IN ('user:' || u.id, 'responder:' || u.person_id, 'contact:' || u.person_id)
WHERE t.token_hash = %(digest)s
LIMIT 1

-- :name notices_token_lock
SELECT 1 AS found FROM notice_tokens WHERE token_hash = %(digest)s FOR UPDATE

-- :name notices_use_token
UPDATE notice_tokens SET used_at = %(now)s, action = %(action)s, answer = %(answer)s
WHERE token_hash = %(digest)s AND used_at IS NULL

-- :name notices_prune
DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE created_at < %(before)s AND state <> 'waiting' ORDER BY created_at LIMIT 5000)

-- :name notices_stir
UPDATE notices SET state = 'waiting', due_at = %(now)s, ended_at = NULL, claimed_by = NULL,
                   expires_at = greatest(expires_at, %(now)s::timestamptz + interval '1 hour')
WHERE id = %(id)s AND state IN ('failed', 'expired', 'waiting')

-- :name notices_due_channels
SELECT DISTINCT channel FROM notices WHERE lane = %(lane)s AND state = 'waiting' AND due_at <= %(now)s

-- :name calls_of_notice
SELECT id, started_at, answered_at, ended_at, outcome FROM calls WHERE notice_id = %(id)s ORDER BY started_at DESC, id DESC LIMIT 1
