-- What supervisors count of services: by area, provider and kind, never by person. An order is counted in the span in
-- which it is wanted; repairs of devices are nobody's service.

-- One row an order: its window (the promise where one was given), how it went, what people thought of it.
-- :name service_rows
SELECT o.id, o.number, o.resident_id, o.kind, o.state, o.provider_id, o.preferred_responder_id, o.wanted_from, a.path AS area_path,
       v.id AS visit_id, v.started_at, v.ended_at, coalesce(v.promised_from, o.wanted_from) AS begin_from,
       coalesce(v.promised_to, o.wanted_to) AS begin_by, s.score, s.complaint
FROM orders o
JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id
LEFT JOIN areas a ON a.id = r.area_id
LEFT JOIN order_satisfaction s ON s.order_id = o.id
WHERE o.wanted_from >= %(start)s::timestamptz AND o.wanted_from < %(end)s::timestamptz AND o.kind <> 'device_repair'
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])
  AND (%(provider_id)s::text IS NULL OR o.provider_id = %(provider_id)s::text)
  AND (%(service)s::text IS NULL OR o.kind = %(service)s::text)

-- One condition a number, read by the reports and by the list behind a number. `early`, `on_time` and the three of
-- lateness are everything that was begun, each once.
-- :name service_numbers
SELECT t.*, array_remove(ARRAY[
        CASE WHEN t.state = 'cancelled' THEN 'cancelled' ELSE 'orders' END,
        CASE WHEN t.state <> 'cancelled' AND t.begin_by <= %(now)s::timestamptz THEN 'due' END,
        CASE WHEN t.state = 'completed' THEN 'served' END,
        CASE WHEN t.state = 'aborted' THEN 'aborted' END,
        CASE WHEN t.begun THEN 'begun' END,
        CASE WHEN t.begun THEN CASE
            WHEN t.started_at < t.begin_from - %(early)s::interval THEN 'early'
            WHEN t.late < %(yellow)s::interval THEN 'on_time'
            WHEN t.late < %(red)s::interval THEN 'late_15'
            WHEN t.late < %(missed)s::interval THEN 'late_30'
            ELSE 'late_60' END END,
        CASE WHEN t.never THEN 'missed' END,
        CASE WHEN t.state IN ('requested', 'assigned') AND NOT t.begun AND NOT t.never
              AND t.begin_by <= %(now)s::timestamptz THEN 'waiting' END,
        CASE WHEN t.score IS NOT NULL THEN 'rated' END,
        CASE WHEN t.score >= 4 THEN 'content' END,
        CASE WHEN t.score <= 2 THEN 'discontent' END,
        CASE WHEN t.complaint THEN 'complaints' END
    ]::text[], NULL) AS numbers
FROM (
    SELECT x.*, x.started_at IS NOT NULL AND x.state <> 'cancelled' AS begun, x.started_at - x.begin_by AS late,
           x.started_at IS NULL AND (x.state = 'missed' OR x.state IN ('requested', 'assigned')
                                     AND x.begin_by + %(missed)s::interval <= %(now)s::timestamptz) AS never
    FROM (<<service_rows>>) x
) t

-- `by`: all, kind, provider, or a kind of area.
-- :name service_grouped
SELECT t.*, CASE %(by)s::text WHEN 'all' THEN '' WHEN 'kind' THEN t.kind WHEN 'provider' THEN coalesce(t.provider_id, '')
                  ELSE coalesce(ga.id, '') END AS code,
       CASE %(by)s::text WHEN 'all' THEN NULL WHEN 'kind' THEN gk.zh WHEN 'provider' THEN gp.name ELSE ga.name END AS name,
       CASE %(by)s::text WHEN 'kind' THEN gk.en END AS name_en
FROM (<<service_numbers>>) t
JOIN service_kinds gk ON gk.id = t.kind
LEFT JOIN providers gp ON gp.id = t.provider_id
LEFT JOIN areas ga ON ga.id = ANY (t.area_path) AND ga.kind = %(by)s::text

