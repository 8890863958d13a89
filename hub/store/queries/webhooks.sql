-- Other people's systems that want to know, and browsers that take pushes.

-- :name webhook_row
w.id, w.name, w.url, w.events, w.secret, w.old_secret, w.old_until, w.after_seq, w.revoked_at, w.version

-- :name webhooks_all
SELECT <<webhook_row>> FROM webhooks w WHERE w.revoked_at IS NULL ORDER BY w.id

-- :name webhooks_locked
SELECT <<webhook_row>> FROM webhooks w WHERE w.revoked_at IS NULL ORDER BY w.id FOR UPDATE SKIP LOCKED

-- :name webhooks_get
SELECT <<webhook_row>> FROM webhooks w WHERE w.id = %(id)s

-- :name webhooks_add
INSERT INTO webhooks (id, name, url, events, secret, after_seq, created_at, created_by)
VALUES (%(id)s, %(name)s, %(url)s, %(events)s::text[], %(secret)s, %(after_seq)s, %(now)s, %(created_by)s)

-- :name webhooks_change
UPDATE webhooks SET name = coalesce(%(name)s, name), url = coalesce(%(url)s, url),
                    events = coalesce(%(events)s::text[], events), version = version + 1
WHERE id = %(id)s AND revoked_at IS NULL

-- :name webhooks_rotate
UPDATE webhooks SET old_secret = secret, old_until = %(old_until)s, secret = %(secret)s, version = version + 1
WHERE id = %(id)s AND revoked_at IS NULL

-- :name webhooks_revoke
UPDATE webhooks SET revoked_at = %(now)s, old_secret = NULL, old_until = NULL, version = version + 1
WHERE id = %(id)s AND revoked_at IS NULL

-- :name webhooks_drop_waiting
UPDATE notices SET state = 'withdrawn', ended_at = %(now)s, reason = 'the webhook was revoked'
WHERE party = %(party)s AND state = 'waiting'

-- :name webhooks_move
UPDATE webhooks SET after_seq = %(seq)s WHERE id = %(id)s

-- :name timeline_last
SELECT seq FROM timeline_counter

-- :name timeline_after
SELECT seq, at, subject_kind, subject_id, kind, actor_kind, actor_name, body FROM timeline
WHERE seq > %(seq)s ORDER BY seq LIMIT %(limit)s

-- :name push_subscribe
INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth, created_at)
VALUES (%(id)s, %(user_id)s, %(endpoint)s, %(p256dh)s, %(auth)s, %(now)s)
ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,
                                     gone_at = NULL, created_at = excluded.created_at

-- :name push_unsubscribe
DELETE FROM push_subscriptions WHERE endpoint = %(endpoint)s AND user_id = %(user_id)s

-- :name push_gone
UPDATE push_subscriptions SET gone_at = %(now)s WHERE id = ANY (%(ids)s::uuid[])

-- :name view_notices
SELECT t.id, t.lane, t.channel, t.party, t.template, t.until, t.state, t.created_at, t.due_at, t.expires_at, t.attempts,
       t.sent_at, t.ended_at, t.outcome, t.reason, t.incident_id, t.assignment_id, t.before_id, t.next_channels,
       (SELECT i.number FROM incidents i WHERE i.id = t.incident_id) AS incident_number,
       CASE split_part(t.party, ':', 1)
            WHEN 'responder' THEN (SELECT r.name FROM responders r WHERE r.id = substr(t.party, 11))
            WHEN 'contact' THEN (SELECT c.name FROM contacts c WHERE c.id = substr(t.party, 9))
            WHEN 'resident' THEN (SELECT r.name FROM residents r WHERE r.id = substr(t.party, 10))
            WHEN 'user' THEN (SELECT u.name FROM users u WHERE u.id::text = substr(t.party, 6))
            WHEN 'webhook' THEN (SELECT w.name FROM webhooks w WHERE w.id::text = substr(t.party, 9))
            WHEN 'number' THEN regexp_replace(substr(t.party, 8), '^(.{3}).*(.{4})$', '\1****\2')
            WHEN 'mail' THEN regexp_replace(substr(t.party, 6), '^(.).*@', '\1***@')
            ELSE substr(t.party, 7) END AS name,
       CASE WHEN t.template = 'event' THEN t.params->>'event' END AS event
