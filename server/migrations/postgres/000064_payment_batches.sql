-- What goes out by files (docs/guide/card-files.md): charges, refunds and answers to chargebacks wait in the open batch of their
-- provider account until it is closed and its file is made. From then on neither the batch nor its items change.
CREATE TABLE payment_batches (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL CHECK (sequence > 0),         -- without gaps within the account
  state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
  items integer NOT NULL DEFAULT 0 CHECK (items >= 0),   -- that wait in it, or go with it
  opened_at timestamptz NOT NULL,                        -- in the organization's time, as the others
  closes_at timestamptz,                                 -- by itself; none: by hand
  closed_at timestamptz,
  closed_by text COLLATE "C",                            -- a key's id, or "system"
  settings jsonb,                                        -- the account's, as they were when it was closed
  file_name text CHECK (length(file_name) BETWEEN 1 AND 128),
  sha256 bytea CHECK (length(sha256) = 32),
  bytes bigint CHECK (bytes > 0),
  writer text COLLATE "C",                               -- whose data directory the file lies in, encrypted
  PRIMARY KEY (organization, id),
  CONSTRAINT payment_batches_sequence_once UNIQUE (account, sequence, organization),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  CONSTRAINT payment_batches_closed CHECK (
    (state = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (settings IS NULL)),
  CONSTRAINT payment_batches_made CHECK (
    (state = 'closed') = (sha256 IS NOT NULL) AND (sha256 IS NULL) = (bytes IS NULL) AND (sha256 IS NULL) = (writer IS NULL)
    AND (sha256 IS NULL) = (file_name IS NULL)),
  CONSTRAINT payment_batches_not_empty CHECK (state = 'open' OR items > 0)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX payment_batches_one_open ON payment_batches (account, organization) WHERE state = 'open';
CREATE INDEX payment_batches_by_time ON payment_batches (account, closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE payment_batch_items (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL CHECK (action IN ('charge', 'refund', 'represent')),
  subject text COLLATE "C" NOT NULL,                     -- the attempt, refund or dispute
  reference text COLLATE "C" NOT NULL CHECK (length(reference) BETWEEN 1 AND 64),  -- names it in the answers
  currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  details bytea NOT NULL,                                -- a sealed JSON object, by the provider: a token, an IBAN
  state text COLLATE "C" NOT NULL CHECK (state IN ('reserved', 'queued', 'sent', 'withdrawn')),
  batch text COLLATE "C",
  position integer CHECK (position > 0),                 -- in the batch's file
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT payment_batch_items_once UNIQUE (subject, organization),
  CONSTRAINT payment_batch_items_reference_once UNIQUE (account, reference, organization),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  FOREIGN KEY (organization, batch) REFERENCES payment_batches (organization, id),
  CONSTRAINT payment_batch_items_batch CHECK ((state IN ('queued', 'sent')) = (batch IS NOT NULL)),
  CONSTRAINT payment_batch_items_position CHECK ((state = 'sent') = (position IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX payment_batch_items_by_batch ON payment_batch_items (batch, position) WHERE batch IS NOT NULL;

SELECT weir_protect('payment_batches');
SELECT weir_protect('payment_batch_items');
REVOKE DELETE, TRUNCATE ON payment_batches, payment_batch_items FROM weir_app;

CREATE FUNCTION weir_keep_closed_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  made text[] := ARRAY['state', 'file_name', 'sha256', 'bytes', 'writer'];
BEGIN
  IF OLD.state = 'closed' OR OLD.state = 'closing' AND (NEW.state = 'open' OR to_jsonb(NEW) - made <> to_jsonb(OLD) - made) THEN
    RAISE EXCEPTION 'UPDATE on payment_batches refused: batch % is closed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_batches_kept BEFORE UPDATE ON payment_batches FOR EACH ROW EXECUTE FUNCTION weir_keep_closed_batch();
ALTER TABLE payment_batches ENABLE ALWAYS TRIGGER payment_batches_kept;

CREATE FUNCTION weir_keep_sent_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'sent' THEN
    RAISE EXCEPTION 'UPDATE on payment_batch_items refused: item % went out with batch %', OLD.id, OLD.batch
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_batch_items_kept BEFORE UPDATE ON payment_batch_items FOR EACH ROW EXECUTE FUNCTION weir_keep_sent_item();
ALTER TABLE payment_batch_items ENABLE ALWAYS TRIGGER payment_batch_items_kept;
