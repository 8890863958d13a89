-- Plans of a day: who goes where when. A plan is a proposal until it is published; then its visits and offers are real.

CREATE TABLE day_plans (
    id            uuid PRIMARY KEY,
    day           date NOT NULL,                 -- the site's day
    area_ids      text[] NOT NULL DEFAULT '{}',  -- empty: everywhere; what lies below counts
    kinds         text[] NOT NULL DEFAULT '{}',  -- empty: all
    state         text NOT NULL CHECK (state IN ('running', 'ready', 'published', 'cancelled', 'failed', 'superseded')),
    seconds       real NOT NULL CHECK (seconds > 0),     -- what the search may take
    seed          integer NOT NULL DEFAULT 1,
    based_on      uuid REFERENCES day_plans (id) ON DELETE SET NULL,
    events        jsonb NOT NULL DEFAULT '[]',   -- what happened: a plan made around what stands
    progress      jsonb NOT NULL DEFAULT '{}',   -- share 0..1, cost, planned, unplanned, seconds
    cost          jsonb NOT NULL DEFAULT '{}',
    baseline      jsonb NOT NULL DEFAULT '{}',   -- the greedy plan of the same day
    unplanned     jsonb NOT NULL DEFAULT '[]',
    conflicts     jsonb NOT NULL DEFAULT '[]',
    changes       jsonb NOT NULL DEFAULT '[]',   -- against what stood when it was made
    counts        jsonb NOT NULL DEFAULT '{}',
    reason        text,                          -- of a failure or cancellation
    runner        text,                          -- the process that plans it; null: nobody yet
    beat_at       timestamptz,                   -- its last sign of life
    tries         smallint NOT NULL DEFAULT 0,
    created_by    uuid REFERENCES users (id),
    created_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    published_by  uuid REFERENCES users (id),
    published_at  timestamptz,
    version       integer NOT NULL DEFAULT 1
);
CREATE INDEX day_plans_day ON day_plans (day, created_at DESC, id DESC);
CREATE INDEX day_plans_running ON day_plans (created_at) WHERE state = 'running';

-- One carer's day in a plan.
CREATE TABLE routes (
    id            uuid PRIMARY KEY,
    plan_id       uuid NOT NULL REFERENCES day_plans (id) ON DELETE CASCADE,
    day           date NOT NULL,
    responder_id  text NOT NULL REFERENCES responders (id),
    crew_id       text,
    leave_at      timestamptz NOT NULL,
    back_at       timestamptz NOT NULL,
    breaks        jsonb NOT NULL DEFAULT '[]',   -- [{"start", "end"}]
    trips         jsonb NOT NULL DEFAULT '[]',   -- of a courier: [{"leave", "load", "visits"}]
    travel_s      integer NOT NULL,
    service_s     integer NOT NULL,
    UNIQUE (plan_id, responder_id)
);
CREATE INDEX routes_day ON routes (day, responder_id);

CREATE TABLE route_stops (
    route_id   uuid NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    sequence   smallint NOT NULL,
    visit_id   uuid NOT NULL REFERENCES visits (id) ON DELETE CASCADE,
    part       smallint NOT NULL DEFAULT 0,      -- of a visit of two: which one this carer is there for
    arrive_at  timestamptz NOT NULL,
    start_at   timestamptz NOT NULL,
    leave_at   timestamptz NOT NULL,
    frozen     text CHECK (frozen IN ('started', 'promised', 'pinned', 'fixed')),
    why        jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (route_id, sequence)
);
CREATE INDEX route_stops_visit ON route_stops (visit_id);

ALTER TABLE visits
    ADD COLUMN route_id uuid,                    -- of the published plan; null: in none. A visit of two: of its first carer
    ADD COLUMN planned_end timestamptz,
    ADD COLUMN promised_from timestamptz,        -- what resident and family were told
    ADD COLUMN promised_to timestamptz,
    ADD COLUMN sequence smallint,
    ADD COLUMN pinned boolean NOT NULL DEFAULT false,    -- a person nailed it down: no plan moves it
    ADD CONSTRAINT visits_promise CHECK ((promised_from IS NULL) = (promised_to IS NULL) AND promised_to >= promised_from);
CREATE INDEX visits_route ON visits (route_id) WHERE route_id IS NOT NULL;
