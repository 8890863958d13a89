-- Makers' clouds that push over HTTP, and messages kept raw for whoever brings a new device in.

CREATE TABLE integrations (
    name            text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    family          text NOT NULL,
    scheme          text NOT NULL CHECK (scheme IN ('bearer', 'basic', 'key', 'hmac', 'onenet', 'huawei')),
    -- A signature can only be checked with the secret itself; a secret that is sent along is kept as its digest.
    secret          text,
    secret_digest   bytea,
    devices         text NOT NULL DEFAULT '*',   -- ids it may speak for: a pattern with * and ?
    rate_per_s      integer NOT NULL DEFAULT 50 CHECK (rate_per_s BETWEEN 1 AND 10000),
    created_at      timestamptz NOT NULL,
    created_by      text,
    revoked_at      timestamptz,
    last_used_at    timestamptz,
    last_refused_at timestamptz,
    last_refusal    text,
    CONSTRAINT integrations_one_secret CHECK ((secret IS NULL) <> (secret_digest IS NULL))
);
CREATE INDEX integrations_family ON integrations (family) WHERE revoked_at IS NULL;

-- Signed requests that were committed: the same one again is a repeat, the same nonce with another body a forgery.
CREATE TABLE intake_seen (
    integration  text NOT NULL REFERENCES integrations (name),
    key          bytea NOT NULL,
    body         bytea NOT NULL,                 -- 16-byte digest of what was signed for
    until        timestamptz NOT NULL,
    PRIMARY KEY (integration, key)
);
CREATE INDEX intake_seen_until ON intake_seen (until);

-- Devices whose every message is kept raw for a while. No reference: it may not have been heard yet.
CREATE TABLE raw_watches (
    device_id  text PRIMARY KEY,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    asked_by   text
);

CREATE TABLE watched_uplinks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL,
    device_id    text NOT NULL,
    family       text NOT NULL,
    lane         text NOT NULL,
    topic        text,
    outcome      text NOT NULL,
    reason       text,
    payload      bytea NOT NULL
);
CREATE INDEX watched_uplinks_device ON watched_uplinks (device_id, received_at);
CREATE INDEX watched_uplinks_received ON watched_uplinks (received_at);
