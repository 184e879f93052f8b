-- Who is billed, and which subjects (the keys that usage arrives under) are theirs, and when.
CREATE TABLE customers (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  email text CHECK (length(email) BETWEEN 3 AND 320),
  address jsonb CHECK (jsonb_typeof(address) = 'object' AND length(address::text) <= 4096), -- BillingAddress
  tax_id text CHECK (length(tax_id) BETWEEN 1 AND 64),
  tax_exempt text NOT NULL DEFAULT 'none' CHECK (tax_exempt IN ('none', 'exempt', 'reverse_charge')),
  payment_terms_days integer NOT NULL DEFAULT 30 CHECK (payment_terms_days BETWEEN 0 AND 365),
  locale text CHECK (length(locale) BETWEEN 2 AND 35),
  electronic_address text CHECK (length(electronic_address) BETWEEN 4 AND 300),  -- where its e-invoices go: 0204:991-01234-56
  registration_number text CHECK (length(registration_number) BETWEEN 1 AND 64),  -- in a register of companies
  buyer_reference text CHECK (length(buyer_reference) BETWEEN 1 AND 128),        -- what it wants named: a Leitweg-ID, an order
  payer text COLLATE "C",               -- who pays its invoices; itself when null
  has_payer boolean NOT NULL GENERATED ALWAYS AS (payer IS NOT NULL) STORED,
  payer_has_payer boolean GENERATED ALWAYS AS (CASE WHEN payer IS NOT NULL THEN false END) STORED,
  erased_at timestamptz,                -- when its personal data was replaced, for good
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization, id),
  UNIQUE (organization, key),
  UNIQUE (organization, id, has_payer),
  CONSTRAINT customers_payer_other CHECK (payer <> id),
  -- A payer pays for itself: the key it is referred to by says that it has no payer. So there are no chains and no cycles.
  CONSTRAINT customers_payer_no_chain FOREIGN KEY (organization, payer, payer_has_payer)
    REFERENCES customers (organization, id, has_payer)
);
CREATE INDEX customers_by_payer ON customers (payer, id) WHERE payer IS NOT NULL;

-- A range of one text value compares for equality under GiST without any extension (btree_gist would have to be
-- installed by the owner of a database that is not ours). Measured: 0.14 ms an insert into 50,000 rows, btree_gist 0.06.
CREATE TYPE subject_key AS RANGE (subtype = text, collation = "C", multirange_type_name = subject_keys);

-- A subject belongs to one customer at a time: half-open spans [valid_from, valid_to), open while valid_to is null.
-- Organization ids hold no '/', so organization and subject cannot run into one another.
CREATE TABLE customer_subjects (
  organization text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL CHECK (length(subject) BETWEEN 1 AND 512),
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  PRIMARY KEY (organization, subject, valid_from),
  FOREIGN KEY (organization, customer) REFERENCES customers (organization, id),
  CONSTRAINT customer_subjects_span CHECK (valid_to > valid_from),
  CONSTRAINT customer_subjects_one_owner EXCLUDE USING gist (
    subject_key(organization || '/' || subject, organization || '/' || subject, '[]') WITH =,
    tstzrange(valid_from, valid_to) WITH &&
  )
);
CREATE INDEX customer_subjects_by_customer ON customer_subjects (customer, subject, valid_from);

SELECT weir_protect('customers');
SELECT weir_protect('customer_subjects');
REVOKE DELETE, TRUNCATE ON customers FROM weir_app;
