-- The ledger (docs/spec/ledger.md): accounts, and transfers that move an amount from one to another. One row is both
-- sides, in one currency, so that nothing in it can be out of balance.
CREATE TABLE ledger_accounts (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  code text COLLATE "C" NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]*(:[!-~]+)?$' AND length(code) <= 128),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  type text NOT NULL CHECK (type IN ('asset', 'liability', 'income', 'expense', 'equity')),
  opened_at timestamptz NOT NULL,
  PRIMARY KEY (organization, code, currency)
);

-- Transfers that belong together, all or none. The idempotency key is the business's name for the effect.
CREATE TABLE ledger_postings (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 256),
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),  -- of the transfers: another content under the key is refused
  reason text NOT NULL CHECK (reason ~ '^[a-z_]+(\.[a-z_]+)+$' AND length(reason) <= 64),
  reference text COLLATE "C" NOT NULL CHECK (length(reference) BETWEEN 1 AND 128),  -- what caused it, such as an invoice's id
  reverses text COLLATE "C",
  posted_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT ledger_postings_once UNIQUE (idempotency_key, organization),
  CONSTRAINT ledger_postings_reversed_once UNIQUE (reverses, organization),
  FOREIGN KEY (organization, reverses) REFERENCES ledger_postings (organization, id)
);
CREATE INDEX ledger_postings_by_reference ON ledger_postings (reference, organization);

CREATE TABLE ledger_transfers (
  organization text COLLATE "C" NOT NULL,
  posting text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  debit text COLLATE "C" NOT NULL,
  credit text COLLATE "C" NOT NULL CHECK (credit <> debit),
  currency text NOT NULL,
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  service_start timestamptz,             -- the period that the amount is for, when it is for one
  service_end timestamptz,
  PRIMARY KEY (organization, posting, position),
  CONSTRAINT ledger_transfers_service CHECK (service_end > service_start)
);
-- Every transfer's posting is there and its accounts are open. Once per statement and without locks, since neither is ever
-- deleted: as foreign keys, a run's thousands of transfers to one account locked its row thousands of times.
CREATE FUNCTION weir_check_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing record;
BEGIN
  SELECT named.* INTO missing
  FROM (SELECT organization, debit AS code, currency FROM written UNION SELECT organization, credit, currency FROM written) named
  WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.organization = named.organization AND a.code = named.code
                      AND a.currency = named.currency OFFSET 0)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a transfer names account % in %, which is not open', missing.code, missing.currency
      USING ERRCODE = 'foreign_key_violation';
  END IF;
  SELECT named.* INTO missing
  FROM (SELECT DISTINCT organization, posting FROM written) named
  WHERE NOT EXISTS (SELECT FROM ledger_postings p WHERE p.organization = named.organization AND p.id = named.posting OFFSET 0)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a transfer names posting %, which is not there', missing.posting USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_transfers_checked AFTER INSERT ON ledger_transfers
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION weir_check_transfers();
ALTER TABLE ledger_transfers ENABLE ALWAYS TRIGGER ledger_transfers_checked;
CREATE INDEX ledger_transfers_by_debit ON ledger_transfers (debit, organization, posting, position);
CREATE INDEX ledger_transfers_by_credit ON ledger_transfers (credit, organization, posting, position);

-- What an account's transfers add up to. An account that everything touches has its sums in several rows, so that
-- transactions do not queue for one.
CREATE TABLE ledger_balances (
  organization text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  currency text NOT NULL,
  shard integer NOT NULL CHECK (shard BETWEEN 0 AND 63),
  debit_minor numeric(60, 0) NOT NULL CHECK (debit_minor >= 0),
  credit_minor numeric(60, 0) NOT NULL CHECK (credit_minor >= 0),
  PRIMARY KEY (organization, account, currency, shard),
  FOREIGN KEY (organization, account, currency) REFERENCES ledger_accounts (organization, code, currency)
) WITH (fillfactor = 70);

SELECT weir_protect('ledger_accounts');
SELECT weir_protect('ledger_postings');
SELECT weir_protect('ledger_transfers');
SELECT weir_protect('ledger_balances');
SELECT weir_append_only('ledger_accounts');
SELECT weir_append_only('ledger_postings');
SELECT weir_append_only('ledger_transfers');
REVOKE DELETE, TRUNCATE ON ledger_balances FROM weir_app;
