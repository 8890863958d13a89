-- Makers' clouds, and devices that are watched while they are brought in.

-- :name integrations_active
SELECT name, family, scheme, secret, secret_digest, devices, rate_per_s, created_at, created_by, revoked_at, last_used_at,
       last_refused_at, last_refusal, cipher_key
FROM integrations WHERE family = %(family)s AND revoked_at IS NULL ORDER BY name

-- :name integrations_all
SELECT name, family, scheme, devices, rate_per_s, created_at, created_by, revoked_at, last_used_at, last_refused_at,
       last_refusal
FROM integrations ORDER BY name

-- :name integrations_add
INSERT INTO integrations (name, family, scheme, secret, secret_digest, devices, rate_per_s, created_at, created_by,
                          cipher_key)
VALUES (%(name)s, %(family)s, %(scheme)s, %(secret)s, %(secret_digest)s, %(devices)s, %(rate_per_s)s, %(created_at)s,
        %(created_by)s, %(cipher_key)s)
ON CONFLICT DO NOTHING
RETURNING name

-- :name integrations_revoke
UPDATE integrations SET revoked_at = coalesce(revoked_at, %(at)s) WHERE name = %(name)s

-- :name integrations_used
UPDATE integrations SET last_used_at = %(at)s WHERE name = %(name)s AND (last_used_at IS NULL OR last_used_at < %(at)s)

-- :name integrations_refused
UPDATE integrations SET last_refused_at = %(at)s, last_refusal = %(reason)s
WHERE family = %(family)s AND revoked_at IS NULL

-- :name intake_seen_get
SELECT body FROM intake_seen WHERE integration = %(integration)s AND key = %(key)s

-- :name intake_seen_add
INSERT INTO intake_seen (integration, key, body, until) VALUES (%(integration)s, %(key)s, %(body)s, %(until)s)
ON CONFLICT DO NOTHING

-- :name watches_set
INSERT INTO raw_watches (device_id, since, until, asked_by) VALUES (%(device_id)s, %(since)s, %(until)s, %(asked_by)s)
ON CONFLICT (device_id) DO UPDATE SET until = excluded.until, asked_by = excluded.asked_by

-- :name watches_end
DELETE FROM raw_watches WHERE device_id = %(device_id)s

-- :name watches_active
SELECT device_id, since, until, asked_by FROM raw_watches WHERE until > %(now)s ORDER BY device_id

-- :name watched_add
INSERT INTO watched_uplinks (received_at, device_id, family, lane, topic, outcome, reason, payload)
VALUES (%(received_at)s, %(device_id)s, %(family)s, %(lane)s, %(topic)s, %(outcome)s, %(reason)s, %(payload)s)

-- What was kept anyway (alarms, rejected, unsupported, quarantined) and what was kept by a watch; a message that is in both
-- comes once. An empty device id: messages that named no device.
-- :name onboarding_uplinks
SELECT received_at, lane, topic, outcome, reason, payload, family FROM (
    SELECT w.received_at, w.lane, w.topic, w.outcome, w.reason, w.payload, w.family
    FROM watched_uplinks w WHERE w.device_id = %(device_id)s
    UNION ALL
    SELECT u.received_at, u.lane, u.topic, u.outcome, u.reason, u.payload, NULL
    FROM uplinks_all u
    WHERE u.device_id = %(device_id)s AND u.payload IS NOT NULL AND u.received_at >= %(since)s
      AND NOT EXISTS (SELECT 1 FROM watched_uplinks w WHERE w.device_id = u.device_id AND w.received_at = u.received_at
                      AND w.payload = u.payload)
) AS heard
WHERE received_at >= %(since)s
ORDER BY received_at DESC
LIMIT %(limit)s

-- Devices that report without having been added, and those that are watched, the latest heard first.
-- :name onboarding_devices
SELECT coalesce(d.id, w.device_id) AS id, d.family, d.name, coalesce(d.adopted, false) AS adopted, d.last_seen_at,
       d.created_at, d.battery_pct, w.until AS watched_until, d.revoked_at IS NOT NULL AS revoked,
       (SELECT count(*) FROM (SELECT FROM quarantine q WHERE q.device_id = coalesce(d.id, w.device_id)
                              AND q.state = 'waiting' LIMIT 1000) waiting) AS kept_aside
FROM devices d FULL JOIN (SELECT * FROM raw_watches WHERE until > %(now)s) w ON w.device_id = d.id
WHERE (d.id IS NOT NULL AND NOT d.adopted) OR w.device_id IS NOT NULL
ORDER BY coalesce(d.last_seen_at, d.created_at) DESC NULLS LAST, 1
LIMIT %(limit)s

-- :name onboarding_device
SELECT d.id, d.family, d.name, d.adopted, d.profile, d.last_seen_at, d.created_at, d.battery_pct, d.online,
       d.revoked_at IS NOT NULL AS revoked
FROM devices d WHERE d.id = %(id)s

-- :name house_intake_seen
DELETE FROM intake_seen WHERE until < %(before)s

-- :name house_raw_watches
DELETE FROM raw_watches WHERE until < %(before)s

-- :name house_watched_uplinks
DELETE FROM watched_uplinks WHERE received_at < %(before)s
