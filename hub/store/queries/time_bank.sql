-- Banked hours: accounts in minutes, double entry.

-- visits v, orders o, assignments s, responders p
-- :name banked_visit
SELECT v.id AS visit_id, o.id AS order_id, s.responder_id, o.resident_id, o.kind,
       coalesce(k.checked_in, s.on_scene_at) AS started_at, coalesce(k.checked_out, s.ended_at) AS ended_at,
       o.duration_min AS ordered_min, coalesce(k.flags, '{}') AS flags, coalesce(k.rejected, false) AS rejected,
       w.accepted AS reviewed
FROM assignments s
JOIN responders p ON p.id = s.responder_id
JOIN visits v ON v.id = s.visit_id
JOIN orders o ON o.id = v.order_id
LEFT JOIN time_reviews w ON w.visit_id = v.id AND w.responder_id = s.responder_id
LEFT JOIN LATERAL (
    SELECT min(c.at) FILTER (WHERE c.kind = 'in') AS checked_in, max(c.at) FILTER (WHERE c.kind = 'out') AS checked_out,
           bool_or(c.review = 'rejected') AS rejected,
           ARRAY(SELECT DISTINCT f FROM visit_checks x, unnest(x.flags) f
                 WHERE x.assignment_id = s.id AND x.review IS NULL ORDER BY f) AS flags
    FROM visit_checks c WHERE c.assignment_id = s.id
) k ON true

-- What is rejected, or waits for somebody to look, is not asked for again and again.
-- :name time_to_bank
<<banked_visit>>
WHERE p.kind = 'volunteer' AND s.state = 'completed' AND o.state = 'completed'
  AND (%(responder_id)s::text IS NULL OR s.responder_id = %(responder_id)s)
  AND NOT coalesce(k.rejected, false) AND (w.accepted OR w.accepted IS NULL AND coalesce(k.flags, '{}') = '{}')
  AND coalesce(k.checked_in, s.on_scene_at) IS NOT NULL
  AND coalesce(k.checked_out, s.ended_at) >= coalesce(k.checked_in, s.on_scene_at) + interval '1 minute'
  AND NOT EXISTS (SELECT 1 FROM time_entries e
                  WHERE e.visit_id = v.id AND e.responder_id = s.responder_id AND e.kind = 'earned')
ORDER BY s.ended_at, s.id
LIMIT %(limit)s

-- :name time_visit
<<banked_visit>>
WHERE p.kind = 'volunteer' AND s.state = 'completed' AND o.state = 'completed' AND v.id = %(visit_id)s
  AND s.responder_id = %(responder_id)s
  AND NOT EXISTS (SELECT 1 FROM time_entries e
                  WHERE e.visit_id = v.id AND e.responder_id = s.responder_id AND e.kind = 'earned')
LIMIT 1

-- :name time_review
INSERT INTO time_reviews (visit_id, responder_id, accepted, reason, at, user_id, by_name)
VALUES (%(visit_id)s, %(responder_id)s, %(accepted)s, %(reason)s, %(at)s, %(user_id)s, %(by_name)s)

-- :name time_account_open
INSERT INTO time_accounts (id, kind, person_id) VALUES (%(id)s, %(kind)s, %(person_id)s) ON CONFLICT (id) DO NOTHING

-- In the order of their names: two who give one another hours at once wait, and do not lock one another out.
-- :name time_balances_of
SELECT id, balance_min FROM time_accounts WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE

-- :name time_banking
SELECT pg_advisory_xact_lock(hashtextextended('time-bank', 0))

-- `turn`: how often the order's hours were given back already; two that spend for it at once have the same one, and one of them fails.
-- :name time_post
INSERT INTO time_entries (id, kind, at, visit_id, responder_id, order_id, reverses, note, user_id, by_name, turn)
SELECT r.id, r.kind, r.at, r.visit_id, r.responder_id, r.order_id, r.reverses, r.note, %(user_id)s, %(by_name)s,
       CASE WHEN r.kind = 'spent' THEN
           (SELECT count(*) FROM time_entries s JOIN time_entries back ON back.reverses = s.id
            WHERE s.kind = 'spent' AND s.order_id = r.order_id) ELSE 0 END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    n integer, id uuid, kind text, at timestamptz, visit_id uuid, responder_id text, order_id uuid, reverses uuid, note text)
