-- The path of uplinks: ledger, devices, residents, alarms.

-- Nearly always every key is fresh: then the number alone says so, and no key travels back. `packed` is computed when all is claimed: a
-- claim that had to wait for the transaction that packs this very key goes through, and then sees that it is packed.
-- :name ledger_take
WITH fresh AS (
    INSERT INTO uplink_seen (key, received_at, stretch)
    SELECT k.key, k.received_at, k.stretch
    FROM unnest(%(keys)b::bytea[], %(times)b::timestamptz[], %(stretches)b::integer[]) AS k (key, received_at, stretch)
    ORDER BY k.key
    ON CONFLICT DO NOTHING
    RETURNING key
)
SELECT count(*) AS n, CASE WHEN count(*) < cardinality(%(keys)b::bytea[]) THEN array_agg(key) END AS keys,
       uplink_packed_between(%(low)s::integer, %(high)s::integer) AS packed
FROM fresh

-- Ten bytes among the some thousand keys of ten seconds: that two are the same by chance will not be seen.
-- :name ledger_packed
SELECT k.key FROM unnest(%(keys)b::bytea[], %(stretches)b::integer[]) AS k (key, stretch)
WHERE EXISTS (SELECT FROM uplink_packed p
              WHERE p.stretch = k.stretch AND position(substring(k.key FROM 1 FOR 10) IN p.keys) > 0)

-- :name ledger_prune
DELETE FROM uplink_seen WHERE received_at < %(before)s

-- :name uplinks_add
INSERT INTO uplinks (received_at, lane, device_id, topic, key, outcome, reason, events, payload)
SELECT r.received_at, r.lane, r.device_id, r.topic, decode(r.key, 'base64'), r.outcome, r.reason, r.events,
       decode(r.payload, 'base64')
FROM json_to_recordset(%(rows)s::json) AS r (
    received_at timestamptz, lane text, device_id text, topic text, key text, outcome text, reason text, events smallint,
    payload text)

-- :name observations_add
INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value, state, buffered)
SELECT r.received_at, r.observed_at, r.device_id, r.resident_id, r.metric, r.value, r.state, r.buffered
FROM json_to_recordset(%(rows)s::json) AS r (
    received_at timestamptz, observed_at timestamptz, device_id text, resident_id text, metric text,
    value double precision, state text, buffered boolean)

-- :name fixes_add
INSERT INTO fixes (received_at, observed_at, device_id, resident_id, lat, lon, accuracy_m, source, buffered)
SELECT r.received_at, r.observed_at, r.device_id, r.resident_id, r.lat, r.lon, r.accuracy_m, r.source, r.buffered
FROM json_to_recordset(%(rows)s::json) AS r (
    received_at timestamptz, observed_at timestamptz, device_id text, resident_id text, lat double precision,
    lon double precision, accuracy_m real, source text, buffered boolean)

-- :name device_row
SELECT d.id, d.family, d.resident_id, d.area_id, coalesce(p.reading, '{}') || d.profile AS profile, d.adopted,
       d.revoked_at IS NOT NULL AS revoked
FROM devices d LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)

-- :name devices_get
<<device_row>>
WHERE d.id = ANY (%(ids)b::text[])

-- :name devices_adopt_unknown
INSERT INTO devices (id, family, adopted, created_at)
SELECT u.id, u.family, false, %(at)s
FROM unnest(%(ids)b::text[], %(families)b::text[]) AS u (id, family)
ORDER BY u.id
ON CONFLICT DO NOTHING

-- Nothing newer; or only what the device remembers: the hub remembers it too, and since when; or so vague that it proves
-- nothing (`EXACT_M` of hub.alarms.positions), half an hour after something better. devices d, heard h
-- :name fix_stays
(d.last_seen_at > h.at OR h.fix IS NULL OR d.last_fix IS NOT NULL AND (
    h.fix ->> 'source' = 'last_known'
    OR coalesce(nullif((h.fix ->> 'accuracy_m')::float8, 0), CASE h.fix ->> 'source' WHEN 'cell' THEN 3000 ELSE 0 END) > 500
       AND NOT coalesce(nullif((d.last_fix ->> 'accuracy_m')::float8, 0), CASE d.last_fix ->> 'source' WHEN 'cell' THEN 3000 ELSE 0 END) > 500
       AND (d.last_fix ->> 'observed_at')::timestamptz > h.at - interval '30 minutes'))