-- :name service_report
SELECT json_build_object(
    'group', g.code, 'name', g.name, 'name_en', g.name_en,
    'orders', count(*) FILTER (WHERE 'orders' = ANY (g.numbers)), 'cancelled', count(*) FILTER (WHERE 'cancelled' = ANY (g.numbers)),
    'due', count(*) FILTER (WHERE 'due' = ANY (g.numbers)), 'served', count(*) FILTER (WHERE 'served' = ANY (g.numbers)),
    'begun', count(*) FILTER (WHERE 'begun' = ANY (g.numbers)), 'on_time', count(*) FILTER (WHERE 'on_time' = ANY (g.numbers)),
    'early', count(*) FILTER (WHERE 'early' = ANY (g.numbers)), 'late_15', count(*) FILTER (WHERE 'late_15' = ANY (g.numbers)),
    'late_30', count(*) FILTER (WHERE 'late_30' = ANY (g.numbers)), 'late_60', count(*) FILTER (WHERE 'late_60' = ANY (g.numbers)),
    'missed', count(*) FILTER (WHERE 'missed' = ANY (g.numbers)), 'waiting', count(*) FILTER (WHERE 'waiting' = ANY (g.numbers)),
    'aborted', count(*) FILTER (WHERE 'aborted' = ANY (g.numbers)), 'rated', count(g.score),
    'score', round(avg(g.score), 2)::double precision, 'content', count(*) FILTER (WHERE 'content' = ANY (g.numbers)),
    'discontent', count(*) FILTER (WHERE 'discontent' = ANY (g.numbers)),
    'complaints', count(*) FILTER (WHERE 'complaints' = ANY (g.numbers))) AS view
FROM (<<service_grouped>>) g GROUP BY g.code, g.name, g.name_en ORDER BY g.name NULLS LAST, g.code

-- :name service_list
SELECT json_build_object(
    'order_id', t.id, 'number', t.number, 'kind', t.kind, 'state', t.state, 'resident', json_build_object('id', r.id, 'name', r.name),
    'area', a.name, 'provider', p.name, 'begin_from', t.begin_from, 'begin_by', t.begin_by, 'started_at', t.started_at,
    'late_min', CASE WHEN t.begun AND t.late > interval '0' THEN floor(extract(epoch FROM t.late) / 60)::integer END,
    'score', t.score) AS view
FROM (<<service_grouped>>) t
JOIN residents r ON r.id = t.resident_id
LEFT JOIN areas a ON a.id = t.area_path[array_length(t.area_path, 1)]
LEFT JOIN providers p ON p.id = t.provider_id
WHERE %(number)s::text = ANY (t.numbers) AND t.code = %(code)s::text
ORDER BY t.wanted_from DESC, t.id DESC
LIMIT %(limit)s OFFSET %(skip)s

-- ---- coverage: who may have a service or has a plan for one, and who got any

-- One row a resident: entitled by whoever pays, planned by a care plan, served; and by whom.
-- :name cover_people
SELECT r.id AS resident_id, r.name AS resident_name, a.path AS area_path, e.resident_id IS NOT NULL AS entitled,
       coalesce(c.providers, '{}') AS planned_by, coalesce(t.served_by, '{}') AS served_by
