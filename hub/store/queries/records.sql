-- Registers as pages see them. Every block ends where conditions on `t` can follow.

-- :name view_areas
SELECT t.id, t.parent_id, t.kind, t.name, t.households, t.lat, t.lon, t.boundary, t.active, <<own_path_json>> AS path,
       t.version
FROM areas t

-- areas t
-- :name own_path_json
coalesce((SELECT json_agg(json_build_object('id', q.id, 'name', q.name, 'kind', q.kind) ORDER BY u.n)
          FROM unnest(t.path) WITH ORDINALITY u (id, n) JOIN areas q ON q.id = u.id), '[]')

-- :name view_stations
SELECT t.id, t.kind, t.name, t.area_id, t.address, t.phone, t.lat, t.lon, t.provider_id, t.version FROM stations t

-- :name view_providers
SELECT t.id, t.name, t.kind, t.phone, t.contact, t.kinds, t.area_ids, t.active, t.version FROM providers t

-- :name view_tariffs
SELECT t.id, t.kind, t.provider_id, t.unit, t.price_fen, t.cap_fen, t.from_on, t.to_on, t.area_ids, t.note, t.version
FROM tariffs t

-- :name view_entitlements
SELECT t.id, t.resident_id, (SELECT r.name FROM residents r WHERE r.id = t.resident_id) AS resident, t.payer, t.kinds,
       t.unit, t.quota, t.copay_percent, t.priority, t.from_on, t.to_on, t.note, t.version
FROM entitlements t

-- :name view_residents
SELECT t.id, t.name, t.sex, t.born_on, date_part('year', age(t.born_on))::integer AS age, t.phone, t.address, t.area_id,
       CASE WHEN a.id IS NOT NULL THEN json_build_object(
           'id', a.id, 'name', a.name, 'kind', a.kind, 'path', <<area_path_json>>) END AS area,
       t.lat, t.lon, t.lives_alone, t.status, t.status_since, t.status_until, t.status_reason, t.served, t.id_number,
       t.ability_level, t.conditions, t.medications, t.allergies, t.diets, t.languages, t.hearing, t.flags, t.access, t.never_responders, t.regular_responders,
       t.notes, t.version
FROM residents t LEFT JOIN areas a ON a.id = t.area_id

-- :name view_meal_dishes
SELECT t.id, t.station_id, t.name, t.name_en, t.allergens, t.diets, t.price_fen, t.active, t.version FROM meal_dishes t

-- :name view_contacts
SELECT t.id, t.resident_id, t.name, t.relation, t.phone, t.other_phones, t.kind, t.has_key, t.position, t.responder_id,
       t.hours, t.languages, t.consented_on, t.confirmed_on, t.version,
       (SELECT json_build_object('id', r.id, 'name', r.name, 'address', r.address) FROM residents r
        WHERE r.id = t.resident_id) AS resident
FROM contacts t

-- :name view_responders
SELECT t.id, t.name, t.kind, t.phone, t.sex, t.skills, t.languages,
       coalesce((SELECT json_agg(json_build_object('id', q.id, 'name', q.name, 'kind', q.kind) ORDER BY u.n)
                 FROM unnest(t.area_ids) WITH ORDINALITY u (id, n) JOIN areas q ON q.id = u.id), '[]') AS areas,
       t.area_ids, t.station_id, t.provider_id, provider_of_responder(t.id) AS belongs_to, t.lat, t.lon, t.position_at, t.position_accuracy_m, t.on_duty, coalesce(w.busy, false) AS busy,
       coalesce(w.live, 0) AS live, t.mode, t.active, t.version
FROM responders t LEFT JOIN LATERAL (
    SELECT bool_or(s.state IN ('en_route', 'on_scene')) AS busy, count(*) AS live
    FROM assignments s
    WHERE s.responder_id = t.id AND s.state IN ('offered', 'accepted', 'en_route', 'on_scene')
) w ON true

