-- What supervisors count. An incident is counted in the span in which it opened; technical and test ones are not.

-- incidents i
-- :name report_span
i.opened_at >= %(start)s::timestamptz AND i.opened_at < %(end)s::timestamptz AND i.class IN ('emergency', 'health', 'whereabouts')
  AND (%(area_id)s::text IS NULL OR i.area_path @> ARRAY[%(area_id)s::text])
  AND (%(priority)s::text IS NULL OR i.priority = %(priority)s::text)

-- The times of the chain in seconds from the opening; null where that link was never reached.
-- :name report_times
SELECT i.id, i.priority, i.type, i.state, i.area_path, i.opened_at, i.disposition, i.supervision, i.resolved_at, i.device_id,
       extract(epoch FROM i.first_acknowledged_at - i.opened_at) AS claim_s,
       extract(epoch FROM w.offered_at - i.opened_at) AS dispatch_s,
       extract(epoch FROM w.on_scene_at - i.opened_at) AS arrive_s,
       extract(epoch FROM i.resolved_at - i.opened_at) AS close_s
FROM incidents i
LEFT JOIN LATERAL (SELECT min(s.offered_at) AS offered_at, min(s.on_scene_at) AS on_scene_at
                   FROM assignments s WHERE s.incident_id = i.id) w ON true
WHERE <<report_span>>

-- t: report_times
-- :name report_group_all
SELECT t.*, '' AS code, NULL::text AS name FROM (<<report_times>>) t

-- :name report_group_priority
SELECT t.*, t.priority AS code, NULL::text AS name FROM (<<report_times>>) t

-- :name report_group_type
SELECT t.*, t.type AS code, NULL::text AS name FROM (<<report_times>>) t

-- :name report_group_area
SELECT t.*, coalesce(a.id, '') AS code, a.name AS name FROM (<<report_times>>) t
LEFT JOIN areas a ON a.id = ANY (t.area_path) AND a.kind = %(kind)s