FROM (
    SELECT DISTINCT e.resident_id FROM entitlements e
    WHERE e.from_on <= %(last_day)s::date AND (e.to_on IS NULL OR e.to_on >= %(first_day)s::date)
      AND (%(service)s::text IS NULL OR e.kinds = '{}' OR %(service)s::text = ANY (e.kinds))
) e
FULL JOIN (
    SELECT c.resident_id, array_agg(DISTINCT coalesce(c.provider_id, '')) AS providers FROM care_plans c
    WHERE c.starts_on <= %(last_day)s::date AND (c.ends_on IS NULL OR c.ends_on >= %(first_day)s::date)
      AND (c.active OR c.changed_at >= %(start)s::timestamptz)
      AND (%(service)s::text IS NULL OR c.kind = %(service)s::text)
    GROUP BY c.resident_id
) c ON c.resident_id = e.resident_id
FULL JOIN (
    SELECT o.resident_id, array_agg(DISTINCT coalesce(o.provider_id, '')) AS served_by FROM orders o
    WHERE o.wanted_from >= %(start)s::timestamptz AND o.wanted_from < %(end)s::timestamptz AND o.kind <> 'device_repair'
      AND o.state = 'completed' AND (%(service)s::text IS NULL OR o.kind = %(service)s::text)
    GROUP BY o.resident_id
) t ON t.resident_id = coalesce(e.resident_id, c.resident_id)
JOIN residents r ON r.id = coalesce(e.resident_id, c.resident_id, t.resident_id)
LEFT JOIN areas a ON a.id = r.area_id
WHERE r.status NOT IN ('moved', 'deceased')
  AND (%(area_id)s::text IS NULL OR a.path @> ARRAY[%(area_id)s::text])

-- Of one provider (asked for, or a row of the report by provider): its own people, and served means served by it.
-- :name cover_numbers
SELECT y.*, array_remove(ARRAY[
        CASE WHEN y.entitled THEN 'entitled' END,
        CASE WHEN y.planned THEN 'planned' END,
        CASE WHEN y.entitled OR y.planned THEN 'wanted' END,
        CASE WHEN (y.entitled OR y.planned) AND y.served THEN 'covered' END,
        CASE WHEN (y.entitled OR y.planned) AND NOT y.served THEN 'uncovered' END,
        CASE WHEN NOT y.entitled AND NOT y.planned AND y.served THEN 'besides' END
    ]::text[], NULL) AS numbers
FROM (
    SELECT p.resident_id, p.resident_name, p.area_path, p.entitled, q.provider_id,
           CASE WHEN q.provider_id IS NULL THEN p.planned_by <> '{}' ELSE q.provider_id = ANY (p.planned_by) END AS planned,
           CASE WHEN q.provider_id IS NULL THEN p.served_by <> '{}' ELSE q.provider_id = ANY (p.served_by) END AS served
    FROM (<<cover_people>>) p
    CROSS JOIN LATERAL (
        SELECT NULL::text AS provider_id WHERE %(by)s::text <> 'provider' AND %(provider_id)s::text IS NULL
        UNION
        SELECT z.provider_id FROM unnest(p.planned_by || p.served_by) AS z (provider_id)
        WHERE (%(by)s::text = 'provider' OR %(provider_id)s::text IS NOT NULL)
          AND (%(provider_id)s::text IS NULL OR z.provider_id = %(provider_id)s::text)
        UNION
        SELECT '' WHERE %(by)s::text = 'provider' AND %(provider_id)s::text IS NULL AND p.planned_by || p.served_by = '{}'
    ) q
) y

-- :name cover_grouped
SELECT t.*, CASE %(by)s::text WHEN 'all' THEN '' WHEN 'provider' THEN coalesce(t.provider_id, '') ELSE coalesce(ga.id, '') END AS code,
       CASE %(by)s::text WHEN 'all' THEN NULL WHEN 'provider' THEN gp.name ELSE ga.name END AS name
FROM (<<cover_numbers>>) t
LEFT JOIN providers gp ON gp.id = t.provider_id
LEFT JOIN areas ga ON ga.id = ANY (t.area_path) AND ga.kind = %(by)s::text

