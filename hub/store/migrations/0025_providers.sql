-- Provider organisations: who gives a service, who is paid for it, and whose people may see whom.

CREATE TABLE providers (
    id       text PRIMARY KEY,
    name     text NOT NULL,
    kind     text NOT NULL DEFAULT 'company' CHECK (kind IN ('company', 'nonprofit', 'public', 'station', 'volunteers')),
    phone    text,
    contact  text,
    kinds    text[] NOT NULL DEFAULT '{}',       -- service kinds it gives; empty: all
    area_ids text[] NOT NULL DEFAULT '{}',       -- areas it serves, any ancestor counts; empty: everywhere
    active   boolean NOT NULL DEFAULT true,
    version  integer NOT NULL DEFAULT 1
);

ALTER TABLE responders ADD COLUMN provider_id text REFERENCES providers (id);
ALTER TABLE stations ADD COLUMN provider_id text REFERENCES providers (id);
ALTER TABLE orders ADD COLUMN provider_id text REFERENCES providers (id);
-- Whoever has one sees its residents, staff and orders, and nothing else.
ALTER TABLE users ADD COLUMN provider_id text REFERENCES providers (id);

CREATE INDEX responders_provider ON responders (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX orders_provider ON orders (provider_id, wanted_from, id) WHERE provider_id IS NOT NULL;
