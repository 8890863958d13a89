-- The rota: rotations that make shifts, what overrides them, swaps between people, the cover that is wanted, holidays.

-- A pattern over days and weeks. Its shifts are rows of `shifts`, made ahead: at three in the morning nothing is computed.
CREATE TABLE rotations (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    role         text NOT NULL,                  -- whom the shifts give: a responder's kind, or a role of its own
    area_id      text REFERENCES areas (id),     -- null: wherever each member serves
    rule         text NOT NULL,                  -- RFC 5545 recurrence rule of the days on which a shift begins
    starts_on    date NOT NULL,                  -- the day from which turns are counted
    ends_on      date,                           -- the last day on which a shift begins; null: until further notice
    begins       time NOT NULL,                  -- wall clock of the site
    minutes      integer NOT NULL CHECK (minutes BETWEEN 1 AND 10080),
    members      text[] NOT NULL DEFAULT '{}',   -- responder ids in the order in which they take turns
    seats        smallint NOT NULL DEFAULT 1 CHECK (seats BETWEEN 1 AND 50),      -- how many at once
    turn_unit    text NOT NULL DEFAULT 'shift' CHECK (turn_unit IN ('shift', 'day', 'week')),
    turn_length  smallint NOT NULL DEFAULT 1 CHECK (turn_length BETWEEN 1 AND 366),
    phase        smallint NOT NULL DEFAULT 0,    -- how many turns ahead of its first member it begins
    days         text NOT NULL DEFAULT 'every' CHECK (days IN ('every', 'workdays', 'days_off')),
    active       boolean NOT NULL DEFAULT true,
    made_until   date,                           -- its shifts are there up to, not including, this day
    version      integer NOT NULL DEFAULT 1,
    CHECK (ends_on IS NULL OR ends_on >= starts_on)
);

ALTER TABLE shifts
    ADD COLUMN rotation_id text REFERENCES rotations (id),
    ADD COLUMN seat smallint,
    ADD COLUMN slot_at timestamptz,                      -- when its rotation has it begin, wherever a person moved it
    ADD COLUMN changed boolean NOT NULL DEFAULT false,   -- a person touched it: its rotation leaves it alone
    ADD COLUMN note text,
    ADD CONSTRAINT shifts_slot_whole CHECK ((rotation_id IS NULL) = (seat IS NULL) AND (rotation_id IS NULL) = (slot_at IS NULL));
CREATE UNIQUE INDEX shifts_slot ON shifts (rotation_id, slot_at, seat) WHERE rotation_id IS NOT NULL;
CREATE INDEX shifts_at ON shifts (ends_at, starts_at);

-- Somebody is out (`absent`), somebody is there for another (`instead`), somebody is there besides (`extra`).
CREATE TABLE rota_overrides (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('absent', 'instead', 'extra')),
    responder_id   text REFERENCES responders (id),      -- who is out
    substitute_id  text REFERENCES responders (id),      -- who is there
    shift_id       uuid REFERENCES shifts (id),          -- only this shift; null: every one in the span
    role           text,
    area_id        text REFERENCES areas (id),
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    reason         text NOT NULL,
    made_by        uuid REFERENCES users (id),
    made_at        timestamptz NOT NULL,
    withdrawn_by   uuid REFERENCES users (id),
    withdrawn_at   timestamptz,
    version        integer NOT NULL DEFAULT 1,
    CHECK (ends_at > starts_at),
    CHECK ((kind = 'extra') = (responder_id IS NULL)),
    CHECK ((kind = 'absent') = (substitute_id IS NULL)),
    CHECK (kind <> 'extra' OR role IS NOT NULL),
    CHECK (responder_id IS DISTINCT FROM substitute_id)
);
CREATE INDEX rota_overrides_span ON rota_overrides (ends_at, starts_at) WHERE withdrawn_at IS NULL;

-- Asked by whoever has the shift, agreed by whoever takes it, approved by a third person.
CREATE TABLE rota_swaps (
    id             uuid PRIMARY KEY,
    shift_id       uuid NOT NULL REFERENCES shifts (id),
    return_id      uuid REFERENCES shifts (id),          -- the shift taken in return; null: none
    asked_by       text NOT NULL REFERENCES responders (id),
    asked_of       text NOT NULL REFERENCES responders (id),
    state          text NOT NULL CHECK (state IN ('asked', 'agreed', 'approved', 'declined', 'refused', 'withdrawn')),
    note           text,
    reason         text,                                 -- of a refusal
    asked_at       timestamptz NOT NULL,
    agreed_at      timestamptz,
    decided_at     timestamptz,
    decided_by     uuid REFERENCES users (id),
    version        integer NOT NULL DEFAULT 1,
    CHECK (asked_by <> asked_of),
    CHECK (return_id IS DISTINCT FROM shift_id)
);
CREATE UNIQUE INDEX rota_swaps_open ON rota_swaps (shift_id) WHERE state IN ('asked', 'agreed');
CREATE INDEX rota_swaps_people ON rota_swaps (asked_of, asked_by);

-- How many of a role an area wants, at what hours: gaps are measured against it.
CREATE TABLE rota_cover (
    id       text PRIMARY KEY,
    role     text NOT NULL,
    area_id  text REFERENCES areas (id),
    begins   time NOT NULL DEFAULT '00:00',
    minutes  integer NOT NULL DEFAULT 1440 CHECK (minutes BETWEEN 1 AND 1440),
    days     text NOT NULL DEFAULT 'every' CHECK (days IN ('every', 'workdays', 'days_off')),
    people   smallint NOT NULL DEFAULT 1 CHECK (people BETWEEN 1 AND 500),
    active   boolean NOT NULL DEFAULT true,
    version  integer NOT NULL DEFAULT 1
);

-- Days that are not what their weekday says: off on a working day, worked on a weekend.
CREATE TABLE holidays (
    id        text PRIMARY KEY CHECK (id ~ '^\d{4}-\d{2}-\d{2}$' AND id::date IS NOT NULL),   -- the day
    kind      text NOT NULL CHECK (kind IN ('off', 'work')),
    name      text NOT NULL,
    source    text NOT NULL DEFAULT 'local',
    version   integer NOT NULL DEFAULT 1
);

-- A matter that a person reported: by when it must be resolved. Overdue, it rises one level.
CREATE TABLE matters (
    incident_id  uuid PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    priority     text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    due_at       timestamptz NOT NULL,
    raised       smallint NOT NULL DEFAULT 0     -- how often it rose because it was overdue
);
CREATE INDEX matters_due ON matters (due_at);
