-- How an organization writes its mails: one row, changed as a whole and audited.
CREATE TABLE mail_settings (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  from_name text CHECK (length(from_name) BETWEEN 1 AND 128),    -- beside the address that the operator set
  reply_to text CHECK (length(reply_to) BETWEEN 3 AND 254),
  copies text[] NOT NULL CHECK (cardinality(copies) <= 5),       -- who gets a blind copy of each
  send_invoices boolean NOT NULL,                                -- as they are finalized, by themselves
  send_payments boolean NOT NULL,                                -- receipts, failures, last reminders
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization)
);
SELECT weir_protect('mail_settings');
REVOKE DELETE, TRUNCATE ON mail_settings FROM weir_app;

-- A mail to one recipient: written in the transaction of what it tells, delivered later. Its row says what became of it.
CREATE TABLE mails (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('invoice', 'receipt', 'payment_failed', 'card_update', 'dunning_final', 'test')),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),  -- what it is about: told to a recipient once
  recipient text COLLATE "C" NOT NULL CHECK (length(recipient) BETWEEN 3 AND 320),
  addressed_to text CHECK (length(addressed_to) BETWEEN 3 AND 320),     -- whose copy it is, of a blind copy
  buyer text CHECK (length(buyer) BETWEEN 1 AND 256),                   -- the customer's name
  customer text COLLATE "C",
  invoice text COLLATE "C",
  locale text CHECK (length(locale) BETWEEN 2 AND 35),
  time_zone text CHECK (length(time_zone) BETWEEN 1 AND 64),
  content jsonb NOT NULL CHECK (length(content::text) <= 16384),        -- MailContent
  state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'suppressed')),
  reason text CHECK (length(reason) BETWEEN 1 AND 2048),                -- why it is not sent, or not yet
  reply text CHECK (length(reply) <= 1024),                             -- the SMTP server's last
  sending integer NOT NULL CHECK (sending >= 1),                        -- counts how often a person had it sent
  attempts integer NOT NULL CHECK (attempts >= 0),                      -- of this sending
  created_at timestamptz NOT NULL,                                      -- these in the organization's time
  queued_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  sent_at timestamptz,                                                  -- in real time
  PRIMARY KEY (organization, id),
  CONSTRAINT mails_once UNIQUE (key, recipient, kind, organization),
  FOREIGN KEY (organization, invoice) REFERENCES invoices (organization, id),
  CONSTRAINT mails_sent CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX mails_by_invoice ON mails (invoice, id) WHERE invoice IS NOT NULL;
CREATE INDEX mails_by_customer ON mails (customer, id) WHERE customer IS NOT NULL;
CREATE INDEX mails_due ON mails (due_at, id) WHERE state = 'queued';
SELECT weir_protect('mails');
REVOKE DELETE, TRUNCATE ON mails FROM weir_app;

-- Which run delivers an organization's mails: one at a time, until it lets go or has not been heard of for a while.
CREATE TABLE mail_deliveries (
  organization text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  held_until timestamptz NOT NULL,      -- in real time
  PRIMARY KEY (organization)
);
SELECT weir_protect('mail_deliveries');
REVOKE TRUNCATE ON mail_deliveries FROM weir_app;
