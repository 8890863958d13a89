-- The three series on plain PostgreSQL: range partitions by day, made ahead and dropped by a job. The default partition
-- catches what a late job left without one: an insert never fails for want of a partition.

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
) PARTITION BY RANGE (received_at);

CREATE TABLE observations (
    received_at  timestamptz NOT NULL,
    observed_at  timestamptz NOT NULL,
    device_id    text NOT NULL,
    resident_id  text,
    metric       text NOT NULL,
    value        double precision,
    state        text,                           -- for metrics that are words (activity)
    buffered     boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (received_at);

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
) PARTITION BY RANGE (received_at);

CREATE INDEX uplinks_received ON uplinks USING brin (received_at);
CREATE INDEX uplinks_device ON uplinks (device_id, received_at);
CREATE INDEX observations_resident ON observations (resident_id, metric, received_at);
CREATE INDEX fixes_device ON fixes (device_id, received_at);

CREATE TABLE uplinks_default PARTITION OF uplinks DEFAULT;
CREATE TABLE observations_default PARTITION OF observations DEFAULT;
CREATE TABLE fixes_default PARTITION OF fixes DEFAULT;
