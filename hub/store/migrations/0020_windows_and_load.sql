-- Silences, maintenance and test windows; whose seat an alarm is; how loaded the seats are; tests of the alarm path.

CREATE TABLE alarm_windows (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('silence', 'maintenance', 'test')),
    device_id    text,
    area_id      text REFERENCES areas (id) ON DELETE CASCADE,
    type         text,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,           -- moved to the moment where somebody ended it early
    planned_end  timestamptz NOT NULL,
    reason       text NOT NULL,
    user_id      uuid,
    set_by       text NOT NULL,
    set_at       timestamptz NOT NULL,
    ended_by     text,                           -- null: it ran out
    end_reason   text,
    settled_at   timestamptz,                    -- what stood at its end was raised then
    silenced     integer NOT NULL DEFAULT 0,     -- how many alarms it held back, counted when settled
    raised       integer NOT NULL DEFAULT 0,     -- how many of them stood and were raised then
    version      integer NOT NULL DEFAULT 1,
    -- Nothing is silenced without a scope, a reason and an end.
    CONSTRAINT alarm_windows_scope CHECK (device_id IS NOT NULL OR area_id IS NOT NULL OR type IS NOT NULL),
    CONSTRAINT alarm_windows_reason CHECK (btrim(reason) <> ''),
    CONSTRAINT alarm_windows_order CHECK (ends_at >= starts_at AND planned_end > starts_at)
);
CREATE INDEX alarm_windows_open ON alarm_windows (ends_at) WHERE settled_at IS NULL;
CREATE INDEX alarm_windows_set ON alarm_windows (set_at DESC, id DESC);

-- What a window held back carries its id.
CREATE INDEX alarms_silenced ON alarms ((attributes ->> 'window')) WHERE attributes ? 'window';
-- Whether the same alarm of the same device came often lately.
CREATE INDEX alarms_device_received ON alarms (device_id, received_at DESC);

-- At which seat an alarm rings first. A flooded seat hands on to the next; the rule says why it is this one.
CREATE TABLE incident_seats (
    incident_id  uuid PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    user_id      uuid REFERENCES users (id),     -- null: nobody was on duty
    home_id      uuid REFERENCES users (id),     -- whose it would have been without a flood
    rule         text NOT NULL CHECK (rule IN ('home', 'spilled', 'all_flooded', 'nobody')),
    at           timestamptz NOT NULL
);
CREATE INDEX incident_seats_user ON incident_seats (user_id, at);

-- Each ringing that an operator hears: a new incident, a press after the claim, a stronger alarm.
CREATE TABLE seat_rings (
    seq          bigint PRIMARY KEY,             -- of the timeline: each rings once
    at           timestamptz NOT NULL,
    user_id      uuid,
    incident_id  uuid NOT NULL,
    priority     text NOT NULL
);
CREATE INDEX seat_rings_user ON seat_rings (user_id, at);
CREATE INDEX seat_rings_at ON seat_rings (at);

CREATE TABLE seat_states (
    user_id      uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    flood_since  timestamptz                     -- null: no flood at this seat
);

-- Ten minutes of a seat. What reports are made of; rings themselves are kept for some weeks only.
CREATE TABLE seat_load (
    bin          timestamptz NOT NULL,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    duty_s       integer NOT NULL DEFAULT 0,
    flood_s      integer NOT NULL DEFAULT 0,
    rings        integer NOT NULL DEFAULT 0,
    spilled_in   integer NOT NULL DEFAULT 0,
    spilled_out  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (bin, user_id)
) WITH (fillfactor = 70);

CREATE TABLE load_cursor (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    seq      bigint NOT NULL,
    at       timestamptz
);
INSERT INTO load_cursor (seq) SELECT seq FROM timeline_counter;

-- Test alarms that the hub sends to itself, over the broker and the real path.
CREATE TABLE path_tests (
    id            uuid PRIMARY KEY,
    ref           text NOT NULL UNIQUE,
    day           date,                          -- of a daily one; null: somebody asked for it
    asked_by      text NOT NULL,
    asked_at      timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'running', 'passed', 'failed')),
    published_at  timestamptz,
    told_at       timestamptz,                   -- the device heard `received`
    recorded_at   timestamptz,                   -- the alarm is a row
    shown_at      timestamptz,                   -- the live feed has shown it
    finished_at   timestamptz,
    reason        text,                          -- why it failed
    steps         jsonb NOT NULL DEFAULT '{}'    -- seconds from the publishing to each step
);
-- One a day, however many processes want to make it.
CREATE UNIQUE INDEX path_tests_daily ON path_tests (day) WHERE day IS NOT NULL;
CREATE INDEX path_tests_asked ON path_tests (asked_at DESC);
CREATE INDEX path_tests_open ON path_tests (asked_at) WHERE state IN ('wanted', 'running');