FROM notices t

-- :name notices_page
SELECT x.created_at, x.id, row_to_json(x) AS view FROM (
    <<view_notices>>
    WHERE (t.created_at, t.id) < (%(created_at)s::timestamptz, %(id)s::uuid)
      AND (%(incident)s::uuid IS NULL OR t.incident_id = %(incident)s)
      AND (%(state)s::text IS NULL OR t.state = %(state)s)
      AND (%(channel)s::text IS NULL OR t.channel = %(channel)s)
      AND (%(lane)s::text IS NULL OR t.lane = %(lane)s)
      AND (%(party)s::text IS NULL OR t.party = %(party)s)
      AND (%(party)s::text IS NOT NULL OR t.channel <> 'webhook' OR %(channel)s::text = 'webhook')
    ORDER BY t.created_at DESC, t.id DESC LIMIT %(limit)s) x

-- :name notices_one
SELECT row_to_json(x) AS view FROM (
    SELECT v.*, (SELECT coalesce(json_agg(json_build_object('number', s.number, 'at', s.at, 'ended_at', s.ended_at,
                        'result', s.result, 'reason', s.reason) ORDER BY s.number), '[]')
                 FROM notice_tries s WHERE s.notice_id = v.id) AS tries
    FROM (<<view_notices>> WHERE t.id = %(id)s::uuid) v) x

-- :name webhook_views
SELECT row_to_json(x) AS view FROM (
    SELECT w.id, w.name, w.url, w.events, w.created_at, w.revoked_at, w.version,
           CASE WHEN w.old_until > %(now)s THEN w.old_until END AS old_secret_until,
           d.last_sent_at, d.last_error, coalesce(d.waiting, 0) AS waiting, coalesce(d.failed, 0) AS failed
    FROM webhooks w LEFT JOIN LATERAL (
        SELECT max(n.sent_at) AS last_sent_at, count(*) FILTER (WHERE n.state = 'waiting') AS waiting,
               count(*) FILTER (WHERE n.state IN ('failed', 'expired')) AS failed,
               (array_agg(n.reason ORDER BY n.created_at DESC) FILTER (WHERE n.reason IS NOT NULL))[1] AS last_error
        FROM notices n WHERE n.party = 'webhook:' || w.id AND n.created_at > %(now)s::timestamptz - interval '7 days') d ON true
    WHERE (%(id)s::uuid IS NULL OR w.id = %(id)s)
    ORDER BY w.created_at DESC, w.id DESC) x

-- :name notice_counts
SELECT row_to_json(x) AS view FROM (
    SELECT n.lane, n.channel,
           count(*) FILTER (WHERE n.state = 'waiting') AS waiting,
           coalesce(extract(epoch FROM %(now)s - min(n.due_at) FILTER (WHERE n.state = 'waiting' AND n.due_at <= %(now)s)), 0)
               AS oldest_due_s,
           count(*) FILTER (WHERE n.state = 'sent' AND n.sent_at > %(now)s - interval '1 hour') AS sent_hour,
           count(*) FILTER (WHERE n.state IN ('failed', 'expired') AND n.ended_at > %(now)s - interval '1 hour') AS failed_hour,
           max(n.sent_at) AS last_sent_at,
           (array_agg(n.reason ORDER BY n.ended_at DESC) FILTER (WHERE n.state = 'failed'))[1] AS last_error
    FROM notices n WHERE n.created_at > %(now)s - interval '7 days'
    GROUP BY n.lane, n.channel ORDER BY n.lane, n.channel) x
