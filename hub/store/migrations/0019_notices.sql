-- What people and other systems must be told: notices with their tries, links in them, telephone calls they make,
-- webhooks and the browsers that take pushes.

CREATE TABLE notices (
    id             uuid PRIMARY KEY,
    lane           text NOT NULL CHECK (lane IN ('alarm', 'routine')),
    channel        text NOT NULL CHECK (channel IN ('voice', 'sms', 'chat', 'mail', 'push', 'webhook')),
    party          text NOT NULL,                -- responder:S1, contact:C1, resident:R1, user:…, group:…, number:…, mail:…, webhook:…
    template       text NOT NULL,
    params         jsonb NOT NULL DEFAULT '{}',
    until          text NOT NULL CHECK (until IN ('claimed', 'accepted', 'closed', 'sent')),
    incident_id    uuid REFERENCES incidents (id),
    assignment_id  uuid REFERENCES assignments (id),
    next_channels  text[] NOT NULL DEFAULT '{}', -- where it goes when this one fails or is late
    before_id      uuid REFERENCES notices (id) ON DELETE SET NULL, -- the notice this one took over from
    key            text,                         -- given by whoever asked: the same key is the same notice
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'expired', 'withdrawn')),
    created_at     timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,         -- the next try; of one under way: when it is taken for crashed
    late_at        timestamptz,                  -- alarm lane: unsent or unanswered then, the next channel begins
    expires_at     timestamptz NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    claimed_by     text,                         -- the try under way; null: none
    sent_at        timestamptz,
    ended_at       timestamptz,
    outcome        text,                         -- of what was sent: answered, busy, no_answer, failed, accepted, declined, delivered
    reason         text,
    provider_ref   text,                         -- the gateway's own name for it: hangs up, is asked about
    hung_up_at     timestamptz
);
CREATE UNIQUE INDEX notices_key ON notices (key) WHERE key IS NOT NULL;
CREATE INDEX notices_due ON notices (lane, channel, due_at, id) WHERE state = 'waiting';
CREATE INDEX notices_before ON notices (before_id) WHERE before_id IS NOT NULL;
CREATE INDEX notices_late ON notices (late_at) WHERE late_at IS NOT NULL;
CREATE INDEX notices_expiry ON notices (expires_at) WHERE state = 'waiting';
CREATE INDEX notices_incident ON notices (incident_id, id) WHERE incident_id IS NOT NULL;
CREATE INDEX notices_created ON notices (created_at DESC, id DESC);
CREATE INDEX notices_party ON notices (party, created_at DESC, id DESC);
CREATE INDEX notices_ringing ON notices (id) WHERE state = 'withdrawn' AND provider_ref IS NOT NULL AND hung_up_at IS NULL;

-- One row a try; also the memory of the rate rules, so that a restart does not send twice as many.
CREATE TABLE notice_tries (
    notice_id  uuid NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    number     integer NOT NULL,
    at         timestamptz NOT NULL,
    ended_at   timestamptz,
    channel    text NOT NULL,
    bucket     text NOT NULL,                    -- what the rate is counted by: a robot, a gateway
    message    text NOT NULL,                    -- tries of one message share it: several routine notices in one
    result     text CHECK (result IN ('sent', 'failed', 'unknown')),
    reason     text,
    PRIMARY KEY (notice_id, number)
);
CREATE INDEX notice_tries_bucket ON notice_tries (bucket, at);
CREATE INDEX notice_tries_at ON notice_tries (at);

-- Links and key presses: the digest of the token, for one person, one assignment, one purpose and a while.
CREATE TABLE notice_tokens (
    token_hash     bytea PRIMARY KEY,
    notice_id      uuid NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    purpose        text NOT NULL CHECK (purpose IN ('link', 'voice')),
    party          text NOT NULL,
    assignment_id  uuid REFERENCES assignments (id),
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    action         text CHECK (action IN ('accept', 'decline')),
    answer         text
);
CREATE INDEX notice_tokens_notice ON notice_tokens (notice_id);
CREATE INDEX notice_tokens_expiry ON notice_tokens (expires_at);

ALTER TABLE calls ADD COLUMN notice_id uuid REFERENCES notices (id) ON DELETE SET NULL;
CREATE INDEX calls_notice ON calls (notice_id) WHERE notice_id IS NOT NULL;

CREATE TABLE webhooks (
    id             uuid PRIMARY KEY,
    name           text NOT NULL,
    url            text NOT NULL,
    events         text[] NOT NULL,
    -- A signature is made with the secret itself; after a rotation both are used for a while.
    secret         text NOT NULL,
    old_secret     text,
    old_until      timestamptz,
    after_seq      bigint NOT NULL,              -- entries of the timeline up to here were looked at
    created_at     timestamptz NOT NULL,
    created_by     uuid REFERENCES users (id),
    revoked_at     timestamptz,
    version        integer NOT NULL DEFAULT 1
);
CREATE INDEX webhooks_active ON webhooks (id) WHERE revoked_at IS NULL;

CREATE TABLE push_subscriptions (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    endpoint     text NOT NULL UNIQUE,
    p256dh       bytea NOT NULL,
    auth         bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    last_at      timestamptz,
    gone_at      timestamptz                     -- the push service says that nobody is there any more
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id) WHERE gone_at IS NULL;
