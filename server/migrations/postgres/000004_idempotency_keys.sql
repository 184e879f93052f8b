-- What was answered to a mutation that carried an idempotency key. Written in the mutation's own transaction, so
-- that a row exists exactly when the mutation happened.
CREATE TABLE idempotency_keys (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  request_hash text COLLATE "C" NOT NULL CHECK (length(request_hash) <= 128),
  response jsonb,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (organization, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
SELECT weir_protect('idempotency_keys');
CREATE POLICY system_expiry ON idempotency_keys TO weir_system USING (expires_at < now());
GRANT SELECT, DELETE ON idempotency_keys TO weir_system;
