CREATE TABLE organizations (
  id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'org\_%'),
  slug text COLLATE "C" NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  limits jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL
);
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_isolation ON organizations FOR SELECT TO weir_app
  USING (id = current_setting('weir.organization', true));
CREATE POLICY system ON organizations TO weir_system USING (true) WITH CHECK (true);
CREATE POLICY maintenance ON organizations TO CURRENT_USER USING (current_setting('weir.maintenance', true) = 'on');
GRANT SELECT ON organizations TO weir_app;
GRANT SELECT, INSERT, UPDATE ON organizations TO weir_system;

-- Only the SHA-256 of a key is stored. A key is found by its hash before its organization is known: sign-in runs
-- as weir_system. Revoked keys stay, so that the audit log's actors keep their names.
CREATE TABLE api_keys (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('ingest', 'secret', 'read')),
  origin text NOT NULL CHECK (origin IN ('issued', 'bootstrap', 'system')),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  hint text NOT NULL CHECK (length(hint) <= 24),   -- enough of the key to tell it from others, useless to sign in
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz,                        -- to about a minute
  PRIMARY KEY (organization, id)
);
SELECT weir_protect('api_keys');
REVOKE UPDATE, DELETE ON api_keys FROM weir_app;
GRANT UPDATE (revoked_at) ON api_keys TO weir_app;
CREATE POLICY system ON api_keys TO weir_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON api_keys TO weir_system;
