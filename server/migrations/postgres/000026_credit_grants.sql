-- Credits that a customer was given (promotional) or paid for in advance. A grant never changes; what happens to it is a
-- movement; what is left of it is kept, and can never be below zero.
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
  note text CHECK (length(note) <= 512),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT credit_grants_validity CHECK (expires_at > effective_from)
);
CREATE INDEX credit_grants_by_customer ON credit_grants (organization, customer, currency);
CREATE INDEX credit_grants_by_expiry ON credit_grants (organization, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE credit_movements (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('use', 'restore', 'void', 'expire')),
  invoice text COLLATE "C",
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  reason text CHECK (length(reason) <= 512),
  at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, grant_id) REFERENCES credit_grants (organization, id),
  CONSTRAINT credit_movements_invoice CHECK ((invoice IS NOT NULL) = (kind IN ('use', 'restore'))),
  -- An invoice draws on a grant once, and gives back once, whoever asks how often.
  CONSTRAINT credit_movements_once UNIQUE (organization, grant_id, invoice, kind)
);
CREATE INDEX credit_movements_by_invoice ON credit_movements (organization, invoice) WHERE invoice IS NOT NULL;

CREATE TABLE credit_grant_balances (
  organization text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  remaining_minor numeric(38, 0) NOT NULL,
  PRIMARY KEY (organization, grant_id),
  FOREIGN KEY (organization, grant_id) REFERENCES credit_grants (organization, id),
  CONSTRAINT credit_grant_balances_never_below_zero CHECK (remaining_minor >= 0)
) WITH (fillfactor = 80);

SELECT weir_protect('credit_grants');
SELECT weir_protect('credit_movements');
SELECT weir_protect('credit_grant_balances');
SELECT weir_append_only('credit_grants');
SELECT weir_append_only('credit_movements');
REVOKE DELETE, TRUNCATE ON credit_grant_balances FROM weir_app;
