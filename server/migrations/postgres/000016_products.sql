-- What is sold, as taxes and reports see it. Its key stays, and so does the product; its name and its tax category may
-- change: invoices that are finalized keep what they were computed from.
CREATE TABLE products (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(key) <= 64),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  tax_category text COLLATE "C" NOT NULL CHECK (tax_category ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' AND length(tax_category) <= 64),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key)
);
SELECT weir_protect('products');
REVOKE UPDATE, DELETE, TRUNCATE ON products FROM weir_app;
GRANT UPDATE (name, tax_category) ON products TO weir_app;
