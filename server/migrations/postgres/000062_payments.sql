-- Money that came in, where it went, and what of it went back. Payments and allocations never change.
CREATE TABLE payments (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  account text COLLATE "C",                  -- none: received outside of Weir
  source text NOT NULL CHECK (source IN ('attempt', 'bank', 'file', 'manual')),
  source_id text COLLATE "C" NOT NULL CHECK (length(source_id) BETWEEN 1 AND 255),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  excess_minor numeric(38, 0) NOT NULL CHECK (excess_minor BETWEEN 0 AND amount_minor),   -- to the customer's balance
  top_up text COLLATE "C",
  ref text COLLATE "C" CHECK (length(ref) BETWEEN 1 AND 255),      -- the provider's id of the money: what refunds and disputes name
  note text CHECK (length(note) BETWEEN 1 AND 512),
  received_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, id, amount_minor),
  CONSTRAINT payments_source_once UNIQUE (source_id, source, organization),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id)
);
CREATE INDEX payments_by_customer ON payments (customer, id);
CREATE UNIQUE INDEX payments_by_ref ON payments (account, ref, organization) WHERE ref IS NOT NULL;

-- What of a payment was given back, refunds that failed apart. Its row is the lock of whoever gives back of it, and the guard
-- that it is never more than came in.
CREATE TABLE payment_refunded (
  organization text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  amount_minor numeric(38, 0) NOT NULL,      -- the payment's own, by the foreign key
  refunded_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
  PRIMARY KEY (organization, payment),
  FOREIGN KEY (organization, payment, amount_minor) REFERENCES payments (organization, id, amount_minor)
) WITH (fillfactor = 80);

CREATE TABLE payment_allocations (
  organization text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  at timestamptz NOT NULL,
  PRIMARY KEY (organization, payment, invoice),
  FOREIGN KEY (organization, payment) REFERENCES payments (organization, id),
  FOREIGN KEY (organization, invoice) REFERENCES receivables (organization, invoice)
);
CREATE INDEX payment_allocations_by_invoice ON payment_allocations (invoice, payment);

-- What the provider made of a payment in its own books: fee, and the currency it settles in. Rate and both amounts as it
-- gave them, never computed again.
CREATE TABLE payment_settlements (
  organization text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),   -- the provider's id of the movement
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  gross_minor numeric(38, 0) NOT NULL CHECK (gross_minor >= 0),
  fee_minor numeric(38, 0) NOT NULL,
  rate text CHECK (length(rate) BETWEEN 1 AND 40),
  arn text COLLATE "C" CHECK (arn ~ '^[0-9]{23}$'),       -- a card transaction's acquirer reference number, where a file told it
  settled_at timestamptz NOT NULL,
  PRIMARY KEY (organization, payment)
);
-- Every one's payment is there: once per statement and without locks, since none is ever deleted. As a foreign key it locked
-- each payment's row, and a file settles a million.
CREATE FUNCTION weir_find_settled_payments() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing record;
BEGIN
  SELECT w.* INTO missing FROM written w
  WHERE NOT EXISTS (SELECT FROM payments p WHERE p.organization = w.organization AND p.id = w.payment OFFSET 0)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a settlement names payment %, which is not there', missing.payment USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER payment_settlements_payments AFTER INSERT ON payment_settlements
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION weir_find_settled_payments();
ALTER TABLE payment_settlements ENABLE ALWAYS TRIGGER payment_settlements_payments;

CREATE INDEX payment_settlements_by_arn ON payment_settlements (arn, payment) WHERE arn IS NOT NULL;

CREATE TABLE refunds (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  source text NOT NULL CHECK (source IN ('balance', 'goodwill', 'invoice', 'prepaid')),
  invoice text COLLATE "C",                  -- that is owed again
  credit_note text COLLATE "C",
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),
  state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed', 'canceled')),
  ref text COLLATE "C" CHECK (length(ref) BETWEEN 1 AND 255),
  payee bytea,                               -- whose account it goes to: a sealed {name, iban}
  failure text CHECK (length(failure) BETWEEN 1 AND 512),
  parked_at timestamptz,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, payment) REFERENCES payments (organization, id),
  CONSTRAINT refunds_invoice CHECK ((source = 'invoice') = (invoice IS NOT NULL))
);
CREATE INDEX refunds_by_payment ON refunds (payment, id);
CREATE UNIQUE INDEX refunds_by_ref ON refunds (ref, organization) WHERE ref IS NOT NULL;

CREATE TABLE disputes (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  held_minor numeric(38, 0) NOT NULL CHECK (held_minor >= 0),     -- what the provider took off its balance, in its currency
  held_currency text NOT NULL CHECK (held_currency ~ '^[A-Z]{3}$'),
  fee_minor numeric(38, 0) NOT NULL,         -- what it has kept for it so far
  fee_currency text NOT NULL CHECK (fee_currency ~ '^[A-Z]{3}$'),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 128),
  state text NOT NULL CHECK (state IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost')),
  evidence jsonb,
  evidence_due_at timestamptz,
  submitted_at timestamptz,
  opened_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  closed_at timestamptz,
  PRIMARY KEY (organization, id),
  CONSTRAINT disputes_ref_once UNIQUE (account, ref, organization),
  FOREIGN KEY (organization, payment) REFERENCES payments (organization, id),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id)
);
CREATE INDEX disputes_by_payment ON disputes (payment, id);

CREATE TABLE payouts (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  state text NOT NULL CHECK (state IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
  failure text CHECK (length(failure) BETWEEN 1 AND 512),
  arrives_on date,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  received_at timestamptz,                   -- seen on the bank's statement
  PRIMARY KEY (organization, id),
  CONSTRAINT payouts_ref_once UNIQUE (account, ref, organization),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id)
);
CREATE INDEX payouts_unreceived ON payouts (account, currency, amount_minor) WHERE received_at IS NULL;

SELECT weir_protect('payments');
SELECT weir_protect('payment_refunded');
SELECT weir_protect('payment_allocations');
SELECT weir_protect('payment_settlements');
SELECT weir_protect('refunds');
SELECT weir_protect('disputes');
SELECT weir_protect('payouts');
SELECT weir_append_only('payments');
SELECT weir_append_only('payment_allocations');
SELECT weir_append_only('payment_settlements');
REVOKE DELETE, TRUNCATE ON payment_refunded, refunds, disputes, payouts FROM weir_app;
