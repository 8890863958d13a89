-- Accounts with a telephone of their own, so that supervisors can be called; what notices say, as a site words it.

ALTER TABLE users ADD COLUMN phone text;

-- Every wording that ever was in force: a night can be explained by the words of that night. The newest one counts;
-- `standard`: the words the hub brings along, again. Nothing here: those words as well.
CREATE TABLE notice_wordings (
    template    text NOT NULL,
    language    text NOT NULL CHECK (language IN ('zh', 'en')),
    version     integer NOT NULL CHECK (version > 0),
    standard    boolean NOT NULL DEFAULT false,
    title       text,
    short       text,
    spoken      text,
    full_text   text,
    note        text,
    changed_by  uuid REFERENCES users (id),
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (template, language, version),
    CHECK (standard OR (title IS NOT NULL AND short IS NOT NULL AND spoken IS NOT NULL AND full_text IS NOT NULL))
);

-- Whom a power cut took along, and who says that power is back. `tells`: it has ever said what it lives on, so its
-- silence about it is a word; the others are taken for back once they are heard after their neighbours said so.
CREATE TABLE power_cut_devices (
    incident_id  uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    device_id    text NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    lost_at      timestamptz NOT NULL,
    ref          text,                           -- of its alarm: what a cancel names
    tells        boolean NOT NULL,
    back_at      timestamptz,
    how          text CHECK (how IN ('charging', 'cancel', 'heard')),
    PRIMARY KEY (incident_id, device_id)
);
CREATE INDEX power_cut_devices_waiting ON power_cut_devices (device_id) WHERE back_at IS NULL;

-- A photo belongs to a visit's assignment, or to a matter that somebody reported on patrol.
ALTER TABLE photos ALTER COLUMN assignment_id DROP NOT NULL;
ALTER TABLE photos ADD COLUMN incident_id uuid REFERENCES incidents (id);
ALTER TABLE photos ADD CONSTRAINT photos_of_one CHECK ((assignment_id IS NULL) <> (incident_id IS NULL));
CREATE UNIQUE INDEX photos_incident ON photos (incident_id, sha256) WHERE incident_id IS NOT NULL;
