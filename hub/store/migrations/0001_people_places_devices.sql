-- Who and where: areas, stations, residents, contacts, responders, crews, shifts, devices, users, sessions.
-- Names of people's things are text ids given by the customer's own registers; generated things carry UUIDv7.

CREATE TABLE areas (
    id          text PRIMARY KEY,
    parent_id   text REFERENCES areas (id),
    kind        text NOT NULL CHECK (kind IN ('city', 'district', 'street', 'community', 'grid', 'micro_grid')),
    name        text NOT NULL,
    path        text[] NOT NULL,                 -- ids from the root down to this one, itself included
    households  integer CHECK (households >= 0),
    lat         double precision CHECK (lat BETWEEN -90 AND 90),
    lon         double precision CHECK (lon BETWEEN -180 AND 180),
    boundary    jsonb,                           -- GeoJSON geometry, WGS-84
    version     integer NOT NULL DEFAULT 1
);
CREATE INDEX areas_parent ON areas (parent_id);
CREATE INDEX areas_path ON areas USING gin (path);

-- `path` follows the parents by itself; a parent below its own child is refused.
CREATE FUNCTION area_path() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE above text[] := '{}';
BEGIN
    IF NEW.parent_id IS NOT NULL THEN
        SELECT path INTO above FROM areas WHERE id = NEW.parent_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'area %: there is no parent %', NEW.id, NEW.parent_id USING ERRCODE = 'foreign_key_violation',
                DETAIL = format('Key (parent_id)=(%s) is not present in table "areas".', NEW.parent_id),
                TABLE = 'areas', COLUMN = 'parent_id';
        END IF;
        IF NEW.id = ANY (above) THEN
            RAISE EXCEPTION 'area %: % lies below it and cannot be its parent', NEW.id, NEW.parent_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'areas_parent_id_check', TABLE = 'areas';
        END IF;
    END IF;
    NEW.path := above || NEW.id;
    RETURN NEW;
END $$;
CREATE FUNCTION area_path_below() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE areas SET parent_id = parent_id WHERE parent_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER areas_own_path BEFORE INSERT OR UPDATE OF parent_id, path ON areas FOR EACH ROW EXECUTE FUNCTION area_path();
CREATE TRIGGER areas_paths_below AFTER UPDATE OF parent_id, path ON areas FOR EACH ROW
    WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION area_path_below();

CREATE TABLE stations (
    id       text PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('care_station', 'meal_point', 'clinic', 'social_work')),
    name     text NOT NULL,
    area_id  text REFERENCES areas (id),
    address  text,
    phone    text,
    lat      double precision CHECK (lat BETWEEN -90 AND 90),
    lon      double precision CHECK (lon BETWEEN -180 AND 180),
    version  integer NOT NULL DEFAULT 1
);

CREATE TABLE residents (
    id             text PRIMARY KEY,
    name           text NOT NULL,
    sex            text CHECK (sex IN ('f', 'm')),
    born_on        date,
    phone          text,
    address        text,
    area_id        text REFERENCES areas (id),
    lat            double precision CHECK (lat BETWEEN -90 AND 90),
    lon            double precision CHECK (lon BETWEEN -180 AND 180),
    lives_alone    boolean NOT NULL DEFAULT false,
    served         boolean NOT NULL DEFAULT true,
    status         text NOT NULL DEFAULT 'home' CHECK (status IN ('home', 'away', 'hospital', 'moved', 'deceased')),
    status_since   timestamptz,
    status_reason  text,
    ability_level  smallint CHECK (ability_level BETWEEN 0 AND 4),   -- GB/T 42195-2022: 0 intact .. 4 total loss
    conditions     text[] NOT NULL DEFAULT '{}',
    medications    text[] NOT NULL DEFAULT '{}',
    allergies      text[] NOT NULL DEFAULT '{}',
    languages      text[] NOT NULL DEFAULT '{zh}',
    hearing        text,                         -- how to speak with the person: "hard of hearing, left ear better"
    flags          text[] NOT NULL DEFAULT '{}',
    access         jsonb NOT NULL DEFAULT '{}',  -- gate, lift, key_with, door_note
    never_responders   text[] NOT NULL DEFAULT '{}',
    regular_responders text[] NOT NULL DEFAULT '{}',
    notes          text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    version        integer NOT NULL DEFAULT 1
);
CREATE INDEX residents_area ON residents (area_id);
CREATE INDEX residents_name ON residents (name);

