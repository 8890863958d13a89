-- What is kept in memory for the time when the database is away.

-- :name remember_residents
SELECT id, name, phone, address, area_id FROM residents WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- :name remember_wearers
SELECT id, resident_id FROM devices WHERE resident_id IS NOT NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s
