-- The prices of a plan version, or of an add-on version; never changed once written.
CREATE TABLE prices (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  plan_version text COLLATE "C",
  add_on_version text COLLATE "C",
  position integer NOT NULL CHECK (position >= 0),
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  product text COLLATE "C",
  charge text NOT NULL CHECK (charge IN ('usage', 'flat', 'licensed', 'one_off')),
  timing text NOT NULL CHECK (timing IN ('advance', 'arrears')),
  billing_interval text NOT NULL CHECK (billing_interval IN ('week', 'month', 'quarter', 'year')),
  prorated boolean NOT NULL,
  meter text COLLATE "C",
  meter_slug text CHECK (length(meter_slug) BETWEEN 1 AND 64),     -- as it was called then
  filters jsonb NOT NULL CHECK (jsonb_typeof(filters) = 'array'),  -- [{property, values}]
  included numeric CHECK (included > 0),
  phases text[],
  model jsonb NOT NULL,                                            -- PriceModelJson of rating/core: decimals as text
  currencies jsonb NOT NULL CHECK (jsonb_typeof(currencies) = 'object'), -- {currency: PriceModelJson}
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, plan_version, id),
  UNIQUE (organization, plan_version, key),
  UNIQUE (organization, plan_version, position),
  UNIQUE (organization, add_on_version, id),
  UNIQUE (organization, add_on_version, key),
  UNIQUE (organization, add_on_version, position),
  FOREIGN KEY (organization, plan_version) REFERENCES plan_versions (organization, id),
  FOREIGN KEY (organization, add_on_version) REFERENCES add_on_versions (organization, id),
  FOREIGN KEY (organization, product) REFERENCES products (organization, id),
  FOREIGN KEY (organization, meter) REFERENCES meters (organization, id),
  CONSTRAINT prices_owner CHECK (num_nonnulls(plan_version, add_on_version) = 1),
  CONSTRAINT prices_meter CHECK ((charge = 'usage') = (meter IS NOT NULL) AND (meter IS NULL) = (meter_slug IS NULL)),
  CONSTRAINT prices_timing CHECK (CASE charge WHEN 'usage' THEN timing = 'arrears' WHEN 'one_off' THEN timing = 'advance' ELSE true END)
);

SELECT weir_protect('prices');
SELECT weir_append_only('prices');
