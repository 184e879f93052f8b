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

-- Transfers that belong together, all or none. The idempotency key is the business's name for the effect. A pending posting
-- moves pending sums only, until a posting of its own resolves it: posts it, wholly or in part, or voids it.
CREATE TABLE ledger_postings (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 256),
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),  -- of the transfers: another content under the key is refused
  reason text NOT NULL CHECK (reason ~ '^[a-z_]+(\.[a-z_]+)+$' AND length(reason) <= 64),
  reference text COLLATE "C" NOT NULL CHECK (length(reference) BETWEEN 1 AND 128),  -- what caused it, such as an invoice's id
  reverses text COLLATE "C",
  pending boolean NOT NULL DEFAULT false,
  resolves text COLLATE "C",
  resolution text CHECK (resolution IN ('post', 'void')),
  posted_at timestamptz NOT NULL,        -- in the organization's time
  -- The transaction that wrote it: what the sealer has not looked at yet is found by it.
  xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  PRIMARY KEY (organization, id),
  CONSTRAINT ledger_postings_once UNIQUE (idempotency_key, organization),
  CONSTRAINT ledger_postings_resolution CHECK ((resolves IS NULL) = (resolution IS NULL)),
  CONSTRAINT ledger_postings_one_step CHECK (num_nonnulls(reverses, resolves) + pending::integer <= 1),
  FOREIGN KEY (organization, reverses) REFERENCES ledger_postings (organization, id),
  FOREIGN KEY (organization, resolves) REFERENCES ledger_postings (organization, id)
);
CREATE UNIQUE INDEX ledger_postings_reversed_once ON ledger_postings (reverses, organization) WHERE reverses IS NOT NULL;
CREATE UNIQUE INDEX ledger_postings_resolved_once ON ledger_postings (resolves, organization) WHERE resolves IS NOT NULL;
CREATE INDEX ledger_postings_by_reference ON ledger_postings (reference, organization);
-- These two begin with organization. Their conditions keep every query out that does not repeat them: see weir_protect.
CREATE INDEX ledger_postings_by_time ON ledger_postings (organization, posted_at, id) WHERE posted_at > '-infinity';
CREATE INDEX ledger_postings_by_xact ON ledger_postings (organization, xact) WHERE xact > 0;

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

-- A posting is of its own transaction, counts in no closed month (000032), and resolves only what is pending. Once per
-- statement, like the checks of transfers below. It looks after the rows are written, so that the transaction has its number
-- by then: one that does not see a month closed is of those that the closing waits for.
CREATE FUNCTION weir_check_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  own record;
  wrong record;
BEGIN
  FOR own IN
    SELECT organization, min(posted_at) AS posted_at, bool_or(resolves IS NOT NULL) AS resolving,
           bool_or(xact <> pg_current_xact_id()::text::bigint) AS foreign_xact
    FROM written GROUP BY organization
  LOOP
    IF own.foreign_xact THEN
      RAISE EXCEPTION 'a posting names another transaction than its own' USING ERRCODE = 'check_violation';
    END IF;
    SELECT month INTO wrong FROM ledger_months
    WHERE organization = own.organization AND ends_at > own.posted_at ORDER BY month LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'posting "%" counts in %, which is closed',
        (SELECT idempotency_key FROM written w WHERE w.organization = own.organization ORDER BY w.posted_at LIMIT 1), wrong.month
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_month_closed';
    END IF;
    CONTINUE WHEN NOT own.resolving;
    SELECT named.resolves INTO wrong FROM written named
    WHERE named.resolves IS NOT NULL
      AND NOT EXISTS (SELECT FROM ledger_postings p
                      WHERE p.organization = named.organization AND p.id = named.resolves AND p.pending OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'posting % is not pending', wrong.resolves USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_postings_checked AFTER INSERT ON ledger_postings
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION weir_check_postings();
ALTER TABLE ledger_postings ENABLE ALWAYS TRIGGER ledger_postings_checked;

-- Every transfer's accounts are open, and its posting was written by the same transaction, so that nothing is ever added to
-- one that stands; what resolves a pending posting moves no more than was pending. Once per statement and without locks,
-- since nothing of it is ever deleted: as foreign keys, a run's thousands of transfers to one account locked its row
-- thousands of times.
CREATE FUNCTION weir_check_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing record;
  seen record;
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
  SELECT min(named.posting) FILTER (WHERE p.id IS NULL) AS absent,
         min(named.posting) FILTER (WHERE p.xact <> pg_current_xact_id()::text::bigint) AS standing,
         bool_or(p.resolves IS NOT NULL) AS resolving
  INTO seen
  FROM (SELECT DISTINCT organization, posting FROM written) named
  LEFT JOIN LATERAL (SELECT id, xact, resolves FROM ledger_postings p
                     WHERE p.organization = named.organization AND p.id = named.posting OFFSET 0) p ON true;
  IF seen.absent IS NOT NULL THEN
    RAISE EXCEPTION 'a transfer names posting %, which is not there', seen.absent USING ERRCODE = 'foreign_key_violation';
  ELSIF seen.standing IS NOT NULL THEN
    RAISE EXCEPTION 'posting % stands: nothing can be added to it', seen.standing USING ERRCODE = 'restrict_violation';
  ELSIF NOT seen.resolving THEN
    RETURN NULL;
  END IF;
  SELECT moved.posting INTO missing
  FROM (SELECT w.organization, w.posting, p.resolves, p.resolution, w.debit, w.credit, w.currency, sum(w.amount_minor) AS amount
        FROM written w JOIN ledger_postings p ON p.organization = w.organization AND p.id = w.posting AND p.resolves IS NOT NULL
        GROUP BY w.organization, w.posting, p.resolves, p.resolution, w.debit, w.credit, w.currency) moved
  WHERE moved.resolution = 'void' OR moved.amount > (
    SELECT coalesce(sum(t.amount_minor), 0) FROM ledger_transfers t
    WHERE t.organization = moved.organization AND t.posting = moved.resolves AND t.debit = moved.debit
      AND t.credit = moved.credit AND t.currency = moved.currency)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'posting % moves more than was pending', missing.posting USING ERRCODE = 'check_violation';
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
  pending_debit_minor numeric(60, 0) NOT NULL CHECK (pending_debit_minor >= 0),
  pending_credit_minor numeric(60, 0) NOT NULL CHECK (pending_credit_minor >= 0),
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
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_balances FROM weir_app;
GRANT UPDATE (debit_minor, credit_minor, pending_debit_minor, pending_credit_minor) ON ledger_balances TO weir_app;
