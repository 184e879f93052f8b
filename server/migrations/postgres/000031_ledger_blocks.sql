-- Sealed blocks of the ledger (docs/spec/ledger.md): which postings a block holds, a digest of each, what the block's hash is
-- over, and what it moved, so that balances at any instant need not add every transfer up anew.

-- A field of what is digested: its length in bytes and its text, so that no two lists of fields look the same.
CREATE FUNCTION weir_digested(field text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN coalesce(octet_length(field)::text || ':' || field, '-') || ',';
CREATE FUNCTION weir_digested(field timestamptz) RETURNS text LANGUAGE sql STABLE
  RETURN weir_digested(((extract(epoch FROM field) * 1000000)::bigint)::text);

-- SHA-256 over a posting without its transfers, and over a transfer: everything that stands in their rows.
CREATE FUNCTION weir_posting_digest(
  id text, idempotency_key text, fingerprint bytea, reason text, reference text, reverses text, pending boolean, resolves text,
  resolution text, posted_at timestamptz
) RETURNS bytea LANGUAGE sql STABLE
  RETURN sha256(convert_to(
    weir_digested(id) || weir_digested(idempotency_key) || weir_digested(encode(fingerprint, 'hex')) || weir_digested(reason)
    || weir_digested(reference) || weir_digested(reverses) || weir_digested(pending::text) || weir_digested(resolves)
    || weir_digested(resolution) || weir_digested(posted_at), 'UTF8'));
CREATE FUNCTION weir_transfer_digest(
  place integer, debit text, credit text, currency text, amount_minor numeric, service_start timestamptz, service_end timestamptz
) RETURNS bytea LANGUAGE sql STABLE
  RETURN sha256(convert_to(
    weir_digested(place::text) || weir_digested(debit) || weir_digested(credit) || weir_digested(currency)
    || weir_digested(amount_minor::text) || weir_digested(service_start) || weir_digested(service_end), 'UTF8'));

-- What an account is added up under: the accounts of customers under their kind.
CREATE FUNCTION weir_control_code(code text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN position(':cus_' IN code) > 0 THEN split_part(code, ':', 1) ELSE code END;

CREATE TABLE ledger_blocks (
  organization text COLLATE "C" NOT NULL,
  number integer NOT NULL CHECK (number > 0),               -- 1, 2, 3 … without a gap
  postings integer NOT NULL CHECK (postings > 0),
  transfers integer NOT NULL CHECK (transfers >= 0),
  first_posted_at timestamptz NOT NULL,
  last_posted_at timestamptz NOT NULL,
  previous bytea NOT NULL CHECK (length(previous) = 32),    -- the hash of the block before
  hash bytea NOT NULL CHECK (length(hash) = 32),
  sealed_at timestamptz NOT NULL,                           -- in real time
  PRIMARY KEY (organization, number),
  CONSTRAINT ledger_blocks_times CHECK (last_posted_at >= first_posted_at)
);

-- The digest is that of the posting, then those of its transfers in their order: it tells which of them is not what it was.
CREATE TABLE ledger_sealed_postings (
  organization text COLLATE "C" NOT NULL,
  block integer NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  posting text COLLATE "C" NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) >= 32 AND length(digest) % 32 = 0),
  PRIMARY KEY (organization, block, position),
  CONSTRAINT ledger_sealed_once UNIQUE (posting, organization)
);

-- What a block's postings add up to. A resolution takes off the pending sums what its posting had added.
CREATE TABLE ledger_block_sums (
  organization text COLLATE "C" NOT NULL,
  block integer NOT NULL,
  code text COLLATE "C" NOT NULL,
  currency text NOT NULL,
  debit_minor numeric(60, 0) NOT NULL,
  credit_minor numeric(60, 0) NOT NULL,
  pending_debit_minor numeric(60, 0) NOT NULL,
  pending_credit_minor numeric(60, 0) NOT NULL,
  PRIMARY KEY (organization, block, code, currency)
);

-- How far an organization's postings are sealed: all of transactions before this one. The row is the sealer's lock.
CREATE TABLE ledger_sealing (
  organization text COLLATE "C" NOT NULL REFERENCES organizations (id),
  sealed_through bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization)
);

SELECT weir_protect('ledger_blocks');
SELECT weir_protect('ledger_sealed_postings');
SELECT weir_protect('ledger_block_sums');
SELECT weir_protect('ledger_sealing');
SELECT weir_append_only('ledger_blocks');
SELECT weir_append_only('ledger_sealed_postings');
SELECT weir_append_only('ledger_block_sums');
REVOKE DELETE, TRUNCATE ON ledger_sealing FROM weir_app;

-- The transactions that may be under way, and those that have not begun.
CREATE FUNCTION weir_horizon() RETURNS bigint LANGUAGE sql STABLE RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
CREATE FUNCTION weir_next_transaction() RETURNS bigint LANGUAGE sql STABLE
  RETURN pg_snapshot_xmax(pg_current_snapshot())::text::bigint;

-- Postings that are in no block yet. Transactions are numbered anew by another server, such as after a restore: while it has
-- not come as far as what is sealed, every posting is looked at; later, those that its numbers cannot have reached are not.
-- The bounds are subqueries to the whole: within COALESCE, row-level security would not let the index be used for them.
CREATE VIEW ledger_unsealed WITH (security_invoker = true) AS
SELECT p.organization, p.id, p.xact, p.posted_at, p.pending, p.resolves
FROM ledger_postings p
WHERE p.xact > 0
  AND p.xact >= (SELECT coalesce(max(CASE WHEN s.sealed_through > weir_next_transaction() THEN 0 ELSE s.sealed_through END), 0)
                 FROM ledger_sealing s WHERE s.organization = current_setting('weir.organization', true))
  AND p.xact <= (SELECT CASE WHEN coalesce(bool_or(s.sealed_through > weir_next_transaction()), false) THEN 9223372036854775807
                             ELSE greatest(weir_next_transaction(), pg_current_xact_id_if_assigned()::text::bigint) END
                 FROM ledger_sealing s WHERE s.organization = current_setting('weir.organization', true))
  AND NOT EXISTS (SELECT FROM ledger_sealed_postings s
                  WHERE s.organization = p.organization AND s.posting = p.id OFFSET 0);
GRANT SELECT ON ledger_unsealed TO weir_app;

-- The sealer finds organizations whose postings wait; what they are it reads as the organization.
CREATE POLICY system ON ledger_postings FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, xact) ON ledger_postings TO weir_system;
CREATE POLICY system ON ledger_sealing FOR SELECT TO weir_system USING (true);
GRANT SELECT (organization, sealed_through) ON ledger_sealing TO weir_system;
