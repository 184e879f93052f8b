-- Named imports of history. A client sends the rows of its file itself, or uploads the file: then `run` is the workflow run
-- that takes it in, and the file lies in the data directory of `writer` for as long as `file_kept`.
CREATE TABLE imports (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  fingerprint text NOT NULL CHECK (length(fingerprint) BETWEEN 1 AND 256),
  status text NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'canceled')),
  rows_done bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  duplicates bigint NOT NULL DEFAULT 0,
  conflicts bigint NOT NULL DEFAULT 0,
  unmetered bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,       -- events and lines that could not be taken
  run text COLLATE "C",
  writer text COLLATE "C",
  file_bytes bigint,
  bytes_done bigint NOT NULL DEFAULT 0,
  file_kept boolean NOT NULL DEFAULT false,
  shape jsonb,                              -- format and delimiter of the file, and how its rows become events
  failure text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  completed_at timestamptz,                 -- when it ended, however
  PRIMARY KEY (organization, id),
  UNIQUE (organization, name),
  CONSTRAINT imports_of_files CHECK ((run IS NULL) = (file_bytes IS NULL) AND (run IS NULL) = (writer IS NULL)
                                     AND (run IS NULL) = (shape IS NULL) AND (run IS NOT NULL OR NOT file_kept))
);
CREATE INDEX imports_by_run ON imports (organization, run) WHERE status = 'running';
SELECT weir_protect('imports');

-- The first lines of an uploaded file that were not taken, each with the reason.
CREATE TABLE import_rejections (
  organization text COLLATE "C" NOT NULL,
  import text COLLATE "C" NOT NULL,
  line bigint NOT NULL CHECK (line >= 1),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  PRIMARY KEY (organization, import, line),
  FOREIGN KEY (organization, import) REFERENCES imports (organization, id)
);
SELECT weir_protect('import_rejections');
