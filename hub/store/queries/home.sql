-- What residents allow, photos, codes of areas, and what a family may be shown.

-- :name consents_of
SELECT purpose, granted_at, granted_by, note FROM consents
WHERE resident_id = %(resident_id)s AND revoked_at IS NULL ORDER BY purpose

-- :name consents_allowing
SELECT resident_id AS id FROM consents
WHERE resident_id = ANY (%(ids)s::text[]) AND purpose = %(purpose)s AND revoked_at IS NULL

-- :name consent_grant
INSERT INTO consents (resident_id, purpose, granted_at, granted_by, granted_user, note)
VALUES (%(resident_id)s, %(purpose)s, %(at)s, %(by)s, %(user_id)s::uuid, %(note)s)
ON CONFLICT (resident_id, purpose) WHERE revoked_at IS NULL DO NOTHING

-- :name consent_revoke
UPDATE consents SET revoked_at = %(at)s, revoked_by = %(by)s, revoked_user = %(user_id)s::uuid
WHERE resident_id = %(resident_id)s AND purpose = %(purpose)s AND revoked_at IS NULL

-- :name sign_of_life
SELECT max(last_seen_at) AS seen_at FROM devices WHERE resident_id = %(resident_id)s AND revoked_at IS NULL

-- :name latest_values
SELECT DISTINCT ON (metric) metric, value, state, observed_at FROM observations
WHERE resident_id = %(resident_id)s AND received_at >= %(since)s
ORDER BY metric, observed_at DESC

-- :name photo_add
INSERT INTO photos (id, assignment_id, sha256, content, taken_at, received_at, taken_by)
VALUES (%(id)s, %(assignment_id)s, %(sha256)s, %(content)s, %(taken_at)s, %(received_at)s, %(taken_by)s)
ON CONFLICT (assignment_id, sha256) DO NOTHING

-- :name photos_of
SELECT id::text, encode(sha256, 'hex') AS sha256, length(content) AS size, taken_at, received_at, taken_by FROM photos
WHERE assignment_id = %(assignment_id)s ORDER BY taken_at, id

-- :name photo_content
SELECT assignment_id::text, content FROM photos WHERE id = %(id)s::uuid AND assignment_id IS NOT NULL

-- :name photo_add_matter
INSERT INTO photos (id, incident_id, sha256, content, taken_at, received_at, taken_by)
VALUES (%(id)s, %(incident_id)s, %(sha256)s, %(content)s, %(taken_at)s, %(received_at)s, %(taken_by)s)
ON CONFLICT DO NOTHING

-- :name photo_of_matter
SELECT content FROM photos WHERE id = %(id)s::uuid AND incident_id = %(incident_id)s::uuid

-- :name house_photos
DELETE FROM photos WHERE received_at < %(before)s

-- :name area_code_withdraw
UPDATE area_codes SET revoked_at = %(at)s WHERE area_id = %(area_id)s AND revoked_at IS NULL

-- :name area_code_add
INSERT INTO area_codes (code_hash, area_id, created_by, created_at)
VALUES (%(code_hash)s, %(area_id)s, %(user_id)s::uuid, %(at)s)

-- :name area_code_of
SELECT created_at FROM area_codes WHERE area_id = %(area_id)s AND revoked_at IS NULL

-- :name area_of_code
SELECT area_id FROM area_codes WHERE code_hash = %(code_hash)s AND revoked_at IS NULL

-- :name matter_of_key
SELECT a.id::text AS alarm_id, a.incident_id::text AS incident_id FROM alarms a WHERE a.key = %(key)s

-- :name caller_of
SELECT attributes ->> 'caller' AS caller FROM alarms WHERE id = %(id)s::uuid

-- :name area_codes_all
SELECT c.area_id, c.created_at AS since, u.name AS by FROM area_codes c LEFT JOIN users u ON u.id = c.created_by
WHERE c.revoked_at IS NULL ORDER BY c.area_id

-- :name consent_page
SELECT r.id, json_build_object(
    'resident', json_build_object('id', r.id, 'name', r.name, 'status', r.status,
        'area', CASE WHEN a.id IS NULL THEN NULL ELSE json_build_object('id', a.id, 'name', a.name, 'kind', a.kind) END),
    'items', coalesce((SELECT json_agg(json_build_object('purpose', c.purpose, 'since', c.granted_at, 'by', c.granted_by,
        'note', c.note) ORDER BY c.purpose) FROM consents c WHERE c.resident_id = r.id AND c.revoked_at IS NULL), '[]')) AS view
FROM residents r LEFT JOIN areas a ON a.id = r.area_id
WHERE r.status NOT IN ('moved', 'deceased') AND (%(after)s::text IS NULL OR r.id > %(after)s::text)
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])
  AND (%(given)s::boolean IS NULL OR %(given)s::boolean = EXISTS (SELECT FROM consents g WHERE g.resident_id = r.id
       AND g.revoked_at IS NULL AND (%(purpose)s::text IS NULL OR g.purpose = %(purpose)s::text)))
  AND (%(q)s::text IS NULL OR r.id = %(q)s::text OR strpos(r.name, %(q)s::text) > 0)
ORDER BY r.id LIMIT %(limit)s

-- :name consent_counts
SELECT count(*) AS residents,
    count(*) FILTER (WHERE 'status' = ANY (c.purposes)) AS status,
    count(*) FILTER (WHERE 'health' = ANY (c.purposes)) AS health,
    count(*) FILTER (WHERE 'photos' = ANY (c.purposes)) AS photos
FROM residents r
LEFT JOIN (SELECT resident_id, array_agg(purpose) AS purposes FROM consents WHERE revoked_at IS NULL GROUP BY 1) c
    ON c.resident_id = r.id
WHERE r.status NOT IN ('moved', 'deceased')
