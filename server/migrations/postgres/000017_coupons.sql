-- Discounts that customers redeem. What a coupon takes off never changes, since people were promised it; it can be
-- archived, once and for all.
CREATE TABLE coupons (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  percent numeric CHECK (percent > 0 AND percent <= 100),
  amounts jsonb CHECK (jsonb_typeof(amounts) = 'object'),         -- {currency: major units as text}
  duration text NOT NULL CHECK (duration IN ('once', 'months', 'forever')),
  months integer CHECK (months >= 1),
  applies_to jsonb CHECK (jsonb_typeof(applies_to) = 'object'),   -- {prices: [key], products: [key]}; null for everything
  redemptions_max integer CHECK (redemptions_max >= 1),
  expires_at timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key),
  CONSTRAINT coupons_off CHECK (num_nonnulls(percent, amounts) = 1),
  CONSTRAINT coupons_months CHECK ((duration = 'months') = (months IS NOT NULL))
);

CREATE TABLE coupon_archivals (
  organization text COLLATE "C" NOT NULL,
  coupon text COLLATE "C" NOT NULL,
  archived_at timestamptz NOT NULL,
  PRIMARY KEY (organization, coupon),
  FOREIGN KEY (organization, coupon) REFERENCES coupons (organization, id)
);

SELECT weir_protect('coupons');
SELECT weir_protect('coupon_archivals');
SELECT weir_append_only('coupons');
SELECT weir_append_only('coupon_archivals');
