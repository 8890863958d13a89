-- The rota: shifts and overrides of a span, rotations, swaps, holidays.

-- :name rota_shifts
SELECT s.id, s.responder_id, coalesce(s.role, r.kind) AS role, s.starts_at, s.ends_at, s.rotation_id,
       CASE WHEN s.area_id IS NULL THEN r.area_ids ELSE ARRAY[s.area_id] END AS area_ids
FROM shifts s JOIN responders r ON r.id = s.responder_id
WHERE r.active AND s.starts_at < %(to)s AND s.ends_at > %(from)s
  AND (%(role)s::text IS NULL OR coalesce(s.role, r.kind) = %(role)s)
ORDER BY s.starts_at, s.id

-- Of every role: whoever stands in may have another one, and whoever is absent is absent in all.
-- :name rota_overrides_in
SELECT o.id, o.kind, o.responder_id, o.substitute_id, o.shift_id, o.role, o.starts_at, o.ends_at, o.reason,
       CASE WHEN o.area_id IS NULL THEN coalesce(r.area_ids, '{}') ELSE ARRAY[o.area_id] END AS area_ids
FROM rota_overrides o LEFT JOIN responders r ON r.id = o.substitute_id
WHERE o.withdrawn_at IS NULL AND o.starts_at < %(to)s AND o.ends_at > %(from)s
ORDER BY o.made_at, o.id

-- :name rota_people
SELECT id, name, kind, phone, area_ids, on_duty FROM responders
WHERE active AND (%(role)s::text IS NULL OR kind = %(role)s OR id = ANY (%(ids)s))
ORDER BY id

-- :name area_path_of
SELECT path FROM areas WHERE id = %(id)s
