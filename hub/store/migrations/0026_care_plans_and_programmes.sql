-- Recurring care plans, orders that staff may claim, satisfaction and return visits, and the visit programme.

-- What one service costs, in fen, and what that price is for. Null: no price is kept here.
ALTER TABLE service_kinds ADD COLUMN price_fen integer CHECK (price_fen >= 0);
ALTER TABLE service_kinds ADD COLUMN price_per text NOT NULL DEFAULT 'visit' CHECK (price_per IN ('visit', 'hour'));

CREATE TABLE care_plans (
    id            uuid PRIMARY KEY,
    number        bigint GENERATED ALWAYS AS IDENTITY,
    resident_id   text NOT NULL REFERENCES residents (id),
    kind          text NOT NULL REFERENCES service_kinds (id),
    rule          text NOT NULL,                 -- RFC 5545 recurrence rule, without DTSTART
    exdates       date[] NOT NULL DEFAULT '{}',  -- days of the rule that do not come
    rdates        date[] NOT NULL DEFAULT '{}',  -- days beside the rule
    starts_on     date NOT NULL,
    ends_on       date,                          -- the last day; null: until somebody ends it
    begins        time NOT NULL,                 -- of the window in which it may begin, local time of the site
    ends          time NOT NULL,
    duration_min  integer CHECK (duration_min BETWEEN 1 AND 720),   -- null: as the kind says
    holidays      text NOT NULL DEFAULT 'keep' CHECK (holidays IN ('keep', 'skip', 'move')),
    preferred_responder_id text REFERENCES responders (id),
    provider_id   text REFERENCES providers (id),
    station_id    text REFERENCES stations (id),
    payer_hint    text CHECK (payer_hint IN ('subsidy', 'long_term_care', 'charity', 'family')),
    open_to       text CHECK (open_to = 'claim'),
    note          text,
    attributes    jsonb NOT NULL DEFAULT '{}',
    active        boolean NOT NULL DEFAULT true, -- false: ended by hand
    created_at    timestamptz NOT NULL,
    created_by    uuid REFERENCES users (id),
    changed_at    timestamptz NOT NULL,
    -- Orders exist up to this day; null: the plan was changed and is looked at again from today.
    made_until    date,
    version       integer NOT NULL DEFAULT 1,
    CHECK (ends >= begins),
    CHECK (ends_on IS NULL OR ends_on >= starts_on)
);
CREATE INDEX care_plans_resident ON care_plans (resident_id);
CREATE INDEX care_plans_due ON care_plans (made_until NULLS FIRST, id) WHERE active;

-- A time in which a plan rests, given by hand. The resident's own absence needs no row here.
CREATE TABLE care_plan_pauses (
    id            uuid PRIMARY KEY,
    care_plan_id  uuid NOT NULL REFERENCES care_plans (id) ON DELETE CASCADE,
    from_on       date NOT NULL,
    to_on         date,                          -- the last day; null: until it is lifted
    reason        text NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    uuid REFERENCES users (id),
    CHECK (to_on IS NULL OR to_on >= from_on)
);
CREATE INDEX care_plan_pauses_plan ON care_plan_pauses (care_plan_id, from_on);

-- Visiting the elderly who need it most: who is visited how often.
CREATE TABLE programmes (
    id            text PRIMARY KEY,
    zh            text NOT NULL,
    en            text NOT NULL,
    kind          text NOT NULL DEFAULT 'safety_visit' REFERENCES service_kinds (id),
    groups        text[] NOT NULL,               -- whoever is in one of them takes part
    area_ids      text[] NOT NULL DEFAULT '{}',  -- areas, any ancestor counts; empty: everywhere
    per_month     jsonb NOT NULL,                -- visits a month by risk: {"high": 4, "medium": 2, "low": 1}
    makes         text NOT NULL DEFAULT 'targets' CHECK (makes IN ('orders', 'targets')),
    begins        time NOT NULL DEFAULT '09:00', -- of the window of orders
    ends          time NOT NULL DEFAULT '17:00',
    active        boolean NOT NULL DEFAULT true,
    made_until    date,
    version       integer NOT NULL DEFAULT 1,
    CHECK (ends >= begins)
);

