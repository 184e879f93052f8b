-- What is to happen when an organization's clock comes to an instant. `key` names the wake within its kind; writing it
-- again moves it. Of a grouped kind, `run` is who claimed it; it stays until that run has taken it.
CREATE TABLE wakes (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]{0,63}$'),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  at timestamptz NOT NULL,
  payload jsonb,
  run text COLLATE "C",
  begun boolean NOT NULL DEFAULT false,   -- whether `run` exists for certain
  PRIMARY KEY (organization, kind, key),
  CONSTRAINT wakes_begun CHECK (run IS NOT NULL OR NOT begun)
);
CREATE INDEX wakes_by_time ON wakes (at, organization) WHERE run IS NULL;
CREATE INDEX wakes_of_organization ON wakes (organization, at, kind, key) WHERE run IS NULL;
CREATE INDEX wakes_by_run ON wakes (organization, run, key) WHERE run IS NOT NULL;
CREATE INDEX wakes_to_begin ON wakes (organization) WHERE run IS NOT NULL AND NOT begun;
SELECT weir_protect('wakes');
-- The scheduler finds organizations with something due; what is due it reads as the organization.
CREATE POLICY system ON wakes FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, kind, at, run, begun) ON wakes TO weir_system;
-- Numbers the runs of grouped kinds, so that no two have one id.
CREATE SEQUENCE wake_chunks;
GRANT USAGE ON SEQUENCE wake_chunks TO weir_app;
