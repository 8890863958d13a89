-- Wall screens: each opens with a token of its own, sees the wall and nothing else, and can be shut off alone.
CREATE TABLE wall_screens (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,                  -- where it hangs
    token_hash   bytea NOT NULL UNIQUE,          -- the digest: a stolen table opens no screen
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    seen_at      timestamptz,
    seen_from    text,                           -- address of its last look
    revoked_at   timestamptz,
    revoked_by   text,
    CONSTRAINT wall_screens_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
