-- The ledger, packed. A row of uplink_seen takes 116 bytes with its index, for a key of 16. Keys of telemetry are moved, after two days,
-- into blocks: one row for all that was observed within the same ten seconds. A record that comes again says the same time again, so
-- one block is all that must be looked at. Keys without a time of their own, alarms, and what came more than a week late stay as
-- they are, and so do keys from before this.

-- Ten seconds since 1970 in which the record was observed, by the device's clock; null: never packed. See `packing_slice`.
ALTER TABLE uplink_seen ADD COLUMN stretch integer;

-- Several rows a stretch: each time some of its keys are packed.
CREATE TABLE uplink_packed (
    stretch  integer NOT NULL,
    keys     bytea NOT NULL                      -- the first ten bytes of each key, one after the other
);
CREATE INDEX uplink_packed_stretch ON uplink_packed (stretch);
-- Digests cannot be compressed: no time is spent on trying.
ALTER TABLE uplink_packed ALTER COLUMN keys SET STORAGE EXTERNAL;

-- How far the job has come through the pages of uplink_seen; at the end it begins anew.
CREATE TABLE uplink_packing (page bigint NOT NULL CHECK (page >= 0));
INSERT INTO uplink_packing (page) VALUES (0);

-- Whether anything is packed in [low, high]; null where they are. Volatile, and no SQL function, so that it has a snapshot of its own:
-- who has waited, while claiming a key, for the transaction that packed it must see that it is packed.
CREATE FUNCTION uplink_packed_between(low integer, high integer) RETURNS boolean LANGUAGE plpgsql VOLATILE STRICT AS $$
BEGIN
    RETURN EXISTS (SELECT FROM uplink_packed p WHERE p.stretch BETWEEN low AND high);
END $$;