ORDER BY r.n

-- :name time_postings_add
INSERT INTO time_postings (entry_id, account_id, minutes)
SELECT r.entry_id, r.account_id, r.minutes
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (entry_id uuid, account_id text, minutes bigint)
ORDER BY r.account_id, r.entry_id

-- :name time_entry
SELECT e.id, e.kind, e.at, e.visit_id, e.responder_id, e.order_id, e.reverses, e.note,
       (SELECT jsonb_agg(jsonb_build_array(p.account_id, p.minutes) ORDER BY p.account_id) FROM time_postings p
        WHERE p.entry_id = e.id) AS postings
FROM time_entries e WHERE e.id = %(id)s

-- :name time_reversed
SELECT 1 AS found FROM time_entries WHERE reverses = %(id)s

-- :name time_movements
SELECT e.at, p.minutes FROM time_postings p JOIN time_entries e ON e.id = p.entry_id
WHERE p.account_id = %(id)s ORDER BY e.number

-- :name time_holders
SELECT id FROM time_accounts WHERE kind <> 'bank' AND balance_min > 0 ORDER BY id

-- ---- what pages see -------------------------------------------------------------------------------------------------

-- accounts a
-- :name time_account_json
json_build_object(
    'id', a.id, 'kind', a.kind, 'person_id', a.person_id, 'balance_min', a.balance_min,
    'name', CASE a.kind WHEN 'volunteer' THEN (SELECT name FROM responders x WHERE x.id = a.person_id)
                        WHEN 'resident' THEN (SELECT name FROM residents x WHERE x.id = a.person_id)
                        WHEN 'contact' THEN (SELECT name FROM contacts x WHERE x.id = a.person_id) END,
    'earned_min', coalesce((SELECT sum(p.minutes) FROM time_postings p JOIN time_entries e ON e.id = p.entry_id
                            WHERE p.account_id = a.id AND e.kind = 'earned'), 0),
    'spent_min', coalesce((SELECT -sum(p.minutes) FROM time_postings p JOIN time_entries e ON e.id = p.entry_id
                           WHERE p.account_id = a.id AND e.kind = 'spent'), 0),
    'visits', (SELECT count(*) FROM time_postings p JOIN time_entries e ON e.id = p.entry_id
               WHERE p.account_id = a.id AND e.kind = 'earned'))

-- accounts a; a provider sees its volunteers and those whom it serves.
-- :name time_account_of_provider
(%(provider_id)s::text IS NULL
   OR a.kind = 'volunteer' AND provider_of_responder(a.person_id) = %(provider_id)s
   OR a.kind = 'resident' AND EXISTS (SELECT 1 FROM orders o WHERE o.provider_id = %(provider_id)s AND o.resident_id = a.person_id)
   OR a.kind = 'contact' AND EXISTS (SELECT 1 FROM contacts c JOIN orders o ON o.resident_id = c.resident_id
                                     WHERE c.id = a.person_id AND o.provider_id = %(provider_id)s))

-- :name time_accounts_page
SELECT a.id, <<time_account_json>> AS view
FROM time_accounts a
WHERE a.kind <> 'bank' AND a.id > %(after)s
  AND <<time_account_of_provider>>
  AND (%(q)s::text IS NULL OR a.id ILIKE %(like)s
       OR EXISTS (SELECT 1 FROM responders x WHERE a.kind = 'volunteer' AND x.id = a.person_id AND x.name ILIKE %(like)s)
       OR EXISTS (SELECT 1 FROM residents x WHERE a.kind = 'resident' AND x.id = a.person_id AND x.name ILIKE %(like)s)
       OR EXISTS (SELECT 1 FROM contacts x WHERE a.kind = 'contact' AND x.id = a.person_id AND x.name ILIKE %(like)s))
ORDER BY a.id
LIMIT %(limit)s

