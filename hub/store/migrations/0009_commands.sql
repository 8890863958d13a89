-- What devices are told to do, until it is done or over; and ids that two use at once.

CREATE TABLE commands (
    id            uuid PRIMARY KEY,
    device_id     text NOT NULL REFERENCES devices (id),
    family        text NOT NULL,
    command       text NOT NULL,
    fields        jsonb NOT NULL DEFAULT '{}',
    token         text NOT NULL,                 -- by what the device's answer names it
    incident_id   uuid REFERENCES incidents (id),
    state         text NOT NULL CHECK (state IN ('queued', 'sent', 'delivered', 'answered', 'expired', 'failed')),
    created_at    timestamptz NOT NULL,
    created_by    text,                          -- a user's id; null: the hub itself
    expires_at    timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    sent_at       timestamptz,                   -- the last time
    delivered_at  timestamptz,
    ended_at      timestamptz,
    answer        jsonb,
    reason        text
);
CREATE INDEX commands_device ON commands (device_id, created_at DESC, id DESC);
CREATE INDEX commands_waiting ON commands (device_id, token) WHERE state IN ('queued', 'sent', 'delivered');
CREATE INDEX commands_expiry ON commands (expires_at) WHERE state IN ('queued', 'sent', 'delivered');
CREATE INDEX commands_incident ON commands (incident_id) WHERE incident_id IS NOT NULL;

CREATE TABLE device_conflicts (
    device_id  text PRIMARY KEY,                 -- an id that nobody added may be in conflict too
    family     text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('two_addresses', 'second_id')),
    addresses  text[] NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    times      integer NOT NULL DEFAULT 1
);
