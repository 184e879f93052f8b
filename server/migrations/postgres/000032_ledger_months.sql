-- Months of the ledger that are closed: nothing is posted into them any more, which weir_check_postings sees to
-- (docs/spec/ledger.md). All before a closed month is closed too.
CREATE TABLE ledger_settings (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  time_zone text NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64),   -- where months begin
  PRIMARY KEY (organization)
);

-- The row closes the month. What is under way by then may still come into it; when that has ended, its closing is recorded.
CREATE TABLE ledger_months (
  organization text COLLATE "C" NOT NULL,
  month text COLLATE "C" NOT NULL CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  closed_at timestamptz NOT NULL,        -- in the organization's time
  closed_by text NOT NULL CHECK (length(closed_by) BETWEEN 1 AND 64),
  PRIMARY KEY (organization, month),
  CONSTRAINT ledger_months_times CHECK (ends_at > starts_at)
);

-- What a month was closed with: the sealed block that everything in it is in, or in one before; and its trial balance.
CREATE TABLE ledger_closings (
  organization text COLLATE "C" NOT NULL,
  month text COLLATE "C" NOT NULL,
  block integer NOT NULL CHECK (block >= 0),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (organization, month),
  FOREIGN KEY (organization, month) REFERENCES ledger_months (organization, month)
);
CREATE TABLE ledger_closing_sums (
  organization text COLLATE "C" NOT NULL,
  month text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  currency text NOT NULL,
  debit_minor numeric(60, 0) NOT NULL CHECK (debit_minor >= 0),
  credit_minor numeric(60, 0) NOT NULL CHECK (credit_minor >= 0),
  PRIMARY KEY (organization, month, code, currency),
  FOREIGN KEY (organization, month) REFERENCES ledger_closings (organization, month)
);

SELECT weir_protect('ledger_settings');
SELECT weir_protect('ledger_months');
SELECT weir_protect('ledger_closings');
SELECT weir_protect('ledger_closing_sums');
SELECT weir_append_only('ledger_months');
SELECT weir_append_only('ledger_closings');
SELECT weir_append_only('ledger_closing_sums');
REVOKE DELETE, TRUNCATE ON ledger_settings FROM weir_app;
