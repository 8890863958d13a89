-- The ten minutes in which a ringing was counted, so that the list of an hour is what the hour counts.

ALTER TABLE seat_rings ADD COLUMN bin timestamptz;
CREATE INDEX seat_rings_bin ON seat_rings (bin);
-- What went from one seat to another is found by its time.
CREATE INDEX timeline_spilled ON timeline (at) WHERE kind = 'spilled';
