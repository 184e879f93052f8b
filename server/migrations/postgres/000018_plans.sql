-- The catalog: what is sold. A plan has versions; a version and its prices never change once written, so that an
-- invoice can name them forever.
CREATE TABLE plans (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key)
);

-- The version in force at an instant is the latest with effective_from at or before it, of equals the newest.
CREATE TABLE plan_versions (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  plan text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  billing_interval text NOT NULL CHECK (billing_interval IN ('week', 'month', 'quarter', 'year')),
  effective_from timestamptz NOT NULL,
  trial_days integer NOT NULL CHECK (trial_days >= 0),
  grace_hours integer CHECK (grace_hours >= 0),
  terms jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'object'),  -- PlanTermsJson: phases, minimum, maximum, commitments, threshold
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, plan, version),
  UNIQUE (organization, plan, id),
  FOREIGN KEY (organization, plan) REFERENCES plans (organization, id)
);
CREATE INDEX plan_versions_in_force ON plan_versions (organization, plan, effective_from DESC, version DESC);

SELECT weir_protect('plans');
SELECT weir_protect('plan_versions');
SELECT weir_append_only('plans');
SELECT weir_append_only('plan_versions');
