-- Webhooks to receivers of the organization's own (docs/spec/webhooks.md): where to, what, and what became of it.
CREATE TABLE webhook_endpoints (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
  description text CHECK (length(description) BETWEEN 1 AND 512),
  event_types text[] COLLATE "C" NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 100),
  concurrency_max integer NOT NULL CHECK (concurrency_max BETWEEN 1 AND 20),
  rate_per_second_max integer NOT NULL CHECK (rate_per_second_max BETWEEN 1 AND 1000),
  state text NOT NULL CHECK (state IN ('enabled', 'disabled', 'deleted')),
  disabled_reason text CHECK (disabled_reason IN ('by_hand', 'gone', 'failing')),
  disabled_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT webhook_endpoints_disabled
    CHECK ((disabled_at IS NOT NULL) = (state = 'disabled') AND (disabled_reason IS NOT NULL) = (state = 'disabled'))
);
CREATE INDEX webhook_endpoints_gone ON webhook_endpoints (state) WHERE state = 'deleted';

-- Sealed by engines/secrets. The one without an end signs, and so do older ones until theirs.
CREATE TABLE webhook_endpoint_secrets (
  organization text COLLATE "C" NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  number integer NOT NULL CHECK (number >= 1),
  sealed bytea NOT NULL CHECK (length(sealed) <= 1024),
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (organization, endpoint, number),
  FOREIGN KEY (organization, endpoint) REFERENCES webhook_endpoints (organization, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_endpoint_secrets_current ON webhook_endpoint_secrets (endpoint, organization) WHERE expires_at IS NULL;

-- How an endpoint has answered lately, and which process delivers to it: one at a time, so that its limits hold.
CREATE TABLE webhook_endpoint_health (
  organization text COLLATE "C" NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),    -- one after the other
  openings integer NOT NULL DEFAULT 0 CHECK (openings >= 0),    -- of the circuit breaker, one after the other
  open_until timestamptz,                                       -- closed when null
  failing_since timestamptz,
  served_by text COLLATE "C",
  served_until timestamptz,
  PRIMARY KEY (organization, endpoint),
  FOREIGN KEY (organization, endpoint) REFERENCES webhook_endpoints (organization, id) ON DELETE CASCADE
) WITH (fillfactor = 70);

-- Something that happened. The body is what is sent: the same bytes at each attempt.
CREATE TABLE webhook_messages (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL CHECK (type ~ '^[a-z_]+\.[a-z_]+$' AND length(type) <= 64),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  body text NOT NULL CHECK (octet_length(body) <= 262144),
  occurred_at timestamptz NOT NULL,                             -- in the organization's time
  created_at timestamptz NOT NULL,                              -- in real time
  PRIMARY KEY (organization, id),
  CONSTRAINT webhook_messages_once UNIQUE (key, type, organization)
);
ALTER TABLE webhook_messages ALTER body SET STATISTICS 0;
CREATE INDEX webhook_messages_by_type ON webhook_messages (type, id);
CREATE INDEX webhook_messages_by_age ON webhook_messages (created_at);

-- A message on its way to one endpoint. All instants are real time. The endpoint is no foreign key: an invoice run would lock its row
-- for each of thousands; a deleted one's row stays for as long as deliveries name it.
CREATE TABLE webhook_deliveries (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  message text COLLATE "C" NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),    -- in all
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),    -- since it was begun, or asked for again: where in the schedule
  by_hand boolean NOT NULL DEFAULT false,                       -- asked for by a person and not tried since: goes first
  next_attempt_at timestamptz,
  last_status integer,
  last_error text CHECK (length(last_error) <= 1024),
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (organization, id),
  CONSTRAINT webhook_deliveries_once UNIQUE (message, endpoint, organization),
  CONSTRAINT webhook_deliveries_pending CHECK ((next_attempt_at IS NOT NULL) = (state = 'pending') AND (ended_at IS NULL) = (state = 'pending')),
  FOREIGN KEY (organization, message) REFERENCES webhook_messages (organization, id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_hand ON webhook_deliveries (endpoint) WHERE state = 'pending' AND by_hand;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint, id);
CREATE INDEX webhook_deliveries_not_arrived ON webhook_deliveries (state, id) WHERE state <> 'succeeded';

CREATE TABLE webhook_attempts (
  organization text COLLATE "C" NOT NULL,
  delivery text COLLATE "C" NOT NULL,
  number integer NOT NULL CHECK (number >= 1),
  at timestamptz NOT NULL,
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  status integer,                                               -- null: no answer
  error text CHECK (length(error) <= 1024),
  response text CHECK (octet_length(response) <= 16384),        -- its beginning
  PRIMARY KEY (organization, delivery, number),
  FOREIGN KEY (organization, delivery) REFERENCES webhook_deliveries (organization, id) ON DELETE CASCADE
);
ALTER TABLE webhook_attempts ALTER response SET STATISTICS 0, ALTER error SET STATISTICS 0;

SELECT weir_protect('webhook_endpoints');
SELECT weir_protect('webhook_endpoint_secrets');
SELECT weir_protect('webhook_endpoint_health');
SELECT weir_protect('webhook_messages');
SELECT weir_protect('webhook_deliveries');
SELECT weir_protect('webhook_attempts');
REVOKE UPDATE ON webhook_messages, webhook_attempts FROM weir_app;

-- Who looks for work finds endpoints with something due, and organizations with something old; the rest it reads as the organization.
CREATE POLICY system ON webhook_endpoints FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, id, state) ON webhook_endpoints TO weir_system;
CREATE POLICY system ON webhook_endpoint_health FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, endpoint, open_until, served_by, served_until) ON webhook_endpoint_health TO weir_system;
CREATE POLICY system ON webhook_deliveries FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, endpoint, state, next_attempt_at, by_hand) ON webhook_deliveries TO weir_system;
CREATE POLICY system ON webhook_messages FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, created_at) ON webhook_messages TO weir_system;
