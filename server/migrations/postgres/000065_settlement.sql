-- Settlement (docs/spec/settlement.md): files of providers, schemes and banks, the records in them, and what each record
-- turned out to be. The file itself rests encrypted among the objects of `writer`'s data directory.
CREATE TABLE settlement_files (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  bytes bigint NOT NULL CHECK (bytes >= 0),
  writer text COLLATE "C" NOT NULL,
  asked_format text COLLATE "C" CHECK (length(asked_format) BETWEEN 1 AND 64),  -- named by whoever landed it
  state text NOT NULL CHECK (state IN ('landed', 'parsing', 'staged', 'matched', 'posted', 'held', 'refused', 'discarding')),
  attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),       -- how often it is read: again when a person says so
  run text COLLATE "C",                     -- that reads it, or did last
  waiver text CHECK (length(waiver) BETWEEN 1 AND 512),         -- why it is posted although something is wrong with it
  waived_by text COLLATE "C",
  format text COLLATE "C",                  -- from here on: what was found in it
  variant text CHECK (length(variant) <= 128),
  logical_id text COLLATE "C" CHECK (length(logical_id) BETWEEN 1 AND 512),     -- the sender's name for it
  bytes_done bigint NOT NULL DEFAULT 0 CHECK (bytes_done >= 0),
  records bigint NOT NULL DEFAULT 0 CHECK (records >= 0),       -- read so far
  repeated bigint NOT NULL DEFAULT 0 CHECK (repeated >= 0),     -- of them: posted from another file before
  matched bigint NOT NULL DEFAULT 0 CHECK (matched >= 0),       -- of them: allotted, whatever to
  unmatched bigint NOT NULL DEFAULT 0 CHECK (unmatched >= 0),   -- of those: at least in part in suspense
  posted bigint NOT NULL DEFAULT 0 CHECK (posted >= 0),         -- records up to this position are in the books
  period_from timestamptz,                  -- of its records: the first and the last
  period_to timestamptz,
  summary jsonb,                            -- what the whole file says of itself
  refusal jsonb,                            -- {line, record, field, detail, advice}
  landed_at timestamptz NOT NULL,           -- in the organization's time, as the others
  changed_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (organization, id),
  CONSTRAINT settlement_files_once UNIQUE (sha256, organization),
  FOREIGN KEY (organization, account) REFERENCES provider_accounts (organization, id),
  CONSTRAINT settlement_files_waiver CHECK ((waiver IS NULL) = (waived_by IS NULL)),
  CONSTRAINT settlement_files_refused CHECK (state = 'refused' OR refusal IS NULL),
  CONSTRAINT settlement_files_ended CHECK ((ended_at IS NOT NULL) = (state IN ('posted', 'refused')))
) WITH (fillfactor = 70);
CREATE INDEX settlement_files_by_account ON settlement_files (account, state, landed_at);
CREATE INDEX settlement_files_by_period ON settlement_files (account, period_to) WHERE state = 'posted';
-- The same file by its sender's name, though its bytes may differ: one is in the books at most.
CREATE UNIQUE INDEX settlement_files_logical_once ON settlement_files (logical_id, format, account, organization)
  WHERE logical_id IS NOT NULL AND state = 'posted' AND waiver IS NULL;

-- Numbers of files that are in the books, by series: what is missing between them is a file that never came.
CREATE TABLE settlement_sequences (
  organization text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  format text COLLATE "C" NOT NULL,
  series text COLLATE "C" NOT NULL CHECK (length(series) BETWEEN 1 AND 256),
  number numeric(38, 0) NOT NULL,
  file text COLLATE "C" NOT NULL,
  PRIMARY KEY (organization, account, format, series, number),
  FOREIGN KEY (organization, file) REFERENCES settlement_files (organization, id)
);

