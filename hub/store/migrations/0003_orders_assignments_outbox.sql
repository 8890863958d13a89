-- Services wanted, who does them, and what must be told to whom.

CREATE TABLE service_kinds (
    id            text PRIMARY KEY,
    zh            text NOT NULL,
    en            text NOT NULL,
    skills        text[] NOT NULL DEFAULT '{}',
    any_skills    text[] NOT NULL DEFAULT '{}',
    duration_min  integer NOT NULL CHECK (duration_min > 0),
    carers        smallint NOT NULL DEFAULT 1 CHECK (carers BETWEEN 1 AND 2),
    personal      boolean NOT NULL DEFAULT false,
    priority      text NOT NULL DEFAULT 'low',
    attributes    jsonb NOT NULL DEFAULT '{}',
    active        boolean NOT NULL DEFAULT true,
    version       integer NOT NULL DEFAULT 1
);

CREATE TABLE orders (
    id            uuid PRIMARY KEY,
    number        bigint GENERATED ALWAYS AS IDENTITY,
    kind          text NOT NULL REFERENCES service_kinds (id),
    resident_id   text NOT NULL REFERENCES residents (id),
    incident_id   uuid REFERENCES incidents (id),
    state         text NOT NULL CHECK (state IN ('requested', 'assigned', 'in_service', 'completed', 'aborted', 'missed', 'cancelled')),
    wanted_from   timestamptz NOT NULL,
    wanted_to     timestamptz NOT NULL,
    duration_min  integer NOT NULL CHECK (duration_min > 0),
    carers        smallint NOT NULL DEFAULT 1 CHECK (carers BETWEEN 1 AND 2),
    note          text,
    attributes    jsonb NOT NULL DEFAULT '{}',
    source        text NOT NULL,
    created_by    uuid REFERENCES users (id),
    created_at    timestamptz NOT NULL,
    reason        text,                          -- of a cancellation or abortion
    version       integer NOT NULL DEFAULT 1,
    CHECK (wanted_to >= wanted_from)
);
CREATE INDEX orders_day ON orders (wanted_from, id);
CREATE INDEX orders_resident ON orders (resident_id, wanted_from, id);

CREATE TABLE visits (
    id             uuid PRIMARY KEY,
    order_id       uuid NOT NULL UNIQUE REFERENCES orders (id),
    state          text NOT NULL CHECK (state IN ('planned', 'offered', 'accepted', 'en_route', 'in_service', 'completed', 'aborted', 'missed', 'cancelled')),
    planned_start  timestamptz NOT NULL,
    started_at     timestamptz,
    ended_at       timestamptz,
    outcome        text,
    note           text,
    version        integer NOT NULL DEFAULT 1
);

CREATE TABLE assignments (
    id            uuid PRIMARY KEY,
    incident_id   uuid REFERENCES incidents (id),
    visit_id      uuid REFERENCES visits (id),
    responder_id  text NOT NULL REFERENCES responders (id),
    state         text NOT NULL CHECK (state IN ('offered', 'accepted', 'declined', 'en_route', 'on_scene', 'completed', 'stood_down')),
    offered_at    timestamptz NOT NULL,
    offered_by    uuid REFERENCES users (id),    -- null: the plan
    accepted_at   timestamptz,
    en_route_at   timestamptz,
    on_scene_at   timestamptz,
    ended_at      timestamptz,
    reason        text,
    outcome       text,
    note          text,
    reasons       jsonb NOT NULL DEFAULT '[]',
    eta_s         integer,
    version       integer NOT NULL DEFAULT 1,
    CHECK ((incident_id IS NULL) <> (visit_id IS NULL))
);
-- One en_route or on_scene assignment a responder.
CREATE UNIQUE INDEX assignments_one_under_way ON assignments (responder_id) WHERE state IN ('en_route', 'on_scene');
-- One live assignment of a responder to the same matter.
CREATE UNIQUE INDEX assignments_one_live_incident ON assignments (incident_id, responder_id)
    WHERE incident_id IS NOT NULL AND state IN ('offered', 'accepted', 'en_route', 'on_scene');
CREATE UNIQUE INDEX assignments_one_live_visit ON assignments (visit_id, responder_id)
    WHERE visit_id IS NOT NULL AND state IN ('offered', 'accepted', 'en_route', 'on_scene');
CREATE INDEX assignments_live ON assignments (responder_id) WHERE state IN ('offered', 'accepted', 'en_route', 'on_scene');
CREATE INDEX assignments_incident ON assignments (incident_id);
CREATE INDEX assignments_visit ON assignments (visit_id);
CREATE INDEX assignments_responder ON assignments (responder_id, offered_at DESC);

-- Who has been at whose place: continuity, without reading the whole past at every alarm.
CREATE TABLE acquaintances (
    responder_id  text NOT NULL REFERENCES responders (id) ON DELETE CASCADE,
    resident_id   text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    last_at       timestamptz NOT NULL,
    PRIMARY KEY (responder_id, resident_id)
);

CREATE TABLE calls (
    id           uuid PRIMARY KEY,
    direction    text NOT NULL CHECK (direction IN ('in', 'out')),
    number       text NOT NULL,
    incident_id  uuid REFERENCES incidents (id),
    resident_id  text REFERENCES residents (id),
    party        text,                           -- who was called: resident, contact, responder, 120
    placed_by    uuid REFERENCES users (id),
    started_at   timestamptz NOT NULL,
    answered_at  timestamptz,
    ended_at     timestamptz,
    outcome      text CHECK (outcome IN ('answered', 'busy', 'no_answer', 'failed')),
    note         text,
    version      integer NOT NULL DEFAULT 1
);
CREATE INDEX calls_incident ON calls (incident_id, started_at DESC, id DESC);
CREATE INDEX calls_started ON calls (started_at DESC, id DESC);

CREATE TABLE outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      text NOT NULL,                  -- device, voice, sms, chat, webhook ...
    target       text NOT NULL,                  -- device id, responder id, address
    body         jsonb NOT NULL,
    incident_id  uuid,
    created_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    expires_at   timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    sent_at      timestamptz,
    failed_at    timestamptz,
    error        text
);
CREATE INDEX outbox_due ON outbox (channel, due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_created ON outbox USING brin (created_at);
