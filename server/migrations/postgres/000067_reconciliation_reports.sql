-- How an organization's books are compared, and how far it has come.
CREATE TABLE reconciliation_settings (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),   -- whose days the reports are of
  file_lag_days integer NOT NULL CHECK (file_lag_days BETWEEN 1 AND 60),    -- by then a provider's file has a charge
  bank_lag_days integer NOT NULL CHECK (bank_lag_days BETWEEN 1 AND 60),    -- by then the bank's statement has a payout
  looked_until timestamptz,                 -- charges before it were looked for in the providers' files
  next_day date NOT NULL,                   -- whose report comes next
  reported_until timestamptz,               -- where the last report ends, and the next one begins
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization)
);

-- A day's comparison as it was found at the end of that day. Never changed.
CREATE TABLE reconciliation_reports (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  period_from timestamptz NOT NULL,
  period_to timestamptz NOT NULL CHECK (period_to > period_from),
  report jsonb NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT reconciliation_reports_once UNIQUE (day, organization)
);
SELECT weir_protect('reconciliation_settings');
SELECT weir_protect('reconciliation_reports');
SELECT weir_append_only('reconciliation_reports');
REVOKE DELETE, TRUNCATE ON reconciliation_settings FROM weir_app;

-- What an account's files should tell of, day by day.
CREATE INDEX payments_by_time ON payments (account, received_at, id);
CREATE INDEX payouts_in_transit ON payouts (created_at, id) WHERE received_at IS NULL;
