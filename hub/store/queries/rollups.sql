-- Observations over time: the rollups a job keeps on plain PostgreSQL, and what is read of them.

-- :name rollup_oldest
SELECT queued_at FROM observation_batches ORDER BY batch LIMIT 1

-- :name rollup_take
DELETE FROM observation_batches
WHERE batch IN (SELECT batch FROM observation_batches ORDER BY batch LIMIT %(limit)s)
RETURNING batch

-- The batches lie together in the tables: their bounds find the pages, the list the rows.
-- :name rollup_add_batches
<<rollup_fresh>>
    FROM observations o
    WHERE o.batch BETWEEN %(first)s AND %(last)s AND o.batch = ANY (%(batches)s) AND o.resident_id IS NOT NULL
    GROUP BY 1, 2, 3, 4
<<rollup_merge>>

-- :name rollup_home
SELECT home FROM rollup_home

-- :name rollup_move_home
UPDATE rollup_home SET home = %(home)s

-- :name rollup_backlog_all
INSERT INTO observation_backlog (day)
SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date FROM observations
ON CONFLICT (day) DO NOTHING

-- :name rollup_backlog
SELECT day FROM observation_backlog ORDER BY day DESC

-- :name rollup_backlog_take
DELETE FROM observation_backlog WHERE day = %(day)s

-- :name rollup_add_day
<<rollup_fresh>>
    FROM observations o
    WHERE o.batch IS NULL AND o.resident_id IS NOT NULL
      AND o.received_at >= %(start)s::timestamptz AND o.received_at < %(end)s::timestamptz
    GROUP BY 1, 2, 3, 4
<<rollup_merge>>

-- :name rollup_fresh
WITH fresh AS MATERIALIZED (
    SELECT o.resident_id, o.metric, coalesce(o.state, '') AS state,
           date_bin('1 minute', o.observed_at, '2000-01-03T00:00:00+08:00') AS at,
           count(*) AS n, count(o.value) FILTER (WHERE o.value > '-Infinity' AND o.value < 'Infinity') AS valued,
           min(o.value) FILTER (WHERE o.value > '-Infinity' AND o.value < 'Infinity') AS low,
           max(o.value) FILTER (WHERE o.value > '-Infinity' AND o.value < 'Infinity') AS high,
           sum(o.value) FILTER (WHERE o.value > '-Infinity' AND o.value < 'Infinity') AS total

-- :name rollup_merge
), by_hour AS MATERIALIZED (
    SELECT resident_id, metric, state, date_bin('1 hour', at, '2000-01-03T00:00:00+08:00') AS at,
           sum(n)::bigint AS n, sum(valued)::bigint AS valued, min(low) AS low, max(high) AS high, sum(total) AS total
    FROM fresh GROUP BY 1, 2, 3, 4
), minutes AS (
    INSERT INTO rolled_minutes AS r SELECT * FROM fresh WHERE at >= %(minutes_from)s::timestamptz
    ORDER BY resident_id, metric, at, state
    ON CONFLICT (resident_id, metric, at, state) DO UPDATE SET <<rollup_sum>>
), hours AS (
    INSERT INTO rolled_hours AS r SELECT * FROM by_hour
    ORDER BY resident_id, metric, at, state
    ON CONFLICT (resident_id, metric, at, state) DO UPDATE SET <<rollup_sum>>
), days AS (
    INSERT INTO rolled_days AS r
    SELECT resident_id, metric, state, date_bin('1 day', at, '2000-01-03T00:00:00+08:00'),
           sum(n)::bigint, sum(valued)::bigint, min(low), max(high), sum(total)
    FROM by_hour GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 4, 3
    ON CONFLICT (resident_id, metric, at, state) DO UPDATE SET <<rollup_sum>>
)
SELECT coalesce(sum(n), 0)::bigint AS n FROM fresh

-- :name rollup_sum
n = r.n + excluded.n, valued = r.valued + excluded.valued, low = least(r.low, excluded.low),
    high = greatest(r.high, excluded.high),
    total = CASE WHEN r.total IS NULL THEN excluded.total ELSE r.total + coalesce(excluded.total, 0) END

-- :name series_keep
INSERT INTO series_kept AS k (series, since) VALUES (%(series)s, %(since)s)
ON CONFLICT (series) DO UPDATE SET since = excluded.since WHERE k.since < excluded.since

-- :name series_since
SELECT series, since FROM series_kept

-- :name series_waiting
SELECT since FROM observations_waiting_since

