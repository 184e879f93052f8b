-- What a person has to look at: found by matching, by a file's own checks, or by looking for what is missing.
CREATE TABLE reconciliation_exceptions (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
  about text COLLATE "C" NOT NULL CHECK (length(about) BETWEEN 1 AND 512),   -- names the thing: at most one is open of each
  account text COLLATE "C",
  file text COLLATE "C",
  position integer,                         -- the record of the file
  target_kind text COLLATE "C",             -- what of ours it is about
  target text COLLATE "C",
  currency text COLLATE "C" CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0),
  suspense_minor numeric(38, 0) NOT NULL DEFAULT 0,     -- what of it lies in suspense; + is ours to give
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1024),
  happened_at timestamptz NOT NULL,         -- when it moved, or was due
  opened_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'resolved', 'ignored')),
  version integer NOT NULL DEFAULT 1 CHECK (version > 0),
  resolution jsonb,                         -- what was done, with which postings, so that it can be taken back
  closed_by text COLLATE "C",               -- a key's id, or "system"
  closed_at timestamptz,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  FOREIGN KEY (organization, file) REFERENCES settlement_files (organization, id),
  CONSTRAINT reconciliation_exceptions_amount CHECK (amount_minor IS NULL OR currency IS NOT NULL),
  CONSTRAINT reconciliation_exceptions_suspense CHECK (suspense_minor = 0 OR amount_minor IS NOT NULL),
  CONSTRAINT reconciliation_exceptions_closed CHECK (
    (state = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL)
    AND (closed_at IS NULL) = (resolution IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX reconciliation_exceptions_open_once ON reconciliation_exceptions (about, organization) WHERE state = 'open';
CREATE INDEX reconciliation_exceptions_open ON reconciliation_exceptions (account, kind, id) WHERE state = 'open';
CREATE INDEX reconciliation_exceptions_by_file ON reconciliation_exceptions (file, position) WHERE file IS NOT NULL;
SELECT weir_protect('reconciliation_exceptions');
REVOKE DELETE, TRUNCATE ON reconciliation_exceptions FROM weir_app;
-- Whoever closes or opens one again says which version they saw.
CREATE FUNCTION weir_count_exception_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'UPDATE on exception % refused: it is at version %', OLD.id, OLD.version USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reconciliation_exceptions_versions BEFORE UPDATE ON reconciliation_exceptions
  FOR EACH ROW EXECUTE FUNCTION weir_count_exception_up();
ALTER TABLE reconciliation_exceptions ENABLE ALWAYS TRIGGER reconciliation_exceptions_versions;
