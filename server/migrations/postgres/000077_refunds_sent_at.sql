-- In real time: what the provider's key window counts from; none for what Weir did not send. Until now the organization's time
-- stood in for it, which on a test clock says nothing.
ALTER TABLE refunds ADD COLUMN sent_at timestamptz;
UPDATE refunds SET sent_at = least(created_at, now()) WHERE state = 'pending';
