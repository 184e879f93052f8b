import { arrayText, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, PostingId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { chart, codeOf, type BalanceChange, type Posting, type Resolution } from "../core/index.js";

/** A posting that has its id and its time. */
export interface NewPosting extends Posting {
  readonly id: PostingId;
  readonly at: Instant;
  readonly fingerprint: string;
  readonly reverses?: PostingId;
  readonly resolves?: PostingId;
  readonly resolution?: Resolution;
}

// Arrays come as subqueries: how long they are is then no part of the plan, which is made once. Planned anew for each length, a
// single post took 1.1 ms of the server instead of 0.7.

/** What postings move: their transfers, and the balances that these change. */
export interface Moves {
  readonly postings: readonly NewPosting[];
  readonly changes: readonly BalanceChange[];
}

/**
 * Writes the postings whose keys are free, and when all of them are, what they move: in one round trip, since balances are
 * locked until the transaction ends. Called again without postings it writes what is moved by those that were written.
 *
 * @param postings  in the order of their keys, so that two that write the same do not wait for one another in a circle
 * @returns the ids of those that were written; the keys of the others were taken, and nothing was moved
 */
export async function writePostings(
  sql: Sql,
  organization: OrganizationId,
  postings: readonly NewPosting[],
  { postings: moving, changes }: Moves,
): Promise<ReadonlySet<string>> {
  const each = (of: (posting: NewPosting) => string) => arrayText(postings.map(of));
  const accounts = accountsOf(moving);
  const transfers = moving.flatMap(({ id, transfers: own }) =>
    own.map((transfer, position) => ({ id, position, ...transfer })),
  );
  const opened = (of: (account: OpenedAccount) => string) => arrayText(accounts.map(of));
  const moved = (of: (transfer: (typeof transfers)[number]) => string | number | bigint) =>
    arrayText(transfers.map(of));
  const kept = (of: (change: BalanceChange) => string | number | bigint) => arrayText(changes.map(of));
  const rows = await sql<{ id: string }[]>`
    WITH fresh AS (
      INSERT INTO ledger_postings
        (organization, id, idempotency_key, fingerprint, reason, reference, reverses, pending, resolves, resolution, posted_at)
      SELECT ${organization}, p.id, p.key, decode(p.fingerprint, 'hex'), p.reason, p.reference, nullif(p.reverses, ''),
             p.pending, nullif(p.resolves, ''), nullif(p.resolution, ''), p.at
      FROM unnest((SELECT ${each(({ id }) => id)}::text[]), (SELECT ${each(({ idempotencyKey }) => idempotencyKey)}::text[]),
                  (SELECT ${each(({ fingerprint }) => fingerprint)}::text[]), (SELECT ${each(({ reason }) => reason)}::text[]),
                  (SELECT ${each(({ reference }) => reference)}::text[]), (SELECT ${each(({ reverses }) => reverses ?? "")}::text[]),
                  (SELECT ${each(({ pending }) => String(pending === true))}::boolean[]), (SELECT ${each(({ resolves }) => resolves ?? "")}::text[]),
                  (SELECT ${each(({ resolution }) => resolution ?? "")}::text[]), (SELECT ${each(({ at }) => timestampText(at))}::timestamptz[]))
           AS p (id, key, fingerprint, reason, reference, reverses, pending, resolves, resolution, at)
      ON CONFLICT ON CONSTRAINT ledger_postings_once DO NOTHING
      RETURNING id
    ), whole AS (
      SELECT count(*) = ${postings.length} AS is_whole FROM fresh
    ), opened AS (
      INSERT INTO ledger_accounts (organization, code, currency, type, opened_at)
      SELECT ${organization}, a.code, a.currency, a.type, a.at
      FROM unnest((SELECT ${opened(({ code }) => code)}::text[]), (SELECT ${opened(({ currency }) => currency)}::text[]),
                  (SELECT ${opened(({ type }) => type)}::text[]), (SELECT ${opened(({ at }) => timestampText(at))}::timestamptz[]))
           AS a (code, currency, type, at)
      WHERE (SELECT is_whole FROM whole)
      ON CONFLICT DO NOTHING
    ), moved AS (
      INSERT INTO ledger_transfers
        (organization, posting, position, debit, credit, currency, amount_minor, service_start, service_end)
      SELECT ${organization}, t.posting, t.position, t.debit, t.credit, t.currency, t.amount,
             nullif(t.service_start, '')::timestamptz, nullif(t.service_end, '')::timestamptz
      FROM unnest((SELECT ${moved(({ id }) => id)}::text[]), (SELECT ${moved(({ position }) => position)}::int[]),
                  (SELECT ${moved(({ debit }) => codeOf(debit))}::text[]), (SELECT ${moved(({ credit }) => codeOf(credit))}::text[]),
                  (SELECT ${moved(({ amount }) => amount.currency)}::text[]), (SELECT ${moved(({ amount }) => amount.minor)}::numeric[]),
                  (SELECT ${moved(({ service }) => (service === undefined ? "" : timestampText(service.start)))}::text[]),
                  (SELECT ${moved(({ service }) => (service === undefined ? "" : timestampText(service.end)))}::text[]))
           AS t (posting, position, debit, credit, currency, amount, service_start, service_end)
      WHERE (SELECT is_whole FROM whole)
    ), kept AS (
      INSERT INTO ledger_balances AS kept
        (organization, account, currency, shard, debit_minor, credit_minor, pending_debit_minor, pending_credit_minor)
      SELECT ${organization}, b.account, b.currency, b.shard, b.debit, b.credit, b.pending_debit, b.pending_credit
      FROM unnest((SELECT ${kept(({ code }) => code)}::text[]), (SELECT ${kept(({ currency }) => currency)}::text[]),
                  (SELECT ${kept(({ shard }) => shard)}::int[]), (SELECT ${kept(({ debit }) => debit)}::numeric[]),
                  (SELECT ${kept(({ credit }) => credit)}::numeric[]), (SELECT ${kept(({ pendingDebit }) => pendingDebit)}::numeric[]),
                  (SELECT ${kept(({ pendingCredit }) => pendingCredit)}::numeric[]))
           AS b (account, currency, shard, debit, credit, pending_debit, pending_credit)
      WHERE (SELECT is_whole FROM whole)
      ON CONFLICT (organization, account, currency, shard)
      DO UPDATE SET debit_minor = kept.debit_minor + excluded.debit_minor,
                    credit_minor = kept.credit_minor + excluded.credit_minor,
                    pending_debit_minor = kept.pending_debit_minor + excluded.pending_debit_minor,
                    pending_credit_minor = kept.pending_credit_minor + excluded.pending_credit_minor
    )
    SELECT id FROM fresh`;
  return new Set(rows.map((row) => row.id));
}

interface OpenedAccount {
  readonly code: string;
  readonly currency: string;
  readonly type: string;
  readonly at: Instant;
}

/** The accounts that postings move between, in one order everywhere: some may not be open yet. */
function accountsOf(postings: readonly NewPosting[]): OpenedAccount[] {
  const wanted = new Map<string, OpenedAccount>();
  for (const { transfers, at } of postings) {
    for (const { debit, credit, amount } of transfers) {
      for (const account of [debit, credit]) {
        const code = codeOf(account);
        const key = `${code} ${amount.currency}`;
        if (!wanted.has(key))
          wanted.set(key, { code, currency: amount.currency, type: chart[account.kind].type, at });
      }
    }
  }
  return [...wanted.keys()].sort().flatMap((key) => wanted.get(key) ?? []);
}

/** Takes off pending sums what a resolution ends; the rows are there, since they were added to. */
export async function releasePending(sql: Sql, changes: readonly BalanceChange[]): Promise<void> {
  await sql`
    WITH held AS MATERIALIZED (
      SELECT b.organization, b.account, b.currency, b.shard, c.debit, c.credit
      FROM unnest(${arrayText(changes.map(({ code }) => code))}::text[], ${arrayText(changes.map(({ currency }) => currency))}::text[],
                  ${arrayText(changes.map(({ shard }) => shard))}::int[],
                  ${arrayText(changes.map(({ pendingDebit }) => pendingDebit))}::numeric[],
                  ${arrayText(changes.map(({ pendingCredit }) => pendingCredit))}::numeric[])
           AS c (account, currency, shard, debit, credit)
      CROSS JOIN LATERAL (
        SELECT * FROM ledger_balances WHERE account = c.account AND currency = c.currency AND shard = c.shard
        FOR NO KEY UPDATE) b
    )
    UPDATE ledger_balances kept
    SET pending_debit_minor = kept.pending_debit_minor + held.debit,
        pending_credit_minor = kept.pending_credit_minor + held.credit
    FROM held
    WHERE kept.organization = held.organization AND kept.account = held.account AND kept.currency = held.currency
      AND kept.shard = held.shard`;
}
