-- Uplinks that were kept aside: raw, with the reason, until a person has them taken again or lets them go. The log of uplinks
-- is dropped by days; what nobody has looked at yet must not go with it.

CREATE TABLE quarantine (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL,
    lane         text NOT NULL,
    device_id    text,                           -- null: the topic names none
    family       text,                           -- null: the device is not known
    topic        text,
    key          bytea,                          -- of what was understood and not wanted; null: the taking itself failed
    why          text NOT NULL CHECK (why IN ('failed', 'unadopted', 'revoked', 'nameless')),
    reason       text NOT NULL,
    payload      bytea NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'replayed', 'discarded')),
    settled_at   timestamptz,
    settled_by   uuid,                           -- null: from the command line
    settled_name text,
    outcome      text,                           -- of the replay; of a discarded one, why
    tries        integer NOT NULL DEFAULT 0,
    last_error   text,
    CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX quarantine_waiting ON quarantine (id) WHERE state = 'waiting';
CREATE INDEX quarantine_device ON quarantine (device_id, id);
-- A revoked device that repeats itself is kept once: its second message is the first.
CREATE UNIQUE INDEX quarantine_key ON quarantine (key) WHERE key IS NOT NULL;

CREATE FUNCTION quarantine_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A restore brings these rows along.
    IF current_setting('care_hub.restoring', true) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO quarantine (received_at, lane, device_id, family, topic, key, why, reason, payload)
    VALUES (NEW.received_at, NEW.lane, nullif(NEW.device_id, ''),
            (SELECT family FROM devices WHERE id = NEW.device_id), NEW.topic, NEW.key,
            CASE WHEN coalesce(NEW.device_id, '') = '' THEN 'nameless'
                 WHEN NEW.key IS NULL AND NEW.events = 0 THEN 'failed'
                 WHEN NEW.reason = 'the device was revoked' THEN 'revoked'
                 ELSE 'unadopted' END,
            coalesce(NEW.reason, ''), coalesce(NEW.payload, ''))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER uplinks_quarantined AFTER INSERT ON uplinks FOR EACH ROW
    WHEN (NEW.outcome = 'quarantined') EXECUTE FUNCTION quarantine_keep();

INSERT INTO quarantine (received_at, lane, device_id, family, topic, key, why, reason, payload)
SELECT u.received_at, u.lane, nullif(u.device_id, ''), d.family, u.topic, u.key,
       CASE WHEN coalesce(u.device_id, '') = '' THEN 'nameless'
            WHEN u.key IS NULL AND u.events = 0 THEN 'failed'
            WHEN u.reason = 'the device was revoked' THEN 'revoked'
            ELSE 'unadopted' END,
       coalesce(u.reason, ''), coalesce(u.payload, '')
FROM uplinks u LEFT JOIN devices d ON d.id = u.device_id
WHERE u.outcome = 'quarantined'
ORDER BY u.received_at
ON CONFLICT DO NOTHING;
