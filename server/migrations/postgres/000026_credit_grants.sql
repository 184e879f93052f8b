-- Credits that a customer was given (promotional) or paid for in advance (docs/spec/credits.md). A grant never changes;
-- what happens to it is a movement; what is left of it is kept, and can never be below zero.
CREATE TABLE credit_grants (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('promotional', 'paid')),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  priority integer NOT NULL CHECK (priority BETWEEN 0 AND 1000),   -- the lowest is used first
  effective_from timestamptz NOT NULL,
  expires_at timestamptz,                                          -- half-open: at this instant it is gone
  note text CHECK (length(note) BETWEEN 1 AND 512),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, id, customer, currency, amount_minor),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT credit_grants_validity CHECK (expires_at > effective_from)
);
CREATE INDEX credit_grants_by_customer ON credit_grants (organization, customer, id);

CREATE TABLE credit_movements (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('use', 'restore', 'void', 'expire', 'revive', 'reinstate')),
  invoice text COLLATE "C",
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  reason text CHECK (length(reason) BETWEEN 1 AND 512),
  at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, grant_id) REFERENCES credit_grants (organization, id),
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id),
  CONSTRAINT credit_movements_invoice CHECK ((invoice IS NOT NULL) = (kind IN ('use', 'restore', 'revive'))),
  -- An invoice draws on a grant once, and gives back once, whoever asks how often.
  CONSTRAINT credit_movements_once UNIQUE (organization, grant_id, invoice, kind)
);
CREATE INDEX credit_movements_by_grant ON credit_movements (organization, grant_id, id);
CREATE INDEX credit_movements_by_invoice ON credit_movements (organization, invoice) WHERE invoice IS NOT NULL;

-- What the movements of a grant add up to; its row is the lock of whoever draws on it. Customer, currency and amount are
-- the grant's own, by the foreign key, so that open grants are found by one index and the guard is a check of one row.
CREATE TABLE credit_grant_balances (
  organization text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL,
  amount_minor numeric(38, 0) NOT NULL,
  used_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (used_minor >= 0),         -- uses less restores
  voided_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (voided_minor >= 0),
  expired_minor numeric(38, 0) NOT NULL DEFAULT 0 CHECK (expired_minor >= 0),   -- expiries less revivals
  PRIMARY KEY (organization, grant_id),
  FOREIGN KEY (organization, grant_id, customer, currency, amount_minor)
    REFERENCES credit_grants (organization, id, customer, currency, amount_minor),
  CONSTRAINT credit_grant_balances_never_more_than_granted CHECK (used_minor + voided_minor + expired_minor <= amount_minor)
) WITH (fillfactor = 80);
CREATE INDEX credit_grant_balances_open ON credit_grant_balances (organization, customer, currency)
  WHERE used_minor + voided_minor < amount_minor;

SELECT weir_protect('credit_grants');
SELECT weir_protect('credit_movements');
SELECT weir_protect('credit_grant_balances');
SELECT weir_append_only('credit_grants');
SELECT weir_append_only('credit_movements');
REVOKE UPDATE, DELETE, TRUNCATE ON credit_grant_balances FROM weir_app;
GRANT UPDATE (used_minor, voided_minor, expired_minor) ON credit_grant_balances TO weir_app;
