-- Which seat took a call that came in: the others see it, and two do not take the same one.

ALTER TABLE calls ADD COLUMN answered_by uuid REFERENCES users (id);
CREATE INDEX calls_under_way ON calls (started_at) WHERE direction = 'in' AND ended_at IS NULL AND outcome IS NULL;
