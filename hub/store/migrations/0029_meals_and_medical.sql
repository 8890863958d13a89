-- Meals from menu to door, what a service needs to know, results of a visit, and questions to the community doctor.

ALTER TABLE residents ADD COLUMN diets text[] NOT NULL DEFAULT '{}';   -- codes of dispatch.meals.DIETS
-- What must be said with an order and after the visit, where a site differs from dispatch.particulars; null: as there.
ALTER TABLE service_kinds ADD COLUMN fields jsonb;

-- A station of kind meal_point works without a row, by the defaults of dispatch.meals.
CREATE TABLE meal_points (
    station_id  text PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
    delivers    boolean NOT NULL DEFAULT true,
    dine_in     boolean NOT NULL DEFAULT true,
    hot_min     integer NOT NULL DEFAULT 45 CHECK (hot_min BETWEEN 5 AND 240),   -- from the kitchen to the door
    carries     integer NOT NULL DEFAULT 24 CHECK (carries BETWEEN 1 AND 500),   -- meals in one courier's boxes
    hours       jsonb NOT NULL DEFAULT '{}',  -- {meal: null | {cutoff_min, from_min, to_min, capacity}}; none: default
    version     integer NOT NULL DEFAULT 1
);

CREATE TABLE meal_dishes (
    id          text PRIMARY KEY,
    station_id  text REFERENCES stations (id),   -- null: every point may cook it
    name        text NOT NULL,
    name_en     text,
    allergens   text[] NOT NULL DEFAULT '{}',
    diets       text[] NOT NULL DEFAULT '{}',    -- which it is right for
    price_fen   integer CHECK (price_fen >= 0),
    active      boolean NOT NULL DEFAULT true,
    version     integer NOT NULL DEFAULT 1
);

CREATE TABLE meal_menus (
    station_id  text NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    day         date NOT NULL,
    meal        text NOT NULL CHECK (meal IN ('breakfast', 'lunch', 'dinner')),
    dish_id     text NOT NULL REFERENCES meal_dishes (id),
    position    smallint NOT NULL DEFAULT 0,
    portions    integer CHECK (portions > 0),    -- null: as many as are ordered
    PRIMARY KEY (station_id, day, meal, dish_id)
);

-- Rounds asked for: planned outside the hub's processes, by whoever takes the row.
CREATE TABLE meal_rounds (
    id          uuid PRIMARY KEY,
    station_id  text NOT NULL REFERENCES stations (id),
    day         date NOT NULL,
    meal        text NOT NULL CHECK (meal IN ('breakfast', 'lunch', 'dinner')),
    state       text NOT NULL CHECK (state IN ('queued', 'running', 'ready', 'published', 'failed', 'superseded')),
    seconds     real NOT NULL,
    couriers    text[] NOT NULL DEFAULT '{}',    -- responder ids; empty: whoever of the station may
    asked_at    timestamptz NOT NULL,
    asked_by    uuid REFERENCES users (id),
    taken_at    timestamptz,
    done_at     timestamptz,
    error       text,
    answer      jsonb,                           -- trips, unplanned, travel_min, baseline
    version     integer NOT NULL DEFAULT 1
);
CREATE INDEX meal_rounds_day ON meal_rounds (day, meal, station_id);
CREATE INDEX meal_rounds_open ON meal_rounds (asked_at) WHERE state IN ('queued', 'running');

-- One way of one courier out of the kitchen.
CREATE TABLE meal_trips (
    id          uuid PRIMARY KEY,
    round_id    uuid NOT NULL REFERENCES meal_rounds (id),
    station_id  text NOT NULL REFERENCES stations (id),
    day         date NOT NULL,
    meal        text NOT NULL,
    courier_id  text NOT NULL REFERENCES responders (id),
    number      smallint NOT NULL,               -- the courier's first, second ... of this meal
    leave_at    timestamptz NOT NULL,
    left_at     timestamptz,                     -- when the courier said so
    hot_min     integer NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    UNIQUE (round_id, courier_id, number)
);
CREATE INDEX meal_trips_courier ON meal_trips (courier_id, day);

