-- Money: claims, the ledger, disputes, closed months.

-- :name settlement_alone
SELECT pg_advisory_xact_lock(hashtextextended('settlement', 0))

-- :name settlement_hold
SELECT settlement_lock(%(provider_id)s, %(month)s, true)

-- :name settlement_closed
SELECT month FROM settlement_months WHERE provider_id = %(provider_id)s

-- :name settlement_facts_head
SELECT o.id AS order_id, v.id AS visit_id, o.number, o.kind, o.resident_id, o.provider_id, o.wanted_from,
       o.duration_min AS ordered_min, o.payer_hint, o.attributes, coalesce(a.path, '{}') AS area_path,
       w.arrived_at, w.left_at, coalesce(w.steps_missing, 0) AS steps_missing, coalesce(w.volunteers, false) AS volunteers,
       k.checked_in, k.checked_out, coalesce(k.flags, '{}') AS flags, k.rejected,
       m.day AS meal_day, m.meal, m.result AS meal_result, m.done_at AS meal_at, g.card
FROM orders o
JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN LATERAL (
    SELECT min(s.on_scene_at) AS arrived_at, max(s.ended_at) AS left_at,
           count(*) FILTER (WHERE s.on_scene_at IS NULL)::integer AS steps_missing, bool_and(p.kind = 'volunteer') AS volunteers
    FROM assignments s JOIN responders p ON p.id = s.responder_id
    WHERE s.visit_id = v.id AND s.state = 'completed'
) w ON true
LEFT JOIN LATERAL (
    SELECT min(c.at) FILTER (WHERE c.kind = 'in') AS checked_in, max(c.at) FILTER (WHERE c.kind = 'out') AS checked_out,
           ARRAY(SELECT DISTINCT f FROM visit_checks x, unnest(x.flags) f
                 WHERE x.visit_id = v.id AND x.review IS NULL ORDER BY f) AS flags,
           max(coalesce(c.review_reason, '-')) FILTER (WHERE c.review = 'rejected') AS rejected
    FROM visit_checks c WHERE c.visit_id = v.id
) k ON true
LEFT JOIN meal_orders m ON m.order_id = o.id
LEFT JOIN meal_servings g ON g.order_id = o.id

-- :name settlement_facts
<<settlement_facts_head>>
WHERE o.provider_id = %(provider_id)s AND o.state = 'completed'
  AND o.wanted_from >= %(start)s::timestamptz - interval '7 days' AND o.wanted_from < %(end)s::timestamptz + interval '7 days'
  AND NOT EXISTS (SELECT 1 FROM settlement_claims c
                  WHERE c.order_id = o.id AND (c.status <> 'refused' OR c.month = ANY (%(closed)s::text[])))
ORDER BY o.wanted_from, o.id

-- :name settlement_facts_of
<<settlement_facts_head>>
WHERE o.id = %(order_id)s

-- claims c
-- :name claim_row
c.id, c.number, c.order_id, c.visit_id, c.provider_id, c.resident_id, c.kind, c.month, c.service_on, c.started_at, c.ended_at,
       c.status, c.price_fen, settlement_counts(c.id, c.status) AS counts, c.version, c.card_key, c.meal_key

-- :name settlement_standing
SELECT <<claim_row>> FROM settlement_claims c WHERE c.order_id = ANY (%(ids)s::uuid[])

-- :name settlement_asked
SELECT DISTINCT claim_id AS id FROM settlement_disputes WHERE claim_id = ANY (%(ids)s::uuid[])

-- :name settlement_claim
SELECT <<claim_row>> FROM settlement_claims c WHERE c.id = %(id)s

-- :name settlement_claim_locked
SELECT <<claim_row>> FROM settlement_claims c WHERE c.id = %(id)s FOR UPDATE OF c

-- :name settlement_providers
SELECT id, kinds, area_ids, active FROM providers

-- The price in the catalogue holds where no tariff does.
-- :name settlement_tariffs
SELECT id, kind, provider_id, unit, price_fen, cap_fen, from_on, to_on, area_ids FROM tariffs WHERE kind = ANY (%(kinds)s)
UNION ALL
SELECT 'catalogue:' || id, id, NULL, price_per, price_fen, NULL, DATE '1900-01-01', NULL, '{}'::text[]
FROM service_kinds WHERE id = ANY (%(kinds)s) AND price_fen > 0

