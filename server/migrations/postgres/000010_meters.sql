-- Meters: a name for what is measured. Versions are immutable; live_from says from which envelope of which
-- writer events were measured as they came in, what came before is the backfill's.
CREATE TABLE meters (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(slug) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
  current_version text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (organization, id)
);
CREATE UNIQUE INDEX meters_slug ON meters (organization, slug) WHERE archived_at IS NULL;

CREATE TABLE meter_versions (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  meter text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  live_from jsonb NOT NULL,   -- {writer: first envelope sequence measured at write time}
  retired_at timestamptz,     -- no longer measured: replaced, or its meter archived
  backfill_state text NOT NULL CHECK (backfill_state IN ('pending', 'running', 'done')),
  backfill_cursor jsonb,
  backfill_events bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, meter, version),
  FOREIGN KEY (organization, meter) REFERENCES meters (organization, id)
);
ALTER TABLE meters ADD FOREIGN KEY (organization, current_version)
  REFERENCES meter_versions (organization, id) DEFERRABLE INITIALLY DEFERRED;

SELECT weir_protect('meters');
SELECT weir_protect('meter_versions');
REVOKE DELETE, TRUNCATE ON meter_versions FROM weir_app;

-- What schedulers look at: which organization has work of which kind, and since when it is due. The one table
-- that the system role reads across organizations; it holds references, no content.
CREATE TABLE due_work (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  reference text COLLATE "C" NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (organization, kind, reference)
);
CREATE INDEX due_work_by_time ON due_work (kind, due_at);
SELECT weir_protect('due_work');
CREATE POLICY due_work_schedulers ON due_work FOR SELECT TO weir_system USING (true);
GRANT SELECT ON due_work TO weir_system;
