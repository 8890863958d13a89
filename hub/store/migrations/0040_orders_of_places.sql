-- A repair where nobody lives (a gateway in a hall, a relay, a station's sensor) is of a place, not of a resident.

ALTER TABLE orders ALTER COLUMN resident_id DROP NOT NULL;
ALTER TABLE orders ADD COLUMN area_id text REFERENCES areas (id);
ALTER TABLE orders ADD CONSTRAINT orders_of_somebody
    CHECK (resident_id IS NOT NULL OR (kind = 'device_repair' AND area_id IS NOT NULL));
-- One repair at a time for each matter: whoever presses twice, or at once with another, makes no second.
CREATE INDEX orders_incident_repair ON orders (incident_id) WHERE kind = 'device_repair';
