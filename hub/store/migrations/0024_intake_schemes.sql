-- Aqara signs its pushes; OneNET may encrypt them, with a key beside the token.

ALTER TABLE integrations DROP CONSTRAINT integrations_scheme_check;
ALTER TABLE integrations ADD CONSTRAINT integrations_scheme_check
    CHECK (scheme IN ('bearer', 'basic', 'key', 'hmac', 'onenet', 'huawei', 'aqara'));
ALTER TABLE integrations ADD COLUMN cipher_key text;
