-- What is kept in memory for the time when the database is away.

-- :name remember_residents
SELECT id, name, phone, address, area_id FROM residents WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- :name remember_devices
SELECT d.id, d.family, d.resident_id, d.area_id, coalesce(p.reading, '{}') || d.profile AS profile, d.adopted,
       d.revoked_at IS NOT NULL AS revoked
FROM devices d LEFT JOIN device_profiles p ON p.id = coalesce(d.profile_id, d.family)
WHERE d.id > %(after)s ORDER BY d.id LIMIT %(limit)s
