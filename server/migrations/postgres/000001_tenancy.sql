-- What keeps organizations apart. Runs in schema weir, which the migration runner has made, together with the
-- roles: weir_app, which every request's transaction takes, and weir_system, which schedulers and sign-in take.
-- Neither owns anything; what they may do is granted table by table.
GRANT USAGE ON SCHEMA weir TO weir_app, weir_system;

-- Puts a table under the rule of tenancy: column organization first in the primary key, row-level security forced on
-- the owner too, and weir_app confined to the organization bound to the transaction. After a transaction the
-- setting reads '' rather than NULL; no organization has that id, so both hide every row. The owner sees rows only while
-- weir.maintenance is on, as it is during migrations: otherwise an UPDATE in a migration would find nothing, silently.
CREATE FUNCTION weir_protect(protected regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first_key text;
BEGIN
  SELECT a.attname INTO first_key
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = protected AND i.indisprimary;
  IF first_key IS DISTINCT FROM 'organization' THEN
    RAISE EXCEPTION 'the primary key of % must begin with organization', protected;
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', protected);
  -- Every statement names one organization. Knowing which ones are large, the planner takes a new one for all but empty and
  -- joins its rows without indexes: 500 subscriptions of a second organization took minutes instead of milliseconds.
  -- For the same reason further indexes do not begin with organization: while a table is new, each that does looks as good
  -- as the primary key, and one of them is taken although it finds every row of the organization.
  EXECUTE format('ALTER TABLE %s ALTER COLUMN organization SET STATISTICS 0', protected);
  EXECUTE format(
    'CREATE POLICY organization_isolation ON %s TO weir_app '
    'USING (organization = current_setting(''weir.organization'', true)) '
    'WITH CHECK (organization = current_setting(''weir.organization'', true))', protected);
  EXECUTE format(
    'CREATE POLICY maintenance ON %s TO CURRENT_USER USING (current_setting(''weir.maintenance'', true) = ''on'')', protected);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO weir_app', protected);
END $$;

CREATE FUNCTION weir_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % refused: the table is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

-- Makes a table append-only, for its owner and for superusers too.
CREATE FUNCTION weir_append_only(kept regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM PUBLIC, weir_app, weir_system', kept);
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON %s '
    'FOR EACH ROW EXECUTE FUNCTION weir_refuse_change()', kept);
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION weir_refuse_change()', kept);
  -- ALWAYS: also under session_replication_role = replica.
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_rows, ENABLE ALWAYS TRIGGER append_only_table', kept);
END $$;

REVOKE EXECUTE ON FUNCTION weir_protect(regclass), weir_append_only(regclass) FROM PUBLIC;
