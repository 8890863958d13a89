-- The rows behind the numbers of the supervisor's pages, page by page. Each reads the same text as its number.

-- `by`: all, priority, type, model, or a kind of area; `code` is the group's, '' for what belongs to none.
-- :name report_list
SELECT x.id, json_build_object('claim_s', x.claim_s, 'dispatch_s', x.dispatch_s, 'arrive_s', x.arrive_s, 'close_s', x.close_s) AS times
FROM (<<report_numbers>>) x
WHERE x.number = %(number)s
  AND CASE %(by)s::text
      WHEN 'all' THEN true
      WHEN 'priority' THEN x.priority = %(code)s::text
      WHEN 'type' THEN x.type = %(code)s::text
      WHEN 'model' THEN EXISTS (SELECT FROM devices d WHERE d.id = x.device_id AND <<report_model>> = %(code)s::text)
      ELSE coalesce((SELECT a.id FROM areas a WHERE a.id = ANY (x.area_path) AND a.kind = %(by)s::text LIMIT 1), '') = %(code)s::text END
ORDER BY x.opened_at DESC, x.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- :name report_shelved_list
SELECT i.id FROM incidents i WHERE <<report_shelved_now>>
ORDER BY i.shelved_until, i.id
LIMIT %(limit)s OFFSET %(skip)s

-- :name report_order_list
SELECT json_build_object(
    'order_id', x.id, 'number', x.number, 'kind', x.kind, 'state', x.state, 'resident', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
    'area', x.area_name, 'provider', p.name, 'begin_from', x.wanted_from, 'begin_by', x.wanted_to, 'started_at', x.started_at,
    'late_min', CASE WHEN x.started_at > x.wanted_to
                     THEN floor(extract(epoch FROM x.started_at - x.wanted_to) / 60)::integer END) AS view
FROM (<<report_order_numbers>>) x
LEFT JOIN residents r ON r.id = x.resident_id
LEFT JOIN providers p ON p.id = x.provider_id
WHERE %(number)s::text = ANY (x.numbers)
ORDER BY x.wanted_from DESC, x.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- ---- single alarms

-- alarms m LEFT JOIN incidents i
-- :name report_alarm_view
json_build_object(
    'id', m.id, 'at', m.received_at, 'type', m.type, 'class', m.class, 'priority', m.priority, 'incident_id', m.incident_id,
    'incident', i.number, 'state', i.state,
    'device', (SELECT json_build_object('id', d.id, 'name', d.name, 'family', d.family) FROM devices d WHERE d.id = m.device_id),
    'resident', (SELECT json_build_object('id', r.id, 'name', r.name) FROM residents r WHERE r.id = coalesce(m.resident_id, i.resident_id)),
    'area', (SELECT a.name FROM areas a WHERE a.id = i.area_id)) AS view

-- Of the hours of `report_load`.
-- :name report_alarm_list
SELECT <<report_alarm_view>>
FROM alarms m JOIN incidents i ON i.id = m.incident_id
WHERE <<report_alarm_span>>
ORDER BY m.received_at DESC, m.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- Of one device of `bad_actor_counts`.
-- :name report_device_alarms
SELECT <<report_alarm_view>>
FROM alarms m
LEFT JOIN incidents i ON i.id = m.incident_id
LEFT JOIN devices d ON d.id = m.device_id
LEFT JOIN residents r ON r.id = d.resident_id
LEFT JOIN areas a ON a.id = coalesce(d.area_id, r.area_id)
WHERE <<bad_actor_span>> AND m.device_id = %(device_id)s::text
ORDER BY m.received_at DESC, m.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- What a silence or a maintenance window held back.
-- :name report_window_alarms
SELECT <<report_alarm_view>>
FROM alarms m LEFT JOIN incidents i ON i.id = m.incident_id
WHERE m.attributes ? 'window' AND m.attributes ->> 'window' = %(window_id)s::text
ORDER BY m.received_at DESC, m.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- ---- ringings, and what stands

-- A ringing counts in the ten minutes in which it was given to its seat.
-- :name load_ring_list
SELECT json_build_object(
    'seq', g.seq, 'at', g.at, 'priority', g.priority, 'seat', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END,
    'incident_id', g.incident_id, 'incident', i.number, 'type', i.type, 'state', i.state,
    'resident', (SELECT json_build_object('id', r.id, 'name', r.name) FROM residents r WHERE r.id = i.resident_id),
    'area', (SELECT a.name FROM areas a WHERE a.id = i.area_id)) AS view
FROM seat_rings g
LEFT JOIN incidents i ON i.id = g.incident_id
LEFT JOIN users u ON u.id = g.user_id
WHERE CASE WHEN %(counted)s::boolean
           THEN g.user_id IS NOT NULL AND coalesce(g.bin, date_bin('10 minutes', g.at, 'epoch'::timestamptz)) >= %(start)s::timestamptz
                AND coalesce(g.bin, date_bin('10 minutes', g.at, 'epoch'::timestamptz)) < %(end)s::timestamptz
           ELSE g.at > %(start)s::timestamptz AND g.at <= %(end)s::timestamptz END
  AND (%(seat)s::uuid IS NULL OR g.user_id = %(seat)s::uuid)
  AND (%(priorities)s::text[] IS NULL OR g.priority = ANY (%(priorities)s::text[]))
ORDER BY g.at DESC, g.seq DESC
LIMIT %(limit)s OFFSET %(skip)s

-- What the numbers of `load_standing` count.
-- :name load_standing_list
SELECT i.id FROM incidents i
WHERE i.state IN ('open', 'acknowledged', 'in_progress')
  AND CASE %(number)s::text
      WHEN 'live' THEN i.class IN ('emergency', 'health', 'whereabouts')
      WHEN 'stale' THEN i.class IN ('emergency', 'health', 'whereabouts') AND i.opened_at < %(stale_before)s::timestamptz
      WHEN 'stale_technical' THEN i.class = 'technical' AND i.opened_at < %(stale_before)s::timestamptz
      WHEN 'shelved' THEN i.shelved_until > %(now)s::timestamptz
      WHEN 'under_way' THEN i.class IN ('emergency', 'health', 'whereabouts') AND i.under_way
          AND (i.shelved_until IS NULL OR i.shelved_until <= %(now)s::timestamptz)
      WHEN 'chattering' THEN i.reasons @> '[{"code": "chattering"}]'
      ELSE false END
ORDER BY i.opened_at, i.id
LIMIT %(limit)s OFFSET %(skip)s

-- What went from one seat to another, by the ten minutes in which it was counted.
-- :name load_spilled_list
SELECT json_build_object('incident_id', i.id, 'incident', i.number, 'type', i.type, 'priority', i.priority, 'state', i.state,
                         'at', t.at, 'rule', t.body ->> 'rule', 'seat', t.body ->> 'to', 'home', t.body ->> 'from') AS view
FROM timeline t JOIN incidents i ON i.id = t.subject_id::uuid
WHERE t.kind = 'spilled' AND t.subject_kind = 'incident'
  AND date_bin('10 minutes', t.at, 'epoch'::timestamptz) >= %(start)s::timestamptz
  AND date_bin('10 minutes', t.at, 'epoch'::timestamptz) < %(end)s::timestamptz
ORDER BY t.at DESC, t.seq DESC
LIMIT %(limit)s OFFSET %(skip)s
