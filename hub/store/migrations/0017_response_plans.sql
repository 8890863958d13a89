-- Response plans: who is called, in which order, by which channel, after how long; and the copy an incident runs by.

CREATE TABLE response_plans (
    id          text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.:-]{1,64}$' AND id <> 'default'),
    zh          text NOT NULL,
    en          text NOT NULL,
    note        text,
    active      boolean NOT NULL DEFAULT true,
    conditions  jsonb NOT NULL DEFAULT '{}',     -- types, classes, priorities, area_id, hours, days, flags
    voice       jsonb NOT NULL DEFAULT '{}',     -- seconds, by_type
    tiers       jsonb NOT NULL,                  -- [{code, zh, en, parties: [{role, part, most}], wait_s, mode, at_once, channels}]
    access      jsonb NOT NULL DEFAULT '{}',     -- ways, consent, zh, en
    clocks      jsonb NOT NULL DEFAULT '{}',     -- accept_s, on_scene_s, welfare_s, welfare_grace_s
    priority    text CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    at_once     boolean NOT NULL DEFAULT false,
    card        boolean NOT NULL DEFAULT true,
    built_in    boolean NOT NULL DEFAULT false,
    edited      boolean NOT NULL DEFAULT false,  -- false: a newer hub may bring a newer one
    version     integer NOT NULL DEFAULT 1
);

-- Every version that ever was in force, so that a night can be explained by the plan of that night.
CREATE TABLE response_plan_versions (
    plan_id  text NOT NULL REFERENCES response_plans (id),
    version  integer NOT NULL,
    record   jsonb NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, version)
);
CREATE FUNCTION response_plan_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO response_plan_versions (plan_id, version, record) VALUES (NEW.id, NEW.version, to_jsonb(NEW))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER response_plans_kept AFTER INSERT OR UPDATE ON response_plans
    FOR EACH ROW EXECUTE FUNCTION response_plan_kept();

-- Whoever opens incidents keeps the plans in memory, and learns from this number in passing that they have changed.
CREATE TABLE response_plan_stamp (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    stamp   bigint NOT NULL
);
INSERT INTO response_plan_stamp (stamp) VALUES (1);
CREATE FUNCTION response_plans_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE response_plan_stamp SET stamp = stamp + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER response_plans_stamp AFTER INSERT OR UPDATE OR DELETE ON response_plans
    FOR EACH STATEMENT EXECUTE FUNCTION response_plans_changed();

-- Copies by content, as with escalation policies: nobody edits a row.
CREATE TABLE response_plan_copies (
    digest  bytea PRIMARY KEY,                   -- sha256 of the body as the hub wrote it
    body    jsonb NOT NULL
);
ALTER TABLE incidents
    ADD COLUMN response_plan bytea REFERENCES response_plan_copies (digest),   -- null: the hub's default plan
    ADD COLUMN plan_run jsonb;                   -- how far it has come in its present round; null: not begun
