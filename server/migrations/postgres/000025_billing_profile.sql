-- What an organization's invoices say about the seller: one row, changed as a whole and audited. A finalized invoice
-- keeps its own copy.
CREATE TABLE billing_profiles (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  legal_name text NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 256),
  line1 text CHECK (length(line1) BETWEEN 1 AND 256),
  line2 text CHECK (length(line2) BETWEEN 1 AND 256),
  city text CHECK (length(city) BETWEEN 1 AND 128),
  postal_code text CHECK (length(postal_code) BETWEEN 1 AND 32),
  region text CHECK (length(region) BETWEEN 1 AND 128),
  country text COLLATE "C" CHECK (country ~ '^[A-Z]{2}$'),
  tax_id text CHECK (length(tax_id) BETWEEN 2 AND 64),
  email text CHECK (length(email) BETWEEN 3 AND 320),
  bank_details text CHECK (length(bank_details) BETWEEN 1 AND 1024),
  -- What e-invoices ask for (EN 16931) besides.
  registration_number text CHECK (length(registration_number) BETWEEN 1 AND 64),
  electronic_address text CHECK (length(electronic_address) BETWEEN 4 AND 300),
  contact_name text CHECK (length(contact_name) BETWEEN 1 AND 128),
  phone text CHECK (length(phone) BETWEEN 1 AND 64),
  iban text CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
  bic text CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),
  time_zone text CHECK (length(time_zone) BETWEEN 1 AND 64),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization)
);
SELECT weir_protect('billing_profiles');
REVOKE DELETE, TRUNCATE ON billing_profiles FROM weir_app;
