-- A customer on plans over time. What is scheduled, and what was, stands in rows with effective dates; a row that a
-- later change replaces stays, marked with the revision that did: the subscription as any revision left it can be read.
CREATE TABLE subscriptions (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  anchor_day integer NOT NULL CHECK (anchor_day BETWEEN 1 AND 31),
  anchor_month integer CHECK (anchor_month BETWEEN 1 AND 12),
  anchor_weekday integer CHECK (anchor_weekday BETWEEN 1 AND 7),
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),   -- where it began
  started_at timestamptz NOT NULL,      -- the first instant of a local day, as all dates of it
  trial_end timestamptz,
  ends_at timestamptz,                  -- exclusive; the day of termination is included
  canceled_at timestamptz,
  revision integer NOT NULL CHECK (revision >= 1),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (customer, id, organization),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT subscriptions_end CHECK (ends_at >= started_at),
  CONSTRAINT subscriptions_canceled CHECK ((ends_at IS NULL) = (canceled_at IS NULL))
);

-- What was changed, from when on, and by whom: the subscription's history.
CREATE TABLE subscription_changes (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  revision integer NOT NULL CHECK (revision >= 1),
  action text NOT NULL CHECK (action ~ '^[a-z_]+$' AND length(action) <= 64),
  effective_at timestamptz NOT NULL,
  details jsonb NOT NULL,
  actor text COLLATE "C" NOT NULL,      -- an api key's id, or 'system'
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (organization, subscription, revision),
  FOREIGN KEY (organization, subscription) REFERENCES subscriptions (organization, id)
);

CREATE TABLE subscription_phases (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  plan_version text COLLATE "C" NOT NULL,
  phase text,
  billing_interval text NOT NULL CHECK (billing_interval IN ('week', 'month', 'quarter', 'year')),
  overrides jsonb NOT NULL,             -- {price key: PriceModelJson of rating/core}
  added_in integer NOT NULL,
  removed_in integer,
  PRIMARY KEY (organization, subscription, valid_from, added_in),
  FOREIGN KEY (organization, subscription, added_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, subscription, removed_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, plan_version) REFERENCES plan_versions (organization, id),
  CONSTRAINT subscription_phases_span CHECK (valid_to > valid_from),
  CONSTRAINT subscription_phases_removed CHECK (removed_in > added_in)
);
CREATE UNIQUE INDEX subscription_phases_one ON subscription_phases (organization, subscription, valid_from)
  WHERE removed_in IS NULL;

CREATE TABLE subscription_quantities (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  price_key text COLLATE "C" NOT NULL CHECK (length(price_key) <= 64),
  valid_from timestamptz NOT NULL,
  quantity numeric(25, 12) NOT NULL CHECK (quantity >= 0),
  added_in integer NOT NULL,
  removed_in integer,
  PRIMARY KEY (organization, subscription, price_key, valid_from, added_in),
  FOREIGN KEY (organization, subscription, added_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, subscription, removed_in) REFERENCES subscription_changes (organization, subscription, revision),
  CONSTRAINT subscription_quantities_removed CHECK (removed_in > added_in)
);
CREATE UNIQUE INDEX subscription_quantities_one ON subscription_quantities (organization, subscription, price_key, valid_from)
  WHERE removed_in IS NULL;

CREATE TABLE subscription_add_ons (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  add_on_version text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  quantity numeric(25, 12) NOT NULL CHECK (quantity > 0),
  billing_interval text NOT NULL CHECK (billing_interval IN ('week', 'month', 'quarter', 'year')),
  added_in integer NOT NULL,
  removed_in integer,
  PRIMARY KEY (organization, subscription, id, added_in),
  FOREIGN KEY (organization, subscription, added_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, subscription, removed_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, add_on_version) REFERENCES add_on_versions (organization, id),
  CONSTRAINT subscription_add_ons_span CHECK (valid_to > valid_from),
  CONSTRAINT subscription_add_ons_removed CHECK (removed_in > added_in)
);
CREATE UNIQUE INDEX subscription_add_ons_one ON subscription_add_ons (organization, subscription, id)
  WHERE removed_in IS NULL;

CREATE TABLE subscription_coupons (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  coupon text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  added_in integer NOT NULL,
  removed_in integer,
  PRIMARY KEY (organization, subscription, coupon, valid_from, added_in),
  FOREIGN KEY (organization, subscription, added_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, subscription, removed_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, coupon) REFERENCES coupons (organization, id),
  CONSTRAINT subscription_coupons_span CHECK (valid_to > valid_from),
  CONSTRAINT subscription_coupons_removed CHECK (removed_in > added_in)
);
CREATE UNIQUE INDEX subscription_coupons_one ON subscription_coupons (organization, coupon, subscription, valid_from)
  WHERE removed_in IS NULL;

-- Zones after the first, each from a boundary on.
CREATE TABLE subscription_time_zones (
  organization text COLLATE "C" NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  added_in integer NOT NULL,
  removed_in integer,
  PRIMARY KEY (organization, subscription, valid_from, added_in),
  FOREIGN KEY (organization, subscription, added_in) REFERENCES subscription_changes (organization, subscription, revision),
  FOREIGN KEY (organization, subscription, removed_in) REFERENCES subscription_changes (organization, subscription, revision),
  CONSTRAINT subscription_time_zones_removed CHECK (removed_in > added_in)
);
CREATE UNIQUE INDEX subscription_time_zones_one ON subscription_time_zones (organization, subscription, valid_from)
  WHERE removed_in IS NULL;

SELECT weir_protect('subscriptions');
SELECT weir_protect('subscription_changes');
SELECT weir_protect('subscription_phases');
SELECT weir_protect('subscription_quantities');
SELECT weir_protect('subscription_add_ons');
SELECT weir_protect('subscription_coupons');
SELECT weir_protect('subscription_time_zones');
SELECT weir_append_only('subscription_changes');
REVOKE UPDATE, DELETE, TRUNCATE ON subscriptions, subscription_phases, subscription_quantities, subscription_add_ons,
  subscription_coupons, subscription_time_zones FROM weir_app;
GRANT UPDATE (trial_end, ends_at, canceled_at, revision) ON subscriptions TO weir_app;
GRANT UPDATE (removed_in) ON subscription_phases, subscription_quantities, subscription_add_ons, subscription_coupons,
  subscription_time_zones TO weir_app;
