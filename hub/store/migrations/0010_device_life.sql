-- The life of a device: what its model is like, when it was last thought of, how it signs in, who bound it to whom.

-- What is known of a model that its wire does not say. Those the hub brings along have `built_in`; a new version of the hub
-- brings theirs up to date unless somebody has edited them.
CREATE TABLE device_profiles (
    id          text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    family      text NOT NULL,
    zh          text NOT NULL,
    en          text NOT NULL,
    model       text,
    interval_s  integer CHECK (interval_s > 0),  -- null: it speaks only when something happens
    silence     jsonb NOT NULL DEFAULT '{}',     -- supervised, after_s, charging_s, first_report_s, night {from, to, after_s}
    reading     jsonb NOT NULL DEFAULT '{}',     -- what the codec gets: code tables, polarity, units, datum
    setup       jsonb NOT NULL DEFAULT '[]',     -- what to set on the device: [{zh, en, value}]
    note        text,
    built_in    boolean NOT NULL DEFAULT false,
    edited      boolean NOT NULL DEFAULT false,
    version     integer NOT NULL DEFAULT 1
);

ALTER TABLE devices
    ADD COLUMN profile_id text REFERENCES device_profiles (id),  -- null: the profile with the family's name
    ADD COLUMN broker_hash text,                 -- the credential as a broker's password file has it ($7$, PBKDF2)
    ADD COLUMN charging boolean,
    ADD COLUMN clock_skew_s integer,             -- by how much its clock lags behind ours; negative: it is ahead
    ADD COLUMN installed_at timestamptz,
    ALTER COLUMN interval_s DROP NOT NULL,       -- null: its profile's
    ALTER COLUMN interval_s DROP DEFAULT;
-- What kept the former default was never chosen by anybody.
UPDATE devices SET interval_s = NULL WHERE interval_s = 300;
CREATE INDEX devices_upstream ON devices (upstream) WHERE upstream IS NOT NULL;
CREATE INDEX devices_area ON devices (area_id);

-- Supervision. Beside `devices`, so that a sign of life costs nothing here: a device is looked at when it could be silent, and
-- put off again if it was heard meanwhile.
CREATE TABLE device_watch (
    device_id     text PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    check_at      timestamptz NOT NULL,          -- epoch: at once
    silent_since  timestamptz,                   -- when it was found silent; null: as far as anybody knows it is there
    reason        text,
    incident_id   uuid REFERENCES incidents (id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX device_watch_due ON device_watch (check_at);
CREATE INDEX device_watch_silent ON device_watch (silent_since) WHERE silent_since IS NOT NULL;
CREATE INDEX device_watch_incident ON device_watch (incident_id) WHERE incident_id IS NOT NULL;

CREATE FUNCTION device_is_watched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.adopted AND NEW.revoked_at IS NULL THEN
        INSERT INTO device_watch (device_id, check_at) VALUES (NEW.id, 'epoch')
        ON CONFLICT (device_id) DO UPDATE SET check_at = excluded.check_at;
    ELSIF TG_OP = 'UPDATE' THEN
        -- Whatever it was silent about is looked at once more and put right there.
        UPDATE device_watch SET check_at = 'epoch' WHERE device_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
-- Not fired by what is heard: last_seen_at and its neighbours are not in the list.
CREATE TRIGGER devices_watched AFTER INSERT OR UPDATE OF adopted, revoked_at, family, profile_id, interval_s, resident_id
    ON devices FOR EACH ROW EXECUTE FUNCTION device_is_watched();
INSERT INTO device_watch (device_id, check_at) SELECT id, 'epoch' FROM devices WHERE adopted AND revoked_at IS NULL;

CREATE FUNCTION profile_is_watched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE device_watch w SET check_at = 'epoch' FROM devices d
    WHERE d.id = w.device_id AND coalesce(d.profile_id, d.family) = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER device_profiles_watched AFTER UPDATE OF interval_s, silence ON device_profiles FOR EACH ROW
    WHEN (OLD.interval_s IS DISTINCT FROM NEW.interval_s OR OLD.silence IS DISTINCT FROM NEW.silence)
    EXECUTE FUNCTION profile_is_watched();

-- Since when the hub can hear at all, a row for each process and way in. A gap in the beats is a time of deafness.
CREATE TABLE hearing (
    process  text NOT NULL,
    way      text NOT NULL CHECK (way IN ('mqtt', 'tcp', 'http')),
    up       boolean NOT NULL,
    since    timestamptz NOT NULL,               -- of `up` as it is now
    beat_at  timestamptz NOT NULL,
    PRIMARY KEY (process, way)
);

-- A word printed for a device: whoever scans it on site binds the device to a resident, once.
CREATE TABLE device_claims (
    token_hash   bytea PRIMARY KEY,              -- sha256: the database never holds a usable one
    device_id    text NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    created_by   uuid REFERENCES users (id),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    used_by      uuid REFERENCES users (id),
    resident_id  text REFERENCES residents (id)
);
CREATE INDEX device_claims_device ON device_claims (device_id);

-- Alarms the hub itself raises: a silence.
ALTER TABLE alarms DROP CONSTRAINT alarms_source_check;
ALTER TABLE alarms ADD CONSTRAINT alarms_source_check CHECK (source IN ('device', 'person', 'system'));
CREATE INDEX alarms_technical ON alarms (device_id, received_at) WHERE class = 'technical';
CREATE INDEX incidents_technical ON incidents (opened_at) WHERE class = 'technical';
CREATE INDEX stations_area ON stations (area_id);
CREATE INDEX orders_incident ON orders (incident_id) WHERE incident_id IS NOT NULL;
