-- Of a refund that failed: what its invoice, paid otherwise or void by then, does not need any more, and is the customer's balance.
ALTER TABLE refunds ADD COLUMN to_balance_minor numeric(38, 0) NOT NULL DEFAULT 0
  CHECK (to_balance_minor BETWEEN 0 AND amount_minor),
  ADD CONSTRAINT refunds_to_balance CHECK (to_balance_minor = 0 OR (invoice IS NOT NULL AND state = 'failed'));
