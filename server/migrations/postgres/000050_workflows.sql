-- What the workflow engine adds to its library's own tables (schema weir_workflow): exactly-once checkpoints, signals and
-- who waits for them, failed attempts, and which processes live. `run` is the run's business id.

-- A transaction's checkpoint commits with its writes: a row says that they happened, and what came out.
CREATE TABLE workflow_checkpoints (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  run text COLLATE "C" NOT NULL CHECK (length(run) BETWEEN 1 AND 400),
  position integer NOT NULL CHECK (position >= 0),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  output jsonb,
  at timestamptz NOT NULL,
  PRIMARY KEY (organization, run, position)
);

-- Attempts of a step that failed, for whoever looks at a stuck run.
CREATE TABLE workflow_attempts (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  run text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  name text NOT NULL,
  failed integer NOT NULL CHECK (failed >= 1),
  error text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  next_at timestamptz,                    -- null: no further attempt
  PRIMARY KEY (organization, run, position)
);

-- Signals, each once by its key. Taking one and ceasing to wait are one transaction, so that a run that waits has
-- nothing left to do: a test clock relies on it.
CREATE TABLE workflow_signals (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  run text COLLATE "C" NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  number bigint GENERATED ALWAYS AS IDENTITY,
  payload jsonb,
  sent_at timestamptz NOT NULL,
  taken_by integer,                       -- the position of the wait that took it
  PRIMARY KEY (organization, run, name, key)
);
CREATE INDEX workflow_signals_untaken ON workflow_signals (organization, run, name, number) WHERE taken_by IS NULL;

CREATE TABLE workflow_waits (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  run text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  name text NOT NULL,
  since timestamptz NOT NULL,
  deadline timestamptz,                   -- in real time
  PRIMARY KEY (organization, run, position)
);

SELECT weir_protect('workflow_checkpoints');
SELECT weir_protect('workflow_attempts');
SELECT weir_protect('workflow_signals');
SELECT weir_protect('workflow_waits');
REVOKE UPDATE ON workflow_checkpoints FROM weir_app;
CREATE POLICY system_signals ON workflow_signals FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, run, taken_by) ON workflow_signals TO weir_system;

-- Processes that run workflows. Who has not been seen for a while is dead, and its runs are taken over.
CREATE TABLE workflow_executors (
  id text COLLATE "C" PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
  seen_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON workflow_executors TO weir_system;
