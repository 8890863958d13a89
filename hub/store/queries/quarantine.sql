-- Uplinks kept aside until a person has settled them.

-- :name quarantine_columns
id, received_at, lane, device_id, family, topic, why, reason, payload, state, settled_at, settled_name, outcome, tries,
last_error

-- :name quarantine_get
SELECT <<quarantine_columns>> FROM quarantine WHERE id = %(id)s

-- :name quarantine_lock
SELECT <<quarantine_columns>> FROM quarantine WHERE id = %(id)s FOR UPDATE

-- :name quarantine_page
SELECT <<quarantine_columns>> FROM quarantine
WHERE id > %(after)s AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(device_id)s::text IS NULL OR device_id = %(device_id)s::text)
ORDER BY id LIMIT %(limit)s

-- :name quarantine_release_keys
DELETE FROM uplink_seen WHERE key = ANY (%(keys)b::bytea[])

-- :name quarantine_settle
UPDATE quarantine SET state = %(state)s, settled_at = %(at)s, settled_by = %(user_id)s, settled_name = %(name)s,
    outcome = %(outcome)s, last_error = NULL
WHERE id = %(id)s

-- :name quarantine_failed
UPDATE quarantine SET tries = tries + 1, last_error = %(error)s WHERE id = %(id)s AND state = 'waiting'

-- Settled ones go after a while. What nobody has looked at stays much longer: it may be somebody's alarm.
-- :name house_quarantine
DELETE FROM quarantine
WHERE settled_at < %(before)s OR received_at < %(before)s - interval '310 days'