CREATE TABLE responders (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    kind         text NOT NULL,                  -- grid_officer, carer, nurse, courier, guard, neighbour, family, volunteer, doctor, ambulance
    phone        text,
    sex          text CHECK (sex IN ('f', 'm')),
    skills       jsonb NOT NULL DEFAULT '[]',    -- [{"skill": "...", "expires_on": "YYYY-MM-DD"|null}]
    languages    text[] NOT NULL DEFAULT '{zh}',
    area_ids     text[] NOT NULL DEFAULT '{}',   -- areas served, any ancestor counts; empty: everywhere
    station_id   text REFERENCES stations (id),
    mode         text NOT NULL DEFAULT 'bike' CHECK (mode IN ('foot', 'bike', 'car', 'van')),
    lat          double precision CHECK (lat BETWEEN -90 AND 90),
    lon          double precision CHECK (lon BETWEEN -180 AND 180),
    position_at  timestamptz,                    -- null: the place is the base, not a live position
    on_duty      boolean NOT NULL DEFAULT false,
    active       boolean NOT NULL DEFAULT true,
    version      integer NOT NULL DEFAULT 1
);
CREATE INDEX responders_on_duty ON responders (on_duty) WHERE active;

CREATE TABLE contacts (
    id            text PRIMARY KEY,
    resident_id   text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    name          text NOT NULL,
    relation      text,
    phone         text,
    kind          text NOT NULL DEFAULT 'family' CHECK (kind IN ('family', 'neighbour', 'guard', 'doctor', 'other')),
    has_key       boolean NOT NULL DEFAULT false,
    position      integer NOT NULL DEFAULT 1,    -- order of calling
    responder_id  text REFERENCES responders (id),
    confirmed_on  date,
    version       integer NOT NULL DEFAULT 1
);
CREATE INDEX contacts_resident ON contacts (resident_id, position);
CREATE INDEX contacts_responder ON contacts (responder_id) WHERE responder_id IS NOT NULL;

CREATE TABLE crews (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    vehicle    text,
    equipment  text[] NOT NULL DEFAULT '{}',
    version    integer NOT NULL DEFAULT 1
);
CREATE TABLE crew_members (
    crew_id       text NOT NULL REFERENCES crews (id) ON DELETE CASCADE,
    responder_id  text NOT NULL REFERENCES responders (id),
    PRIMARY KEY (crew_id, responder_id)
);

CREATE TABLE shifts (
    id            uuid PRIMARY KEY,
    responder_id  text NOT NULL REFERENCES responders (id),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    role          text,
    area_id       text REFERENCES areas (id),
    version       integer NOT NULL DEFAULT 1,
    CHECK (ends_at > starts_at)
);
CREATE INDEX shifts_span ON shifts (responder_id, starts_at, ends_at);

CREATE TABLE devices (
    id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.:-]{1,64}$' AND id !~ '^hub-'),
    family        text NOT NULL,
    name          text,
    model         text,
    resident_id   text REFERENCES residents (id),
    area_id       text REFERENCES areas (id),
    secret_hash   text,                          -- argon2; null: the family has no credential
    profile       jsonb NOT NULL DEFAULT '{}',
    interval_s    integer NOT NULL DEFAULT 300 CHECK (interval_s > 0),
    upstream      text,                          -- carrier, bridge or fleet it hangs on
    online        boolean,                       -- null: never reported
    last_seen_at  timestamptz,
    battery_pct   smallint CHECK (battery_pct BETWEEN 0 AND 100),
    lat           double precision,
    lon           double precision,
    last_fix      jsonb,
    created_at    timestamptz NOT NULL DEFAULT now(),
    adopted       boolean NOT NULL DEFAULT true, -- false: it reported without having been added; waits for adoption
    revoked_at    timestamptz,
    version       integer NOT NULL DEFAULT 1
) WITH (fillfactor = 70);                        -- last_seen_at moves all day: room for updates in the same page
CREATE INDEX devices_resident ON devices (resident_id);

CREATE TABLE users (
    id             uuid PRIMARY KEY,
    username       text NOT NULL UNIQUE,
    name           text NOT NULL,
    role           text NOT NULL CHECK (role IN ('operator', 'staff', 'coordinator', 'supervisor', 'admin', 'integrator', 'family', 'resident')),
    person_id      text,                         -- responder (staff), contact (family), resident
    password_hash  text NOT NULL,                -- argon2id
    language       text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    theme          text NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
    active         boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    version        integer NOT NULL DEFAULT 1
);

CREATE TABLE sessions (
    token_hash    bytea PRIMARY KEY,             -- sha256 of the random session id: the database never holds a usable one
    user_id       uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('console', 'phone', 'token')),
    on_duty       boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    address       text,
    agent         text
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE sign_in_attempts (
    at        timestamptz NOT NULL,
    username  text NOT NULL,
    address   text NOT NULL,
    ok        boolean NOT NULL
);
CREATE INDEX sign_in_attempts_name ON sign_in_attempts (username, at);
CREATE INDEX sign_in_attempts_address ON sign_in_attempts (address, at);

CREATE TABLE idempotency (
    user_id   uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key       text NOT NULL,
    request   bytea NOT NULL,                    -- digest of method, path and body
    status    smallint,                          -- null while the first request is under way
    answer    jsonb,
    at        timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_at ON idempotency (at);
