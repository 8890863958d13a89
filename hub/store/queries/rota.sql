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
WHERE o.withdrawn_at IS NULL AND o.starts_at < %(to)s AND o.ends_at > %(from)s AND r.active IS NOT FALSE
ORDER BY o.made_at, o.id

-- Whoever has shifts around then works by the rota; volunteers mostly have none.
-- :name rota_rostered
SELECT 1 FROM shifts WHERE responder_id = %(id)s AND ends_at > %(since)s AND starts_at < %(until)s LIMIT 1

-- :name rota_people
SELECT id, name, kind, phone, area_ids, on_duty FROM responders
WHERE active AND (%(role)s::text IS NULL OR kind = %(role)s OR id = ANY (%(ids)s))
ORDER BY id

-- :name area_path_of
SELECT path FROM areas WHERE id = %(id)s

-- :name rota_holidays
SELECT id, kind FROM holidays

-- :name rota_covers
SELECT c.id, c.role, c.begins, c.minutes, c.days, c.people, coalesce(a.path, '{}') AS path
FROM rota_cover c LEFT JOIN areas a ON a.id = c.area_id
WHERE c.active
ORDER BY c.id

-- :name rota_rotations
SELECT id, name, role, area_id, rule, starts_on, ends_on, begins, minutes, members, seats, turn_unit, turn_length, phase,
       days, active, made_until, version
FROM rotations
WHERE active AND (%(behind)s::date IS NULL OR made_until IS NULL OR made_until < %(behind)s)
ORDER BY id

-- :name rota_rotation
SELECT id, name, role, area_id, rule, starts_on, ends_on, begins, minutes, members, seats, turn_unit, turn_length, phase,
       days, active, made_until, version
FROM rotations WHERE id = %(id)s FOR UPDATE

-- :name rota_inactive
SELECT m.id FROM unnest(%(ids)s::text[]) AS m (id)
WHERE NOT EXISTS (SELECT 1 FROM responders r WHERE r.id = m.id AND r.active)

-- :name rota_made
SELECT s.id, s.slot_at, s.seat, s.starts_at, s.ends_at, s.responder_id, s.role, s.area_id,
       s.changed OR EXISTS (SELECT 1 FROM rota_swaps w WHERE s.id IN (w.shift_id, w.return_id))
                 OR EXISTS (SELECT 1 FROM rota_overrides o WHERE o.shift_id = s.id) AS touched
FROM shifts s WHERE s.rotation_id = %(id)s AND s.slot_at > %(after)s
FOR UPDATE OF s

-- :name rota_make
INSERT INTO shifts (id, responder_id, starts_at, ends_at, role, area_id, rotation_id, seat, slot_at)
SELECT x.id, x.responder_id, x.starts_at, x.ends_at, %(role)s, %(area_id)s, %(rotation_id)s, x.seat, x.starts_at
FROM json_to_recordset(%(rows)s::json) AS x (id uuid, responder_id text, starts_at timestamptz, ends_at timestamptz,
                                             seat smallint)
ON CONFLICT DO NOTHING

-- :name rota_remake
UPDATE shifts SET responder_id = %(responder_id)s, starts_at = %(starts_at)s, ends_at = %(ends_at)s, role = %(role)s,
                  area_id = %(area_id)s, version = version + 1
WHERE id = %(id)s
  AND (responder_id, starts_at, ends_at, role, area_id)
      IS DISTINCT FROM (%(responder_id)s, %(starts_at)s::timestamptz, %(ends_at)s::timestamptz, %(role)s, %(area_id)s::text)

-- :name rota_unmake
DELETE FROM shifts WHERE id = ANY (%(ids)s::uuid[])

-- :name rota_made_until
UPDATE rotations SET made_until = %(day)s WHERE id = %(id)s

-- :name rota_shift
SELECT s.id, s.responder_id, coalesce(s.role, r.kind) AS role, s.starts_at, s.ends_at, s.rotation_id,
       CASE WHEN s.area_id IS NULL THEN r.area_ids ELSE ARRAY[s.area_id] END AS area_ids
FROM shifts s JOIN responders r ON r.id = s.responder_id
WHERE s.id = %(id)s::uuid
FOR UPDATE OF s

-- :name rota_hand_over
UPDATE shifts s SET responder_id = %(responder_id)s, changed = true, version = s.version + 1,
    role = coalesce(s.role, r.kind),
    area_id = CASE WHEN s.area_id IS NULL AND cardinality(r.area_ids) = 1 THEN r.area_ids[1] ELSE s.area_id END
FROM responders r
WHERE s.id = %(id)s::uuid AND r.id = s.responder_id

-- :name rota_has_role
SELECT EXISTS (SELECT 1 FROM responders WHERE id = %(id)s AND kind = %(role)s)
    OR EXISTS (SELECT 1 FROM shifts WHERE responder_id = %(id)s AND role = %(role)s)
    OR EXISTS (SELECT 1 FROM rotations WHERE role = %(role)s AND %(id)s = ANY (members)) AS fit

-- :name rota_serves
SELECT area_ids FROM responders WHERE id = %(id)s

-- :name rota_override_add
INSERT INTO rota_overrides (id, kind, responder_id, substitute_id, shift_id, role, area_id, starts_at, ends_at, reason,
                            made_by, made_at)
VALUES (%(id)s, %(kind)s, %(responder_id)s, %(substitute_id)s, %(shift_id)s::uuid, %(role)s, %(area_id)s, %(starts_at)s,
        %(ends_at)s, %(reason)s, %(made_by)s::uuid, %(made_at)s)

