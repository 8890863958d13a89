-- Meals as pages read them.

-- One statement for 99 points: numbers of a meal.
-- :name meal_day
WITH live AS MATERIALIZED (
    SELECT k.*, o.state, o.resident_id, t.left_at, t.hot_min
    FROM meal_orders k JOIN orders o ON o.id = k.order_id LEFT JOIN meal_trips t ON t.id = k.trip_id
    WHERE k.day = %(day)s AND k.meal = %(meal)s AND o.state <> 'cancelled'
), numbers AS (
    SELECT coalesce(station_id, '') AS station_id, count(*) AS ordered,
           count(*) FILTER (WHERE mode = 'delivery') AS delivery, count(*) FILTER (WHERE mode = 'dine_in') AS dine_in,
           count(*) FILTER (WHERE result = 'handed_over') AS handed_over,
           count(*) FILTER (WHERE result = 'left_with') AS left_with,
           count(*) FILTER (WHERE result = 'no_answer') AS no_answer, count(*) FILTER (WHERE result = 'served') AS served,
           count(*) FILTER (WHERE problem IS NOT NULL AND overridden IS NULL) AS problems,
           count(*) FILTER (WHERE late OR result IS NULL AND left_at + hot_min * interval '1 minute' < %(now)s) AS late,
           count(*) FILTER (WHERE mode = 'delivery' AND trip_id IS NULL AND result IS NULL) AS untoured
    FROM live GROUP BY 1
), dishes AS (
    SELECT station_id, json_agg(json_build_object('dish_id', dish_id, 'dish', dish, 'count', n) ORDER BY n DESC, dish) AS list
    FROM (SELECT coalesce(station_id, '') AS station_id, dish_id, dish, count(*) AS n FROM live GROUP BY 1, 2, 3) d
    GROUP BY 1
), diets AS (
    SELECT station_id, json_agg(json_build_object('diet', diet, 'count', n) ORDER BY n DESC, diet) AS list
    FROM (SELECT coalesce(l.station_id, '') AS station_id, coalesce(x.diet, 'regular') AS diet, count(*) AS n
          FROM live l LEFT JOIN LATERAL unnest(l.diets) x (diet) ON true GROUP BY 1, 2) d
    GROUP BY 1
)
SELECT s.station_id, s.name, s.kept, s.delivers, s.dine_in AS serves, s.hot_min, s.carries, s.hours, s.version,
       json_build_object('ordered', coalesce(n.ordered, 0), 'delivery', coalesce(n.delivery, 0),
                         'dine_in', coalesce(n.dine_in, 0), 'handed_over', coalesce(n.handed_over, 0),
                         'left_with', coalesce(n.left_with, 0), 'no_answer', coalesce(n.no_answer, 0),
                         'served', coalesce(n.served, 0), 'problems', coalesce(n.problems, 0),
                         'late', coalesce(n.late, 0), 'untoured', coalesce(n.untoured, 0)) AS counts,
       coalesce(d.list, '[]') AS dishes, coalesce(t.list, '[]') AS diets,
       (SELECT json_build_object('id', r.id, 'state', r.state) FROM meal_rounds r
        WHERE r.station_id = s.station_id AND r.day = %(day)s AND r.meal = %(meal)s AND r.state <> 'superseded'
        ORDER BY r.asked_at DESC LIMIT 1) AS round,
       EXISTS (SELECT FROM meal_menus m WHERE m.station_id = s.station_id AND m.day = %(day)s AND m.meal = %(meal)s) AS menu
FROM (<<meal_point_row>> AND (%(area)s::text IS NULL OR a.path @> ARRAY[%(area)s::text])
          AND (%(provider)s::text IS NULL OR s.provider_id = %(provider)s::text)
      UNION ALL
      SELECT '', '', '{}', NULL, NULL, false, true, true, 45, 24, '{}', 0
      WHERE %(area)s::text IS NULL AND %(provider)s::text IS NULL AND EXISTS (SELECT FROM live WHERE station_id IS NULL)) s
LEFT JOIN numbers n USING (station_id)
LEFT JOIN dishes d USING (station_id)
LEFT JOIN diets t USING (station_id)
ORDER BY coalesce(n.ordered, 0) DESC, s.station_id