-- :name settlement_entitlements
SELECT id, resident_id, payer, kinds, unit, quota, copay_percent, priority, from_on, to_on
FROM entitlements WHERE resident_id = ANY (%(residents)s)

-- :name settlement_statuses
SELECT id, status, status_since FROM residents WHERE id = ANY (%(residents)s)

-- :name settlement_changes
SELECT subject_id AS resident_id, at, body ->> 'from' AS before, body ->> 'to' AS after
FROM timeline WHERE subject_kind = 'resident' AND subject_id = ANY (%(residents)s) AND kind = 'status'
ORDER BY seq

-- :name settlement_used
SELECT s.entitlement_id AS id, to_char(c.service_on, 'YYYY-MM') AS month, count(*)::integer AS visits,
       sum(s.minutes)::integer AS minutes, sum(s.fen)::bigint AS fen
FROM settlement_shares s JOIN settlement_claims c ON c.id = s.claim_id
WHERE c.resident_id = ANY (%(residents)s) AND c.service_on >= %(since)s AND s.entitlement_id IS NOT NULL AND NOT s.copay
  AND settlement_counts(c.id, c.status)
GROUP BY 1, 2

-- :name settlement_capped
SELECT c.resident_id, c.kind, c.provider_id, to_char(c.service_on, 'YYYY-MM') AS month, sum(s.fen)::bigint AS fen
FROM settlement_claims c JOIN settlement_shares s ON s.claim_id = c.id
WHERE c.resident_id = ANY (%(residents)s) AND c.service_on >= %(since)s AND settlement_counts(c.id, c.status)
GROUP BY 1, 2, 3, 4

-- :name settlement_paid
SELECT c.order_id, c.resident_id, c.kind, c.started_at, c.ended_at, c.card_key, c.meal_key, o.number
FROM settlement_claims c JOIN orders o ON o.id = c.order_id
WHERE (c.resident_id = ANY (%(residents)s) OR c.card_key = ANY (%(cards)s)) AND c.service_on >= %(since)s
  AND settlement_counts(c.id, c.status)

-- :name settlement_write
INSERT INTO settlement_claims AS c (id, order_id, visit_id, provider_id, resident_id, kind, month, service_on, started_at,
                                    ended_at, minutes, status, price_fen, tariff_id, reasons, flags, card_key, meal_key,
                                    made_at, made_by)
SELECT r.id, r.order_id, r.visit_id, r.provider_id, r.resident_id, r.kind, %(month)s, r.service_on, r.started_at, r.ended_at,
       r.minutes, r.status, r.price_fen, r.tariff_id, r.reasons, r.flags, r.card_key, r.meal_key, %(at)s, %(user_id)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    n integer, id uuid, order_id uuid, visit_id uuid, provider_id text, resident_id text, kind text, service_on date,
    started_at timestamptz, ended_at timestamptz, minutes integer, status text, price_fen integer, tariff_id text,
    reasons jsonb, flags text[], card_key text, meal_key text)
ORDER BY r.n
ON CONFLICT (order_id) DO UPDATE SET
    month = excluded.month, service_on = excluded.service_on, started_at = excluded.started_at, ended_at = excluded.ended_at,
    minutes = excluded.minutes, status = excluded.status, price_fen = excluded.price_fen, tariff_id = excluded.tariff_id,
    reasons = excluded.reasons, flags = excluded.flags, card_key = excluded.card_key, meal_key = excluded.meal_key,
    made_at = excluded.made_at, made_by = excluded.made_by, provider_id = excluded.provider_id, version = c.version + 1
WHERE c.status = 'refused'
RETURNING c.id, c.order_id

-- :name settlement_shares_add
INSERT INTO settlement_shares (claim_id, position, payer, entitlement_id, fen, minutes, copay, why, month)
SELECT r.claim_id, r.position, r.payer, r.entitlement_id, r.fen, r.minutes, r.copay, r.why, %(month)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    claim_id uuid, position smallint, payer text, entitlement_id text, fen integer, minutes integer, copay boolean, why jsonb)

-- :name settlement_meals_take
INSERT INTO settlement_meals (key, claim_id)
SELECT r.key, r.claim_id FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (key text, claim_id uuid)

