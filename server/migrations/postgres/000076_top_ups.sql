-- Customers whose prepaid balance is watched: when the organization is told that it is low, and when it is topped up by
-- itself; and how the last look found it. One without either is watched no more, and keeps its row.
CREATE TABLE balance_watches (
  organization text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  low_at_minor numeric(38, 0) CHECK (low_at_minor >= 0),            -- told below it
  threshold_minor numeric(38, 0) CHECK (threshold_minor >= 0),      -- topped up below it …
  amount_minor numeric(38, 0) CHECK (amount_minor > 0),             -- … by so much
  monthly_max_minor numeric(38, 0) CHECK (monthly_max_minor >= amount_minor),
  method text COLLATE "C",                                          -- the customer's default when null
  changed_at timestamptz NOT NULL,                                  -- these in the organization's time
  is_low boolean NOT NULL DEFAULT false,                            -- told since it was last above
  crossings integer NOT NULL DEFAULT 0 CHECK (crossings >= 0),      -- how often it was told
  stopped_at timestamptz,                                           -- nothing is charged by itself any more …
  stopped_by text CHECK (length(stopped_by) BETWEEN 1 AND 128),     -- … because of this: a decline's or problem's code
  capped_until timestamptz,                                         -- told that the month's maximum is reached
  fault text CHECK (length(fault) BETWEEN 1 AND 1024),              -- why the last look could not tell the balance
  PRIMARY KEY (organization, customer),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  FOREIGN KEY (organization, method) REFERENCES payment_methods (organization, id),
  CONSTRAINT balance_watches_rule CHECK (
    (threshold_minor IS NULL) = (amount_minor IS NULL)
    AND (amount_minor IS NOT NULL OR (monthly_max_minor IS NULL AND method IS NULL))),
  CONSTRAINT balance_watches_stopped CHECK ((stopped_at IS NULL) = (stopped_by IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX balance_watches_watched ON balance_watches (customer)
  WHERE low_at_minor IS NOT NULL OR amount_minor IS NOT NULL;

-- Money that a customer is charged in advance. Its attempts are payment_attempts; what it brings in is a payment and a grant.
CREATE TABLE top_ups (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  is_automatic boolean NOT NULL,
  method text COLLATE "C",                   -- that was asked for; the customer's default when null
  state text NOT NULL CHECK (state IN ('open', 'succeeded', 'failed', 'canceled')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  retry_at timestamptz,                      -- of one that waits for another attempt
  failed_by text CHECK (length(failed_by) BETWEEN 1 AND 128),
  created_at timestamptz NOT NULL,           -- in the organization's time, as the others
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT top_ups_retry CHECK (retry_at IS NULL OR state = 'open'),
  CONSTRAINT top_ups_failed CHECK ((state = 'failed') = (failed_by IS NOT NULL))
) WITH (fillfactor = 80);
-- Two looks at once, or a look and a person: the second has no place.
CREATE UNIQUE INDEX top_ups_one_open ON top_ups (customer, currency, organization) WHERE state = 'open';
CREATE INDEX top_ups_by_customer ON top_ups (customer, id);

-- What a payment of a top-up became: two, when an attempt that had ended took money all the same. Never changed.
CREATE TABLE top_up_payments (
  organization text COLLATE "C" NOT NULL,
  payment text COLLATE "C" NOT NULL,
  top_up text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (organization, payment),
  FOREIGN KEY (organization, payment) REFERENCES payments (organization, id),
  FOREIGN KEY (organization, top_up) REFERENCES top_ups (organization, id),
  FOREIGN KEY (organization, grant_id) REFERENCES credit_grants (organization, id)
);
CREATE INDEX top_up_payments_by_top_up ON top_up_payments (top_up, payment);

ALTER TABLE payment_attempts ADD FOREIGN KEY (organization, top_up) REFERENCES top_ups (organization, id);
ALTER TABLE payments ADD FOREIGN KEY (organization, top_up) REFERENCES top_ups (organization, id);

SELECT weir_protect('balance_watches');
SELECT weir_protect('top_ups');
SELECT weir_protect('top_up_payments');
SELECT weir_append_only('top_up_payments');
REVOKE DELETE, TRUNCATE ON balance_watches, top_ups FROM weir_app;
-- At its start Weir looks whose balances may have changed while it was away.
CREATE POLICY system ON balance_watches FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, low_at_minor, amount_minor) ON balance_watches TO weir_system;