-- g: one of the groupings
-- :name report_distribution
SELECT json_build_object(
    'group', g.code, 'name', g.name, 'n', count(*),
    'claim', json_build_object('n', count(g.claim_s), 'p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY g.claim_s),
        'p90', percentile_cont(0.9) WITHIN GROUP (ORDER BY g.claim_s), 'p95', percentile_cont(0.95) WITHIN GROUP (ORDER BY g.claim_s),
        'p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY g.claim_s)),
    'dispatch', json_build_object('n', count(g.dispatch_s), 'p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY g.dispatch_s),
        'p90', percentile_cont(0.9) WITHIN GROUP (ORDER BY g.dispatch_s), 'p95', percentile_cont(0.95) WITHIN GROUP (ORDER BY g.dispatch_s),
        'p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY g.dispatch_s)),
    'arrive', json_build_object('n', count(g.arrive_s), 'p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY g.arrive_s),
        'p90', percentile_cont(0.9) WITHIN GROUP (ORDER BY g.arrive_s), 'p95', percentile_cont(0.95) WITHIN GROUP (ORDER BY g.arrive_s),
        'p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY g.arrive_s)),
    'close', json_build_object('n', count(g.close_s), 'p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY g.close_s),
        'p90', percentile_cont(0.9) WITHIN GROUP (ORDER BY g.close_s), 'p95', percentile_cont(0.95) WITHIN GROUP (ORDER BY g.close_s),
        'p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY g.close_s)),
    'within_15', count(*) FILTER (WHERE g.claim_s <= 15), 'within_60', count(*) FILTER (WHERE g.claim_s <= 60),
    'within_180', count(*) FILTER (WHERE g.claim_s <= 180)) AS view

-- :name report_responses_all
<<report_distribution>> FROM (<<report_group_all>>) g GROUP BY g.code, g.name

-- :name report_responses_priority
<<report_distribution>> FROM (<<report_group_priority>>) g GROUP BY g.code, g.name
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], g.code)

-- :name report_responses_type
<<report_distribution>> FROM (<<report_group_type>>) g GROUP BY g.code, g.name ORDER BY count(*) DESC, g.code

-- :name report_responses_area
<<report_distribution>> FROM (<<report_group_area>>) g GROUP BY g.code, g.name ORDER BY g.code

-- Closed loop: claimed by a person, resolved with a disposition, and supervised where that was required.
-- :name report_loop
SELECT json_build_object(
    'group', g.code, 'name', g.name, 'n', count(*),
    'claimed', count(*) FILTER (WHERE g.claim_s IS NOT NULL),
    'resolved', count(*) FILTER (WHERE g.resolved_at IS NOT NULL),
    'review_wanted', count(*) FILTER (WHERE g.supervision IN ('required', 'done')),
    'review_done', count(*) FILTER (WHERE g.supervision = 'done'),
    'closed', count(*) FILTER (WHERE g.state = 'closed'),
    'looped', count(*) FILTER (WHERE g.state = 'closed' AND g.claim_s IS NOT NULL)) AS view
FROM (<<report_group_area>>) g GROUP BY g.code, g.name ORDER BY g.code

-- alarms m JOIN incidents i
-- :name report_alarm_span
m.received_at >= %(start)s::timestamptz AND m.received_at < %(end)s::timestamptz AND i.class IN ('emergency', 'health', 'whereabouts')
  AND (%(area_id)s::text IS NULL OR i.area_path @> ARRAY[%(area_id)s::text])
  AND (%(priority)s::text IS NULL OR i.priority = %(priority)s::text)

-- Floods by ISA-18.2: ten alarms or more within ten minutes, counted in the ten minutes of the clock.
-- :name report_load
SELECT json_build_object('hour', h.hour, 'alarms', h.alarms, 'incidents', coalesce(c.incidents, 0),
                         'operators', coalesce(c.operators, 0), 'flood_min', h.flood_min) AS view
FROM (
    SELECT date_trunc('hour', b.bin) AS hour, sum(b.n)::integer AS alarms, (10 * count(*) FILTER (WHERE b.n >= 10))::integer AS flood_min
    FROM (SELECT date_bin('10 minutes', m.received_at, 'epoch'::timestamptz) AS bin, count(*) AS n
          FROM alarms m JOIN incidents i ON i.id = m.incident_id
          WHERE <<report_alarm_span>>
          GROUP BY 1) b
    GROUP BY 1
) h
LEFT JOIN (
    SELECT date_trunc('hour', i.opened_at) AS hour, count(*) AS incidents,
           count(DISTINCT coalesce(i.acknowledged_by, i.resolved_by)) AS operators
    FROM incidents i WHERE <<report_span>> GROUP BY 1
) c USING (hour)
ORDER BY h.hour

-- :name report_devices
SELECT json_build_object('group', x.code, 'family', x.family, 'model', x.model, 'incidents', sum(x.incidents),
    'devices', count(*), 'false', sum(x.false), 'judged', sum(x.judged),
    'worst', (array_agg(x.id ORDER BY x.incidents DESC, x.id))[1:5]) AS view
FROM (
    SELECT d.id, d.family, nullif(d.model, '') AS model, <<report_model>> AS code, count(*) AS incidents,
           count(*) FILTER (WHERE i.disposition IN ('false', 'device_fault')) AS false,
           count(*) FILTER (WHERE i.disposition IS NOT NULL) AS judged
    FROM incidents i JOIN devices d ON d.id = i.device_id
    WHERE <<report_span>>
    GROUP BY d.id, d.family, d.model
) x
GROUP BY x.code, x.family, x.model
ORDER BY sum(x.incidents) DESC, x.family, x.model
LIMIT 100

-- devices d
-- :name report_model
d.family || '|' || coalesce(d.model, '')

-- One condition a number; `report_counts` and the list behind a number read the same text.
-- :name report_numbers
SELECT t.*, unnest(array_remove(ARRAY[
        'all',
        CASE WHEN t.claim_s IS NOT NULL THEN 'claimed' END,
        CASE WHEN t.dispatch_s IS NOT NULL THEN 'dispatched' END,
        CASE WHEN t.disposition IS NOT NULL THEN 'judged' END,
        CASE WHEN t.disposition IN ('false', 'device_fault') THEN 'unfounded' END,
        CASE WHEN t.supervision IN ('required', 'done') THEN 'review_wanted' END,
        CASE WHEN t.supervision = 'done' THEN 'review_done' END,
        CASE WHEN t.claim_s IS NULL AND t.state = 'open' THEN 'unclaimed' END,
        CASE WHEN t.claim_s <= 15 THEN 'within_15' END,
        CASE WHEN t.claim_s <= 60 THEN 'within_60' END,
        CASE WHEN t.claim_s <= 180 THEN 'within_180' END,
        CASE WHEN t.claim_s > 60 OR (t.claim_s IS NULL AND t.state = 'open' AND t.opened_at < %(now)s::timestamptz - interval '60 seconds')
             THEN 'late_60' END,
        CASE WHEN t.arrive_s IS NOT NULL THEN 'arrived' END,
        CASE WHEN t.arrive_s > 1800 THEN 'late_arrival' END,
        CASE WHEN t.resolved_at IS NOT NULL THEN 'resolved' END,
        CASE WHEN t.disposition = 'genuine' THEN 'genuine' END,
        CASE WHEN t.disposition = 'false' THEN 'false' END,
        CASE WHEN t.disposition = 'no_contact' THEN 'no_contact' END,
        CASE WHEN t.state = 'resolved' AND t.supervision = 'required' THEN 'review' END,
        CASE WHEN t.state IN ('open', 'acknowledged', 'in_progress') AND t.opened_at < %(now)s::timestamptz - interval '24 hours' THEN 'stale' END,
        CASE WHEN t.state = 'closed' AND t.claim_s IS NOT NULL THEN 'looped' END
    ]::text[], NULL)) AS number
FROM (<<report_times>>) t

-- :name report_counts
SELECT coalesce(json_object_agg(n.number, n.n), '{}') AS view
FROM (SELECT x.number, count(*) AS n FROM (<<report_numbers>>) x GROUP BY 1) n

-- What is shelved now, whenever it opened.
-- :name report_shelved
SELECT count(*) AS n FROM incidents i WHERE <<report_shelved_now>>

-- incidents i
-- :name report_shelved_now
i.state IN ('open', 'acknowledged', 'in_progress') AND i.shelved_until > %(now)s::timestamptz
  AND (%(area_id)s::text IS NULL OR i.area_path @> ARRAY[%(area_id)s::text])
  AND (%(priority)s::text IS NULL OR i.priority = %(priority)s::text)

-- One condition a number, as for incidents. An order counts as done on time when its visit began within a quarter of an
-- hour around the wanted window.
-- :name report_order_numbers
SELECT o.id, o.number, o.kind, o.state, o.wanted_from, o.wanted_to, o.resident_id, o.provider_id, v.started_at, a.name AS area_name,
       array_remove(ARRAY[
           'orders',
           CASE WHEN o.state = 'completed' THEN 'orders_done' END,
           CASE WHEN v.started_at IS NOT NULL THEN 'orders_begun' END,
           CASE WHEN v.started_at BETWEEN o.wanted_from - interval '15 minutes' AND o.wanted_to + interval '15 minutes'
                THEN 'orders_punctual' END
       ]::text[], NULL) AS numbers
FROM orders o JOIN visits v ON v.order_id = o.id LEFT JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas a ON a.id = coalesce(r.area_id, o.area_id)
WHERE o.wanted_from >= %(start)s::timestamptz AND o.wanted_from < %(end)s::timestamptz AND o.state <> 'cancelled'
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])