-- :name settlement_meals_free
DELETE FROM settlement_meals WHERE claim_id = %(id)s

-- :name settlement_shares_of
SELECT payer, fen FROM settlement_shares WHERE claim_id = %(id)s ORDER BY position

-- :name settlement_shares_drop
DELETE FROM settlement_shares WHERE claim_id = %(id)s

-- :name settlement_set_status
UPDATE settlement_claims SET status = %(status)s, price_fen = coalesce(%(price_fen)s::integer, price_fen), version = version + 1
WHERE id = %(id)s

-- :name settlement_reviewed
UPDATE settlement_claims SET reviewed_at = %(at)s, reviewed_by = %(user_id)s, review_note = %(note)s WHERE id = %(id)s

-- :name ledger_post
INSERT INTO ledger_entries (id, provider_id, month, kind, claim_id, round, reverses, note, at, user_id, by_name)
SELECT r.id, %(provider_id)s, r.month, r.kind, r.claim_id,
       (SELECT count(*) FROM ledger_entries e WHERE e.claim_id = r.claim_id AND e.kind = 'reversal'),
       r.reverses, r.note, %(at)s, %(user_id)s, %(by_name)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (n integer, id uuid, month text, kind text, claim_id uuid, reverses uuid, note text)
ORDER BY r.n

-- :name ledger_postings_add
INSERT INTO ledger_postings (entry_id, account, fen)
SELECT r.entry_id, r.account, r.fen FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (entry_id uuid, account text, fen bigint)

-- :name ledger_of_claim
SELECT e.id, e.month, e.kind, e.claim_id, e.reverses, e.note,
       (SELECT jsonb_agg(jsonb_build_array(p.account, p.fen) ORDER BY p.account) FROM ledger_postings p WHERE p.entry_id = e.id)
       AS postings
FROM ledger_entries e WHERE e.claim_id = %(id)s ORDER BY e.number

-- :name settlement_held_on
UPDATE settlement_claims SET month = %(following)s, version = version + 1
WHERE provider_id = %(provider_id)s AND month = %(month)s AND status = 'held'

-- :name settlement_shares_on
UPDATE settlement_shares s SET month = %(following)s
FROM settlement_claims c
WHERE c.id = s.claim_id AND c.provider_id = %(provider_id)s AND c.month = %(following)s AND c.status = 'held'
  AND s.month = %(month)s

-- :name settlement_close_claims
UPDATE settlement_claims SET status = 'closed', version = version + 1
WHERE provider_id = %(provider_id)s AND month = %(month)s AND status IN ('claimed', 'accepted', 'disputed')

-- :name settlement_close
INSERT INTO settlement_months (provider_id, month, closed_at, closed_by, closed_name, totals)
VALUES (%(provider_id)s, %(month)s, %(at)s, %(user_id)s, %(by_name)s, %(totals)s::jsonb)

-- :name settlement_totals
SELECT split_part(p.account, ':', 1) AS side,
       CASE split_part(p.account, ':', 1) WHEN 'payer' THEN split_part(p.account, ':', 2) ELSE split_part(p.account, ':', 1) END
       AS payer,
       sum(p.fen)::bigint AS fen, count(DISTINCT e.claim_id)::integer AS claims
FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id
WHERE e.provider_id = %(provider_id)s AND e.month = %(month)s
GROUP BY 1, 2
ORDER BY 1, 2

-- :name settlement_counts_of
SELECT status, count(*)::integer AS n FROM settlement_claims
WHERE provider_id = %(provider_id)s AND month = %(month)s GROUP BY status

-- :name dispute_raise
INSERT INTO settlement_disputes (id, claim_id, side, wants, reason, raised_at, raised_by, raised_name)
VALUES (%(id)s, %(claim_id)s, %(side)s, %(wants)s, %(reason)s, %(at)s, %(user_id)s, %(by_name)s)

-- :name dispute_get
SELECT id, claim_id, side, wants, raised_by, decision, version FROM settlement_disputes WHERE id = %(id)s

-- :name dispute_get_locked
SELECT id, claim_id, side, wants, raised_by, decision, version FROM settlement_disputes WHERE id = %(id)s FOR UPDATE

