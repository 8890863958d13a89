-- What residents allow, photos from visits, and the codes of areas that anybody may scan.

-- One row a permission given; taken back, it stays as the record of what was allowed from when to when.
CREATE TABLE consents (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resident_id  text NOT NULL REFERENCES residents (id),
    purpose      text NOT NULL CHECK (purpose IN ('status', 'health', 'photos')),
    granted_at   timestamptz NOT NULL,
    granted_by   text NOT NULL,                  -- a name: whoever gave it may be no user
    granted_user uuid REFERENCES users (id),
    note         text,                           -- how, where the desk wrote it down: a signed paper, a call
    revoked_at   timestamptz,
    revoked_by   text,
    revoked_user uuid REFERENCES users (id),
    CONSTRAINT consents_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX consents_one ON consents (resident_id, purpose) WHERE revoked_at IS NULL;
CREATE INDEX consents_resident ON consents (resident_id, id);

CREATE TABLE photos (
    id             uuid PRIMARY KEY,
    assignment_id  uuid NOT NULL REFERENCES assignments (id),
    sha256         bytea NOT NULL,
    content        bytea NOT NULL,               -- JPEG, 200 kB at most: small enough to be in every backup
    taken_at       timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    taken_by       text NOT NULL,
    UNIQUE (assignment_id, sha256)
);
CREATE INDEX photos_received ON photos (received_at);

-- The digest of what is printed: a stolen table prints no codes.
CREATE TABLE area_codes (
    code_hash   bytea PRIMARY KEY,
    area_id     text NOT NULL REFERENCES areas (id),
    created_by  uuid REFERENCES users (id),
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE UNIQUE INDEX area_codes_one ON area_codes (area_id) WHERE revoked_at IS NULL;