-- :name time_account
SELECT <<time_account_json>> AS view FROM time_accounts a
WHERE a.id = %(id)s AND a.kind <> 'bank' AND <<time_account_of_provider>>

-- :name time_lines
SELECT e.number, json_build_object(
    'id', e.id, 'number', e.number, 'kind', e.kind, 'at', e.at, 'minutes', p.minutes, 'note', e.note, 'by', e.by_name,
    'order_id', e.order_id, 'visit_id', e.visit_id, 'reverses', e.reverses,
    'reversed', EXISTS (SELECT 1 FROM time_entries x WHERE x.reverses = e.id),
    'service', CASE WHEN o.id IS NOT NULL THEN json_build_object('kind', o.kind, 'number', o.number, 'resident', r.name) END,
    'with', (SELECT json_build_object('id', a.id, 'kind', a.kind, 'name', coalesce(
                 (SELECT name FROM responders x WHERE a.kind = 'volunteer' AND x.id = a.person_id),
                 (SELECT name FROM residents x WHERE a.kind = 'resident' AND x.id = a.person_id),
                 (SELECT name FROM contacts x WHERE a.kind = 'contact' AND x.id = a.person_id)))
             FROM time_postings q JOIN time_accounts a ON a.id = q.account_id
             WHERE q.entry_id = e.id AND q.account_id <> p.account_id AND a.kind <> 'bank' LIMIT 1)) AS view
FROM time_postings p
JOIN time_entries e ON e.id = p.entry_id
LEFT JOIN visits v ON v.id = e.visit_id
LEFT JOIN orders o ON o.id = coalesce(e.order_id, v.order_id)
LEFT JOIN residents r ON r.id = o.resident_id
WHERE p.account_id = %(id)s AND e.number < %(before)s
ORDER BY e.number DESC
LIMIT %(limit)s

-- :name time_waiting
SELECT json_build_object(
    'visit_id', b.visit_id, 'order_id', b.order_id, 'kind', b.kind, 'flags', b.flags, 'started_at', b.started_at,
    'ended_at', b.ended_at, 'ordered_min', b.ordered_min,
    'responder', (SELECT json_build_object('id', p.id, 'name', p.name) FROM responders p WHERE p.id = b.responder_id),
    'resident', (SELECT json_build_object('id', r.id, 'name', r.name) FROM residents r WHERE r.id = b.resident_id)) AS view
FROM (
    <<banked_visit>>
    WHERE p.kind = 'volunteer' AND s.state = 'completed' AND o.state = 'completed'
      AND (%(provider_id)s::text IS NULL OR provider_of_responder(p.id) = %(provider_id)s)
      AND (%(responder_id)s::text IS NULL OR p.id = %(responder_id)s)
      AND w.accepted IS NULL AND NOT coalesce(k.rejected, false)
      AND (coalesce(k.flags, '{}') <> '{}' OR coalesce(k.checked_in, s.on_scene_at) IS NULL)
      AND NOT EXISTS (SELECT 1 FROM time_entries e
                      WHERE e.visit_id = v.id AND e.responder_id = s.responder_id AND e.kind = 'earned')
) b
ORDER BY b.ended_at, b.visit_id
LIMIT %(limit)s

-- Whom a volunteer has served: to whom hours can be given on the phone.
-- :name time_people
SELECT r.id, r.name FROM acquaintances q JOIN residents r ON r.id = q.resident_id
WHERE q.responder_id = %(responder_id)s AND r.status NOT IN ('moved', 'deceased')
ORDER BY q.last_at DESC, r.id
LIMIT 50

-- :name time_totals
SELECT coalesce(sum(a.balance_min) FILTER (WHERE a.kind <> 'bank'), 0)::bigint AS held_min,
       (SELECT -balance_min FROM time_accounts WHERE id = 'bank:given') AS given_min,
       (SELECT balance_min FROM time_accounts WHERE id = 'bank:spent') AS spent_min,
       (SELECT balance_min FROM time_accounts WHERE id = 'bank:expired') AS expired_min,
       count(*) FILTER (WHERE a.kind = 'volunteer')::integer AS volunteers
FROM time_accounts a
WHERE <<time_account_of_provider>>
