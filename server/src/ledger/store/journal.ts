import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";

/** A transfer with what is said of its posting: a line of the journal. */
export interface JournalEntry {
  readonly postedAt: Instant;
  readonly posting: string;
  readonly position: number;
  readonly idempotencyKey: string;
  readonly reason: string;
  readonly reference: string;
  readonly reverses: string | undefined;
  /** Whether it moves pending sums only. */
  readonly pending: boolean;
  /** The pending posting that it posts, wholly or in part. */
  readonly resolves: string | undefined;
  readonly debit: string;
  readonly credit: string;
  readonly currency: Currency;
  /** In minor units, above zero. */
  readonly amount: bigint;
  readonly service: { readonly start: Instant; readonly end: Instant } | undefined;
}

interface EntryRow {
  readonly posted_at: string;
  readonly posting: string;
  readonly position: number;
  readonly idempotency_key: string;
  readonly reason: string;
  readonly reference: string;
  readonly reverses: string | null;
  readonly pending: boolean;
  readonly resolves: string | null;
  readonly debit: string;
  readonly credit: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly service_start: string | null;
  readonly service_end: string | null;
}

/** Where a page of the journal ended. */
export interface JournalPlace {
  readonly postedAt: Instant;
  readonly posting: string;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** Undefined at the journal's end. */
  readonly next: JournalPlace | undefined;
}

/** Transfers by time, posting and position, of postings that count from an instant on and before another. */
export async function readJournal(
  sql: Sql,
  page: {
    from: Instant | undefined;
    to: Instant | undefined;
    after: JournalPlace | undefined;
    postings: number;
  },
): Promise<JournalPage> {
  const from = page.from === undefined ? "-infinity" : timestampText(page.from);
  const to = page.to === undefined ? "infinity" : timestampText(page.to);
  const afterTime = page.after === undefined ? from : timestampText(page.after.postedAt);
  const rows = await sql<(EntryRow & { ordinal: number })[]>`
    SELECT p.posting, p.idempotency_key, p.reason, p.reference, p.reverses, p.pending, p.resolves, p.posted_at, p.ordinal::int,
           t.position, t.debit, t.credit, t.currency, t.amount_minor::text AS amount,
           (extract(epoch FROM t.service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM t.service_end) * 1000000)::bigint::text AS service_end
    FROM (SELECT id AS posting, idempotency_key, reason, reference, reverses, pending, resolves,
                 (extract(epoch FROM posted_at) * 1000000)::bigint::text AS posted_at,
                 row_number() OVER (ORDER BY ledger_postings.posted_at, id) AS ordinal
          FROM ledger_postings
          WHERE organization = current_setting('weir.organization', true) AND posted_at > '-infinity'
            AND (posted_at, id) > (${afterTime}::text::timestamptz, ${page.after?.posting ?? ""})
            AND posted_at >= ${from}::text::timestamptz AND posted_at < ${to}::text::timestamptz
          ORDER BY ledger_postings.posted_at, id LIMIT ${page.postings}) p
    LEFT JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = p.posting OFFSET 0) t ON true
    ORDER BY p.ordinal, t.position`;
  const last = rows.at(-1);
  const isLast = last === undefined || last.ordinal < page.postings;
  return {
    // A posting that voids another has no transfers.
    entries: rows.filter((row) => row.debit !== null).map(entryOf),
    next: isLast ? undefined : { postedAt: instantOfMicros(last.posted_at), posting: last.posting },
  };
}

function entryOf(row: EntryRow): JournalEntry {
  return {
    postedAt: instantOfMicros(row.posted_at),
    posting: row.posting,
    position: row.position,
    idempotencyKey: row.idempotency_key,
    reason: row.reason,
    reference: row.reference,
    reverses: row.reverses ?? undefined,
    pending: row.pending,
    resolves: row.resolves ?? undefined,
    debit: row.debit,
    credit: row.credit,
    currency: row.currency,
    amount: BigInt(row.amount),
    service:
      row.service_start === null || row.service_end === null
        ? undefined
        : { start: instantOfMicros(row.service_start), end: instantOfMicros(row.service_end) },
  };
}
