-- An order whose hours were given back may be paid with hours again: once a turn, and each reversal begins the next turn.

ALTER TABLE time_entries ADD COLUMN turn integer NOT NULL DEFAULT 0 CHECK (turn >= 0);
DROP INDEX time_entries_spent_once;
CREATE UNIQUE INDEX time_entries_spent_once ON time_entries (order_id, turn) WHERE kind = 'spent' AND order_id IS NOT NULL;
