-- What proves a visit: checks at the door, what was done, what was measured, the gate before a bath, lateness.

ALTER TABLE visits
    ADD COLUMN late text CHECK (late IN ('yellow', 'red', 'missed')),   -- how late it began, or has not begun
    ADD COLUMN expected_at timestamptz,          -- its carer is elsewhere and cannot be there before; null: nothing speaks for it
    ADD COLUMN gate jsonb;                       -- {verdict: pass|stop, at, by, consent, nurse_order_id, reasons}

-- Open orders whose window is over, and promises that are: looked for every second.
CREATE INDEX orders_overdue ON orders (wanted_to) WHERE state IN ('requested', 'assigned');
CREATE INDEX visits_promised ON visits (promised_to)
    WHERE promised_to IS NOT NULL AND state IN ('planned', 'offered', 'accepted', 'en_route');
CREATE INDEX visits_in_service ON visits (started_at) WHERE state = 'in_service';

-- One arrival and one leaving an assignment. Times of the phone are kept as they were told.
CREATE TABLE visit_checks (
    id             uuid PRIMARY KEY,
    visit_id       uuid NOT NULL REFERENCES visits (id),
    assignment_id  uuid NOT NULL REFERENCES assignments (id),
    responder_id   text NOT NULL REFERENCES responders (id),
    kind           text NOT NULL CHECK (kind IN ('in', 'out')),
    at             timestamptz NOT NULL,         -- by the phone
    recorded_at    timestamptz NOT NULL,         -- when the hub heard of it
    lat            double precision,
    lon            double precision,
    accuracy_m     real,
    source         text,
    fix_at         timestamptz,
    distance_m     real,                         -- from where the service is; null: not known
    flags          text[] NOT NULL DEFAULT '{}', -- what failed
    findings       jsonb NOT NULL DEFAULT '[]',  -- [{code, fails, zh, en, values}]
    photo_sha256   bytea,
    recorded_by    uuid REFERENCES users (id),
    review         text CHECK (review IN ('accepted', 'rejected')),
    review_reason  text,
    reviewed_by    uuid REFERENCES users (id),
    reviewed_at    timestamptz,
    version        integer NOT NULL DEFAULT 1,
    CHECK ((lat IS NULL) = (lon IS NULL)),
    CHECK ((review IS NULL) = (reviewed_at IS NULL)),
    UNIQUE (assignment_id, kind)
);
CREATE INDEX visit_checks_visit ON visit_checks (visit_id);
CREATE INDEX visit_checks_open ON visit_checks (recorded_at, id) WHERE flags <> '{}' AND review IS NULL;

CREATE TABLE visit_tasks (
    visit_id      uuid NOT NULL REFERENCES visits (id),
    code          text NOT NULL,
    position      smallint NOT NULL DEFAULT 0,
    zh            text NOT NULL,
    en            text NOT NULL,
    done          boolean NOT NULL,
    note          text,                          -- why it was not done
    responder_id  text NOT NULL REFERENCES responders (id),
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    PRIMARY KEY (visit_id, code)
);

-- The values themselves are observations; this is which visit they were taken at, by whom, and what they came to.
CREATE TABLE visit_vitals (
    id            uuid PRIMARY KEY,
    visit_id      uuid NOT NULL REFERENCES visits (id),
    assignment_id uuid NOT NULL REFERENCES assignments (id),
    responder_id  text NOT NULL REFERENCES responders (id),
    purpose       text NOT NULL CHECK (purpose IN ('visit', 'gate')),
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    measured      jsonb NOT NULL,                -- {metric: value}
    nurse         boolean NOT NULL,              -- by somebody with a nursing credential of that day
    score         jsonb,                         -- NEWS2 as it must be read; null: not a nurse's, or nothing to score
    incident_id   uuid REFERENCES incidents (id)
);
CREATE INDEX visit_vitals_visit ON visit_vitals (visit_id, at);