-- Locked in the order of ids, so that two workers cannot block one another. A row is written only where it tells something
-- new: a device heard again within a second is left alone.
-- :name devices_seen
WITH heard AS (
    SELECT * FROM json_to_recordset(%(rows)s::json)
        AS h (id text, at timestamptz, alive timestamptz, online boolean, battery smallint, fix jsonb, charging boolean,
              clock timestamptz, clock_at timestamptz)
), locked AS MATERIALIZED (
    SELECT d.id
    FROM devices d JOIN heard h ON h.id = d.id
    WHERE d.last_seen_at IS NULL
       OR h.alive > d.last_seen_at + interval '1 second'
       OR h.at >= d.last_seen_at
          AND (h.online IS DISTINCT FROM coalesce(d.online, NOT h.online) AND h.online IS NOT NULL
               OR h.battery IS DISTINCT FROM d.battery_pct AND h.battery IS NOT NULL
               OR h.fix IS DISTINCT FROM d.last_fix AND h.fix IS NOT NULL
               OR h.charging IS DISTINCT FROM d.charging AND h.charging IS NOT NULL)
    ORDER BY d.id
    FOR NO KEY UPDATE OF d
)
UPDATE devices d SET
    last_seen_at = greatest(d.last_seen_at, h.alive),
    online = CASE WHEN d.last_seen_at > h.at THEN d.online ELSE coalesce(h.online, d.online) END,
    battery_pct = CASE WHEN d.last_seen_at > h.at THEN d.battery_pct ELSE coalesce(h.battery, d.battery_pct) END,
    last_fix = CASE WHEN <<fix_stays>> THEN d.last_fix ELSE h.fix END,
    charging = CASE WHEN d.last_seen_at > h.at THEN d.charging ELSE coalesce(h.charging, d.charging) END,
    -- Whole seconds, at most some decades either way: clocks that were never set stand in 1970 or 2100.
    clock_skew_s = coalesce(greatest(least(extract(epoch FROM h.clock_at - h.clock), 2e9), -2e9)::integer, d.clock_skew_s),
    lat = CASE WHEN <<fix_stays>> THEN d.lat ELSE (h.fix ->> 'lat')::double precision END,
    lon = CASE WHEN <<fix_stays>> THEN d.lon ELSE (h.fix ->> 'lon')::double precision END
FROM heard h
WHERE d.id = h.id AND d.id IN (SELECT id FROM locked)

-- :name devices_add
INSERT INTO devices (id, family, name, resident_id, area_id, profile, secret_hash, adopted)
VALUES (%(id)s, %(family)s, %(name)s, %(resident_id)s, %(area_id)s, %(profile)s::jsonb, %(secret_hash)s, true)
ON CONFLICT (id) DO UPDATE SET
    family = excluded.family, name = excluded.name, resident_id = excluded.resident_id, area_id = excluded.area_id,
    profile = excluded.profile, secret_hash = excluded.secret_hash, adopted = true, version = devices.version + 1
WHERE NOT devices.adopted
RETURNING id

-- :name devices_secret
SELECT secret_hash FROM devices WHERE id = %(id)s AND revoked_at IS NULL

-- :name resident_row
SELECT r.id, r.name, r.status, r.status_since, r.born_on, r.area_id, coalesce(a.path, '{}') AS area_path,
       r.lat, r.lon, r.lives_alone, r.sex, r.never_responders, r.regular_responders, r.flags
FROM residents r LEFT JOIN areas a ON a.id = r.area_id

-- :name residents_get
<<resident_row>>
WHERE r.id = ANY (%(ids)b::text[])

-- What a batch with presses is judged by, but for what it claims and locks.
-- :name judged_by
SELECT (SELECT json_agg(d) FROM (<<device_row>> WHERE d.id = ANY (%(devices)b::text[])) d) AS devices,
       ARRAY(SELECT key FROM alarms WHERE key = ANY (%(presses)b::bytea[])) AS stored,
       (SELECT json_agg(r) FROM (<<resident_row>> WHERE r.id = ANY (%(residents)b::text[])) r) AS residents,
       (<<operators_on_duty>>) AS operators,
       (SELECT json_agg(m) FROM (<<windows_recent>>) m) AS recent,
       (<<plans_stamp>>) AS plans_stamp

-- :name residents_status
UPDATE residents SET status = %(status)s, status_reason = %(reason)s, status_since = %(since)s, status_until = %(until)s,
                     version = version + 1
WHERE id = %(id)s

-- :name alarms_add
INSERT INTO alarms (id, key, device_id, resident_id, incident_id, ref, type, class, priority, observed_at, received_at,
                    fix, battery_pct, test, buffered, note, cancels, source, attributes)
SELECT a.id, decode(a.key, 'base64'), a.device_id, a.resident_id, a.incident_id, a.ref, a.type, a.class, a.priority,
       a.observed_at, a.received_at, a.fix, a.battery_pct, a.test, a.buffered, a.note, a.cancels, a.source, a.attributes
FROM json_to_recordset(%(rows)s::json) AS a (
    id uuid, key text, device_id text, resident_id text, incident_id uuid, ref text, type text, class text,
    priority text, observed_at timestamptz, received_at timestamptz, fix jsonb, battery_pct smallint, test boolean,
    buffered boolean, note text, cancels text, source text, attributes jsonb)

-- :name alarms_count_repeat
WITH repeated AS MATERIALIZED (
    SELECT id FROM alarms WHERE key = ANY (%(keys)b::bytea[]) ORDER BY key FOR NO KEY UPDATE
), counted AS (
    UPDATE alarms a SET repeats = a.repeats + 1 WHERE a.id IN (SELECT id FROM repeated)
    RETURNING a.key, a.ref, a.incident_id
)
SELECT c.key, c.ref, i.state FROM counted c LEFT JOIN incidents i ON i.id = c.incident_id

-- :name alarms_incident_of_ref
SELECT incident_id FROM alarms
WHERE device_id = %(device_id)s AND ref = %(ref)s AND incident_id IS NOT NULL
ORDER BY received_at DESC, id DESC LIMIT 1

-- :name alarms_refs_of
SELECT DISTINCT ON (a.device_id, a.ref) a.device_id, d.family, a.ref, a.type
FROM alarms a JOIN devices d ON d.id = a.device_id
WHERE a.incident_id = %(incident_id)s
ORDER BY a.device_id, a.ref, a.received_at
