-- Money and banked hours: tariffs, entitlements, claims, the ledger, closed months, disputes, the time bank.
-- Amounts are whole fen, times whole minutes. The rules of hub.accounts stand here once more, as constraints.

-- ---- whose order it is: the provider of whoever it is given to ----------------------------------------------------

-- A responder's provider: the own one, else that of the station.
CREATE FUNCTION provider_of_responder(responder text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(r.provider_id, s.provider_id)
    FROM responders r LEFT JOIN stations s ON s.id = r.station_id WHERE r.id = responder
$$;

-- An order of a station is its provider's from the start.
CREATE FUNCTION order_of_station() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.provider_id IS NULL AND NEW.station_id IS NOT NULL THEN
        NEW.provider_id := (SELECT provider_id FROM stations WHERE id = NEW.station_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_station_provider BEFORE INSERT OR UPDATE OF station_id ON orders
    FOR EACH ROW WHEN (NEW.provider_id IS NULL AND NEW.station_id IS NOT NULL) EXECUTE FUNCTION order_of_station();

CREATE FUNCTION meal_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders o SET provider_id = s.provider_id
    FROM stations s
    WHERE o.id = NEW.order_id AND o.provider_id IS NULL AND s.id = NEW.station_id AND s.provider_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER meal_orders_provider AFTER INSERT OR UPDATE OF station_id ON meal_orders
    FOR EACH ROW EXECUTE FUNCTION meal_provider();

CREATE FUNCTION order_provider() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE theirs text;
BEGIN
    IF NEW.visit_id IS NULL OR NEW.state IN ('declined', 'stood_down') THEN
        RETURN NULL;
    END IF;
    theirs := provider_of_responder(NEW.responder_id);
    -- Somebody without a provider takes nothing away from the station's, nor from a second carer who has one.
    UPDATE orders o SET provider_id = theirs
    FROM visits v
    WHERE v.id = NEW.visit_id AND o.id = v.order_id AND o.provider_id IS DISTINCT FROM theirs
      AND (theirs IS NOT NULL OR (
            NOT EXISTS (SELECT 1 FROM assignments a
                        WHERE a.visit_id = NEW.visit_id AND a.id <> NEW.id
                          AND a.state IN ('offered', 'accepted', 'en_route', 'on_scene', 'completed'))
            AND NOT EXISTS (SELECT 1 FROM stations s WHERE s.id = o.station_id AND s.provider_id IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM meal_orders m JOIN stations s ON s.id = m.station_id
                            WHERE m.order_id = o.id AND s.provider_id IS NOT NULL)));
    RETURN NULL;
END $$;
CREATE TRIGGER assignments_order_provider AFTER INSERT OR UPDATE OF responder_id ON assignments
    FOR EACH ROW WHEN (NEW.visit_id IS NOT NULL) EXECUTE FUNCTION order_provider();

UPDATE orders o SET provider_id = provider_of_responder(a.responder_id)
FROM visits v JOIN assignments a ON a.visit_id = v.id
WHERE v.order_id = o.id AND o.provider_id IS NULL AND provider_of_responder(a.responder_id) IS NOT NULL
  AND a.state IN ('offered', 'accepted', 'en_route', 'on_scene', 'completed');

CREATE INDEX orders_provider_resident ON orders (provider_id, resident_id, wanted_from) WHERE provider_id IS NOT NULL;

-- An account of a provider sees what is the provider's, and nothing of the district's desk.
ALTER TABLE users ADD CONSTRAINT users_of_a_provider
    CHECK (provider_id IS NULL OR role IN ('staff', 'coordinator', 'supervisor'));

-- ---- prices and who pays ------------------------------------------------------------------------------------------

CREATE TABLE tariffs (
    id          text PRIMARY KEY,
    kind        text NOT NULL REFERENCES service_kinds (id),
    provider_id text REFERENCES providers (id),            -- null: everybody's
    unit        text NOT NULL DEFAULT 'visit' CHECK (unit IN ('visit', 'minute', 'hour')),
    price_fen   integer NOT NULL CHECK (price_fen BETWEEN 1 AND 10000000),
    cap_fen     integer CHECK (cap_fen > 0),               -- of one resident and month
    from_on     date NOT NULL,
    to_on       date,                                      -- the last day
    area_ids    text[] NOT NULL DEFAULT '{}',              -- any ancestor counts; empty: everywhere
    note        text,
    version     integer NOT NULL DEFAULT 1,
    CHECK (to_on IS NULL OR to_on >= from_on)
);
CREATE INDEX tariffs_kind ON tariffs (kind, provider_id, from_on);

CREATE TABLE entitlements (
    id            text PRIMARY KEY,
    resident_id   text NOT NULL REFERENCES residents (id),
    payer         text NOT NULL CHECK (payer IN ('subsidy', 'long_term_care', 'charity', 'family')),
    kinds         text[] NOT NULL DEFAULT '{}',            -- empty: every kind
    unit          text NOT NULL DEFAULT 'visits' CHECK (unit IN ('visits', 'minutes', 'fen')),
    quota         integer CHECK (quota >= 0),              -- a month; null: without end
    copay_percent smallint NOT NULL DEFAULT 0 CHECK (copay_percent BETWEEN 0 AND 100),
    priority      integer NOT NULL DEFAULT 100,            -- the lower pays first
    from_on       date NOT NULL,
    to_on         date,                                    -- the last day
    note          text,
    version       integer NOT NULL DEFAULT 1,
    CHECK (to_on IS NULL OR to_on >= from_on),
    CHECK (payer <> 'family' OR copay_percent = 0)
);
CREATE INDEX entitlements_resident ON entitlements (resident_id, from_on);

-- Nothing that was booked goes by TRUNCATE; what is empty may be emptied (a cascade from somewhere else).
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE filled boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', TG_RELID::regclass) INTO filled;
    IF filled THEN
        RAISE EXCEPTION '% is append-only: TRUNCATE refused', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- ---- months -------------------------------------------------------------------------------------------------------

CREATE TABLE settlement_months (
    provider_id text NOT NULL REFERENCES providers (id),
    month       text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    closed_at   timestamptz NOT NULL,
    closed_by   uuid REFERENCES users (id),
    closed_name text NOT NULL,
    totals      jsonb NOT NULL,
    PRIMARY KEY (provider_id, month)
);
CREATE TRIGGER settlement_months_for_good BEFORE UPDATE OR DELETE ON settlement_months
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER settlement_months_no_truncate BEFORE TRUNCATE ON settlement_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- Whoever writes into a month holds it shared; whoever closes it, alone: nothing slips in while it is being closed.
CREATE FUNCTION settlement_lock(provider text, booked text, exclusive boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF exclusive THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('settlement|' || provider || '|' || booked, 0));
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('settlement|' || provider || '|' || booked, 0));
    END IF;
END $$;

CREATE FUNCTION settlement_open(provider text, booked text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM settlement_lock(provider, booked, false);
    IF EXISTS (SELECT 1 FROM settlement_months WHERE provider_id = provider AND month = booked) THEN
        RAISE EXCEPTION 'the month % of % is closed', booked, provider
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_month_closed', TABLE = 'settlement_months';
    END IF;
END $$;

-- ---- claims -------------------------------------------------------------------------------------------------------

-- One row a service, for good: a second claim of the same order has nowhere to stand.
CREATE TABLE settlement_claims (
    id            uuid PRIMARY KEY,
    number        bigint GENERATED ALWAYS AS IDENTITY,
    order_id      uuid NOT NULL UNIQUE REFERENCES orders (id),
    visit_id      uuid NOT NULL REFERENCES visits (id),
    provider_id   text NOT NULL REFERENCES providers (id),
    resident_id   text NOT NULL REFERENCES residents (id),
    kind          text NOT NULL REFERENCES service_kinds (id),
    month         text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),   -- in whose books it stands
    service_on    date NOT NULL,                           -- the day it began; quotas are those of that day's month
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz NOT NULL,
    minutes       integer NOT NULL CHECK (minutes >= 0),
    status        text NOT NULL CHECK (status IN ('claimed', 'held', 'refused', 'disputed', 'accepted', 'closed')),
    price_fen     integer NOT NULL CHECK (price_fen >= 0),
    tariff_id     text,
    reasons       jsonb NOT NULL DEFAULT '[]',
    flags         text[] NOT NULL DEFAULT '{}',
    card_key      text,
    meal_key      text,
    made_at       timestamptz NOT NULL,
    made_by       uuid REFERENCES users (id),
    reviewed_at   timestamptz,
    reviewed_by   uuid REFERENCES users (id),
    review_note   text,
    version       integer NOT NULL DEFAULT 1,
    CHECK ((status = 'refused') = (price_fen = 0))
);
CREATE INDEX settlement_claims_month ON settlement_claims (provider_id, month, started_at, id);
CREATE INDEX settlement_claims_service ON settlement_claims (resident_id, service_on);

-- Which meals are taken, by card and by resident: whoever comes second has nowhere to stand. Given free by a reversal.
CREATE TABLE settlement_meals (
    key       text PRIMARY KEY,
    claim_id  uuid NOT NULL REFERENCES settlement_claims (id) ON DELETE CASCADE
);
CREATE INDEX settlement_meals_claim ON settlement_meals (claim_id);

CREATE TABLE settlement_shares (
    claim_id       uuid NOT NULL REFERENCES settlement_claims (id) ON DELETE CASCADE,
    position       smallint NOT NULL,
    payer          text NOT NULL CHECK (payer IN ('subsidy', 'long_term_care', 'charity', 'family')),
    entitlement_id text REFERENCES entitlements (id),
    fen            integer NOT NULL CHECK (fen > 0),
    minutes        integer NOT NULL DEFAULT 0,
    copay          boolean NOT NULL DEFAULT false,
    why            jsonb NOT NULL,
    month          text NOT NULL,                          -- in whose books: a later one where a decision added it
    PRIMARY KEY (claim_id, position)
);
CREATE INDEX settlement_shares_entitlement ON settlement_shares (entitlement_id) WHERE entitlement_id IS NOT NULL;

CREATE FUNCTION settlement_claim_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM settlement_open(OLD.provider_id, OLD.month);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    PERFORM settlement_open(NEW.provider_id, NEW.month);
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_claims_open BEFORE INSERT OR UPDATE OR DELETE ON settlement_claims
    FOR EACH ROW EXECUTE FUNCTION settlement_claim_open();

-- Plans made while a table is empty are kept for the session: without this the first month of a site would read it
-- from end to end for each of its rows.
CREATE FUNCTION settlement_share_open() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    share settlement_shares := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    whose text := (SELECT provider_id FROM settlement_claims WHERE id = share.claim_id);
BEGIN
    IF whose IS NOT NULL THEN
        PERFORM settlement_open(whose, share.month);
    END IF;
    RETURN share;
END $$;
CREATE TRIGGER settlement_shares_open BEFORE INSERT OR UPDATE OR DELETE ON settlement_shares
    FOR EACH ROW EXECUTE FUNCTION settlement_share_open();

-- ---- the ledger ---------------------------------------------------------------------------------------------------

CREATE TABLE ledger_entries (
    id          uuid PRIMARY KEY,
    number      bigint GENERATED ALWAYS AS IDENTITY,
    provider_id text NOT NULL REFERENCES providers (id),
    month       text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    kind        text NOT NULL CHECK (kind IN ('claim', 'reversal')),
    claim_id    uuid NOT NULL REFERENCES settlement_claims (id),
    round       smallint NOT NULL DEFAULT 0,               -- how often the claim was reversed before
    reverses    uuid UNIQUE REFERENCES ledger_entries (id),
    note        text,
    at          timestamptz NOT NULL,
    user_id     uuid REFERENCES users (id),
    by_name     text NOT NULL,
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
);
-- The same service is never paid twice: after a payment only its reversal opens the next round.
CREATE UNIQUE INDEX ledger_entries_once ON ledger_entries (claim_id, round) WHERE kind = 'claim';
CREATE INDEX ledger_entries_month ON ledger_entries (provider_id, month, number);
CREATE INDEX ledger_entries_claim ON ledger_entries (claim_id);

CREATE TABLE ledger_postings (
    entry_id  uuid NOT NULL REFERENCES ledger_entries (id),
    account   text NOT NULL,                               -- payer:subsidy, family:R1, provider:P1
    fen       bigint NOT NULL CHECK (fen <> 0),            -- above zero: owed by the account
    PRIMARY KEY (entry_id, account)
);
CREATE INDEX ledger_postings_account ON ledger_postings (account);

CREATE FUNCTION ledger_entry_fits() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM settlement_open(NEW.provider_id, NEW.month);
    IF NEW.kind = 'claim' AND NEW.round <> (SELECT count(*) FROM ledger_entries e
                                            WHERE e.claim_id = NEW.claim_id AND e.kind = 'reversal') THEN
        RAISE EXCEPTION 'claim % is paid already', NEW.claim_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_entries_once', TABLE = 'ledger_entries';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_entries_fit BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_entry_fits();

CREATE FUNCTION ledger_posting_fits() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE entry ledger_entries;
BEGIN
    SELECT * INTO entry FROM ledger_entries WHERE id = NEW.entry_id;
    IF FOUND THEN
        PERFORM settlement_open(entry.provider_id, entry.month);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_postings_fit BEFORE INSERT ON ledger_postings FOR EACH ROW EXECUTE FUNCTION ledger_posting_fits();

-- At the end of the transaction every entry adds up to nothing, and a reversal undoes exactly what it reverses.
CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    ident uuid := coalesce(to_jsonb(NEW) ->> 'entry_id', to_jsonb(NEW) ->> 'id');
    undone uuid;
BEGIN
    IF (SELECT count(*) < 2 OR sum(fen) <> 0 FROM ledger_postings WHERE entry_id = ident) THEN
        RAISE EXCEPTION 'entry % does not balance', ident
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entries_balance', TABLE = 'ledger_entries';
    END IF;
    undone := (SELECT reverses FROM ledger_entries WHERE id = ident);
    IF undone IS NOT NULL AND EXISTS (
            SELECT account FROM ledger_postings WHERE entry_id IN (ident, undone)
            GROUP BY account HAVING sum(fen) <> 0) THEN
        RAISE EXCEPTION 'entry % does not undo what it reverses', ident
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entries_reversal', TABLE = 'ledger_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE CONSTRAINT TRIGGER ledger_postings_balanced AFTER INSERT ON ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE TRIGGER ledger_postings_append_only BEFORE UPDATE OR DELETE ON ledger_postings
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER ledger_postings_no_truncate BEFORE TRUNCATE ON ledger_postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- A claim counts while it waits for a second look, and while the last word of the books is that it is paid.
CREATE FUNCTION settlement_counts(claim uuid, its_status text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT its_status = 'held' OR EXISTS (
        SELECT 1 FROM ledger_entries e WHERE e.claim_id = claim AND e.kind = 'claim'
        AND NOT EXISTS (SELECT 1 FROM ledger_entries x WHERE x.reverses = e.id))
$$;

-- ---- disputes -----------------------------------------------------------------------------------------------------

CREATE TABLE settlement_disputes (
    id           uuid PRIMARY KEY,
    claim_id     uuid NOT NULL REFERENCES settlement_claims (id),
    side         text NOT NULL CHECK (side IN ('provider', 'family', 'payer')),
    wants        text NOT NULL CHECK (wants IN ('paid', 'refused')),
    reason       text NOT NULL,
    raised_at    timestamptz NOT NULL,
    raised_by    uuid NOT NULL REFERENCES users (id),
    raised_name  text NOT NULL,
    decided_at   timestamptz,
    decided_by   uuid REFERENCES users (id),
    decided_name text,
    decision     text CHECK (decision IN ('paid', 'refused')),
    decision_reason text,
    entry_id     uuid REFERENCES ledger_entries (id),      -- what the decision wrote into the books; null: nothing changed
    version      integer NOT NULL DEFAULT 1,
    CHECK ((decided_at IS NULL) = (decision IS NULL)),
    CONSTRAINT settlement_disputes_other_person CHECK (decided_by IS NULL OR decided_by <> raised_by)
);
-- Each side may ask once; one question of a claim is open at a time.
CREATE UNIQUE INDEX settlement_disputes_side ON settlement_disputes (claim_id, side);
CREATE UNIQUE INDEX settlement_disputes_open ON settlement_disputes (claim_id) WHERE decided_at IS NULL;

-- ---- the time bank ------------------------------------------------------------------------------------------------

CREATE TABLE time_accounts (
    id          text PRIMARY KEY,                          -- volunteer:V1, resident:R1, contact:K1; bank:given ...
    kind        text NOT NULL CHECK (kind IN ('volunteer', 'resident', 'contact', 'bank')),
    person_id   text,
    balance_min bigint NOT NULL DEFAULT 0,
    CONSTRAINT time_accounts_no_debt CHECK (kind = 'bank' OR balance_min >= 0)
);
INSERT INTO time_accounts (id, kind) VALUES ('bank:given', 'bank'), ('bank:spent', 'bank'), ('bank:expired', 'bank');

CREATE TABLE time_entries (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY,
    kind         text NOT NULL CHECK (kind IN ('earned', 'gift', 'spent', 'expired', 'reversal')),
    at           timestamptz NOT NULL,
    visit_id     uuid REFERENCES visits (id),
    responder_id text REFERENCES responders (id),
    order_id     uuid REFERENCES orders (id),
    reverses     uuid UNIQUE REFERENCES time_entries (id),
    note         text,
    user_id      uuid REFERENCES users (id),
    by_name      text NOT NULL,
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    CHECK (kind <> 'earned' OR (visit_id IS NOT NULL AND responder_id IS NOT NULL))
);
CREATE UNIQUE INDEX time_entries_earned_once ON time_entries (visit_id, responder_id) WHERE kind = 'earned';
CREATE UNIQUE INDEX time_entries_spent_once ON time_entries (order_id) WHERE kind = 'spent' AND order_id IS NOT NULL;

CREATE TABLE time_postings (
    entry_id   uuid NOT NULL REFERENCES time_entries (id),
    account_id text NOT NULL REFERENCES time_accounts (id),
    minutes    bigint NOT NULL CHECK (minutes <> 0),
    PRIMARY KEY (entry_id, account_id)
);
CREATE INDEX time_postings_account ON time_postings (account_id);

-- The balance moves with the posting, in its row's lock: two who spend the same hour wait for one another.
CREATE FUNCTION time_balance() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    UPDATE time_accounts SET balance_min = balance_min + NEW.minutes WHERE id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER time_postings_balance AFTER INSERT ON time_postings FOR EACH ROW EXECUTE FUNCTION time_balance();
CREATE FUNCTION time_balances() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE ident uuid := coalesce(to_jsonb(NEW) ->> 'entry_id', to_jsonb(NEW) ->> 'id');
BEGIN
    IF (SELECT count(*) < 2 OR sum(minutes) <> 0 FROM time_postings WHERE entry_id = ident) THEN
        RAISE EXCEPTION 'entry % of the time bank does not balance', ident
            USING ERRCODE = 'check_violation', CONSTRAINT = 'time_entries_balance', TABLE = 'time_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER time_entries_balanced AFTER INSERT ON time_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION time_balances();
CREATE CONSTRAINT TRIGGER time_postings_balanced AFTER INSERT ON time_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION time_balances();
CREATE TRIGGER time_entries_append_only BEFORE UPDATE OR DELETE ON time_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER time_postings_append_only BEFORE UPDATE OR DELETE ON time_postings
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();

-- A visit of a volunteer whose proof is flagged banks nothing until somebody has looked at it.
CREATE TABLE time_reviews (
    visit_id     uuid NOT NULL REFERENCES visits (id),
    responder_id text NOT NULL REFERENCES responders (id),
    accepted     boolean NOT NULL,
    reason       text NOT NULL,
    at           timestamptz NOT NULL,
    user_id      uuid REFERENCES users (id),
    by_name      text NOT NULL,
    PRIMARY KEY (visit_id, responder_id)
);
