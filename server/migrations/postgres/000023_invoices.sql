-- An invoice: one or more sections, each of a subscription, that are due to one payer at one instant in one currency.
-- A draft is computed anew until it is finalized; from then on nothing of it changes but that it may be voided.
CREATE TABLE invoices (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,       -- who pays
  kind text NOT NULL CHECK (kind IN ('start', 'period', 'threshold', 'closing')),
  status text NOT NULL CHECK (status IN ('draft', 'finalized', 'voided')),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  boundary timestamptz NOT NULL,            -- the instant that its sections end at
  issue_at timestamptz NOT NULL,            -- the boundary and the grace: until then late usage is waited for
  watermark jsonb NOT NULL,                 -- [{writer, sequence}]: the usage it was computed from
  subtotal_minor numeric(38, 0) NOT NULL,
  promotional_minor numeric(38, 0) NOT NULL CHECK (promotional_minor >= 0),
  tax_minor numeric(38, 0) NOT NULL,
  total_minor numeric(38, 0) NOT NULL,
  paid_credits_minor numeric(38, 0) NOT NULL CHECK (paid_credits_minor >= 0),
  balance_used_minor numeric(38, 0) NOT NULL CHECK (balance_used_minor >= 0),
  to_balance_minor numeric(38, 0) NOT NULL CHECK (to_balance_minor >= 0),
  due_minor numeric(38, 0) NOT NULL CHECK (due_minor >= 0),
  taxes jsonb NOT NULL,                     -- one for each rate
  notices jsonb NOT NULL,                   -- texts: what to look at
  sequence bigint CHECK (sequence > 0),     -- 1, 2, 3 … without a gap, in the order of finalizing
  number text CHECK (length(number) BETWEEN 1 AND 64),
  buyer jsonb,                              -- the payer's data as they were when it was finalized
  seller jsonb,
  payment_due_at timestamptz,
  revision integer NOT NULL CHECK (revision >= 1),  -- counts what changed the draft
  created_at timestamptz NOT NULL,
  refreshed_at timestamptz NOT NULL,
  finalized_at timestamptz,
  voided_at timestamptz,
  PRIMARY KEY (organization, id),
  CONSTRAINT invoices_number_once UNIQUE (sequence, organization),
  CONSTRAINT invoices_number_text_once UNIQUE (number, organization),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT invoices_totals CHECK (
    total_minor = due_minor + paid_credits_minor + balance_used_minor - to_balance_minor),
  CONSTRAINT invoices_finalized CHECK (
    (status = 'draft') = (finalized_at IS NULL) AND (finalized_at IS NULL) = (sequence IS NULL)
    AND (sequence IS NULL) = (number IS NULL) AND (number IS NULL) = (buyer IS NULL)
    AND (buyer IS NULL) = (payment_due_at IS NULL) AND (status = 'voided') = (voided_at IS NOT NULL))
);
ALTER TABLE invoices
  ALTER watermark SET STATISTICS 0, ALTER taxes SET STATISTICS 0, ALTER notices SET STATISTICS 0, ALTER buyer SET STATISTICS 0,
  ALTER seller SET STATISTICS 0;
CREATE INDEX invoices_by_customer ON invoices (customer, id);
CREATE INDEX invoices_drafts ON invoices (customer, boundary) WHERE status = 'draft';

-- One per subscription, period start and kind, whoever asks how often and whatever a workflow does; an invoice that was
-- voided makes room for another.
CREATE TABLE invoice_sections (
  organization text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  subscription text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,       -- whose subscription it is
  kind text NOT NULL CHECK (kind IN ('start', 'threshold', 'period', 'closing')),
  -- Sections of a subscription follow one another by their end and, at one instant, by this.
  rank smallint NOT NULL GENERATED ALWAYS AS (CASE kind WHEN 'start' THEN 0 WHEN 'threshold' THEN 1 WHEN 'period' THEN 2 ELSE 3 END) STORED,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  plan_version text COLLATE "C" NOT NULL,   -- the one in force in its last instant; no foreign key, see invoice_lines.price
  is_void boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization, invoice, position),
  -- Deferred, here and below: an invoice that is finalized at once is written after its parts, and is closed from then on.
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (organization, customer, subscription) REFERENCES subscriptions (organization, customer, id),
  CONSTRAINT invoice_sections_period CHECK (period_end >= period_start)
);
CREATE UNIQUE INDEX invoice_sections_once ON invoice_sections (subscription, period_start, kind)
  WHERE NOT is_void;
CREATE INDEX invoice_sections_by_end ON invoice_sections (subscription, period_end) WHERE NOT is_void;
CREATE INDEX invoice_sections_by_customer ON invoice_sections (customer, invoice);