-- :name dispute_decide
UPDATE settlement_disputes
SET decided_at = %(at)s, decided_by = %(user_id)s, decided_name = %(by_name)s, decision = %(decision)s,
    decision_reason = %(reason)s, entry_id = %(entry_id)s, version = version + 1
WHERE id = %(id)s

-- ---- what pages see -------------------------------------------------------------------------------------------------

-- claims c, residents r, orders o
-- :name claim_json
json_build_object(
    'id', c.id, 'number', c.number, 'order_id', c.order_id, 'order_number', o.number, 'visit_id', c.visit_id,
    'provider', json_build_object('id', c.provider_id, 'name', (SELECT name FROM providers q WHERE q.id = c.provider_id)),
    'resident', json_build_object('id', r.id, 'name', r.name), 'kind', c.kind, 'month', c.month, 'service_on', c.service_on,
    'started_at', c.started_at, 'ended_at', c.ended_at, 'minutes', c.minutes, 'status', c.status, 'price_fen', c.price_fen,
    'paid_fen', (SELECT coalesce(-sum(p.fen), 0) FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id
                 WHERE e.claim_id = c.id AND p.account LIKE 'provider:%%'),
    'tariff_id', c.tariff_id, 'reasons', c.reasons, 'flags', c.flags,
    'shares', coalesce((SELECT json_agg(json_build_object('payer', s.payer, 'fen', s.fen, 'entitlement_id', s.entitlement_id,
                                                          'copay', s.copay, 'why', s.why) ORDER BY s.position)
                        FROM settlement_shares s WHERE s.claim_id = c.id), '[]'),
    'dispute', (SELECT json_build_object('id', d.id, 'side', d.side, 'wants', d.wants, 'decision', d.decision,
                                         'raised_at', d.raised_at)
                FROM settlement_disputes d WHERE d.claim_id = c.id ORDER BY d.raised_at DESC LIMIT 1),
    'made_at', c.made_at, 'version', c.version)

-- :name claims_page
SELECT c.started_at, c.id, <<claim_json>> AS view
FROM settlement_claims c JOIN residents r ON r.id = c.resident_id JOIN orders o ON o.id = c.order_id
WHERE (c.started_at, c.id) > (%(started_at)s::timestamptz, %(after)s::uuid)
  AND (%(month)s::text IS NULL OR c.month = %(month)s)
  AND (%(provider_id)s::text IS NULL OR c.provider_id = %(provider_id)s)
  AND (%(status)s::text IS NULL OR c.status = %(status)s)
  AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
  AND (%(resident_id)s::text IS NULL OR c.resident_id = %(resident_id)s)
  AND (%(payer)s::text IS NULL OR EXISTS (SELECT 1 FROM settlement_shares s WHERE s.claim_id = c.id AND s.payer = %(payer)s))
  AND (%(q)s::text IS NULL OR r.name ILIKE %(like)s OR r.id ILIKE %(like)s OR o.number::text = %(q)s)
ORDER BY c.started_at, c.id
LIMIT %(limit)s

-- disputes d
-- :name dispute_json
json_build_object(
    'id', d.id, 'claim_id', d.claim_id, 'side', d.side, 'wants', d.wants, 'reason', d.reason, 'raised_at', d.raised_at,
    'raised_by', json_build_object('id', d.raised_by, 'name', d.raised_name), 'decided_at', d.decided_at,
    'decided_by', CASE WHEN d.decided_by IS NOT NULL THEN json_build_object('id', d.decided_by, 'name', d.decided_name) END,
    'decision', d.decision, 'decision_reason', d.decision_reason, 'entry_id', d.entry_id, 'version', d.version)