-- :name rota_override_withdraw
UPDATE rota_overrides SET withdrawn_by = %(user_id)s::uuid, withdrawn_at = %(at)s, version = version + 1
WHERE id = %(id)s::uuid AND withdrawn_at IS NULL
RETURNING id, kind, responder_id, substitute_id, starts_at, ends_at, reason

-- :name rota_overrides_view
SELECT json_build_object(
    'id', o.id, 'kind', o.kind, 'starts_at', o.starts_at, 'ends_at', o.ends_at, 'reason', o.reason, 'role', o.role,
    'area_id', o.area_id, 'shift_id', o.shift_id, 'made_at', o.made_at, 'made_by', u.name, 'version', o.version,
    'responder', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
    'substitute', CASE WHEN s.id IS NOT NULL THEN json_build_object('id', s.id, 'name', s.name) END) AS view
FROM rota_overrides o
LEFT JOIN responders r ON r.id = o.responder_id
LEFT JOIN responders s ON s.id = o.substitute_id
LEFT JOIN users u ON u.id = o.made_by
WHERE o.withdrawn_at IS NULL AND o.starts_at < %(to)s AND o.ends_at > %(from)s
ORDER BY o.starts_at, o.id
LIMIT 2000

-- :name rota_swap_add
INSERT INTO rota_swaps (id, shift_id, return_id, asked_by, asked_of, state, note, asked_at)
VALUES (%(id)s, %(shift_id)s::uuid, %(return_id)s::uuid, %(asked_by)s, %(asked_of)s, 'asked', %(note)s, %(asked_at)s)
ON CONFLICT (shift_id) WHERE state IN ('asked', 'agreed') DO NOTHING
RETURNING id

-- :name rota_swap
SELECT id, shift_id, return_id, asked_by, asked_of, state, asked_at, version FROM rota_swaps
WHERE id = %(id)s::uuid FOR UPDATE

-- :name rota_swap_save
UPDATE rota_swaps SET state = %(state)s, reason = coalesce(%(reason)s, reason), version = version + 1,
    agreed_at = CASE WHEN %(state)s = 'agreed' THEN %(at)s ELSE agreed_at END,
    decided_at = CASE WHEN %(state)s <> 'agreed' THEN %(at)s ELSE decided_at END,
    decided_by = CASE WHEN %(state)s <> 'agreed' THEN %(user_id)s::uuid ELSE decided_by END
WHERE id = %(id)s::uuid

-- :name rota_swaps_view
SELECT json_build_object(
    'id', w.id, 'state', w.state, 'note', w.note, 'reason', w.reason, 'asked_at', w.asked_at, 'agreed_at', w.agreed_at,
    'decided_at', w.decided_at, 'decided_by', u.name, 'version', w.version,
    'asked_by', json_build_object('id', b.id, 'name', b.name), 'asked_of', json_build_object('id', o.id, 'name', o.name),
    'shift', json_build_object('id', s.id, 'responder_id', s.responder_id, 'role', coalesce(s.role, b.kind),
                               'area_id', s.area_id, 'starts_at', s.starts_at, 'ends_at', s.ends_at),
    'back', CASE WHEN k.id IS NOT NULL THEN
        json_build_object('id', k.id, 'responder_id', k.responder_id, 'role', coalesce(k.role, o.kind),
                          'area_id', k.area_id, 'starts_at', k.starts_at, 'ends_at', k.ends_at) END) AS view
FROM rota_swaps w
JOIN responders b ON b.id = w.asked_by
JOIN responders o ON o.id = w.asked_of
JOIN shifts s ON s.id = w.shift_id
LEFT JOIN shifts k ON k.id = w.return_id
LEFT JOIN users u ON u.id = w.decided_by
WHERE (%(id)s::uuid IS NULL OR w.id = %(id)s)
  AND (%(person_id)s::text IS NULL OR %(person_id)s IN (w.asked_by, w.asked_of))
  AND (NOT %(open_only)s OR w.state IN ('asked', 'agreed'))
ORDER BY w.asked_at DESC, w.id DESC
LIMIT %(limit)s

-- :name view_rotations
SELECT t.id, t.name, t.role, t.area_id, t.rule, t.starts_on, t.ends_on, to_char(t.begins, 'HH24:MI') AS begins, t.minutes,
       t.members, t.seats, t.turn_unit, t.turn_length, t.phase, t.days, t.active, t.made_until, t.version
FROM rotations t

-- :name view_rota_cover
SELECT t.id, t.role, t.area_id, to_char(t.begins, 'HH24:MI') AS begins, t.minutes, t.days, t.people, t.active, t.version
FROM rota_cover t

-- :name view_holidays
SELECT t.id, t.kind, t.name, t.source, t.version FROM holidays t

-- :name rota_holiday_names
SELECT id, name FROM holidays WHERE id >= %(first)s AND id < %(last)s ORDER BY id

-- :name rota_area_names
SELECT id, name FROM areas WHERE id = ANY (%(ids)s)

-- :name rota_below
SELECT id FROM areas WHERE path @> ARRAY[%(id)s::text]

-- :name rota_colleagues
SELECT o.id, o.name, o.kind FROM responders o, responders me
WHERE me.id = %(id)s AND o.active AND o.id <> me.id
  AND (o.kind = me.kind
       OR EXISTS (SELECT 1 FROM rotations t WHERE t.active AND me.id = ANY (t.members) AND o.id = ANY (t.members)))
ORDER BY o.name, o.id
LIMIT 500