-- The movements that a file reports, in its order. They never change; those of a file that is not posted are deleted.
CREATE TABLE settlement_records (
  organization text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL,
  position integer NOT NULL CHECK (position > 0),     -- among the movements that its reader gives
  account text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  record integer NOT NULL CHECK (record > 0),         -- where it stands: message, row or entry
  line integer CHECK (line > 0),
  kind text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL,
  gross_minor numeric(38, 0) NOT NULL,
  settled_currency text COLLATE "C",
  settled_minor numeric(38, 0),
  fee_currency text COLLATE "C",
  fee_minor numeric(38, 0),
  at timestamptz NOT NULL,
  value_date date,
  refs text[] NOT NULL,                               -- what it says that it belongs to, the surest first
  ref text COLLATE "C",                               -- the sender's own id of what moved
  arn text COLLATE "C",
  payout text COLLATE "C",
  note text,                                          -- what the payer wrote
  counterparty text,
  is_reversal boolean NOT NULL,
  card_last4 text COLLATE "C",
  card_hash bytea CHECK (length(card_hash) = 32),     -- keyed: the number itself is nowhere
  repeats text COLLATE "C" CHECK (repeats IN ('in_file', 'otherwise')),
  decline_code text COLLATE "C",                      -- why the sender would not carry it out
  decline_message text,
  PRIMARY KEY (organization, file, position),
  -- A movement is in the books once, whatever files it comes in.
  CONSTRAINT settlement_records_once UNIQUE (key, account, organization)
);
ALTER TABLE settlement_records
  ALTER refs SET STATISTICS 0, ALTER note SET STATISTICS 0, ALTER counterparty SET STATISTICS 0, ALTER card_hash SET STATISTICS 0,
  ALTER gross_minor SET STATISTICS 0, ALTER settled_minor SET STATISTICS 0, ALTER fee_minor SET STATISTICS 0,
  ALTER line SET STATISTICS 0, ALTER record SET STATISTICS 0, ALTER decline_code SET STATISTICS 0, ALTER decline_message SET STATISTICS 0;
CREATE INDEX settlement_records_by_payout ON settlement_records (payout, account, organization) WHERE payout IS NOT NULL;

-- What a record turned out to be: parts that add up, by currency, to what it moved less its fee. A part that a person gives
-- another meaning is followed by its opposite and the new ones; taken back, those are void.
CREATE TABLE settlement_allotments (
  organization text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL,
  position integer NOT NULL,
  part integer NOT NULL CHECK (part > 0),
  effect text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL,
  amount_minor numeric(38, 0) NOT NULL,
  target_kind text COLLATE "C",
  target text COLLATE "C",
  target_account text COLLATE "C",                    -- of a payout: the provider's, whereas the record may be the bank's
  claim text COLLATE "C",
  exception_kind text COLLATE "C",
  note text CHECK (length(note) <= 1024),
  is_void boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization, file, position, part),
  CONSTRAINT settlement_allotments_target CHECK ((target IS NULL) = (target_kind IS NULL))
);
ALTER TABLE settlement_allotments
  ALTER amount_minor SET STATISTICS 0, ALTER note SET STATISTICS 0, ALTER part SET STATISTICS 0;
-- Nothing is settled twice.
CREATE UNIQUE INDEX settlement_allotments_claimed_once ON settlement_allotments (claim, organization)
  WHERE claim IS NOT NULL AND NOT is_void;
CREATE INDEX settlement_allotments_by_receipt ON settlement_allotments (target, file) WHERE effect = 'receipt' AND NOT is_void;

SELECT weir_protect('settlement_files');
SELECT weir_protect('settlement_sequences');
SELECT weir_protect('settlement_records');
SELECT weir_protect('settlement_allotments');
REVOKE DELETE, TRUNCATE ON settlement_files, settlement_sequences FROM weir_app;
REVOKE TRUNCATE ON settlement_records, settlement_allotments FROM weir_app;

-- Records of a file that is in the books, and their parts, stay.
CREATE FUNCTION weir_keep_posted_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT organization, file FROM gone) g
             CROSS JOIN LATERAL (SELECT f.posted FROM settlement_files f
                                 WHERE f.organization = g.organization AND f.id = g.file OFFSET 0) f
             WHERE f.posted > 0) THEN
    RAISE EXCEPTION 'DELETE on % refused: the file is in the books', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER settlement_records_kept AFTER DELETE ON settlement_records
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_posted_records();
ALTER TABLE settlement_records ENABLE ALWAYS TRIGGER settlement_records_kept;
CREATE TRIGGER settlement_allotments_kept AFTER DELETE ON settlement_allotments
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION weir_keep_posted_records();
ALTER TABLE settlement_allotments ENABLE ALWAYS TRIGGER settlement_allotments_kept;