-- :name claim_view
SELECT <<claim_json>> AS claim,
       coalesce((SELECT json_agg(<<dispute_json>> ORDER BY d.raised_at) FROM settlement_disputes d WHERE d.claim_id = c.id), '[]')
       AS disputes,
       coalesce((SELECT json_agg(json_build_object(
                    'id', e.id, 'number', e.number, 'month', e.month, 'kind', e.kind, 'reverses', e.reverses, 'note', e.note,
                    'at', e.at, 'by', e.by_name,
                    'postings', (SELECT json_agg(json_build_object('account', p.account, 'fen', p.fen) ORDER BY p.fen DESC)
                                 FROM ledger_postings p WHERE p.entry_id = e.id)) ORDER BY e.number)
                 FROM ledger_entries e WHERE e.claim_id = c.id), '[]') AS entries,
       json_build_object('at', c.reviewed_at, 'by', (SELECT name FROM users u WHERE u.id = c.reviewed_by), 'note', c.review_note)
       AS review,
       coalesce((SELECT json_agg(json_build_object(
                    'kind', k.kind, 'at', k.at, 'recorded_at', k.recorded_at, 'lat', k.lat, 'lon', k.lon,
                    'accuracy_m', k.accuracy_m, 'distance_m', k.distance_m, 'flags', k.flags, 'findings', k.findings,
                    'photo_sha256', encode(k.photo_sha256, 'hex'), 'responder', json_build_object('id', p.id, 'name', p.name),
                    'review', k.review, 'review_reason', k.review_reason) ORDER BY k.at)
                 FROM visit_checks k JOIN responders p ON p.id = k.responder_id WHERE k.visit_id = c.visit_id), '[]') AS checks,
       coalesce((SELECT json_agg(json_build_object('code', k.code, 'zh', k.zh, 'en', k.en, 'done', k.done, 'note', k.note)
                                 ORDER BY k.position)
                 FROM visit_tasks k WHERE k.visit_id = c.visit_id), '[]') AS tasks,
       coalesce((SELECT json_agg(json_build_object(
                    'id', s.id, 'responder', json_build_object('id', p.id, 'name', p.name), 'state', s.state,
                    'on_scene_at', s.on_scene_at, 'ended_at', s.ended_at, 'outcome', s.outcome, 'note', s.note,
                    'photos', coalesce((SELECT json_agg(json_build_object('id', f.id, 'sha256', encode(f.sha256, 'hex'),
                                                                          'taken_at', f.taken_at))
                                        FROM photos f WHERE f.assignment_id = s.id), '[]')) ORDER BY s.offered_at)
                 FROM assignments s JOIN responders p ON p.id = s.responder_id WHERE s.visit_id = c.visit_id), '[]')
       AS assignments,
       (SELECT json_build_object('meal', m.meal, 'day', m.day, 'result', m.result, 'at', m.done_at, 'left_with', m.left_with,
                                 'dish', m.dish, 'card', g.card, 'by', g.by_name)
        FROM meal_orders m LEFT JOIN meal_servings g ON g.order_id = m.order_id WHERE m.order_id = c.order_id) AS meal,
       coalesce((SELECT json_agg(json_build_object('at', l.at, 'kind', l.kind, 'by', l.actor_name, 'body', l.body) ORDER BY l.seq)
                 FROM timeline l WHERE l.subject_kind = 'order' AND l.subject_id = c.order_id::text), '[]') AS timeline,
       coalesce((SELECT json_agg(json_build_object('at', l.at, 'from', l.body ->> 'from', 'to', l.body ->> 'to') ORDER BY l.seq)
                 FROM timeline l WHERE l.subject_kind = 'resident' AND l.subject_id = c.resident_id AND l.kind = 'status'), '[]')
       AS statuses
FROM settlement_claims c JOIN residents r ON r.id = c.resident_id JOIN orders o ON o.id = c.order_id
WHERE c.id = %(id)s

-- :name settlement_month_counts
SELECT p.id, p.name, p.kind, c.status, count(c.id)::integer AS n, coalesce(sum(c.price_fen), 0)::bigint AS fen
FROM providers p LEFT JOIN settlement_claims c ON c.provider_id = p.id AND c.month = %(month)s
WHERE (%(provider_id)s::text IS NULL OR p.id = %(provider_id)s) AND p.kind <> 'volunteers'
  AND (p.active OR c.id IS NOT NULL)
GROUP BY p.id, p.name, p.kind, c.status
ORDER BY p.id

-- :name settlement_month_payers
SELECT e.provider_id AS id,
       CASE split_part(p.account, ':', 1) WHEN 'payer' THEN split_part(p.account, ':', 2) ELSE 'family' END AS payer,
       sum(p.fen)::bigint AS fen, count(DISTINCT e.claim_id)::integer AS claims
FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id
WHERE e.month = %(month)s AND (%(provider_id)s::text IS NULL OR e.provider_id = %(provider_id)s)
  AND p.account NOT LIKE 'provider:%%'
GROUP BY 1, 2

-- :name settlement_month_refusals
SELECT c.provider_id AS id, c.reasons -> 0 ->> 'code' AS code, c.reasons -> 0 ->> 'zh' AS zh, c.reasons -> 0 ->> 'en' AS en,
       count(*)::integer AS n
FROM settlement_claims c
WHERE c.month = %(month)s AND c.status = 'refused' AND (%(provider_id)s::text IS NULL OR c.provider_id = %(provider_id)s)
GROUP BY 1, 2, 3, 4
ORDER BY n DESC, code

-- :name settlement_month_states
SELECT p.id,
       (SELECT json_build_object('at', m.closed_at, 'by', m.closed_name) FROM settlement_months m
        WHERE m.provider_id = p.id AND m.month = %(month)s) AS closed,
       (SELECT count(*)::integer FROM settlement_disputes d JOIN settlement_claims c ON c.id = d.claim_id
        WHERE c.provider_id = p.id AND c.month = %(month)s AND d.decided_at IS NULL) AS disputes_open
FROM providers p WHERE %(provider_id)s::text IS NULL OR p.id = %(provider_id)s

-- :name disputes_page
SELECT d.raised_at, d.id, <<dispute_json>> AS view, <<claim_json>> AS claim
FROM settlement_disputes d
JOIN settlement_claims c ON c.id = d.claim_id
JOIN residents r ON r.id = c.resident_id
JOIN orders o ON o.id = c.order_id
WHERE (d.raised_at, d.id) > (%(raised_at)s::timestamptz, %(after)s::uuid)
  AND (%(provider_id)s::text IS NULL OR c.provider_id = %(provider_id)s)
  AND (NOT %(open_only)s OR d.decided_at IS NULL)
ORDER BY d.raised_at, d.id
LIMIT %(limit)s

-- :name settlement_statement
SELECT CASE split_part(p.account, ':', 1) WHEN 'payer' THEN split_part(p.account, ':', 2) ELSE 'family' END AS payer, c.kind,
       count(DISTINCT e.claim_id) FILTER (WHERE c.month = e.month AND e.kind = 'claim')::integer AS claims,
       coalesce(sum(p.fen) FILTER (WHERE c.month = e.month AND e.kind = 'claim'), 0)::bigint AS claimed_fen,
       coalesce(sum(p.fen) FILTER (WHERE NOT (c.month = e.month AND e.kind = 'claim')), 0)::bigint AS corrected_fen,
       sum(p.fen)::bigint AS fen
FROM ledger_entries e
JOIN ledger_postings p ON p.entry_id = e.id
JOIN settlement_claims c ON c.id = e.claim_id
WHERE e.provider_id = %(provider_id)s AND e.month = %(month)s AND p.account NOT LIKE 'provider:%%'
GROUP BY 1, 2
ORDER BY 1, 2

-- One row a claim and payer as the books have it; what is refused, held or of another month's claim is there too.
-- :name settlement_export
SELECT c.number, o.number AS order_number, c.provider_id, q.name AS provider, c.resident_id, r.name AS resident, c.kind,
       c.month, c.service_on, c.started_at, c.ended_at, c.minutes, c.status, c.price_fen, b.payer, b.fen, b.entry, b.what,
       c.reasons
FROM settlement_claims c
JOIN orders o ON o.id = c.order_id
JOIN residents r ON r.id = c.resident_id
JOIN providers q ON q.id = c.provider_id
LEFT JOIN LATERAL (
    SELECT CASE split_part(p.account, ':', 1) WHEN 'payer' THEN split_part(p.account, ':', 2) ELSE 'family' END AS payer,
           p.fen, e.number AS entry, e.kind AS what
    FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id
    WHERE e.claim_id = c.id AND e.month = %(month)s AND p.account NOT LIKE 'provider:%%'
) b ON true
WHERE (%(provider_id)s::text IS NULL OR c.provider_id = %(provider_id)s) AND (c.month = %(month)s OR b.entry IS NOT NULL)
ORDER BY c.provider_id, c.started_at, c.number, b.entry, b.payer
