-- How an organization taxes what it sells: one row, changed as a whole and audited.
CREATE TABLE tax_settings (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  country text COLLATE "C" NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  region text COLLATE "C" CHECK (region ~ '^[A-Z0-9]{1,3}$'),
  prices_include_tax boolean NOT NULL,
  built_in_rates boolean NOT NULL,
  registrations jsonb NOT NULL CHECK (jsonb_typeof(registrations) = 'array'),  -- [{country, taxId?, from?, to?}], days
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization)
);

-- Rates of the organization's own. A row never changes but by its one ending: another rate is another row, and of the
-- rows that began the latest counts. Days are the buyer's local days.
CREATE TABLE tax_rates (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  country text COLLATE "C" NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  region text COLLATE "C" CHECK (region ~ '^[A-Z0-9]{1,3}$'),
  category text COLLATE "C" NOT NULL CHECK (category ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(category) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  percent numeric(9, 6) NOT NULL CHECK (percent BETWEEN 0 AND 100),
  treatment text NOT NULL CHECK (treatment IN ('taxed', 'exempt')),
  inclusive boolean,                    -- the settings' when null
  note text CHECK (length(note) BETWEEN 1 AND 512),
  valid_from date NOT NULL,
  valid_to date,                        -- the last day
  created_at timestamptz NOT NULL,
  ended_at timestamptz,                 -- when the ending was decided
  PRIMARY KEY (organization, id),
  CONSTRAINT tax_rates_one_beginning UNIQUE NULLS NOT DISTINCT (organization, country, region, category, valid_from),
  CONSTRAINT tax_rates_exempt CHECK (treatment = 'taxed' OR percent = 0),
  CONSTRAINT tax_rates_span CHECK (valid_to >= valid_from),
  CONSTRAINT tax_rates_ending CHECK ((valid_to IS NULL) = (ended_at IS NULL))
);

CREATE FUNCTION weir_tax_rates_only_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.valid_to IS NOT NULL
     OR to_jsonb(NEW) - 'valid_to' - 'ended_at' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' - 'ended_at' THEN
    RAISE EXCEPTION 'UPDATE on tax_rates refused: a rate can only be ended, once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_end BEFORE UPDATE ON tax_rates FOR EACH ROW EXECUTE FUNCTION weir_tax_rates_only_end();

SELECT weir_protect('tax_settings');
SELECT weir_protect('tax_rates');
REVOKE DELETE, TRUNCATE ON tax_settings FROM weir_app;
REVOKE UPDATE, DELETE, TRUNCATE ON tax_rates FROM weir_app;
GRANT UPDATE (valid_to, ended_at) ON tax_rates TO weir_app;
