-- The desk: who looks at which incident, and how a shift is handed over.

-- Forgotten with a restart on purpose: an open page says it again within seconds.
CREATE UNLOGGED TABLE presence (
    seat         bytea PRIMARY KEY REFERENCES sessions (token_hash) ON DELETE CASCADE,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    incident_id  uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    since        timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL
);

CREATE TABLE handovers (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY,
    state        text NOT NULL CHECK (state IN ('draft', 'signed', 'done', 'cancelled')),
    shift_from   timestamptz NOT NULL,           -- begin of the shift it tells of
    made_at      timestamptz NOT NULL,
    outgoing     uuid NOT NULL REFERENCES users (id),
    incoming     uuid REFERENCES users (id),
    body         jsonb NOT NULL DEFAULT '{}',    -- the desk as it was when the outgoing person signed
    remarks      text,
    signed_at    timestamptz,
    ticked       jsonb NOT NULL DEFAULT '[]',    -- incident ids the incoming person went through
    accepted_at  timestamptz,
    moved        jsonb NOT NULL DEFAULT '[]',    -- incident ids whose holder changed at the second signature
    version      integer NOT NULL DEFAULT 1,
    -- Nobody hands over to oneself.
    CONSTRAINT handovers_two_people CHECK (incoming IS NULL OR incoming <> outgoing),
    CONSTRAINT handovers_signed CHECK (state <> 'signed' OR signed_at IS NOT NULL),
    CONSTRAINT handovers_both CHECK (state <> 'done' OR (signed_at IS NOT NULL AND accepted_at IS NOT NULL AND incoming IS NOT NULL))
);
-- One hand-over under way a person.
CREATE UNIQUE INDEX handovers_one_open ON handovers (outgoing) WHERE state IN ('draft', 'signed');
CREATE INDEX handovers_made ON handovers (made_at DESC, id DESC);

-- An open call renews the claim of its incident: looked up whenever a lease runs out.
CREATE INDEX calls_open ON calls (incident_id, started_at) WHERE ended_at IS NULL AND outcome IS NULL;
