-- Registers that the desk keeps itself: who somebody is in the papers, how contacts are reached, when a crew goes out.

ALTER TABLE residents ADD COLUMN id_number text;
ALTER TABLE residents ADD COLUMN status_until date;               -- expected back from hospital or a journey
CREATE INDEX residents_id_number ON residents (id_number) WHERE id_number IS NOT NULL;

ALTER TABLE contacts ADD COLUMN other_phones text[] NOT NULL DEFAULT '{}';
ALTER TABLE contacts ADD COLUMN hours text;                       -- when this person can be reached, in their own words
ALTER TABLE contacts ADD COLUMN languages text[] NOT NULL DEFAULT '{}';
ALTER TABLE contacts ADD COLUMN consented_on date;                -- agreed to be kept and called; null: nobody asked

ALTER TABLE areas ADD COLUMN active boolean NOT NULL DEFAULT true;

-- On its days, within its hours, a crew is planned as one. No days: every day; no hours: those of its people.
ALTER TABLE crews ADD COLUMN days smallint[] NOT NULL DEFAULT '{}' CHECK (days <@ '{1,2,3,4,5,6,7}'::smallint[]);
ALTER TABLE crews ADD COLUMN begins time;
ALTER TABLE crews ADD COLUMN ends time;
ALTER TABLE crews ADD COLUMN active boolean NOT NULL DEFAULT true;
ALTER TABLE crews ADD CONSTRAINT crews_ends_check CHECK ((begins IS NULL) = (ends IS NULL) AND ends > begins);

-- Who changed this record last: asked by whoever lost a race for it.
CREATE INDEX audit_subject ON audit (subject, id DESC) WHERE subject IS NOT NULL;
