-- Observations by minute, hour and day, on TimescaleDB: continuous aggregates, and compression of what is a week old.
--
-- A continuous aggregate must follow the time of receipt, but people ask by the time of observation, and a buffered record may be
-- a month old. So a row has both: records received in one hour (or day) and observed in one minute, hour or day. A late
-- record makes a row of its own and touches nothing that is settled; a reader adds the few rows of a bin together.

-- Unused here, and there so that a backup can move from one kind of database to the other.
ALTER TABLE observations ADD COLUMN batch bigint;

-- What came late. Such records are few, and found by the time they were observed.
CREATE INDEX observations_late ON observations (resident_id, metric, observed_at)
    WHERE received_at - observed_at > interval '1 hour';

-- n: records; valued, low, high, total: of their finite numbers. state: '' for numbers, else the word that was told.
CREATE MATERIALIZED VIEW rolled_minutes
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT time_bucket(INTERVAL '1 hour', received_at) AS received, resident_id, metric, coalesce(state, '') AS state,
       date_bin('1 minute', observed_at, '2000-01-03T00:00:00+08:00') AS at,
       count(*) AS n, count(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS valued,
       min(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS low,
       max(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS high,
       sum(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS total
FROM observations WHERE resident_id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE MATERIALIZED VIEW rolled_hours
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT time_bucket(INTERVAL '1 hour', received_at) AS received, resident_id, metric, coalesce(state, '') AS state,
       date_bin('1 hour', observed_at, '2000-01-03T00:00:00+08:00') AS at,
       count(*) AS n, count(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS valued,
       min(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS low,
       max(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS high,
       sum(value) FILTER (WHERE value > '-Infinity' AND value < 'Infinity') AS total
FROM observations WHERE resident_id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE MATERIALIZED VIEW rolled_days
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT time_bucket(INTERVAL '1 day', received) AS received, resident_id, metric, state,
       date_bin('1 day', at, '2000-01-03T00:00:00+08:00') AS at,
       sum(n) AS n, sum(valued) AS valued, min(low) AS low, max(high) AS high, sum(total) AS total
FROM rolled_hours
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX rolled_minutes_series ON rolled_minutes (resident_id, metric, received);
CREATE INDEX rolled_hours_series ON rolled_hours (resident_id, metric, received);
CREATE INDEX rolled_days_series ON rolled_days (resident_id, metric, received);
SELECT set_chunk_time_interval('rolled_minutes', INTERVAL '1 day');
SELECT set_chunk_time_interval('rolled_hours', INTERVAL '30 days');
SELECT set_chunk_time_interval('rolled_days', INTERVAL '365 days');

-- Three days back: a record that is committed so long after its receipt is still taken up. What is live is read live.
SELECT add_continuous_aggregate_policy('rolled_minutes', start_offset => INTERVAL '3 days', end_offset => INTERVAL '1 hour',
    schedule_interval => INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('rolled_hours', start_offset => INTERVAL '3 days', end_offset => INTERVAL '1 hour',
    schedule_interval => INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('rolled_days', start_offset => INTERVAL '7 days', end_offset => INTERVAL '1 day',
    schedule_interval => INTERVAL '6 hours');

-- By device, and by resident because people ask for those; the values of a metric one after the other.
ALTER TABLE observations SET (timescaledb.compress, timescaledb.compress_segmentby = 'resident_id, device_id',
    timescaledb.compress_orderby = 'metric, received_at');
ALTER TABLE fixes SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'received_at');
ALTER TABLE uplinks SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'received_at');
ALTER MATERIALIZED VIEW rolled_minutes SET (timescaledb.compress, timescaledb.compress_segmentby = 'resident_id',
    timescaledb.compress_orderby = 'metric, received, at');
ALTER MATERIALIZED VIEW rolled_hours SET (timescaledb.compress, timescaledb.compress_segmentby = 'resident_id, metric',
    timescaledb.compress_orderby = 'received, at');
SELECT add_compression_policy('observations', compress_after => INTERVAL '7 days');
SELECT add_compression_policy('fixes', compress_after => INTERVAL '7 days');
SELECT add_compression_policy('uplinks', compress_after => INTERVAL '7 days');
SELECT add_compression_policy('rolled_minutes', compress_after => INTERVAL '7 days');
SELECT add_compression_policy('rolled_hours', compress_after => INTERVAL '40 days');

-- Days of receipt from before there were rollups: a policy looks back three days only.
CREATE TABLE observation_backlog (day date PRIMARY KEY);
INSERT INTO observation_backlog (day)
SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date FROM observations;

-- Which rollups these rows of observations are in. A backup may be restored into another kind of database, or beside rollups that
-- are new there: then this does not fit, and the job begins with everything.
CREATE TABLE rollup_home (home text NOT NULL);
INSERT INTO rollup_home (home) VALUES ('timescale ' || 'rolled_hours'::regclass::oid);

-- From when on a series is whole: what is older was dropped, as the settings say.
CREATE TABLE series_kept (
    series  text PRIMARY KEY,
    since   timestamptz NOT NULL
);

-- What is read, the same columns on either kind of database. `received`: a time near that of receipt. Days are those of China.
CREATE VIEW observation_minutes AS
SELECT resident_id, metric, state, at, received, n, valued, low, high, total FROM rolled_minutes;
CREATE VIEW observation_hours AS
SELECT resident_id, metric, state, at, received, n, valued, low, high, total FROM rolled_hours;
CREATE VIEW observation_days AS
SELECT resident_id, metric, state, at, received, n, valued, low, high, total FROM rolled_days;

-- Nothing waits here: a continuous aggregate reads what it has not got yet by itself.
CREATE VIEW observations_waiting_since AS SELECT NULL::timestamptz AS since;
CREATE VIEW observations_waiting AS
SELECT resident_id, metric, coalesce(state, '') AS state, observed_at, received_at, value FROM observations WHERE false;