-- meal_orders k, orders o, visits v, residents r, meal_trips t
-- :name meal_order_json
json_build_object(
    'order_id', o.id, 'number', o.number, 'visit_id', v.id, 'state', o.state, 'reason', o.reason, 'note', o.note,
    'station_id', k.station_id, 'day', k.day, 'meal', k.meal, 'mode', k.mode, 'dish_id', k.dish_id, 'dish', k.dish,
    'diets', k.diets, 'allergies', k.allergies, 'problem', k.problem, 'overridden', k.overridden, 'trip_id', k.trip_id,
    'stop', k.stop, 'due_at', k.due_at, 'done_at', k.done_at, 'result', k.result, 'left_with', k.left_with,
    'minutes', k.minutes, 'late', k.late OR coalesce(k.result IS NULL AND t.left_at + t.hot_min * interval '1 minute' < %(now)s, false),
    'incident_id', k.incident_id, 'wanted_from', o.wanted_from, 'wanted_to', o.wanted_to,
    'courier', (SELECT json_build_object('id', c.id, 'name', c.name) FROM responders c WHERE c.id = t.courier_id),
    'resident', json_build_object('id', r.id, 'name', r.name, 'age', date_part('year', age(r.born_on))::integer,
                                  'address', r.address, 'lat', r.lat, 'lon', r.lon, 'status', r.status))

-- :name meal_list
SELECT <<meal_order_json>> AS view
FROM meal_orders k JOIN orders o ON o.id = k.order_id JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id LEFT JOIN meal_trips t ON t.id = k.trip_id
WHERE coalesce(k.station_id, '') = %(station_id)s AND k.day = %(day)s AND k.meal = %(meal)s
ORDER BY o.state = 'cancelled', k.dish NULLS FIRST, r.name, o.id

-- :name meal_order_view
SELECT <<meal_order_json>> AS view
FROM meal_orders k JOIN orders o ON o.id = k.order_id JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id LEFT JOIN meal_trips t ON t.id = k.trip_id
WHERE k.order_id = %(order_id)s::uuid

-- :name meal_menus_view
SELECT json_build_object('day', m.day, 'meal', m.meal, 'dishes', json_agg(json_build_object(
           'dish_id', d.id, 'name', d.name, 'name_en', d.name_en, 'allergens', d.allergens, 'diets', d.diets,
           'price_fen', d.price_fen, 'portions', m.portions) ORDER BY m.position, d.id)) AS view
FROM meal_menus m JOIN meal_dishes d ON d.id = m.dish_id
WHERE m.station_id = %(station_id)s AND m.day >= %(start)s AND m.day <= %(end)s
GROUP BY m.day, m.meal
ORDER BY m.day, array_position(ARRAY['breakfast', 'lunch', 'dinner'], m.meal)

-- :name meal_desk
SELECT json_build_object(
    'resident', json_build_object('id', r.id, 'name', r.name, 'age', date_part('year', age(r.born_on))::integer,
                                  'address', r.address, 'status', r.status, 'diets', r.diets, 'allergies', r.allergies),
    'card', (SELECT c.card FROM meal_cards c WHERE c.resident_id = r.id AND c.active ORDER BY c.issued_at DESC LIMIT 1),
    'orders', coalesce((SELECT json_agg(json_build_object(
                   'order_id', o.id, 'state', o.state, 'mode', k.mode, 'dish', k.dish, 'station_id', k.station_id,
                   'problem', CASE WHEN k.overridden IS NULL THEN k.problem END) ORDER BY k.mode DESC)
               FROM orders o JOIN meal_orders k ON k.order_id = o.id
               WHERE o.resident_id = r.id AND k.day = %(day)s AND k.meal = %(meal)s AND o.state <> 'cancelled'), '[]'),
    'served', (SELECT json_build_object('at', g.at, 'mode', g.mode, 'station', s.name, 'by', g.by_name)
               FROM meal_servings g LEFT JOIN stations s ON s.id = g.station_id
               WHERE g.resident_id = r.id AND g.day = %(day)s AND g.meal = %(meal)s)) AS view
FROM residents r
WHERE r.status NOT IN ('moved', 'deceased')
  AND (r.name ILIKE %(like)s OR r.id = %(q)s OR r.phone = %(q)s
       OR r.id = (SELECT c.resident_id FROM meal_cards c WHERE c.card = %(q)s AND c.active))
ORDER BY r.name = %(q)s DESC, r.name, r.id
LIMIT %(limit)s

-- :name meal_unanswered_view
SELECT <<meal_order_json>>::jsonb || jsonb_build_object(
           'alarmed_at', k.alarmed_at, 'incident', CASE WHEN i.id IS NOT NULL THEN jsonb_build_object(
               'id', i.id, 'number', i.number, 'state', i.state, 'priority', i.priority, 'reasons', i.reasons) END) AS view
