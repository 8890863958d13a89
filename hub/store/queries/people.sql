-- Accounts, sessions, idempotency keys, audit.

-- :name users_by_name
SELECT id, username, name, role, person_id, password_hash, language, theme, active, version, phone,
       provider_id
FROM users WHERE username = %(username)s

-- :name users_get
SELECT id, username, name, role, person_id, password_hash, language, theme, active, version, phone,
       provider_id
FROM users WHERE id = %(id)s

-- :name users_insert
INSERT INTO users (id, username, name, role, person_id, password_hash, language, theme, active, version, phone,
                   provider_id)
VALUES (%(id)s, %(username)s, %(name)s, %(role)s, %(person_id)s, %(password_hash)s, %(language)s, %(theme)s, %(active)s,
        %(version)s, %(phone)s, %(provider_id)s)
ON CONFLICT (username) DO NOTHING
RETURNING id

-- :name users_save
UPDATE users SET
    username = %(username)s, name = %(name)s, role = %(role)s, person_id = %(person_id)s,
    password_hash = %(password_hash)s, language = %(language)s, theme = %(theme)s, active = %(active)s,
    version = %(version)s, phone = %(phone)s, provider_id = %(provider_id)s
WHERE id = %(id)s

-- :name sign_in_attempt
INSERT INTO sign_in_attempts (at, username, address, ok) VALUES (%(at)s, %(username)s, %(address)s, %(ok)s)

-- :name sign_in_failures
WITH start AS (
    SELECT greatest(%(since)s::timestamptz, max(at)) AS at FROM sign_in_attempts WHERE username = %(username)s AND ok
)
SELECT
    (SELECT count(*) FROM sign_in_attempts a WHERE a.username = %(username)s AND NOT a.ok AND a.at > s.at) AS of_name,
    (SELECT count(*) FROM sign_in_attempts a WHERE a.address = %(address)s AND NOT a.ok AND a.at > s.at) AS from_address
FROM start s

-- :name sessions_open
INSERT INTO sessions (token_hash, user_id, kind, on_duty, created_at, last_seen_at, expires_at, address, agent, issued_by,
                      id)
VALUES (%(token_hash)s, %(user_id)s, %(kind)s, %(on_duty)s, %(created_at)s, %(last_seen_at)s, %(expires_at)s,
        %(address)s, %(agent)s, %(issued_by)s, %(id)s)

-- :name sessions_get
SELECT s.token_hash, s.user_id, s.kind, s.on_duty, s.created_at, s.last_seen_at, s.expires_at, s.address, s.agent,
       s.issued_by, s.id::text AS id, u.username, u.name, u.role, u.person_id, u.password_hash, u.language, u.theme, u.active, u.version, u.phone,
       u.provider_id
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND u.active

-- :name sessions_touch
UPDATE sessions SET last_seen_at = greatest(last_seen_at, %(at)s), expires_at = %(expires_at)s
WHERE token_hash = %(token_hash)s

-- :name sessions_close
DELETE FROM sessions WHERE token_hash = %(token_hash)s

-- :name sessions_close_of
DELETE FROM sessions WHERE user_id = %(user_id)s AND token_hash IS DISTINCT FROM %(keep)s::bytea

-- :name tokens_page
SELECT s.id::text AS id, s.created_at, json_build_object(
    'id', s.id, 'label', coalesce(s.agent, ''),
    'account', json_build_object('id', u.id, 'username', u.username, 'name', u.name, 'active', u.active),
    'scope', json_build_object('role', u.role, 'provider', (SELECT json_build_object('id', p.id, 'name', p.name)
                                                            FROM providers p WHERE p.id = u.provider_id)),
    'issued_at', s.created_at, 'issued_by', s.issued_by, 'issued_from', s.address,
    'last_used_at', CASE WHEN s.last_seen_at > s.created_at THEN s.last_seen_at END, 'expires_at', s.expires_at) AS view
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.kind = 'token' AND s.expires_at > %(now)s
  AND (%(user_id)s::uuid IS NULL OR s.user_id = %(user_id)s::uuid)
  AND (%(role)s::text IS NULL OR u.role = %(role)s)
  AND (s.created_at, s.id) < (%(before)s, %(before_id)s::uuid)
ORDER BY s.created_at DESC, s.id DESC
LIMIT %(limit)s

-- :name tokens_end
DELETE FROM sessions WHERE id = %(id)s::uuid AND kind = 'token' AND expires_at > %(now)s
RETURNING token_hash, user_id::text AS user_id, coalesce(agent, '') AS label

-- :name sessions_on_duty
UPDATE sessions SET on_duty = %(on_duty)s WHERE token_hash = %(token_hash)s

-- :name operators_on_duty
SELECT count(DISTINCT s.user_id) AS n
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.kind = 'console' AND s.on_duty AND u.active AND u.role IN ('operator', 'supervisor', 'admin')
  AND s.expires_at > %(now)s AND s.last_seen_at > %(seen_since)s

-- A claim whose first request never ended (the hub was killed in it) is free again after a while.
-- :name idempotency_claim
INSERT INTO idempotency AS i (user_id, key, request, at)
VALUES (%(user_id)s, %(key)s, %(request)s, %(now)s)
ON CONFLICT (user_id, key) DO UPDATE SET request = excluded.request, at = excluded.at, status = NULL, answer = NULL
WHERE i.at < %(expired)s OR i.status IS NULL AND i.at < %(abandoned)s
RETURNING key

-- :name idempotency_get
SELECT request, status, answer FROM idempotency WHERE user_id = %(user_id)s AND key = %(key)s

-- :name idempotency_remember
UPDATE idempotency SET status = %(status)s, answer = %(answer)s::jsonb WHERE user_id = %(user_id)s AND key = %(key)s

-- :name idempotency_forget
DELETE FROM idempotency WHERE user_id = %(user_id)s AND key = %(key)s AND status IS NULL

-- :name audit_add
INSERT INTO audit (at, user_id, name, action, subject, detail, address)
VALUES (%(at)s, %(user_id)s, %(name)s, %(action)s, %(subject)s, %(detail)s::jsonb, %(address)s)

-- :name crews_leave
DELETE FROM crew_members WHERE crew_id = %(crew_id)s AND responder_id <> ALL (%(members)s::text[])

-- :name crews_join
INSERT INTO crew_members (crew_id, responder_id)
SELECT %(crew_id)s, m.id FROM unnest(%(members)s::text[]) AS m (id)
ON CONFLICT DO NOTHING
