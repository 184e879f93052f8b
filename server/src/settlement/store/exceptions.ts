import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  OrganizationId,
  ProviderAccountId,
  ReconciliationExceptionId,
  SettlementFileId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";
import type { ExceptionKind } from "../core/matching/index.js";
import type { DoneAction } from "../payments-port.js";

export const exception_states = ["open", "resolved", "ignored"] as const;
export type ExceptionState = (typeof exception_states)[number];

/** How an exception was closed; with what it takes to undo it. */
export interface Resolution {
  readonly kind: "match" | "balance" | "book" | "return" | "ignore" | "accept_file" | "discard_file" | "gone";
  readonly note: string | null;
  /** What it was said to be: an id of ours, or an account of the books. */
  readonly to: string | null;
  /** What payments did. */
  readonly actions: readonly DoneAction[];
  /** The parts of the record that were added. */
  readonly parts: readonly number[];
}

export interface NewException {
  readonly id: ReconciliationExceptionId;
  readonly kind: ExceptionKind;
  /** Names what it is about: of each thing at most one is open. */
  readonly about: string;
  readonly account: ProviderAccountId | undefined;
  readonly file: SettlementFileId | undefined;
  readonly position: number | undefined;
  readonly target: { readonly kind: string; readonly id: string } | undefined;
  readonly amount: Money | undefined;
  /** What of it lies in suspense, in minor units of the amount's currency; + is ours to give. */
  readonly suspense: bigint;
  readonly reason: string;
  /** When it moved, or was due. */
  readonly happenedAt: Instant;
  readonly openedAt: Instant;
}

export interface StoredException extends NewException {
  readonly state: ExceptionState;
  readonly version: number;
  readonly resolution: Resolution | undefined;
  /** An API key's id, or "system". */
  readonly closedBy: string | undefined;
  readonly closedAt: Instant | undefined;
}

interface ExceptionRow {
  readonly id: ReconciliationExceptionId;
  readonly kind: ExceptionKind;
  readonly about: string;
  readonly account: ProviderAccountId | null;
  readonly file: SettlementFileId | null;
  readonly position: number | null;
  readonly target_kind: string | null;
  readonly target: string | null;
  readonly currency: Currency | null;
  readonly amount_minor: string | null;
  readonly suspense_minor: string;
  readonly reason: string;
  readonly happened_at: string;
  readonly opened_at: string;
  readonly state: ExceptionState;
  readonly version: number;
  readonly resolution: Resolution | null;
  readonly closed_by: string | null;
  readonly closed_at: string | null;
}

const reason_length_max = 1_024;

/** Opens those of which none is open yet. @returns how many */
export async function insertExceptions(
  sql: Sql,
  organization: OrganizationId,
  exceptions: readonly NewException[],
): Promise<number> {
  if (exceptions.length === 0) return 0;
  // Listed by id: in the order given.
  const ids = exceptions.map(({ id }) => id).sort();
  const texts = (of: (each: NewException) => string | number | bigint | undefined) =>
    arrayText(exceptions.map((each) => of(each) ?? ""));
  const rows = await sql`
    INSERT INTO reconciliation_exceptions
      (organization, id, kind, about, account, file, position, target_kind, target, currency, amount_minor, suspense_minor, reason,
       happened_at, opened_at, state)
    SELECT ${organization}, e.id, e.kind, e.about, nullif(e.account, ''), nullif(e.file, ''), nullif(e.position, '')::int,
           nullif(e.target_kind, ''), nullif(e.target, ''), nullif(e.currency, ''), nullif(e.amount, '')::numeric, e.suspense::numeric,
           e.reason, e.happened_at::timestamptz, e.opened_at::timestamptz, 'open'
    FROM unnest(${arrayText(ids)}::text[], ${texts(({ kind }) => kind)}::text[], ${texts(({ about }) => about)}::text[],
                ${texts(({ account }) => account)}::text[], ${texts(({ file }) => file)}::text[],
                ${texts(({ position }) => position)}::text[], ${texts(({ target }) => target?.kind)}::text[],
                ${texts(({ target }) => target?.id)}::text[], ${texts(({ amount }) => amount?.currency)}::text[],
                ${texts(({ amount }) => amount?.minor)}::text[], ${texts(({ suspense }) => suspense)}::text[],
                ${texts(({ reason }) => reason.slice(0, reason_length_max))}::text[],
                ${texts(({ happenedAt }) => timestampText(happenedAt))}::text[],
                ${texts(({ openedAt }) => timestampText(openedAt))}::text[])
         AS e (id, kind, about, account, file, position, target_kind, target, currency, amount, suspense, reason, happened_at, opened_at)
    ON CONFLICT (about, organization) WHERE state = 'open' DO NOTHING
    RETURNING 1`;
  return rows.length;
}