-- A charge's line: what it must come to in all, less what was billed of it before, with all that it was computed from.
CREATE TABLE invoice_lines (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  section integer NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  subscription text COLLATE "C" NOT NULL,   -- its section's
  kind text NOT NULL CHECK (kind IN ('charge', 'adjustment', 'reversal')),
  item text COLLATE "C" NOT NULL CHECK (length(item) BETWEEN 1 AND 192),
  service_start timestamptz NOT NULL,       -- the full service period: with the item, the charge's key
  service_end timestamptz NOT NULL,
  covered_start timestamptz NOT NULL,
  covered_end timestamptz NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 600),
  tax_category text NOT NULL,
  price text COLLATE "C",                   -- prices and meters' versions are never deleted: checking millions of lines
  meter_version text COLLATE "C",           -- against a handful of them locks these rows for nothing
  subjects jsonb NOT NULL,                  -- [{subject, from, to}]: whose usage
  quantity numeric,
  events bigint NOT NULL CHECK (events >= 0),
  computation jsonb NOT NULL,               -- the rated portions, or what an adjustment followed from
  exact numeric NOT NULL,                   -- what the charge comes to in all, in major units, before it is rounded
  target_gross_minor numeric(38, 0) NOT NULL,
  target_minor numeric(38, 0) NOT NULL,
  billed_gross_minor numeric(38, 0) NOT NULL,
  billed_minor numeric(38, 0) NOT NULL,
  gross_minor numeric(38, 0) NOT NULL,
  amount_minor numeric(38, 0) NOT NULL,     -- after discounts
  promotional_minor numeric(38, 0) NOT NULL CHECK (promotional_minor >= 0),
  taxable_minor numeric(38, 0) NOT NULL,    -- after promotional credits, without tax
  tax_minor numeric(38, 0) NOT NULL,
  tax_rate jsonb NOT NULL,
  is_correction boolean NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (invoice, section, item, service_start, service_end),
  CONSTRAINT invoice_lines_service CHECK (service_end > service_start),
  CONSTRAINT invoice_lines_difference CHECK (
    amount_minor = target_minor - billed_minor AND gross_minor = target_gross_minor - billed_gross_minor)
);
-- Nobody searches by these, and ANALYZE reads all columns again and again while a run fills the table.
ALTER TABLE invoice_lines
  ALTER subjects SET STATISTICS 0, ALTER computation SET STATISTICS 0, ALTER tax_rate SET STATISTICS 0, ALTER exact SET STATISTICS 0,
  ALTER name SET STATISTICS 0, ALTER target_gross_minor SET STATISTICS 0, ALTER target_minor SET STATISTICS 0,
  ALTER billed_gross_minor SET STATISTICS 0, ALTER billed_minor SET STATISTICS 0, ALTER gross_minor SET STATISTICS 0,
  ALTER amount_minor SET STATISTICS 0, ALTER promotional_minor SET STATISTICS 0, ALTER taxable_minor SET STATISTICS 0,
  ALTER tax_minor SET STATISTICS 0, ALTER quantity SET STATISTICS 0, ALTER events SET STATISTICS 0,
  ALTER covered_start SET STATISTICS 0, ALTER covered_end SET STATISTICS 0;
CREATE INDEX invoice_lines_by_subscription ON invoice_lines (subscription, service_end);

-- How far a subscription's billing has come. Whatever changes the subscription, or what is billed of it, takes its row
-- first and counts it up, so that no two invoices subtract the same past.
CREATE TABLE billing_progress (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  done_until timestamptz,                   -- the boundaries up to here have had their turn
  version bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (organization, subscription),
  FOREIGN KEY (organization, subscription) REFERENCES subscriptions (organization, id)
) WITH (fillfactor = 80);

-- The last number of each series; taken in the transaction that uses it, so that there is no gap.
CREATE TABLE invoice_numbers (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  series text NOT NULL CHECK (series IN ('invoice', 'credit_note')),
  last bigint NOT NULL CHECK (last >= 0),
  PRIMARY KEY (organization, series)
) WITH (fillfactor = 50);

-- What is given back of a finalized invoice. One that voids it gives back everything.
CREATE TABLE credit_notes (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  invoice text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  sequence bigint NOT NULL CHECK (sequence > 0),
  number text NOT NULL CHECK (length(number) BETWEEN 1 AND 64),
  voids boolean NOT NULL,
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),
  net_minor numeric(38, 0) NOT NULL,
  tax_minor numeric(38, 0) NOT NULL,
  to_balance_minor numeric(38, 0) NOT NULL CHECK (to_balance_minor >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  CONSTRAINT credit_notes_number_once UNIQUE (sequence, organization),
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id)
);
CREATE INDEX credit_notes_by_invoice ON credit_notes (invoice);
CREATE UNIQUE INDEX credit_notes_void_once ON credit_notes (invoice) WHERE voids;