-- Most records come within the hour; those that came later have an index of their own. `received_at` bounds what must be looked
-- through. All bounds are parameters, not sums with an interval: only so are partitions left out before anything is planned.
-- :name observations_raw
SELECT json_build_object('at', o.observed_at, 'value', <<finite_value>>, 'state', o.state, 'device_id', o.device_id) AS view,
       o.observed_at
FROM (
    <<observations_prompt>>
    UNION ALL
    <<observations_late>>
) o
ORDER BY o.observed_at, o.received_at, o.device_id
LIMIT %(limit)s

-- :name observations_prompt
SELECT o.observed_at, o.received_at, o.device_id, o.value, o.state FROM observations o
    WHERE o.resident_id = %(resident_id)s AND o.metric = %(metric)s
      AND o.received_at >= %(received_from)s::timestamptz AND o.received_at < %(prompt_until)s::timestamptz
      AND o.observed_at >= %(start)s::timestamptz AND o.observed_at < %(end)s::timestamptz
      AND NOT o.received_at - o.observed_at > interval '1 hour'

-- :name observations_late
SELECT o.observed_at, o.received_at, o.device_id, o.value, o.state FROM observations o
    WHERE o.resident_id = %(resident_id)s AND o.metric = %(metric)s
      AND o.received_at >= %(start)s::timestamptz AND o.received_at < %(late_until)s::timestamptz
      AND o.observed_at >= %(start)s::timestamptz AND o.observed_at < %(end)s::timestamptz
      AND o.received_at - o.observed_at > interval '1 hour'

-- JSON has no number for NaN and the infinities.
-- :name finite_value
CASE WHEN o.value > '-Infinity' AND o.value < 'Infinity' THEN o.value END

-- :name observations_counted
SELECT coalesce(sum(b.n), 0)::bigint AS n FROM (<<bins_of_minutes>>) b

-- :name observations_of_raw
<<bins_head>>
    SELECT o.observed_at AS at, coalesce(o.state, '') AS state, 1 AS n, <<finite_value>> AS low, <<finite_value>> AS high,
           <<finite_value>> AS total, (<<finite_value>> IS NOT NULL)::integer AS valued
    FROM (
        <<observations_prompt>>
        UNION ALL
        <<observations_late>>
    ) o
<<bins_tail>>

-- :name observations_of_minutes
<<bins_head>>
    <<bins_of_minutes>>
<<bins_tail>>

-- :name observations_of_hours
<<bins_head>>
    <<bins_columns>> FROM observation_hours r WHERE <<bins_where>>
    UNION ALL
    <<bins_waiting>>
<<bins_tail>>

-- :name observations_of_days
<<bins_head>>
    <<bins_columns>> FROM observation_days r WHERE <<bins_where>>
    UNION ALL
    <<bins_waiting>>
<<bins_tail>>

-- :name bins_of_minutes
<<bins_columns>> FROM observation_minutes r WHERE <<bins_where>>
    UNION ALL
    <<bins_waiting>>

-- :name bins_columns
SELECT r.at, r.state, r.n, r.low, r.high, r.total, r.valued

-- :name bins_where
r.resident_id = %(resident_id)s AND r.metric = %(metric)s
      AND r.at >= %(start)s::timestamptz AND r.at < %(end)s::timestamptz
      AND r.received >= %(rolled_from)s::timestamptz AND r.received < %(late_until)s::timestamptz

-- :name bins_waiting
SELECT o.observed_at, o.state, 1, <<finite_value>>, <<finite_value>>, <<finite_value>>, (<<finite_value>> IS NOT NULL)::integer
    FROM observations_waiting o
    WHERE o.resident_id = %(resident_id)s AND o.metric = %(metric)s AND o.received_at >= %(waiting_from)s::timestamptz
      AND o.received_at < %(late_until)s::timestamptz
      AND o.observed_at >= %(start)s::timestamptz AND o.observed_at < %(end)s::timestamptz

-- :name bins_head
SELECT json_build_object('at', c.at, 'min', min(c.low), 'avg', sum(c.total) / nullif(sum(c.valued), 0), 'max', max(c.high),
    'n', sum(c.n)::bigint, 'states', json_object_agg(c.state, c.n::bigint ORDER BY c.state) FILTER (WHERE c.state <> '')) AS view
FROM (SELECT date_bin(%(width)s, b.at, '2000-01-03T00:00:00+08:00') AS at, b.state, sum(b.n) AS n, sum(b.valued) AS valued,
    min(b.low) AS low, max(b.high) AS high, sum(b.total) AS total FROM (

-- :name bins_tail
) b GROUP BY 1, 2) c GROUP BY c.at ORDER BY c.at
