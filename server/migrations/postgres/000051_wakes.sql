-- What is to happen when an organization's clock comes to an instant. `key` names the wake within its kind; writing it
-- again moves it. As in other tables of many rows, `organization` is no foreign key: organizations are never deleted, and a
-- check of each row would have every transaction of an organization lock its one row.
CREATE TABLE wakes (
  organization text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]{0,63}$'),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  at timestamptz NOT NULL,
  payload jsonb,
  PRIMARY KEY (organization, kind, key)
);
CREATE INDEX wakes_by_time ON wakes (at, organization);
CREATE INDEX wakes_of_organization ON wakes (organization, at, kind, key);
SELECT weir_protect('wakes');
-- Wakes of a grouped kind that were due at one instant, given to a run, until it takes them.
CREATE TABLE wake_chunks (
  organization text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  keys text[] COLLATE "C" NOT NULL,
  begun boolean NOT NULL DEFAULT false,   -- whether the run exists for certain
  PRIMARY KEY (organization, run)
);
CREATE INDEX wake_chunks_to_begin ON wake_chunks (organization) WHERE NOT begun;
SELECT weir_protect('wake_chunks');
-- The scheduler finds organizations with something due; what is due it reads as the organization.
CREATE POLICY system ON wakes FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, kind, at) ON wakes TO weir_system;
CREATE POLICY system ON wake_chunks FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, begun) ON wake_chunks TO weir_system;
-- Numbers the runs of grouped kinds, so that no two have one id.
CREATE SEQUENCE wake_chunk_numbers;
GRANT USAGE ON SEQUENCE wake_chunk_numbers TO weir_app;