-- Where a person decided otherwise than the groups and the risk say.
CREATE TABLE programme_members (
    programme_id  text NOT NULL REFERENCES programmes (id) ON DELETE CASCADE,
    resident_id   text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    stands        text NOT NULL CHECK (stands IN ('in', 'out')),
    risk          text CHECK (risk IN ('high', 'medium', 'low')),
    reason        text NOT NULL,
    changed_at    timestamptz NOT NULL,
    changed_by    uuid REFERENCES users (id),
    PRIMARY KEY (programme_id, resident_id)
);

ALTER TABLE orders ADD COLUMN care_plan_id uuid REFERENCES care_plans (id);
ALTER TABLE orders ADD COLUMN occurrence_on date;          -- the day of the rule; a holiday may have moved the order itself
ALTER TABLE orders ADD COLUMN open_to text CHECK (open_to = 'claim');
ALTER TABLE orders ADD COLUMN station_id text REFERENCES stations (id);
ALTER TABLE orders ADD COLUMN programme_id text REFERENCES programmes (id);
ALTER TABLE orders ADD COLUMN preferred_responder_id text REFERENCES responders (id);
ALTER TABLE orders ADD COLUMN payer_hint text CHECK (payer_hint IN ('subsidy', 'long_term_care', 'charity', 'family'));
-- Who cancelled it: a person's word stands, the others are taken back when their cause is gone.
ALTER TABLE orders ADD COLUMN cancelled_by text CHECK (cancelled_by IN ('person', 'plan', 'pause', 'status'));
ALTER TABLE orders ADD CONSTRAINT orders_occurrence
    CHECK ((occurrence_on IS NULL) = (care_plan_id IS NULL AND programme_id IS NULL));
CREATE UNIQUE INDEX orders_once_an_occurrence ON orders (care_plan_id, occurrence_on) WHERE care_plan_id IS NOT NULL;
CREATE UNIQUE INDEX orders_once_a_programme_day ON orders (programme_id, resident_id, occurrence_on)
    WHERE programme_id IS NOT NULL;
CREATE INDEX orders_to_claim ON orders (wanted_from, id) WHERE open_to = 'claim' AND state IN ('requested', 'assigned');

-- What came of a visit of the programme: one tap. No check-in and no place: officers are not followed.
CREATE TABLE programme_results (
    id            uuid PRIMARY KEY,
    programme_id  text NOT NULL REFERENCES programmes (id),
    resident_id   text NOT NULL REFERENCES residents (id),
    result        text NOT NULL CHECK (result IN ('well', 'needs_help', 'not_home', 'moved', 'in_hospital')),
    at            timestamptz NOT NULL,          -- when it was tapped
    recorded_at   timestamptz NOT NULL,
    note          text,
    by_phone      boolean NOT NULL DEFAULT false,
    responder_id  text REFERENCES responders (id),
    recorded_by   uuid REFERENCES users (id),
    order_id      uuid REFERENCES orders (id),
    incident_id   uuid REFERENCES incidents (id)
);
CREATE INDEX programme_results_resident ON programme_results (programme_id, resident_id, at DESC);
CREATE INDEX programme_results_at ON programme_results (at);

-- What the resident or the family thinks of a service; the last word counts.
CREATE TABLE order_satisfaction (
    order_id      uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    score         smallint NOT NULL CHECK (score BETWEEN 1 AND 5),
    words         text,
    given_by      text NOT NULL CHECK (given_by IN ('resident', 'family', 'phone')),
    complaint     boolean NOT NULL DEFAULT false,
    incident_id   uuid REFERENCES incidents (id),
    at            timestamptz NOT NULL,
    recorded_by   uuid REFERENCES users (id),
    version       integer NOT NULL DEFAULT 1
);
CREATE INDEX order_satisfaction_at ON order_satisfaction (at);

-- Somebody asks afterwards how a service was: by telephone or at the door.
CREATE TABLE order_return_visits (
    order_id      uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    why           text NOT NULL CHECK (why IN ('sample', 'first', 'undone', 'low_score', 'complaint', 'asked')),
    due_at        timestamptz NOT NULL,
    made_at       timestamptz NOT NULL,
    tries         smallint NOT NULL DEFAULT 0,
    done_at       timestamptz,
    way           text CHECK (way IN ('phone', 'door')),
    outcome       text CHECK (outcome IN ('content', 'not_content', 'not_given', 'unreachable')),
    note          text,
    done_by       uuid REFERENCES users (id),
    version       integer NOT NULL DEFAULT 1,
    CHECK ((done_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX order_return_visits_due ON order_return_visits (due_at, order_id) WHERE done_at IS NULL;
