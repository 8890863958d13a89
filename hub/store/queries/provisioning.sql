-- Credentials of devices, and words that bind a device to a resident.

-- :name credential_set
UPDATE devices SET secret_hash = %(secret_hash)s, broker_hash = %(broker_hash)s, version = version + 1 WHERE id = %(id)s

-- :name credentials_of
SELECT id AS device_id, family, broker_hash, adopted, revoked_at IS NOT NULL AS revoked
FROM devices
WHERE (%(id)s::text IS NULL OR id = %(id)s::text) AND (broker_hash IS NOT NULL OR %(all)s)

-- :name credential_revoke
UPDATE devices SET revoked_at = %(at)s, online = false, version = version + 1 WHERE id = %(id)s AND revoked_at IS NULL

-- :name credential_restore
UPDATE devices SET revoked_at = NULL, version = version + 1 WHERE id = %(id)s

-- :name credential_notify
SELECT pg_notify('care_hub_broker', '')

-- :name claim_withdraw
DELETE FROM device_claims WHERE device_id = %(device_id)s AND used_at IS NULL

-- :name claim_add
INSERT INTO device_claims (token_hash, device_id, created_by, created_at, expires_at)
VALUES (%(token_hash)s, %(device_id)s, %(user_id)s, %(at)s, %(expires_at)s)

-- :name claim_lock
SELECT device_id, expires_at, used_at, resident_id FROM device_claims WHERE token_hash = %(token_hash)s FOR UPDATE

-- :name claim_use
UPDATE device_claims SET used_at = %(at)s, used_by = %(user_id)s, resident_id = %(resident_id)s
WHERE token_hash = %(token_hash)s

-- :name claim_bind
UPDATE devices d SET resident_id = %(resident_id)s, area_id = NULL, installed_at = %(at)s, adopted = true,
                     version = d.version + 1
FROM device_claims c WHERE c.token_hash = %(token_hash)s AND d.id = c.device_id
