-- Named, resumable imports of history.
CREATE TABLE imports (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  fingerprint text NOT NULL CHECK (length(fingerprint) BETWEEN 1 AND 256),
  status text NOT NULL CHECK (status IN ('running', 'completed')),
  rows_done bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  duplicates bigint NOT NULL DEFAULT 0,
  conflicts bigint NOT NULL DEFAULT 0,
  unmetered bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, name)
);
SELECT weir_protect('imports');
