-- An invoice and the inputs it was computed from. One per (subscription, period start, kind), whoever asks how often.
CREATE TABLE invoices (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('period')),
  status text NOT NULL CHECK (status IN ('draft')),
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  plan_version text COLLATE "C" NOT NULL,
  watermark jsonb NOT NULL,             -- [{writer, sequence}]: the usage it was computed from
  subtotal_minor numeric(38, 0) NOT NULL,
  total_minor numeric(38, 0) NOT NULL CHECK (total_minor >= 0),
  revision integer NOT NULL DEFAULT 1,  -- counts refreshes
  created_at timestamptz NOT NULL,
  refreshed_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT invoices_once UNIQUE (organization, subscription, period_start, kind),
  UNIQUE (organization, plan_version, id),
  FOREIGN KEY (organization, customer, subscription) REFERENCES subscriptions (organization, customer, id),
  FOREIGN KEY (organization, plan_version) REFERENCES plan_versions (organization, id),
  CONSTRAINT invoices_period CHECK (period_end > period_start),
  CONSTRAINT invoices_total CHECK (total_minor = greatest(subtotal_minor, 0))
);
CREATE INDEX invoices_by_customer ON invoices (organization, customer, period_start);

CREATE TABLE invoice_lines (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  plan_version text COLLATE "C" NOT NULL,
  price text COLLATE "C" NOT NULL,
  position integer NOT NULL,
  meter_version text COLLATE "C" NOT NULL,
  subjects jsonb NOT NULL,              -- [{subject, from, to}]: whose usage, cut to the period
  quantity numeric NOT NULL,
  events bigint NOT NULL CHECK (events >= 0),
  tiers jsonb NOT NULL,                 -- RatedTierJson[] of rating/core
  amount numeric NOT NULL,              -- exact, in major units
  amount_minor numeric(38, 0) NOT NULL, -- rounded once, here
  PRIMARY KEY (organization, id),
  UNIQUE (organization, invoice, price),
  FOREIGN KEY (organization, plan_version, invoice) REFERENCES invoices (organization, plan_version, id),
  FOREIGN KEY (organization, plan_version, price) REFERENCES prices (organization, plan_version, id),
  FOREIGN KEY (organization, meter_version) REFERENCES meter_versions (organization, id)
);

SELECT weir_protect('invoices');
SELECT weir_protect('invoice_lines');
REVOKE DELETE, TRUNCATE ON invoices, invoice_lines FROM weir_app;