-- :name view_crews
SELECT t.id, t.name, t.vehicle, t.equipment, t.days, to_char(t.begins, 'HH24:MI') AS begins,
       to_char(t.ends, 'HH24:MI') AS ends, t.active,
       ARRAY(SELECT m.responder_id FROM crew_members m WHERE m.crew_id = t.id ORDER BY 1) AS members,
       coalesce((SELECT json_agg(json_build_object('id', w.id, 'name', w.name, 'kind', w.kind, 'skills', w.skills,
                                                   'active', w.active) ORDER BY w.id)
                 FROM crew_members m JOIN responders w ON w.id = m.responder_id WHERE m.crew_id = t.id), '[]') AS people,
       t.version
FROM crews t

-- :name view_shifts
SELECT t.id, t.responder_id, t.starts_at, t.ends_at, t.role, t.area_id, t.rotation_id, t.changed, t.note, t.version
FROM shifts t

-- Where somebody is stands in no list: of a resident's device only how sure and how old its position is.
-- :name view_devices
SELECT t.id, t.family, t.name, t.model,
       CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END AS resident, t.area_id, t.online,
       t.last_seen_at, t.battery_pct, coalesce(t.interval_s, p.interval_s, 300) AS interval_s,
       coalesce(t.profile_id, t.family) AS profile_id, t.profile, t.upstream, t.adopted,
       CASE WHEN t.resident_id IS NULL THEN t.last_fix ELSE t.last_fix - 'lat' - 'lon' END AS last_fix,
       t.revoked_at, t.charging, t.clock_skew_s, w.silent_since, w.reason AS silence, w.incident_id AS silence_incident_id,
       CASE WHEN x.device_id IS NOT NULL THEN json_build_object(
           'kind', x.kind, 'addresses', x.addresses, 'first_at', x.first_at, 'last_at', x.last_at, 'times', x.times)
       END AS conflict, t.version
FROM devices t LEFT JOIN residents r ON r.id = t.resident_id
LEFT JOIN device_profiles p ON p.id = coalesce(t.profile_id, t.family)
LEFT JOIN device_watch w ON w.device_id = t.id
LEFT JOIN device_conflicts x ON x.device_id = t.id AND x.last_at > now() - interval '1 day'

-- :name positions_of_resident
SELECT d.id, d.name, d.family, d.last_fix FROM devices d
WHERE d.resident_id = %(resident_id)s AND d.adopted AND d.revoked_at IS NULL AND d.last_fix IS NOT NULL
ORDER BY d.last_fix ->> 'observed_at' NULLS FIRST, d.id

-- :name view_device_profiles
SELECT t.id, t.family, t.zh, t.en, t.model, t.interval_s, t.silence, t.reading, t.setup, t.note, t.built_in, t.edited,
       (SELECT count(*) FROM devices d WHERE d.profile_id = t.id OR d.profile_id IS NULL AND d.family = t.id) AS devices,
       t.version
FROM device_profiles t

-- :name view_service_kinds
SELECT t.id, t.zh, t.en, t.skills, t.any_skills, t.duration_min, t.carers, t.priority, t.personal, t.attributes, t.active,
       t.price_fen, t.price_per, t.fields, t.version
FROM service_kinds t

-- :name view_programmes
SELECT t.id, t.zh, t.en, t.kind, t.groups, t.area_ids, t.per_month, t.makes, to_char(t.begins, 'HH24:MI') AS begins,
       to_char(t.ends, 'HH24:MI') AS ends, t.active, t.made_until, t.version
FROM programmes t

-- :name view_calls
SELECT t.id, t.direction, t.number, t.incident_id, t.resident_id, t.party, t.placed_by, t.started_at, t.answered_at,
       t.ended_at, t.outcome, t.note, t.version,
       (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.answered_by) AS answered_by
FROM calls t

-- :name view_users
SELECT t.id, t.username, t.name, t.role, t.person_id, t.language, t.theme, t.active, t.provider_id, t.created_at, t.version, t.phone
FROM users t

-- :name view_alarms
SELECT t.id, t.ref, t.device_id, t.type, t.class, t.priority, t.observed_at, t.received_at, t.fix, t.battery_pct, t.test,
       t.buffered, t.resident_id, t.incident_id, t.attributes, t.note, t.cancels, t.source, t.repeats
FROM alarms t
