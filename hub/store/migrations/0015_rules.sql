-- The alarm rules: what is set for a resident and by whom, what stands, and what is usual.

ALTER TABLE alarms DROP CONSTRAINT alarms_source_check;
ALTER TABLE alarms ADD CONSTRAINT alarms_source_check CHECK (source IN ('device', 'person', 'system', 'rule'));

-- Only what differs from the defaults in the code. The audit has every change, this table the latest.
CREATE TABLE resident_rules (
    resident_id  text PRIMARY KEY REFERENCES residents (id) ON DELETE CASCADE,
    thresholds   jsonb NOT NULL DEFAULT '{}',    -- id -> {value, user_id, name, at, reason}
    geofences    jsonb NOT NULL DEFAULT '[]',    -- [{id, name, kind, ring: [[lat, lon]], days, from, to, slack_m, active, ...}]
    version      integer NOT NULL DEFAULT 1
);

-- One row a resident, as device_watch for devices. Beside the telemetry and never in its way: a resident is looked at when
-- the pace allows, and put off again in SQL where no device of theirs was heard and nothing is due.
CREATE TABLE rule_watch (
    resident_id  text PRIMARY KEY REFERENCES residents (id) ON DELETE CASCADE,
    check_at     timestamptz NOT NULL,           -- epoch: at once
    due_at       timestamptz,                    -- when time alone may change something; null: never
    looked_at    timestamptz,                    -- null: everything is to be looked at
    standing     jsonb NOT NULL DEFAULT '{}',    -- rule -> what was raised and is not over
    known        jsonb NOT NULL DEFAULT '{}'     -- what must outlive the window of a look: {sign_at, door_at, ...}
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX rule_watch_due ON rule_watch (check_at);

-- Learned once a day from the rollups.
CREATE TABLE resident_usual (
    resident_id  text PRIMARY KEY REFERENCES residents (id) ON DELETE CASCADE,
    learned_at   timestamptz NOT NULL,
    usual        jsonb NOT NULL                  -- {metrics: {metric: {hour: {median, spread, days}}}, rest: {hour: {...}}}
);

CREATE FUNCTION resident_is_judged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rule_watch (resident_id, check_at) VALUES (NEW.id, 'epoch')
    ON CONFLICT (resident_id) DO UPDATE SET check_at = excluded.check_at, looked_at = NULL;
    RETURN NULL;
END $$;
-- A status is respected at once.
CREATE TRIGGER residents_judged AFTER INSERT OR UPDATE OF status ON residents
    FOR EACH ROW EXECUTE FUNCTION resident_is_judged();

INSERT INTO rule_watch (resident_id, check_at) SELECT id, 'epoch' FROM residents ORDER BY id;
