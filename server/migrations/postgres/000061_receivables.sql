-- What is owed of each finalized invoice. Its row is the lock of whoever moves money on the invoice: what was captured
-- and not refunded, what an open attempt may still capture, and a new attempt never come to more than is due.
CREATE TABLE receivables (
  organization text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  state text NOT NULL CHECK (state IN ('open', 'paid', 'uncollectible', 'void')),
  due_minor numeric(38, 0) NOT NULL CHECK (due_minor >= 0),
  credited_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (credited_minor >= 0),
  paid_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
  written_off_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (written_off_minor >= 0),
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),     -- numbers them
  dunning_since timestamptz,                 -- the first decline
  dunning_retries integer NOT NULL DEFAULT 0 CHECK (dunning_retries >= 0),
  dunning_state text NOT NULL DEFAULT 'none' CHECK (dunning_state IN ('none', 'retrying', 'waiting', 'ended')),
  next_attempt_at timestamptz,
  settled_at timestamptz,
  PRIMARY KEY (organization, invoice),
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT receivables_never_more_than_due CHECK (
    state = 'void' OR credited_minor + paid_minor + written_off_minor <= due_minor)
) WITH (fillfactor = 80);
CREATE INDEX receivables_open ON receivables (customer, currency, due_at) WHERE state = 'open';
CREATE INDEX receivables_open_by_time ON receivables (due_at, organization) WHERE state = 'open';

-- A try to take money: for an invoice, or to top up a prepaid balance. Persisted before the provider hears of it.
CREATE TABLE payment_attempts (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  invoice text COLLATE "C",
  top_up text COLLATE "C",
  target text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(invoice, top_up)) STORED,
  number integer NOT NULL CHECK (number > 0),
  customer text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  method text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  state text NOT NULL CHECK (state IN ('pending', 'processing', 'requires_action', 'unknown', 'succeeded', 'failed', 'canceled')),
  ref text COLLATE "C" CHECK (length(ref) BETWEEN 1 AND 255),
  decline jsonb,                             -- {code, hardness, message}
  action_url text CHECK (length(action_url) <= 2048),
  unknown_since timestamptz,
  parked_at timestamptz,                     -- a person has to look at it
  created_at timestamptz NOT NULL,           -- in the organization's time, as the others
  sent_at timestamptz NOT NULL,              -- in real time: what the provider's key window counts from
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT payment_attempts_number_once UNIQUE (target, number, organization),
  CONSTRAINT payment_attempts_target CHECK ((invoice IS NULL) <> (top_up IS NULL)),
  CONSTRAINT payment_attempts_decline CHECK ((state = 'failed') = (decline IS NOT NULL)),
  CONSTRAINT payment_attempts_unknown CHECK ((state = 'unknown') = (unknown_since IS NOT NULL)),
  FOREIGN KEY (organization, invoice) REFERENCES receivables (organization, invoice),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  FOREIGN KEY (organization, method) REFERENCES payment_methods (organization, id)
);
-- The same invoice charged concurrently under two keys: the second has no place.
CREATE UNIQUE INDEX payment_attempts_one_open ON payment_attempts (target, organization)
  WHERE state IN ('pending', 'processing', 'requires_action', 'unknown');
CREATE UNIQUE INDEX payment_attempts_ref_once ON payment_attempts (account, ref, organization) WHERE ref IS NOT NULL;
CREATE INDEX payment_attempts_by_customer ON payment_attempts (customer, id);
CREATE INDEX payment_attempts_unresolved ON payment_attempts (unknown_since, organization) WHERE state = 'unknown';

-- What became known of attempts, in order. Never changed.
CREATE TABLE payment_attempt_events (
  organization text COLLATE "C" NOT NULL,
  attempt text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position > 0),
  input text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('accepted', 'ignored', 'stale', 'contradicts')),
  state text NOT NULL,                       -- after it
  detail text CHECK (length(detail) <= 1024),
  at timestamptz NOT NULL,
  PRIMARY KEY (organization, attempt, position),
  FOREIGN KEY (organization, attempt) REFERENCES payment_attempts (organization, id)
);

-- How an organization collects what was declined; the defaults when there is no row.
CREATE TABLE dunning_settings (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  schedule jsonb NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (organization)
);

-- Customers of whom nothing is collected by itself any more, until someone goes on with it.
CREATE TABLE collection_pauses (
  organization text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),
  paused_at timestamptz NOT NULL,
  PRIMARY KEY (organization, customer),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id)
);

SELECT weir_protect('dunning_settings');
SELECT weir_protect('collection_pauses');
SELECT weir_protect('receivables');
SELECT weir_protect('payment_attempts');
SELECT weir_protect('payment_attempt_events');
SELECT weir_append_only('payment_attempt_events');
REVOKE DELETE, TRUNCATE ON receivables, payment_attempts FROM weir_app;
-- An attempt is what it was made as; only what became of it changes, and one that ended without money ends only otherwise
-- when money turns up.
CREATE FUNCTION weir_keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changing text[] := ARRAY['state', 'ref', 'decline', 'action_url', 'unknown_since', 'parked_at', 'changed_at', 'target'];
BEGIN
  IF to_jsonb(NEW) - changing <> to_jsonb(OLD) - changing OR (OLD.ref IS NOT NULL AND NEW.ref IS DISTINCT FROM OLD.ref) THEN
    RAISE EXCEPTION 'UPDATE on payment_attempts refused: what attempt % is does not change', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state = 'succeeded' AND NEW.state <> 'succeeded'
     OR OLD.state IN ('failed', 'canceled') AND NEW.state NOT IN (OLD.state, 'succeeded') THEN
    RAISE EXCEPTION 'attempt % has ended as %, and is not opened again', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_attempts_kept BEFORE UPDATE ON payment_attempts FOR EACH ROW EXECUTE FUNCTION weir_keep_attempt();
ALTER TABLE payment_attempts ENABLE ALWAYS TRIGGER payment_attempts_kept;