-- What the kitchen and the courier know of an order of kind meal_delivery or meal_dine_in.
CREATE TABLE meal_orders (
    order_id    uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    station_id  text REFERENCES stations (id),
    day         date NOT NULL,
    meal        text NOT NULL CHECK (meal IN ('breakfast', 'lunch', 'dinner')),
    mode        text NOT NULL CHECK (mode IN ('delivery', 'dine_in')),
    dish_id     text REFERENCES meal_dishes (id),
    dish        text,                            -- its name on that day
    diets       text[] NOT NULL DEFAULT '{}',
    allergies   text[] NOT NULL DEFAULT '{}',
    problem     text,                            -- no_point, no_menu, no_safe_dish, full, allergy, diet ...: somebody must decide
    overridden  jsonb,                           -- {by, user_id, at, reason, of: [codes]}
    trip_id     uuid REFERENCES meal_trips (id),
    stop        smallint,
    due_at      timestamptz,                     -- planned at the door
    done_at     timestamptz,
    recorded_at timestamptz,
    result      text CHECK (result IN ('handed_over', 'left_with', 'no_answer', 'served')),
    left_with   text,
    minutes     real,                            -- from the kitchen to the door; null: nobody said when it left
    late        boolean NOT NULL DEFAULT false,  -- longer than the point's hot_min
    alarmed_at  timestamptz,                     -- of no answer
    incident_id uuid REFERENCES incidents (id)
);
CREATE INDEX meal_orders_kitchen ON meal_orders (day, meal, station_id);
CREATE INDEX meal_orders_trip ON meal_orders (trip_id, stop) WHERE trip_id IS NOT NULL;
CREATE INDEX meal_orders_unanswered ON meal_orders (done_at) WHERE result = 'no_answer' AND alarmed_at IS NULL;

CREATE TABLE meal_cards (
    card        text PRIMARY KEY,
    resident_id text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    active      boolean NOT NULL DEFAULT true,
    issued_at   timestamptz NOT NULL,
    version     integer NOT NULL DEFAULT 1
);
CREATE INDEX meal_cards_resident ON meal_cards (resident_id);

-- One breakfast, lunch, dinner a person and day, wherever and however: nobody is served twice on one card.
CREATE TABLE meal_servings (
    resident_id text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    day         date NOT NULL,
    meal        text NOT NULL,
    station_id  text REFERENCES stations (id),
    order_id    uuid REFERENCES orders (id),
    mode        text NOT NULL,
    card        text,
    at          timestamptz NOT NULL,
    by_name     text NOT NULL,
    PRIMARY KEY (resident_id, day, meal)
);
CREATE INDEX meal_servings_day ON meal_servings (day, meal, station_id);

-- Who tried a second time: kept for the month's end.
CREATE TABLE meal_refusals (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    station_id  text REFERENCES stations (id),
    resident_id text NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    day         date NOT NULL,
    meal        text NOT NULL,
    code        text NOT NULL,
    detail      text NOT NULL,
    card        text,
    by_name     text NOT NULL
);
CREATE INDEX meal_refusals_day ON meal_refusals (day, station_id);

-- What came of a visit beyond its outcome: the amount paid, the receipt, what was measured.
CREATE TABLE visit_results (
    visit_id    uuid PRIMARY KEY REFERENCES visits (id) ON DELETE CASCADE,
    results     jsonb NOT NULL,
    at          timestamptz NOT NULL,            -- when it was entered on the phone
    recorded_at timestamptz NOT NULL,
    responder_id text REFERENCES responders (id),
    user_id     uuid REFERENCES users (id),
    version     integer NOT NULL DEFAULT 1
);

CREATE TABLE teleconsults (
    id           uuid PRIMARY KEY,
    resident_id  text NOT NULL REFERENCES residents (id),
    incident_id  uuid REFERENCES incidents (id),
    order_id     uuid REFERENCES orders (id),
    reason       text NOT NULL,
    urgent       boolean NOT NULL DEFAULT false,
    vitals       jsonb NOT NULL DEFAULT '[]',    -- [{metric, value, observed_at, device_id}] as they stood
    doctor_id    text REFERENCES responders (id),  -- null: whichever doctor answers first
    state        text NOT NULL CHECK (state IN ('requested', 'answered', 'withdrawn')),
    requested_at timestamptz NOT NULL,
    requested_by uuid REFERENCES users (id),
    requested_by_name text NOT NULL,
    advice       text CHECK (advice IN ('advice', 'visit', '120')),
    answer       text,
    answered_at  timestamptz,
    answered_by  text,
    visit_order_id uuid REFERENCES orders (id),
    version      integer NOT NULL DEFAULT 1,
    CHECK ((state = 'answered') = (advice IS NOT NULL))
);
CREATE INDEX teleconsults_open ON teleconsults (urgent DESC, requested_at) WHERE state = 'requested';
CREATE INDEX teleconsults_resident ON teleconsults (resident_id, requested_at DESC);