-- :name cover_report
SELECT json_build_object(
    'group', g.code, 'name', g.name, 'entitled', count(*) FILTER (WHERE 'entitled' = ANY (g.numbers)),
    'planned', count(*) FILTER (WHERE 'planned' = ANY (g.numbers)), 'wanted', count(*) FILTER (WHERE 'wanted' = ANY (g.numbers)),
    'covered', count(*) FILTER (WHERE 'covered' = ANY (g.numbers)), 'uncovered', count(*) FILTER (WHERE 'uncovered' = ANY (g.numbers)),
    'besides', count(*) FILTER (WHERE 'besides' = ANY (g.numbers))) AS view
FROM (<<cover_grouped>>) g GROUP BY g.code, g.name ORDER BY g.name NULLS LAST, g.code

-- :name cover_list
SELECT json_build_object('resident', json_build_object('id', t.resident_id, 'name', t.resident_name), 'area', a.name,
                         'entitled', t.entitled, 'planned', t.planned, 'served', t.served) AS view
FROM (<<cover_grouped>>) t
LEFT JOIN areas a ON a.id = t.area_path[array_length(t.area_path, 1)]
WHERE %(number)s::text = ANY (t.numbers) AND t.code = %(code)s::text
ORDER BY t.resident_name, t.resident_id
LIMIT %(limit)s OFFSET %(skip)s

-- ---- continuity: how many different people come to one's home

-- Residents with two visits or more. Regular is whoever is named as such; where nobody is, whoever came most often.
-- Meals at the door and errands are passing.
-- :name continuity_residents
WITH v AS MATERIALIZED (
    SELECT g.code, g.name, g.name_en, g.resident_id, g.area_path, g.id AS order_id, s.responder_id,
           coalesce(s.responder_id = g.preferred_responder_id, false) OR s.responder_id = ANY (r.regular_responders) AS named
    FROM (<<service_grouped>>) g
    JOIN residents r ON r.id = g.resident_id
    JOIN assignments s ON s.visit_id = g.visit_id AND s.state = 'completed'
    WHERE g.state = 'completed' AND g.kind <> ALL (%(passing)s::text[])
), pairs AS (
    SELECT code, resident_id, responder_id, count(*) AS n, bool_or(named) AS named FROM v GROUP BY code, resident_id, responder_id
), ranked AS (
    SELECT p.*, bool_or(p.named) OVER (PARTITION BY p.code, p.resident_id) AS any_named,
           row_number() OVER (PARTITION BY p.code, p.resident_id ORDER BY p.n DESC, p.responder_id) AS place
    FROM pairs p
)
SELECT v.code, v.name, v.name_en, v.resident_id, v.area_path, count(DISTINCT v.order_id) AS visits,
       count(DISTINCT v.responder_id) AS carers,
       count(DISTINCT v.order_id) FILTER (WHERE CASE WHEN k.any_named THEN k.named ELSE k.place = 1 END) AS by_regular
FROM v JOIN ranked k USING (code, resident_id, responder_id)
GROUP BY v.code, v.name, v.name_en, v.resident_id, v.area_path
HAVING count(DISTINCT v.order_id) >= 2

-- :name continuity_report
SELECT json_build_object(
    'group', c.code, 'name', c.name, 'name_en', c.name_en, 'residents', count(*), 'visits', sum(c.visits),
    'by_regular', sum(c.by_regular),
    'carers', json_build_object('mean', round(avg(c.carers), 2)::double precision,
                                'p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY c.carers),
                                'p90', percentile_cont(0.9) WITHIN GROUP (ORDER BY c.carers), 'most', max(c.carers)),
    'by_others', count(*) FILTER (WHERE c.by_regular < c.visits),
    'many', count(*) FILTER (WHERE c.carers >= %(many)s)) AS view
FROM (<<continuity_residents>>) c GROUP BY c.code, c.name, c.name_en ORDER BY c.name NULLS LAST, c.code

-- Residents, with how many came; nobody who came is named.
-- :name continuity_list
SELECT json_build_object('resident', json_build_object('id', r.id, 'name', r.name), 'area', a.name, 'visits', c.visits,
                         'carers', c.carers, 'by_regular', c.by_regular) AS view
