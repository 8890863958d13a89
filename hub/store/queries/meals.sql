-- Meals: points, menus, orders in the kitchen, trips, who was served.

-- stations s
-- :name meal_point_row
SELECT s.id AS station_id, s.name, coalesce(a.path, '{}') AS area_path, s.lat, s.lon, p.station_id IS NOT NULL AS kept,
       coalesce(p.delivers, true) AS delivers, coalesce(p.dine_in, true) AS dine_in, coalesce(p.hot_min, 45) AS hot_min,
       coalesce(p.carries, 24) AS carries, coalesce(p.hours, '{}') AS hours, coalesce(p.version, 0) AS version
FROM stations s
LEFT JOIN areas a ON a.id = s.area_id
LEFT JOIN meal_points p ON p.station_id = s.id
WHERE s.kind = 'meal_point'

-- :name meal_points_all
<<meal_point_row>>
ORDER BY s.id

-- :name meal_points_one
<<meal_point_row>> AND s.id = %(station_id)s

-- :name meal_points_lock
SELECT pg_advisory_xact_lock(hashtextextended('meals:' || %(station_id)s::text, 0))

-- :name meal_points_save
INSERT INTO meal_points AS p (station_id, delivers, dine_in, hot_min, carries, hours)
VALUES (%(station_id)s, %(delivers)s, %(dine_in)s, %(hot_min)s, %(carries)s, %(hours)s::jsonb)
ON CONFLICT (station_id) DO UPDATE SET delivers = excluded.delivers, dine_in = excluded.dine_in,
    hot_min = excluded.hot_min, carries = excluded.carries, hours = excluded.hours, version = p.version + 1

-- :name meal_menu
SELECT d.id, d.name, d.allergens, d.diets, m.portions - (
           SELECT count(*) FROM meal_orders k JOIN orders o ON o.id = k.order_id
           WHERE k.station_id = m.station_id AND k.day = m.day AND k.meal = m.meal AND k.dish_id = m.dish_id
             AND o.state <> 'cancelled')::integer AS "left"
FROM meal_menus m JOIN meal_dishes d ON d.id = m.dish_id
WHERE m.station_id = %(station_id)s AND m.day = %(day)s AND m.meal = %(meal)s AND d.active
ORDER BY m.position, d.id

-- :name meal_menu_clear
DELETE FROM meal_menus WHERE station_id = %(station_id)s AND day = %(day)s AND meal = %(meal)s

-- :name meal_menu_add
INSERT INTO meal_menus (station_id, day, meal, dish_id, position, portions)
SELECT %(station_id)s, %(day)s, %(meal)s, r.dish_id, r.position, r.portions
FROM json_to_recordset(%(rows)s::json) AS r (dish_id text, position smallint, portions integer)

-- :name meal_dish_known
SELECT id FROM meal_dishes WHERE id = ANY (%(ids)s::text[]) AND active AND (station_id IS NULL OR station_id = %(station_id)s)

-- :name meal_eater
SELECT diets, allergies FROM residents WHERE id = %(resident_id)s

-- :name meal_ordered
SELECT count(*) FROM meal_orders k JOIN orders o ON o.id = k.order_id
WHERE k.station_id = %(station_id)s AND k.day = %(day)s AND k.meal = %(meal)s AND o.state <> 'cancelled'
  AND (%(but)s::uuid IS NULL OR k.order_id <> %(but)s::uuid)

-- :name meal_order_get
SELECT to_jsonb(k) AS row FROM meal_orders k WHERE k.order_id = %(order_id)s::uuid

-- :name meal_order_locked
SELECT to_jsonb(k) AS row FROM meal_orders k WHERE k.order_id = %(order_id)s::uuid FOR UPDATE

-- :name meal_order_put
INSERT INTO meal_orders (order_id, station_id, day, meal, mode, dish_id, dish, diets, allergies, problem, overridden, trip_id,
                         stop, due_at, done_at, recorded_at, result, left_with, minutes, late, alarmed_at, incident_id)
VALUES (%(order_id)s, %(station_id)s, %(day)s, %(meal)s, %(mode)s, %(dish_id)s, %(dish)s, %(diets)s, %(allergies)s,
        %(problem)s, %(overridden)s::jsonb, %(trip_id)s, %(stop)s, %(due_at)s, %(done_at)s, %(recorded_at)s, %(result)s,
        %(left_with)s, %(minutes)s, %(late)s, %(alarmed_at)s, %(incident_id)s)