CREATE TABLE credit_note_lines (
  organization text COLLATE "C" NOT NULL,
  credit_note text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  line text COLLATE "C" NOT NULL,
  net_minor numeric(38, 0) NOT NULL,
  tax_minor numeric(38, 0) NOT NULL,
  PRIMARY KEY (organization, credit_note, position),
  FOREIGN KEY (organization, credit_note) REFERENCES credit_notes (organization, id),
  FOREIGN KEY (organization, line) REFERENCES invoice_lines (organization, id)
);
CREATE INDEX credit_note_lines_by_line ON credit_note_lines (line);

-- A line is in a section that is there: once per statement, for the same reason.
CREATE FUNCTION weir_find_sections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing record;
BEGIN
  SELECT named.* INTO missing
  FROM (SELECT DISTINCT organization, invoice, section FROM written) named
  WHERE NOT EXISTS (SELECT FROM invoice_sections s WHERE s.organization = named.organization AND s.invoice = named.invoice
                      AND s.position = named.section OFFSET 0)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a line names section % of invoice %, which is not there', missing.section, missing.invoice
      USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_lines_sections AFTER INSERT ON invoice_lines
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION weir_find_sections();
ALTER TABLE invoice_lines ENABLE ALWAYS TRIGGER invoice_lines_sections;
-- And stays there as long as its lines do.
CREATE FUNCTION weir_keep_sections_of_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gone g CROSS JOIN LATERAL (SELECT FROM invoice_lines l WHERE l.invoice = g.invoice
               AND l.section = g.position AND l.organization = g.organization OFFSET 0) l) THEN
    RAISE EXCEPTION 'a section cannot be deleted before its lines' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_sections_lines AFTER DELETE ON invoice_sections
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_sections_of_lines();
ALTER TABLE invoice_sections ENABLE ALWAYS TRIGGER invoice_sections_lines;

-- A finalized invoice is as it is: only that it was voided may be added to it.
CREATE FUNCTION weir_keep_finalized_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'draft' AND TG_OP = 'UPDATE' THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND OLD.status = 'finalized' AND NEW.status = 'voided' AND NEW.voided_at IS NOT NULL
     AND to_jsonb(NEW) - 'status' - 'voided_at' = to_jsonb(OLD) - 'status' - 'voided_at' THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' AND OLD.status = 'draft' THEN RETURN OLD; END IF;
  RAISE EXCEPTION '% on invoice % refused: a finalized invoice never changes', TG_OP, OLD.id
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER invoices_immutable BEFORE UPDATE OR DELETE ON invoices
  FOR EACH ROW EXECUTE FUNCTION weir_keep_finalized_invoice();
ALTER TABLE invoices ENABLE ALWAYS TRIGGER invoices_immutable;

-- Lines and sections are their invoice's. Once per statement, since a run writes thousands of lines in one.
CREATE FUNCTION weir_keep_finalized_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Looked up one by one by their keys, whatever the planner thinks of the tables' sizes.
  IF EXISTS (SELECT FROM (SELECT DISTINCT organization, invoice FROM changed) c
             CROSS JOIN LATERAL (SELECT i.status FROM invoices i
                                 WHERE i.organization = c.organization AND i.id = c.invoice OFFSET 0) i
             WHERE i.status <> 'draft') THEN
    RAISE EXCEPTION '% on % refused: a finalized invoice never changes', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_lines_kept_from_insert AFTER INSERT ON invoice_lines
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_finalized_parts();
CREATE TRIGGER invoice_lines_kept_from_update AFTER UPDATE ON invoice_lines
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_finalized_parts();
CREATE TRIGGER invoice_lines_kept_from_delete AFTER DELETE ON invoice_lines
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_finalized_parts();
CREATE TRIGGER invoice_sections_kept_from_insert AFTER INSERT ON invoice_sections
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_finalized_parts();
CREATE TRIGGER invoice_sections_kept_from_delete AFTER DELETE ON invoice_sections
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_finalized_parts();
-- A section never changes but that its invoice's voiding frees its place.
CREATE FUNCTION weir_keep_section() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A generated column is not known yet in NEW.
  IF NEW.is_void AND to_jsonb(NEW) - 'is_void' - 'rank' = to_jsonb(OLD) - 'is_void' - 'rank' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'UPDATE on invoice_sections refused: a section never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER invoice_sections_immutable BEFORE UPDATE ON invoice_sections
  FOR EACH ROW EXECUTE FUNCTION weir_keep_section();

SELECT weir_protect('invoices');
SELECT weir_protect('invoice_sections');
SELECT weir_protect('invoice_lines');
SELECT weir_protect('billing_progress');
SELECT weir_protect('invoice_numbers');
SELECT weir_protect('credit_notes');
SELECT weir_protect('credit_note_lines');
SELECT weir_append_only('credit_notes');
SELECT weir_append_only('credit_note_lines');
REVOKE TRUNCATE ON invoices, invoice_sections, invoice_lines, billing_progress, invoice_numbers FROM weir_app;
REVOKE DELETE ON invoices, billing_progress, invoice_numbers FROM weir_app;
