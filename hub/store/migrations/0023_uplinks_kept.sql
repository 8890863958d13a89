-- The log of uplinks by kind. Of telemetry that was taken the log says only that it was: a gigabyte a day at a district's devices,
-- and of no use after some days. What was kept raw (alarms, whatever could not be taken) is looked up months later. So the days of
-- `uplinks` are dropped early, and their few rows of the second kind go here before.

CREATE TABLE uplinks_kept (LIKE uplinks INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
CREATE INDEX uplinks_kept_received ON uplinks_kept (received_at);
CREATE INDEX uplinks_kept_device ON uplinks_kept (device_id, received_at);

CREATE VIEW uplinks_all AS
SELECT received_at, lane, device_id, topic, key, outcome, reason, events, payload FROM uplinks
UNION ALL
SELECT received_at, lane, device_id, topic, key, outcome, reason, events, payload FROM uplinks_kept;
