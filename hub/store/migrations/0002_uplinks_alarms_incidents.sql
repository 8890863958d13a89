-- What was understood, and what is being done about it.

-- The ledger: taken keys. A hypertable cannot hold a unique key without its time column and device clocks are years off, so the
-- ledger is a plain table, pruned by time.
CREATE TABLE uplink_seen (
    key          bytea PRIMARY KEY,              -- 16-byte digest of family and the protocol's own key
    received_at  timestamptz NOT NULL
);
CREATE INDEX uplink_seen_received ON uplink_seen USING brin (received_at);

-- Escalation policies by content: an incident points at the one that was in force when it opened, and nobody edits a row.
CREATE TABLE escalation_policies (
    digest  bytea PRIMARY KEY,                   -- sha256 of the body as the hub wrote it
    body    jsonb NOT NULL
);

CREATE TABLE incidents (
    id                uuid PRIMARY KEY,
    number            bigint GENERATED ALWAYS AS IDENTITY,
    subject           text NOT NULL,
    class             text NOT NULL CHECK (class IN ('emergency', 'health', 'whereabouts', 'technical', 'test')),
    state             text NOT NULL CHECK (state IN ('open', 'acknowledged', 'in_progress', 'resolved', 'closed')),
    type              text NOT NULL,
    types             text[] NOT NULL,
    priority          text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    urgency           smallint NOT NULL GENERATED ALWAYS AS
                      (CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END) STORED,
    resident_id       text REFERENCES residents (id),
    device_id         text REFERENCES devices (id),
    area_id           text REFERENCES areas (id),
    area_path         text[] NOT NULL DEFAULT '{}',
    fix               jsonb,
    alarm_count       integer NOT NULL DEFAULT 1,
    opened_at         timestamptz NOT NULL,
    first_alarm_at    timestamptz NOT NULL,
    last_alarm_at     timestamptz NOT NULL,
    acknowledged_by   uuid REFERENCES users (id),
    acknowledged_at   timestamptz,
    first_acknowledged_at timestamptz,
    lease_until       timestamptz,
    resolved_by       uuid REFERENCES users (id),
    resolved_at       timestamptz,
    disposition       text CHECK (disposition IN ('genuine', 'false', 'test', 'device_fault', 'duplicate', 'no_contact')),
    summary           text,
    supervision       text NOT NULL DEFAULT 'none' CHECK (supervision IN ('none', 'required', 'done')),
    supervised_by     uuid REFERENCES users (id),
    supervised_at     timestamptz,
    shelved_until     timestamptz,
    shelve_reason     text,
    under_way         boolean NOT NULL DEFAULT false,
    on_scene          boolean NOT NULL DEFAULT false,
    policy            bytea NOT NULL REFERENCES escalation_policies (digest),
    plan_round        integer NOT NULL DEFAULT 0,
    reasons           jsonb NOT NULL DEFAULT '[]',
    version           integer NOT NULL DEFAULT 1,
    -- Whoever resolved a matter cannot be the one who supervises it.
    CONSTRAINT incidents_other_supervisor CHECK (supervised_by IS NULL OR supervised_by <> resolved_by),
    CONSTRAINT incidents_disposed CHECK (state NOT IN ('resolved', 'closed') OR disposition IS NOT NULL)
) WITH (fillfactor = 80);
-- At most one live incident for each subject and class.
CREATE UNIQUE INDEX incidents_one_live ON incidents (subject, class) WHERE state IN ('open', 'acknowledged', 'in_progress');
CREATE INDEX incidents_live ON incidents (urgency, opened_at, id) WHERE state IN ('open', 'acknowledged', 'in_progress');
CREATE INDEX incidents_opened ON incidents (opened_at DESC, id DESC);
CREATE INDEX incidents_resident ON incidents (resident_id, opened_at DESC, id DESC);
CREATE INDEX incidents_area ON incidents USING gin (area_path);
CREATE INDEX incidents_supervision ON incidents (resolved_at) WHERE supervision = 'required';

CREATE TABLE alarms (
    id           uuid PRIMARY KEY,
    key          bytea UNIQUE,                   -- same digest as the ledger: a second fence, never pruned
    device_id    text,
    resident_id  text REFERENCES residents (id),
    incident_id  uuid REFERENCES incidents (id),
    ref          text,
    type         text NOT NULL,
    class        text NOT NULL,
    priority     text NOT NULL,
    observed_at  timestamptz,
    received_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    fix          jsonb,
    battery_pct  smallint,
    test         boolean NOT NULL DEFAULT false,
    buffered     boolean NOT NULL DEFAULT false,
    note         text,
    cancels      text,
    source       text NOT NULL CHECK (source IN ('device', 'person')),
    attributes   jsonb NOT NULL DEFAULT '{}',
    repeats      integer NOT NULL DEFAULT 0      -- how often the same press was sent again
);
CREATE INDEX alarms_incident ON alarms (incident_id, received_at DESC);
CREATE INDEX alarms_device_ref ON alarms (device_id, ref);
CREATE INDEX alarms_received ON alarms (received_at DESC, id DESC);
CREATE INDEX alarms_resident ON alarms (resident_id, received_at DESC);

-- Every time-out is a row.
CREATE TABLE due (
    subject_kind  text NOT NULL CHECK (subject_kind IN ('incident', 'assignment', 'order', 'visit')),
    subject_id    uuid NOT NULL,
    step          text NOT NULL,
    due_at        timestamptz NOT NULL,
    body          jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (subject_kind, subject_id, step)
);
CREATE INDEX due_at ON due (due_at);

-- The timeline nobody can rewrite. `seq` comes from a one-row counter taken by the last statements of a transaction, so the
-- order of numbers is the order in which they became visible.
CREATE TABLE timeline_counter (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch  text NOT NULL,                        -- changes with a restore: cursors of another epoch are reset
    seq    bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO timeline_counter (epoch, seq) VALUES (substr(md5(random()::text || clock_timestamp()::text), 1, 8), 0);

CREATE TABLE timeline (
    seq           bigint PRIMARY KEY,
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject_kind  text NOT NULL CHECK (subject_kind IN ('incident', 'order', 'visit', 'resident', 'device', 'call', 'person')),
    subject_id    text NOT NULL,
    kind          text NOT NULL,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('operator', 'responder', 'device', 'system', 'resident', 'family', 'integrator')),
    actor_id      text,
    actor_name    text,
    body          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX timeline_subject ON timeline (subject_kind, subject_id, seq DESC);

CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER timeline_append_only BEFORE UPDATE OR DELETE ON timeline FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER timeline_no_truncate BEFORE TRUNCATE ON timeline FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE timeline ENABLE ALWAYS TRIGGER timeline_append_only;
ALTER TABLE timeline ENABLE ALWAYS TRIGGER timeline_no_truncate;

CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    user_id  uuid,
    name     text,
    action   text NOT NULL,
    subject  text,
    detail   jsonb NOT NULL DEFAULT '{}',
    address  text
);
CREATE INDEX audit_at ON audit (at DESC, id DESC);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_truncate;
