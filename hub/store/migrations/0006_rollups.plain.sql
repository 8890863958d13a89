-- Observations by minute, hour and day, on plain PostgreSQL: three tables that a job keeps.
--
-- Every statement that writes observations is a batch with a number. The number stands in its rows and, in the same
-- transaction, in a queue. The job takes batches out of the queue and adds their rows to the rollups, in one transaction:
-- each row is added exactly once, whenever it was received or observed, whoever wrote beside it, and whatever died.
-- What still waits in the queue is read from the observations themselves.

CREATE TABLE observation_batches (
    batch      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queued_at  timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Days of receipt from before there were rollups: their rows have no batch.
CREATE TABLE observation_backlog (day date PRIMARY KEY);

-- Which rollups these rows of observations are in. A backup may be restored into another kind of database, or beside rollups that
-- are new there: then this does not fit, and the job begins with everything.
CREATE TABLE rollup_home (home text NOT NULL);
INSERT INTO rollup_home (home) VALUES ('plain');

ALTER TABLE observations ADD COLUMN batch bigint;
-- Stable, not volatile: COPY goes on inserting many rows at a time.
ALTER TABLE observations ALTER COLUMN batch SET DEFAULT nullif(current_setting('care_hub.batch', true), '')::bigint;
CREATE INDEX observations_batch ON observations USING brin (batch) WITH (pages_per_range = 32, autosummarize = on);
-- What came late. Such records are few, and found by the time they were observed.
CREATE INDEX observations_late ON observations (resident_id, metric, observed_at)
    WHERE received_at - observed_at > interval '1 hour';

CREATE FUNCTION observation_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
    -- A restored backup brings its rollups and its queue along.
    IF current_setting('care_hub.restoring', true) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO observation_batches DEFAULT VALUES RETURNING batch INTO number;
    PERFORM set_config('care_hub.batch', number::text, true);
    RETURN NULL;
END $$;
CREATE TRIGGER observations_batch BEFORE INSERT ON observations FOR EACH STATEMENT EXECUTE FUNCTION observation_batch();

INSERT INTO observation_backlog (day)
SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date FROM observations;

-- n: records; valued, low, high, total: of their finite numbers. state: '' for numbers, else the word that was told.
CREATE TABLE rolled_minutes (
    resident_id  text NOT NULL,
    metric       text NOT NULL,
    state        text NOT NULL,
    at           timestamptz NOT NULL,           -- the begin of the minute in which it was observed
    n            bigint NOT NULL,
    valued       bigint NOT NULL,
    low          double precision,
    high         double precision,
    total        double precision
) PARTITION BY RANGE (at);
CREATE TABLE rolled_hours (LIKE rolled_minutes) PARTITION BY RANGE (at);
CREATE TABLE rolled_days (LIKE rolled_minutes) PARTITION BY RANGE (at);

-- A series lies together in its index, and is read from it alone.
CREATE UNIQUE INDEX rolled_minutes_series ON rolled_minutes (resident_id, metric, at, state) INCLUDE (n, valued, low, high, total);
CREATE UNIQUE INDEX rolled_hours_series ON rolled_hours (resident_id, metric, at, state) INCLUDE (n, valued, low, high, total);
CREATE UNIQUE INDEX rolled_days_series ON rolled_days (resident_id, metric, at, state) INCLUDE (n, valued, low, high, total);

CREATE TABLE rolled_minutes_default PARTITION OF rolled_minutes DEFAULT;
CREATE TABLE rolled_hours_default PARTITION OF rolled_hours DEFAULT;
CREATE TABLE rolled_days_default PARTITION OF rolled_days DEFAULT;

-- From when on a series is whole: what is older was dropped, as the settings say.
CREATE TABLE series_kept (
    series  text PRIMARY KEY,
    since   timestamptz NOT NULL
);

-- Observations that no rollup has yet, and since when there are any (null: none; a reader asks first, so that only the partitions
-- from there on are looked at). An hour of grace: a batch may have been received before it was queued; one that waited for
-- longer is seen as soon as the job has added it.
CREATE VIEW observations_waiting_since AS
SELECT least((SELECT queued_at - interval '1 hour' FROM observation_batches ORDER BY batch LIMIT 1),
             (SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM observation_backlog)) AS since;
CREATE VIEW observations_waiting AS
SELECT o.resident_id, o.metric, coalesce(o.state, '') AS state, o.observed_at, o.received_at, o.value
FROM observations o
WHERE CASE WHEN o.batch IS NULL
        THEN EXISTS (SELECT FROM observation_backlog b WHERE b.day = (o.received_at AT TIME ZONE 'UTC')::date)
        ELSE EXISTS (SELECT FROM observation_batches b WHERE b.batch = o.batch) END;

-- What is read, the same columns on either kind of database. `received`: a time near that of receipt. Days are those of China.
CREATE VIEW observation_minutes AS
SELECT resident_id, metric, state, at, at AS received, n, valued, low, high, total FROM rolled_minutes;
CREATE VIEW observation_hours AS
SELECT resident_id, metric, state, at, at AS received, n, valued, low, high, total FROM rolled_hours;
CREATE VIEW observation_days AS
SELECT resident_id, metric, state, at, at AS received, n, valued, low, high, total FROM rolled_days;
