-- Whom the response plan has asked counts for each round of it: after a reopening or a further press it begins again, with
-- everybody who can go.
ALTER TABLE assignments ADD COLUMN plan_round integer NOT NULL DEFAULT 0;
