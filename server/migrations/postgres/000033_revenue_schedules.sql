-- Revenue that was billed before the service was given: what of an invoice's line is earned on which days. It is deferred when
-- the invoice is finalized, and recognised month by month, in equal parts for each local day of the service.
CREATE TABLE revenue_schedules (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  line text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  service_start timestamptz NOT NULL,
  service_end timestamptz NOT NULL,
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),   -- where its days are days
  first_day date NOT NULL,
  days integer NOT NULL CHECK (days > 0),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor <> 0),       -- deferred; below zero for a line that gives back
  taken_back_minor numeric(38, 0) NOT NULL DEFAULT 0,                   -- by credit notes, or by voiding
  recognized_minor numeric(38, 0) NOT NULL DEFAULT 0,
  recognized_days integer NOT NULL DEFAULT 0,                           -- the days whose parts are recognised
  created_at timestamptz NOT NULL,
  is_open boolean NOT NULL GENERATED ALWAYS AS (recognized_days < days AND taken_back_minor <> amount_minor) STORED,
  PRIMARY KEY (organization, id),
  CONSTRAINT revenue_schedules_once UNIQUE (line, organization),
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id),
  CONSTRAINT revenue_schedules_service CHECK (service_end > service_start),
  CONSTRAINT revenue_schedules_days CHECK (recognized_days BETWEEN 0 AND days),
  CONSTRAINT revenue_schedules_taken_back CHECK (
    taken_back_minor BETWEEN least(0, amount_minor) AND greatest(0, amount_minor)),
  -- All of it exactly when all of its days are.
  CONSTRAINT revenue_schedules_recognized CHECK (
    recognized_minor BETWEEN least(0, amount_minor - taken_back_minor) AND greatest(0, amount_minor - taken_back_minor)
    AND (recognized_days < days OR recognized_minor = amount_minor - taken_back_minor)
    AND (recognized_days > 0 OR recognized_minor = 0))
) WITH (fillfactor = 80);
CREATE INDEX revenue_schedules_by_invoice ON revenue_schedules (invoice, organization);
-- Begins with organization: its condition keeps every query out that does not repeat it.
CREATE INDEX revenue_schedules_open ON revenue_schedules (organization, id) WHERE is_open;
SELECT weir_protect('revenue_schedules');
REVOKE UPDATE, DELETE, TRUNCATE ON revenue_schedules FROM weir_app;
GRANT UPDATE (taken_back_minor, recognized_minor, recognized_days) ON revenue_schedules TO weir_app;
