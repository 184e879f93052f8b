-- Where money comes in: an account at a provider, and customers' ways to pay through it. Secrets are sealed
-- (engines/secrets); what names a card is the provider's token and its last four digits, never its number.
CREATE TABLE provider_accounts (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
  provider text NOT NULL CHECK (provider ~ '^[a-z][a-z0-9_]{0,31}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  settings jsonb NOT NULL,                   -- what is no secret, by the provider's own schema
  secrets bytea,                             -- a sealed JSON object
  currencies text[] NOT NULL,                -- that it can charge in; empty: all
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (organization, id),
  CONSTRAINT provider_accounts_key_once UNIQUE (key, organization)
);

-- A customer as a provider knows it.
CREATE TABLE provider_customers (
  organization text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, account, customer),
  CONSTRAINT provider_customers_ref_once UNIQUE (account, ref, organization),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id)
);

CREATE TABLE payment_methods (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),
  kind text NOT NULL CHECK (kind IN ('card', 'bank_debit', 'bank_transfer', 'other')),
  brand text CHECK (length(brand) BETWEEN 1 AND 32),
  last4 text CHECK (last4 ~ '^[0-9A-Z]{4}$'),
  expires text CHECK (expires ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),   -- the last month it is good in
  is_default boolean NOT NULL,
  created_at timestamptz NOT NULL,
  detached_at timestamptz,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  CONSTRAINT payment_methods_default CHECK (NOT is_default OR detached_at IS NULL)
);
CREATE UNIQUE INDEX payment_methods_default_once ON payment_methods (customer, organization) WHERE is_default;
CREATE UNIQUE INDEX payment_methods_ref_once ON payment_methods (account, ref, organization) WHERE detached_at IS NULL;
CREATE INDEX payment_methods_by_customer ON payment_methods (customer, id);

SELECT weir_protect('provider_accounts');
SELECT weir_protect('provider_customers');
SELECT weir_protect('payment_methods');
REVOKE DELETE, TRUNCATE ON provider_accounts, provider_customers, payment_methods FROM weir_app;
