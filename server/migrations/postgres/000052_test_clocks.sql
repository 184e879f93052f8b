-- The clock of an organization in test mode: it stands still until it is advanced, and never goes back. Starting one is
-- for good, and is the only way from live mode to test mode.
CREATE TABLE test_clocks (
  organization text COLLATE "C" PRIMARY KEY REFERENCES organizations (id),
  now timestamptz NOT NULL,
  started_at timestamptz NOT NULL,                 -- in real time
  state text NOT NULL CHECK (state IN ('idle', 'advancing', 'stopped')),
  target timestamptz,                              -- of the advance under way, or the last
  advance integer NOT NULL DEFAULT 0,              -- counts them
  stopped_by text COLLATE "C",                     -- the run that failed
  reason text,
  changed_at timestamptz NOT NULL,                 -- in real time
  CONSTRAINT test_clocks_target CHECK (target IS NOT NULL OR state = 'idle'),
  CONSTRAINT test_clocks_reason CHECK ((state = 'stopped') = (reason IS NOT NULL))
);
SELECT weir_protect('test_clocks');
REVOKE DELETE ON test_clocks FROM weir_app;
CREATE FUNCTION weir_clock_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.now < OLD.now THEN
    RAISE EXCEPTION 'a test clock never goes back: % is before %', NEW.now, OLD.now USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER test_clocks_go_on BEFORE UPDATE ON test_clocks FOR EACH ROW EXECUTE FUNCTION weir_clock_goes_on();
-- Every process keeps all clocks in memory.
CREATE POLICY system ON test_clocks FOR SELECT TO weir_system USING (true);
GRANT SELECT ON test_clocks TO weir_system;

CREATE POLICY organization_to_test ON organizations FOR UPDATE TO weir_app
  USING (id = current_setting('weir.organization', true))
  WITH CHECK (id = current_setting('weir.organization', true) AND mode = 'test');
GRANT UPDATE (mode) ON organizations TO weir_app;
