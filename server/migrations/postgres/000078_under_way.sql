-- What is under way at a provider, few rows of many: asked for at every look into its list of events.
CREATE INDEX payment_attempts_under_way ON payment_attempts (account, organization)
  WHERE state IN ('pending', 'processing', 'requires_action', 'unknown');
CREATE INDEX refunds_under_way ON refunds (payment, organization) WHERE state = 'pending';
CREATE INDEX disputes_under_way ON disputes (account, organization) WHERE state IN ('inquiry', 'needs_response', 'under_review');
CREATE INDEX payouts_under_way ON payouts (account, organization) WHERE state IN ('pending', 'in_transit');
