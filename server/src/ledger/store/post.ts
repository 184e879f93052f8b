import { createHash } from "node:crypto";
import { arrayText, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, PostingId } from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";
import { chart, codeOf, contentOf, type Account, type Posting } from "../core/index.js";

/** A posting that has its id and its time. */
export interface NewPosting extends Posting {
  readonly id: PostingId;
  readonly at: Instant;
  readonly reverses?: PostingId;
}

/**
 * Writes the postings whose keys are free, in a handful of statements however many there are.
 *
 * @returns the ids of those that were written; the keys of the others were taken
 */
export async function insertPostings(
  sql: Sql,
  organization: OrganizationId,
  postings: readonly NewPosting[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string }[]>`
    INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, reverses, posted_at)
    SELECT ${organization}, p.id, p.key, decode(p.fingerprint, 'hex'), p.reason, p.reference, nullif(p.reverses, ''), p.at::timestamptz
    FROM unnest(${arrayText(postings.map(({ id }) => id))}::text[], ${arrayText(postings.map(({ idempotencyKey }) => idempotencyKey))}::text[],
                ${arrayText(postings.map(fingerprintOf))}::text[], ${arrayText(postings.map(({ reason }) => reason))}::text[],
                ${arrayText(postings.map(({ reference }) => reference))}::text[], ${arrayText(postings.map(({ reverses }) => reverses ?? ""))}::text[],
                ${arrayText(postings.map(({ at }) => timestampText(at)))}::text[])
         AS p (id, key, fingerprint, reason, reference, reverses, at)
    ON CONFLICT ON CONSTRAINT ledger_postings_once DO NOTHING
    RETURNING id`;
  return new Set(rows.map((row) => row.id));
}

/** Opens the accounts that are not there yet. */
export async function openAccounts(
  sql: Sql,
  organization: OrganizationId,
  postings: readonly NewPosting[],
  at: Instant,
): Promise<void> {
  const wanted = new Map<string, { code: string; currency: string; type: string }>();
  for (const { transfers } of postings) {
    for (const { debit, credit, amount } of transfers) {
      for (const account of [debit, credit]) {
        const code = codeOf(account);
        const { type } = chart[account.kind];
        wanted.set(`${code} ${amount.currency}`, { code, currency: amount.currency, type });
      }
    }
  }
  // In one order everywhere, so that two that open the same accounts do not wait for one another in a circle.
  const accounts = [...wanted.keys()].sort().flatMap((key) => wanted.get(key) ?? []);
  await sql`
    INSERT INTO ledger_accounts (organization, code, currency, type, opened_at)
    SELECT ${organization}, a.code, a.currency, a.type, ${new Date(msOf(at))}
    FROM unnest(${arrayText(accounts.map(({ code }) => code))}::text[], ${arrayText(accounts.map(({ currency }) => currency))}::text[],
                ${arrayText(accounts.map(({ type }) => type))}::text[]) AS a (code, currency, type)
    ON CONFLICT DO NOTHING`;
}

export async function insertTransfers(
  sql: Sql,
  organization: OrganizationId,
  postings: readonly NewPosting[],
): Promise<void> {
  const rows = postings.flatMap(({ id, transfers }) =>
    transfers.map((transfer, position) => ({ id, position, ...transfer })),
  );
  await sql`
    INSERT INTO ledger_transfers
      (organization, posting, position, debit, credit, currency, amount_minor, service_start, service_end)
    SELECT ${organization}, t.posting, t.position, t.debit, t.credit, t.currency, t.amount::numeric,
           nullif(t.service_start, '')::timestamptz, nullif(t.service_end, '')::timestamptz
    FROM unnest(${arrayText(rows.map(({ id }) => id))}::text[], ${arrayText(rows.map(({ position }) => position))}::int[],
                ${arrayText(rows.map(({ debit }) => codeOf(debit)))}::text[], ${arrayText(rows.map(({ credit }) => codeOf(credit)))}::text[],
                ${arrayText(rows.map(({ amount }) => amount.currency))}::text[],
                ${arrayText(rows.map(({ amount }) => amount.minor.toString()))}::text[],
                ${arrayText(rows.map(({ service }) => (service === undefined ? "" : timestampText(service.start))))}::text[],
                ${arrayText(rows.map(({ service }) => (service === undefined ? "" : timestampText(service.end))))}::text[])
         AS t (posting, position, debit, credit, currency, amount, service_start, service_end)`;
}

/** Adds the transfers to their accounts' balances, each sum once, in one order everywhere. */
export async function addToBalances(
  sql: Sql,
  organization: OrganizationId,
  postings: readonly NewPosting[],
  random: () => number,
): Promise<void> {
  const sums = new Map<string, BalanceRow>();
  const add = (account: Account, currency: string, debit: bigint, credit: bigint) => {
    const code = codeOf(account);
    const key = `${code} ${currency}`;
    const row = sums.get(key) ?? {
      code,
      currency,
      shard: Math.floor(random() * chart[account.kind].shards),
      debit: 0n,
      credit: 0n,
    };
    sums.set(key, { ...row, debit: row.debit + debit, credit: row.credit + credit });
  };
  for (const { transfers } of postings) {
    for (const { debit, credit, amount } of transfers) {
      add(debit, amount.currency, amount.minor, 0n);
      add(credit, amount.currency, 0n, amount.minor);
    }
  }
  const rows = [...sums.keys()].sort().flatMap((key) => sums.get(key) ?? []);
  await sql`
    INSERT INTO ledger_balances AS kept (organization, account, currency, shard, debit_minor, credit_minor)
    SELECT ${organization}, b.account, b.currency, b.shard, b.debit::numeric, b.credit::numeric
    FROM unnest(${arrayText(rows.map(({ code }) => code))}::text[], ${arrayText(rows.map(({ currency }) => currency))}::text[],
                ${arrayText(rows.map(({ shard }) => shard))}::int[], ${arrayText(rows.map(({ debit }) => debit.toString()))}::text[],
                ${arrayText(rows.map(({ credit }) => credit.toString()))}::text[]) AS b (account, currency, shard, debit, credit)
    ON CONFLICT (organization, account, currency, shard)
    DO UPDATE SET debit_minor = kept.debit_minor + excluded.debit_minor,
                  credit_minor = kept.credit_minor + excluded.credit_minor`;
}

interface BalanceRow {
  readonly code: string;
  readonly currency: string;
  readonly shard: number;
  readonly debit: bigint;
  readonly credit: bigint;
}

export function fingerprintOf(posting: Posting): string {
  return createHash("sha256").update(contentOf(posting)).digest("hex");
}
