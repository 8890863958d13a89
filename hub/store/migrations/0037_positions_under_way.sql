-- How sure a responder's position is, and when an arrival was last reckoned: from where they were then.

ALTER TABLE responders ADD COLUMN position_accuracy_m real CHECK (position_accuracy_m > 0);
ALTER TABLE assignments ADD COLUMN eta_at timestamptz;