FROM meal_orders k JOIN orders o ON o.id = k.order_id JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id LEFT JOIN meal_trips t ON t.id = k.trip_id
LEFT JOIN incidents i ON i.id = k.incident_id
WHERE k.day = %(day)s AND k.result = 'no_answer'
  AND (%(provider)s::text IS NULL
       OR k.station_id IN (SELECT s.id FROM stations s WHERE s.provider_id = %(provider)s::text))
ORDER BY k.done_at DESC, o.id

-- :name meal_refusals_view
SELECT json_build_object('id', f.id, 'at', f.at, 'station', s.name, 'resident', json_build_object('id', r.id, 'name', r.name),
                         'meal', f.meal, 'code', f.code, 'detail', f.detail, 'card', f.card, 'by', f.by_name) AS view
FROM meal_refusals f JOIN residents r ON r.id = f.resident_id LEFT JOIN stations s ON s.id = f.station_id
WHERE f.day = %(day)s AND (%(provider)s::text IS NULL OR s.provider_id = %(provider)s::text)
ORDER BY f.at DESC, f.id
LIMIT 500

-- meal_rounds m
-- :name meal_round_json
json_build_object(
    'id', m.id, 'station_id', m.station_id, 'station', s.name, 'day', m.day, 'meal', m.meal, 'state', m.state,
    'seconds', m.seconds, 'couriers', m.couriers, 'asked_at', m.asked_at, 'done_at', m.done_at, 'error', m.error,
    'answer', m.answer, 'version', m.version)

-- :name meal_rounds_view
SELECT <<meal_round_json>> AS view FROM meal_rounds m JOIN stations s ON s.id = m.station_id
WHERE m.day = %(day)s AND (%(meal)s::text IS NULL OR m.meal = %(meal)s::text)
  AND (%(station_id)s::text IS NULL OR m.station_id = %(station_id)s::text)
  AND (%(provider)s::text IS NULL OR s.provider_id = %(provider)s::text)
ORDER BY m.asked_at DESC, m.id
LIMIT 200

-- :name meal_round_view
SELECT <<meal_round_json>> AS view FROM meal_rounds m JOIN stations s ON s.id = m.station_id WHERE m.id = %(id)s::uuid

-- The hand-over at the door needs what a task needs: the way in, what to know before ringing.
-- :name meal_trip_json
json_build_object(
    'id', t.id, 'round_id', t.round_id, 'day', t.day, 'meal', t.meal, 'number', t.number, 'leave_at', t.leave_at,
    'left_at', t.left_at, 'hot_min', t.hot_min, 'version', t.version,
    'station', json_build_object('id', s.id, 'name', s.name, 'address', s.address, 'phone', s.phone),
    'courier', json_build_object('id', c.id, 'name', c.name, 'phone', c.phone),
    'stops', coalesce((
        SELECT json_agg(json_build_object(
            'stop', k.stop, 'order_id', o.id, 'visit_id', v.id, 'state', o.state, 'dish', k.dish, 'diets', k.diets,
            'allergies', k.allergies, 'note', o.note, 'due_at', k.due_at, 'done_at', k.done_at, 'result', k.result,
            'left_with', k.left_with, 'minutes', k.minutes, 'late', k.late, 'incident_id', k.incident_id,
            'reason', o.reason,
            'assignment_id', (SELECT g.id FROM assignments g WHERE g.visit_id = v.id AND g.responder_id = t.courier_id
                              ORDER BY g.offered_at DESC LIMIT 1),
            'resident', json_build_object('id', r.id, 'name', r.name, 'age', date_part('year', age(r.born_on))::integer,
                'phone', r.phone, 'address', r.address, 'lat', r.lat, 'lon', r.lon, 'hearing', r.hearing,
                'door', r.access)) ORDER BY k.stop)
        FROM meal_orders k JOIN orders o ON o.id = k.order_id JOIN visits v ON v.order_id = o.id
        JOIN residents r ON r.id = o.resident_id
        WHERE k.trip_id = t.id), '[]'))

-- :name meal_trips_view
SELECT <<meal_trip_json>> AS view
FROM meal_trips t JOIN stations s ON s.id = t.station_id JOIN responders c ON c.id = t.courier_id
JOIN meal_rounds m ON m.id = t.round_id
WHERE t.courier_id = %(courier_id)s AND t.day = %(day)s AND m.state = 'published'
ORDER BY t.leave_at, t.number, t.id

-- :name meal_trips_of_round
SELECT <<meal_trip_json>> AS view
FROM meal_trips t JOIN stations s ON s.id = t.station_id JOIN responders c ON c.id = t.courier_id
WHERE t.round_id = %(round_id)s::uuid
ORDER BY c.name, t.number, t.id