ON CONFLICT (order_id) DO UPDATE SET
    station_id = excluded.station_id, day = excluded.day, meal = excluded.meal, mode = excluded.mode,
    dish_id = excluded.dish_id, dish = excluded.dish, diets = excluded.diets, allergies = excluded.allergies,
    problem = excluded.problem, overridden = excluded.overridden, trip_id = excluded.trip_id, stop = excluded.stop,
    due_at = excluded.due_at, done_at = excluded.done_at, recorded_at = excluded.recorded_at, result = excluded.result,
    left_with = excluded.left_with, minutes = excluded.minutes, late = excluded.late, alarmed_at = excluded.alarmed_at,
    incident_id = excluded.incident_id

-- A problem may be solved by a menu that was written or a point that was opened since. An allergy or a diet that was noted
-- since counts for every meal that has not left the kitchen.
-- :name meal_unplaced
SELECT o.id FROM orders o JOIN residents r ON r.id = o.resident_id LEFT JOIN meal_orders k ON k.order_id = o.id
LEFT JOIN meal_trips t ON t.id = k.trip_id
WHERE o.kind IN ('meal_delivery', 'meal_dine_in') AND o.wanted_from >= %(since)s
  AND (k.order_id IS NULL AND o.state <> 'cancelled'
       OR o.state = 'requested' AND k.day >= %(today)s AND k.overridden IS NULL AND k.trip_id IS NULL
          AND k.problem IN ('no_menu', 'no_point', 'no_safe_dish')
          AND (k.station_id IS NULL AND EXISTS (SELECT FROM stations s WHERE s.kind = 'meal_point')
               OR EXISTS (SELECT FROM meal_menus m WHERE m.station_id = k.station_id AND m.day = k.day AND m.meal = k.meal)
                  AND k.problem = 'no_menu')
       OR o.state IN ('requested', 'assigned') AND k.day >= %(today)s AND t.left_at IS NULL AND k.result IS NULL
          AND NOT (k.allergies @> r.allergies AND k.diets @> array_remove(r.diets, 'regular')))
ORDER BY o.wanted_from, o.id
LIMIT %(limit)s

-- :name meal_of_person
SELECT o.id FROM orders o JOIN meal_orders k ON k.order_id = o.id
WHERE o.resident_id = %(resident_id)s AND k.day = %(day)s AND k.meal = %(meal)s
  AND o.state IN ('requested', 'assigned', 'in_service', 'missed')
ORDER BY k.mode DESC, o.wanted_from, o.id

-- :name meal_unanswered_open
SELECT order_id FROM meal_orders WHERE result = 'no_answer' AND alarmed_at IS NULL ORDER BY done_at LIMIT %(limit)s

-- :name meal_unanswered_mark
UPDATE meal_orders k SET result = 'no_answer', done_at = v.ended_at, recorded_at = v.ended_at
FROM orders o JOIN visits v ON v.order_id = o.id
WHERE k.order_id = o.id AND k.result IS NULL AND o.state = 'aborted' AND v.outcome IN ('no_answer', 'not_found')
  AND v.ended_at > %(since)s AND o.kind = 'meal_delivery'

-- :name meal_serve
INSERT INTO meal_servings (resident_id, day, meal, station_id, order_id, mode, card, at, by_name)
VALUES (%(resident_id)s, %(day)s, %(meal)s, %(station_id)s, %(order_id)s, %(mode)s, %(card)s, %(at)s, %(by_name)s)
ON CONFLICT (resident_id, day, meal) DO NOTHING

-- :name meal_serving
SELECT resident_id, day, meal, station_id, order_id, mode, card, at, by_name FROM meal_servings
WHERE resident_id = %(resident_id)s AND day = %(day)s AND meal = %(meal)s

-- :name meal_refuse
INSERT INTO meal_refusals (id, at, station_id, resident_id, day, meal, code, detail, card, by_name)
VALUES (%(id)s, %(at)s, %(station_id)s, %(resident_id)s, %(day)s, %(meal)s, %(code)s, %(detail)s, %(card)s, %(by_name)s)

-- :name meal_card
SELECT resident_id FROM meal_cards WHERE card = %(card)s AND active

-- :name meal_card_end
UPDATE meal_cards SET active = false, version = version + 1
WHERE resident_id = %(resident_id)s AND active AND card <> %(card)s

-- :name meal_card_give
INSERT INTO meal_cards AS c (card, resident_id, issued_at) VALUES (%(card)s, %(resident_id)s, %(at)s)
ON CONFLICT (card) DO UPDATE SET active = true, version = c.version + 1 WHERE c.resident_id = excluded.resident_id

-- :name meal_round_add
INSERT INTO meal_rounds (id, station_id, day, meal, state, seconds, couriers, asked_at, asked_by)
VALUES (%(id)s, %(station_id)s, %(day)s, %(meal)s, %(state)s, %(seconds)s, %(couriers)s, %(asked_at)s, %(asked_by)s)

