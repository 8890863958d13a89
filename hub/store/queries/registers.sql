-- Registers kept by hand: who changed a record, who is there already, what hangs on an area.

-- :name register_last_change
SELECT a.name AS by, a.at, ARRAY(SELECT jsonb_array_elements_text(coalesce(a.detail -> 'fields', '[]'))) AS fields
FROM audit a
WHERE a.subject = %(subject)s AND a.action !~ '\.(read|reveal|medical)$'
ORDER BY a.id DESC LIMIT 1

-- :name register_changes
SELECT json_build_object('id', a.id, 'at', a.at, 'name', a.name, 'action', a.action, 'detail', a.detail) AS view
FROM audit a
WHERE a.subject = %(subject)s AND a.action !~ '\.(read|reveal|medical)$'
ORDER BY a.id DESC LIMIT %(limit)s

-- :name register_alike
SELECT p.n, r.id, r.name, r.born_on, r.address, r.status, 'id_number' AS why
FROM json_to_recordset(%(people)s::json) AS p (n integer, id text, id_number text, name text, born_on date)
JOIN residents r ON r.id_number = p.id_number AND r.id IS DISTINCT FROM p.id
UNION ALL
SELECT p.n, r.id, r.name, r.born_on, r.address, r.status, 'name_born'
FROM json_to_recordset(%(people)s::json) AS p (n integer, id text, id_number text, name text, born_on date)
JOIN residents r ON r.name = p.name AND r.born_on = p.born_on AND r.id IS DISTINCT FROM p.id
WHERE p.id_number IS NULL OR r.id_number IS NULL
ORDER BY 1, 2

-- :name register_shapes
SELECT t.id, t.name, t.kind, t.path, t.boundary FROM areas t
WHERE t.active AND t.boundary IS NOT NULL
ORDER BY cardinality(t.path) DESC, t.id

-- :name register_hanging_on
SELECT (SELECT count(*) FROM areas b WHERE b.parent_id = %(id)s AND b.active) AS areas,
       (SELECT count(*) FROM residents r WHERE r.area_id = %(id)s AND r.status NOT IN ('moved', 'deceased')) AS residents,
       (SELECT count(*) FROM stations s WHERE s.area_id = %(id)s) AS stations,
       (SELECT count(*) FROM area_codes c WHERE c.area_id = %(id)s AND c.revoked_at IS NULL) AS codes

-- :name register_order_contacts
UPDATE contacts c SET position = o.n, version = c.version + 1
FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS o (id, n)
WHERE c.id = o.id AND c.resident_id = %(resident_id)s AND c.position IS DISTINCT FROM o.n

-- :name register_accounts_of
SELECT username FROM users WHERE person_id = %(person_id)s AND role = 'family' AND active ORDER BY 1

-- :name register_remove_contact
DELETE FROM contacts WHERE id = %(id)s

-- :name register_area_tree
SELECT json_build_object(
    'id', t.id, 'parent_id', t.parent_id, 'kind', t.kind, 'name', t.name, 'households', t.households,
    'active', t.active, 'lat', t.lat, 'lon', t.lon, 'has_boundary', t.boundary IS NOT NULL, 'version', t.version,
    'residents', coalesce(n.residents, 0), 'officers', coalesce(o.list, '[]'), 'stations', coalesce(s.list, '[]')) AS view
FROM areas t
LEFT JOIN (SELECT area_id, count(*) AS residents FROM residents WHERE status NOT IN ('moved', 'deceased')
           GROUP BY area_id) n ON n.area_id = t.id
LEFT JOIN (SELECT u.id, json_agg(json_build_object('id', w.id, 'name', w.name, 'phone', w.phone) ORDER BY w.id) AS list
           FROM responders w, unnest(w.area_ids) AS u (id)
           WHERE w.kind = 'grid_officer' AND w.active GROUP BY u.id) o ON o.id = t.id
LEFT JOIN (SELECT area_id, json_agg(json_build_object('id', id, 'name', name, 'kind', kind) ORDER BY id) AS list
           FROM stations GROUP BY area_id) s ON s.area_id = t.id
ORDER BY t.path

-- :name register_contacts_by_station
SELECT json_build_object(
    'station', CASE WHEN s.id IS NOT NULL THEN json_build_object('id', s.id, 'name', s.name) END,
    'residents', count(DISTINCT r.id), 'without', count(DISTINCT r.id) FILTER (WHERE c.id IS NULL),
    'contacts', count(DISTINCT c.id),
    'unconfirmed', count(DISTINCT c.id) FILTER (WHERE c.confirmed_on IS NULL OR c.confirmed_on < %(before)s::date)) AS view
FROM residents r
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN stations s ON s.kind = 'care_station' AND a.path @> ARRAY[s.area_id]
LEFT JOIN contacts c ON c.resident_id = r.id
WHERE r.served AND r.status NOT IN ('moved', 'deceased')
GROUP BY s.id, s.name
ORDER BY s.name NULLS LAST, s.id
