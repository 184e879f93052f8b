-- What providers told us, each event once. Committed with its job before the provider hears that it was taken.
CREATE TABLE webhook_inbox (
  organization text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL CHECK (length(event) BETWEEN 1 AND 255),
  type text NOT NULL CHECK (length(type) BETWEEN 1 AND 128),
  object_type text NOT NULL CHECK (length(object_type) <= 64),
  object_id text COLLATE "C" NOT NULL CHECK (length(object_id) <= 255),
  body bytea NOT NULL CHECK (length(body) <= 1048576),
  state text NOT NULL CHECK (state IN ('pending', 'processed', 'ignored', 'failed')),
  note text CHECK (length(note) <= 1024),    -- what came of it, or why not
  replays integer NOT NULL DEFAULT 0 CHECK (replays >= 0),
  happened_at timestamptz NOT NULL,          -- by the provider
  received_at timestamptz NOT NULL,          -- in real time
  processed_at timestamptz,
  PRIMARY KEY (organization, account, event),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id)
);
CREATE INDEX webhook_inbox_by_time ON webhook_inbox (received_at, organization);
CREATE INDEX webhook_inbox_unprocessed ON webhook_inbox (organization, received_at) WHERE state IN ('pending', 'failed');

-- How far a provider's own list of events has been read, to find those that never came.
CREATE TABLE provider_event_cursors (
  organization text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  cursor text COLLATE "C",
  read_at timestamptz NOT NULL,
  PRIMARY KEY (organization, account),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id)
);

SELECT weir_protect('webhook_inbox');
SELECT weir_protect('provider_event_cursors');
REVOKE DELETE, TRUNCATE ON webhook_inbox, provider_event_cursors FROM weir_app;