FROM (<<continuity_residents>>) c
JOIN residents r ON r.id = c.resident_id
LEFT JOIN areas a ON a.id = c.area_path[array_length(c.area_path, 1)]
WHERE c.code = %(code)s::text
  AND (%(number)s::text = 'repeated' OR %(number)s::text = 'many' AND c.carers >= %(many)s
       OR %(number)s::text = 'by_others' AND c.by_regular < c.visits)
ORDER BY c.carers DESC, r.name, r.id
LIMIT %(limit)s OFFSET %(skip)s

-- ---- travel: the share of planned working time that is spent on the way

-- Routes of published plans; each area has the part of a route that its stops are.
-- :name travel_rows
SELECT x.id, x.day, x.travel_s, x.service_s, provider_of_responder(x.responder_id) AS provider_id, q.area_path,
       q.stops, q.stops::double precision / sum(q.stops) OVER (PARTITION BY x.id) AS part
FROM routes x
JOIN day_plans d ON d.id = x.plan_id AND d.state = 'published'
JOIN LATERAL (
    SELECT a.path AS area_path, count(*) AS stops
    FROM route_stops w
    JOIN visits v ON v.id = w.visit_id
    JOIN orders o ON o.id = v.order_id
    JOIN residents r ON r.id = o.resident_id
    LEFT JOIN areas a ON a.id = r.area_id
    WHERE w.route_id = x.id
    GROUP BY a.path
) q ON true
WHERE x.day >= %(first_day)s::date AND x.day <= %(last_day)s::date
  AND (%(provider_id)s::text IS NULL OR provider_of_responder(x.responder_id) = %(provider_id)s::text)

-- :name travel_scope
SELECT t.*, CASE %(by)s::text WHEN 'all' THEN '' WHEN 'provider' THEN coalesce(t.provider_id, '') ELSE coalesce(ga.id, '') END AS code,
       CASE %(by)s::text WHEN 'all' THEN NULL WHEN 'provider' THEN gp.name ELSE ga.name END AS name
FROM (<<travel_rows>>) t
LEFT JOIN providers gp ON gp.id = t.provider_id
LEFT JOIN areas ga ON ga.id = ANY (t.area_path) AND ga.kind = %(by)s::text
WHERE %(area_id)s::text IS NULL OR t.area_path @> ARRAY[%(area_id)s::text]

-- :name travel_report
SELECT json_build_object(
    'group', t.code, 'name', t.name, 'routes', count(DISTINCT t.id), 'stops', sum(t.stops),
    'travel_min', round(sum(t.travel_s * t.part) / 60), 'service_min', round(sum(t.service_s * t.part) / 60),
    'travel_share', round((sum(t.travel_s * t.part) / nullif(sum((t.travel_s + t.service_s) * t.part), 0))::numeric, 4)::double precision
    ) AS view
FROM (<<travel_scope>>) t GROUP BY t.code, t.name ORDER BY t.name NULLS LAST, t.code

-- By day, without names: whose day it was is nobody's number.
-- :name travel_list
SELECT json_build_object('day', t.day, 'provider', p.name, 'stops', t.stops, 'travel_min', t.travel_min, 'service_min', t.service_min) AS view
FROM (
    SELECT t.id, t.day, t.provider_id, sum(t.stops) AS stops, round(sum(t.travel_s * t.part) / 60) AS travel_min,
           round(sum(t.service_s * t.part) / 60) AS service_min
    FROM (<<travel_scope>>) t WHERE t.code = %(code)s::text GROUP BY t.id, t.day, t.provider_id
) t LEFT JOIN providers p ON p.id = t.provider_id
ORDER BY t.day DESC, t.id
LIMIT %(limit)s OFFSET %(skip)s

-- :name providers_named
SELECT json_build_object('id', p.id, 'name', p.name, 'kind', p.kind) AS view FROM providers p WHERE p.active ORDER BY p.name, p.id
