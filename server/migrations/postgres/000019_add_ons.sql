-- What may be put on top of a subscription. Versions as with plans; the newest is sold.
CREATE TABLE add_ons (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key)
);

CREATE TABLE add_on_versions (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  add_on text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  billing_interval text NOT NULL CHECK (billing_interval IN ('week', 'month', 'quarter', 'year')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, add_on, version),
  FOREIGN KEY (organization, add_on) REFERENCES add_ons (organization, id)
);

SELECT weir_protect('add_ons');
SELECT weir_protect('add_on_versions');
SELECT weir_append_only('add_ons');
SELECT weir_append_only('add_on_versions');