-- :name report_orders
SELECT json_build_object(
    'orders', count(*) FILTER (WHERE 'orders' = ANY (x.numbers)),
    'orders_done', count(*) FILTER (WHERE 'orders_done' = ANY (x.numbers)),
    'orders_begun', count(*) FILTER (WHERE 'orders_begun' = ANY (x.numbers)),
    'orders_punctual', count(*) FILTER (WHERE 'orders_punctual' = ANY (x.numbers))) AS view
FROM (<<report_order_numbers>>) x

-- A resident's own usual values by hour of the day.
-- :name baseline
SELECT json_build_object('hour', b.hour, 'low', b.low, 'mid', b.mid, 'high', b.high, 'n', b.n) AS view
FROM (
    SELECT extract(hour FROM o.observed_at AT TIME ZONE %(zone)s)::integer AS hour,
           percentile_cont(0.1) WITHIN GROUP (ORDER BY o.value) AS low,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY o.value) AS mid,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY o.value) AS high, count(*) AS n
    FROM observations o
    WHERE o.resident_id = %(resident_id)s AND o.metric = %(metric)s AND o.value IS NOT NULL
      AND o.received_at >= %(start)s AND o.observed_at >= %(start)s AND o.observed_at < %(end)s
    GROUP BY 1
) b
ORDER BY b.hour
