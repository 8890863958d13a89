-- Every token by itself: an id that may be shown, and who issued it. Null: the program signed in with its own password.

ALTER TABLE sessions ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE sessions ADD COLUMN issued_by text;
CREATE UNIQUE INDEX sessions_id ON sessions (id);
