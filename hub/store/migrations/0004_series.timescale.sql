-- The three series on TimescaleDB: hypertables by the time of receipt, a chunk a day.

CREATE EXTENSION IF NOT EXISTS timescaledb;

-- One row an uplink, whatever became of it. Payload is kept for alarms, rejected, unsupported and quarantined ones.
CREATE TABLE uplinks (
    received_at  timestamptz NOT NULL,
    lane         text NOT NULL CHECK (lane IN ('alarm', 'telemetry', 'mixed', 'tcp', 'http')),
    device_id    text,
    topic        text,
    key          bytea,
    outcome      text NOT NULL CHECK (outcome IN ('accepted', 'repeat', 'rejected', 'unsupported', 'quarantined')),
    reason       text,
    events       smallint NOT NULL DEFAULT 0,
    payload      bytea
);

-- Received to the second: microseconds would take more room than the values themselves. The uplink log has them.
CREATE TABLE observations (
    received_at  timestamptz(0) NOT NULL,
    observed_at  timestamptz NOT NULL,
    device_id    text NOT NULL,
    resident_id  text,
    metric       text NOT NULL,
    value        double precision,
    state        text,                           -- for metrics that are words (activity)
    buffered     boolean NOT NULL DEFAULT false
);

CREATE TABLE fixes (
    received_at  timestamptz NOT NULL,
    observed_at  timestamptz NOT NULL,
    device_id    text NOT NULL,
    resident_id  text,
    lat          double precision NOT NULL,
    lon          double precision NOT NULL,
    accuracy_m   real,
    source       text NOT NULL,
    buffered     boolean NOT NULL DEFAULT false
);

CREATE INDEX uplinks_received ON uplinks USING brin (received_at);
CREATE INDEX uplinks_device ON uplinks (device_id, received_at);
CREATE INDEX observations_resident ON observations (resident_id, metric, received_at);
CREATE INDEX fixes_device ON fixes (device_id, received_at);

SELECT create_hypertable('uplinks', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('observations', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('fixes', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
