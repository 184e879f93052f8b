-- Who changed what, when, with which key, before and after. Written in the transaction of the change.
CREATE TABLE audit_log (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  actor text COLLATE "C" NOT NULL,                 -- an api key's id, or 'system'
  action text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$' AND length(action) <= 64),
  target text COLLATE "C" NOT NULL CHECK (length(target) <= 2048),  -- an event is "source/id", of up to 1,537
  before jsonb,
  after jsonb,
  PRIMARY KEY (organization, id)
);
ALTER TABLE audit_log ALTER before SET STATISTICS 0, ALTER after SET STATISTICS 0;
CREATE INDEX audit_log_by_target ON audit_log (target, organization, id);
SELECT weir_protect('audit_log');
SELECT weir_append_only('audit_log');
CREATE POLICY system ON audit_log FOR INSERT TO weir_system WITH CHECK (true);
GRANT INSERT ON audit_log TO weir_system;
