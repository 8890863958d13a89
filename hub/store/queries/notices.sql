-- What people must be told, and the tries to tell them.

-- :name notice_row
n.id, n.lane, n.channel, n.party, n.template, n.until, n.created_at, n.due_at, n.expires_at, n.params, n.incident_id,
n.assignment_id, n.next_channels, n.before_id, n.key, n.late_at, n.state, n.attempts, n.outcome, n.reason, n.provider_ref

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
WHERE n.incident_id = %(incident_id)s AND n.state = 'waiting' AND n.until = ANY (%(until)s::text[])
  AND (n.assignment_id IS NULL OR n.assignment_id <> ALL (%(keep)s::uuid[]))
RETURNING <<notice_row>>

-- :name notices_of_incident
SELECT <<notice_row>> FROM notices n WHERE n.incident_id = %(incident_id)s ORDER BY n.created_at, n.id