-- :name meal_round_get
SELECT to_jsonb(m) AS row FROM meal_rounds m WHERE m.id = %(id)s::uuid

-- :name meal_round_locked
SELECT to_jsonb(m) AS row FROM meal_rounds m WHERE m.id = %(id)s::uuid FOR UPDATE

-- :name meal_round_save
UPDATE meal_rounds SET state = %(state)s, taken_at = %(taken_at)s, done_at = %(done_at)s, error = %(error)s,
    answer = %(answer)s::jsonb, version = version + 1
WHERE id = %(id)s

-- :name meal_round_take
SELECT to_jsonb(m) AS row FROM meal_rounds m
WHERE m.state = 'queued' OR m.state = 'running' AND m.taken_at < %(abandoned)s
ORDER BY m.asked_at, m.id
LIMIT 1
FOR UPDATE SKIP LOCKED

-- :name meal_rounds_of
SELECT to_jsonb(m) AS row FROM meal_rounds m
WHERE m.station_id = %(station_id)s AND m.day = %(day)s AND m.meal = %(meal)s
ORDER BY m.asked_at DESC, m.id DESC
FOR UPDATE

-- :name meal_deliveries
SELECT k.order_id, v.id AS visit_id, r.id AS resident_id, r.name, r.lat, r.lon, o.state
FROM meal_orders k
JOIN orders o ON o.id = k.order_id
JOIN visits v ON v.order_id = o.id
JOIN residents r ON r.id = o.resident_id
LEFT JOIN meal_trips t ON t.id = k.trip_id
WHERE k.station_id = %(station_id)s AND k.day = %(day)s AND k.meal = %(meal)s AND k.mode = 'delivery'
  AND o.state IN ('requested', 'assigned') AND k.result IS NULL AND t.left_at IS NULL
ORDER BY k.order_id

-- :name meal_couriers
SELECT r.id, r.name, r.mode, r.lat, r.lon FROM responders r
WHERE r.active
  AND EXISTS (SELECT FROM jsonb_array_elements(r.skills) k
              WHERE k ->> 'skill' = 'meal_delivery' AND coalesce((k ->> 'expires_on')::date, 'infinity') >= (%(at)s)::date)
  AND (cardinality(%(ids)s::text[]) > 0 AND r.id = ANY (%(ids)s::text[])
       OR cardinality(%(ids)s::text[]) = 0 AND (r.station_id = %(station_id)s OR r.station_id IS NULL))
  AND NOT EXISTS (SELECT FROM rota_overrides o
                  WHERE o.withdrawn_at IS NULL AND o.kind = 'absent' AND o.responder_id = r.id AND o.shift_id IS NULL
                    AND o.role IS NULL AND o.starts_at <= %(at)s AND o.ends_at > %(at)s)
ORDER BY r.station_id IS NULL, r.id

-- :name meal_trip_add
INSERT INTO meal_trips (id, round_id, station_id, day, meal, courier_id, number, leave_at, left_at, hot_min)
VALUES (%(id)s, %(round_id)s, %(station_id)s, %(day)s, %(meal)s, %(courier_id)s, %(number)s, %(leave_at)s, %(left_at)s,
        %(hot_min)s)

-- :name meal_trip_get
SELECT to_jsonb(t) AS row FROM meal_trips t WHERE t.id = %(id)s::uuid

-- :name meal_trip_locked
SELECT to_jsonb(t) AS row FROM meal_trips t WHERE t.id = %(id)s::uuid FOR UPDATE

-- :name meal_trip_save
UPDATE meal_trips SET left_at = %(left_at)s, version = version + 1 WHERE id = %(id)s

-- :name meal_trip_visits
SELECT v.id FROM meal_orders k JOIN visits v ON v.order_id = k.order_id WHERE k.trip_id = %(id)s::uuid ORDER BY k.stop

-- :name visit_results_get
SELECT json_build_object('visit_id', t.visit_id, 'results', t.results, 'at', t.at, 'recorded_at', t.recorded_at,
                         'responder_id', t.responder_id, 'version', t.version) AS view
FROM visit_results t WHERE t.visit_id = %(visit_id)s::uuid

-- :name visit_results_put
INSERT INTO visit_results AS t (visit_id, results, at, recorded_at, responder_id, user_id)
VALUES (%(visit_id)s, %(results)s::jsonb, %(at)s, %(recorded_at)s, %(responder_id)s, %(user_id)s)
ON CONFLICT (visit_id) DO UPDATE SET results = excluded.results, at = excluded.at, recorded_at = excluded.recorded_at,
    responder_id = excluded.responder_id, user_id = excluded.user_id, version = t.version + 1