export interface ExceptionPage {
  readonly state?: ExceptionState;
  readonly kind?: ExceptionKind;
  readonly account?: ProviderAccountId;
  /** Of a file's id. */
  readonly file?: string;
  readonly after?: string;
  readonly limit: number;
}

/** Oldest first. */
export async function listExceptions(sql: Sql, page: ExceptionPage): Promise<StoredException[]> {
  const state = page.state ?? null;
  const kind = page.kind ?? null;
  const account = page.account ?? null;
  const file = page.file ?? null;
  const rows = await sql<ExceptionRow[]>`
    SELECT id, kind, about, account, file, position, target_kind, target, currency, amount_minor::text, suspense_minor::text, reason,
           (extract(epoch FROM happened_at) * 1000000)::bigint::text AS happened_at,
           (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at, state, version, resolution, closed_by,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at
    FROM reconciliation_exceptions
    WHERE id > ${page.after ?? ""} AND (${state}::text IS NULL OR state = ${state}) AND (${kind}::text IS NULL OR kind = ${kind})
      AND (${account}::text IS NULL OR account = ${account}) AND (${file}::text IS NULL OR file = ${file})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

export async function findException(sql: Sql, id: string): Promise<StoredException | undefined> {
  const rows = await sql<ExceptionRow[]>`
    SELECT id, kind, about, account, file, position, target_kind, target, currency, amount_minor::text, suspense_minor::text, reason,
           (extract(epoch FROM happened_at) * 1000000)::bigint::text AS happened_at,
           (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at, state, version, resolution, closed_by,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at
    FROM reconciliation_exceptions WHERE id = ${id}`;
  return rows[0] && fromRow(rows[0]);
}

/** The same, held until the transaction ends. */
export async function lockException(sql: Sql, id: string): Promise<StoredException | undefined> {
  const rows = await sql`SELECT FROM reconciliation_exceptions WHERE id = ${id} FOR NO KEY UPDATE`;
  return rows.length === 0 ? undefined : findException(sql, id);
}

export async function closeException(
  sql: Sql,
  { id, version }: Pick<StoredException, "id" | "version">,
  closed: { state: "resolved" | "ignored"; resolution: Resolution; by: string; at: Instant },
): Promise<void> {
  await sql`
    UPDATE reconciliation_exceptions
    SET state = ${closed.state}, version = ${version + 1}, resolution = ${JSON.stringify(closed.resolution)}::text::jsonb,
        closed_by = ${closed.by}, closed_at = ${timestampText(closed.at)}::text::timestamptz
    WHERE id = ${id} AND state = 'open'`;
}

export async function reopenException(
  sql: Sql,
  { id, version }: Pick<StoredException, "id" | "version">,
): Promise<void> {
  await sql`
    UPDATE reconciliation_exceptions
    SET state = 'open', version = ${version + 1}, resolution = NULL, closed_by = NULL, closed_at = NULL
    WHERE id = ${id} AND state <> 'open'`;
}

/** Closes those that are open about these things: they turned up. @returns the ids */
export async function closeExceptionsAbout(
  sql: Sql,
  about: readonly string[],
  closed: { resolution: Resolution; by: string; at: Instant },
): Promise<readonly string[]> {
  if (about.length === 0) return [];
  const rows = await sql<{ id: string }[]>`
    UPDATE reconciliation_exceptions
    SET state = 'resolved', version = version + 1, resolution = ${JSON.stringify(closed.resolution)}::text::jsonb,
        closed_by = ${closed.by}, closed_at = ${timestampText(closed.at)}::text::timestamptz
    WHERE about = ANY (${[...about]}::text[]) AND state = 'open'
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/** Whether there is one about a thing, whatever became of it. */
export async function wasEverAbout(sql: Sql, about: string): Promise<boolean> {
  const rows = await sql`SELECT FROM reconciliation_exceptions WHERE about = ${about} LIMIT 1`;
  return rows.length > 0;
}

/** Money that is to go back to its sender, of an account, by the amount in suspense. */
export async function findReturns(
  sql: Sql,
  account: ProviderAccountId,
  amounts: readonly Money[],
): Promise<readonly { readonly id: string; readonly amount: Money; readonly at: Instant }[]> {
  if (amounts.length === 0) return [];
  const rows = await sql<{ id: string; currency: Currency; minor: string; at: string }[]>`
    SELECT DISTINCT e.id, e.currency, e.suspense_minor::text AS minor, (extract(epoch FROM e.closed_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(amounts.map(({ currency }) => currency))}::text[], ${arrayText(amounts.map(({ minor }) => minor))}::numeric[]) AS w (currency, minor)
    JOIN reconciliation_exceptions e ON e.account = ${account} AND e.state = 'resolved' AND e.suspense_minor = w.minor
      AND e.currency = w.currency
    WHERE e.suspense_minor > 0 AND e.resolution->>'kind' = 'return'
    ORDER BY e.id LIMIT 1000`;
  return rows.map(({ id, currency, minor, at }) => ({
    id,
    amount: { currency, minor: BigInt(minor) },
    at: instantOfMicros(at),
  }));
}

/** What is open about things whose names begin so, by name. */
export async function listOpenAbout(
  sql: Sql,
  prefix: string,
  page: { after: string; limit: number },
): Promise<readonly string[]> {
  const rows = await sql<{ about: string }[]>`
    SELECT about FROM reconciliation_exceptions
    WHERE state = 'open' AND starts_with(about, ${prefix}) AND about > ${page.after}
    ORDER BY about LIMIT ${page.limit}`;
  return rows.map(({ about }) => about);
}

export interface ExceptionSum {
  readonly account: ProviderAccountId | undefined;
  readonly kind: ExceptionKind;
  readonly currency: Currency | undefined;
  readonly count: number;
  readonly suspense: bigint;
}

/** What was open at the end of a time, by account, kind and currency. */
export async function sumOpenExceptions(sql: Sql, before: Instant): Promise<ExceptionSum[]> {
  const at = timestampText(before);
  const rows = await sql<
    {
      account: ProviderAccountId | null;
      kind: ExceptionKind;
      currency: Currency | null;
      count: string;
      suspense: string;
    }[]
  >`
    SELECT account, kind, currency, count(*)::text AS count, sum(suspense_minor)::text AS suspense
    FROM reconciliation_exceptions
    WHERE opened_at < ${at}::text::timestamptz AND (state = 'open' OR closed_at >= ${at}::text::timestamptz)
    GROUP BY account, kind, currency ORDER BY account, kind, currency`;
  return rows.map((row) => ({
    account: row.account ?? undefined,
    kind: row.kind,
    currency: row.currency ?? undefined,
    count: Number(row.count),
    suspense: BigInt(row.suspense),
  }));
}

function fromRow(row: ExceptionRow): StoredException {
  const { target_kind, target, currency, amount_minor } = row;
  return {
    id: row.id,
    kind: row.kind,
    about: row.about,
    account: row.account ?? undefined,
    file: row.file ?? undefined,
    position: row.position ?? undefined,
    target: target_kind === null || target === null ? undefined : { kind: target_kind, id: target },
    amount:
      currency === null || amount_minor === null ? undefined : { currency, minor: BigInt(amount_minor) },
    suspense: BigInt(row.suspense_minor),
    reason: row.reason,
    happenedAt: instantOfMicros(row.happened_at),
    openedAt: instantOfMicros(row.opened_at),
    state: row.state,
    version: row.version,
    resolution: row.resolution ?? undefined,
    closedBy: row.closed_by ?? undefined,
    closedAt: row.closed_at === null ? undefined : instantOfMicros(row.closed_at),
  };
}
