-- The catalog: what is sold. A plan has versions; a version and its prices never change once written, so that an
-- invoice can name them forever.
CREATE TABLE plans (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  current_version text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key)
);

CREATE TABLE plan_versions (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  plan text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  billing_interval text NOT NULL CHECK (billing_interval IN ('month')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, plan, version),
  UNIQUE (organization, plan, id),
  FOREIGN KEY (organization, plan) REFERENCES plans (organization, id)
);
-- The current version is one of the plan's own.
ALTER TABLE plans ADD FOREIGN KEY (organization, id, current_version)
  REFERENCES plan_versions (organization, plan, id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE prices (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  plan_version text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  meter text COLLATE "C" NOT NULL,
  meter_slug text NOT NULL CHECK (length(meter_slug) BETWEEN 1 AND 64),   -- as it was called then
  model jsonb NOT NULL,   -- PriceModelJson of rating/core: decimals as text
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, plan_version, id),
  UNIQUE (organization, plan_version, key),
  UNIQUE (organization, plan_version, position),
  FOREIGN KEY (organization, plan_version) REFERENCES plan_versions (organization, id),
  FOREIGN KEY (organization, meter) REFERENCES meters (organization, id)
);

SELECT weir_protect('plans');
SELECT weir_protect('plan_versions');
SELECT weir_protect('prices');
SELECT weir_append_only('plan_versions');
SELECT weir_append_only('prices');
