import { arrayText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, ProviderAccountId, SettlementFileId } from "../../kernel/ids.js";
import type { Allotment, Effect, ExceptionKind, Rule } from "../core/matching/index.js";

/** A part of what a record turned out to be. */
export interface StoredAllotment extends Allotment {
  readonly position: number;
  /** From 1. */
  readonly part: number;
  readonly claim: string | undefined;
}

interface AllotmentRow {
  readonly position: number;
  readonly part: number;
  readonly effect: Effect;
  readonly rule: Rule;
  readonly currency: Currency;
  readonly amount_minor: string;
  readonly target_kind: NonNullable<Allotment["target"]>["kind"] | null;
  readonly target: string | null;
  readonly target_account: string | null;
  readonly claim: string | null;
  readonly exception_kind: ExceptionKind | null;
  readonly note: string | null;
}

const note_length_max = 1_024;

/** @returns how many were written: fewer than given when another record has a claim of theirs */
export async function insertAllotments(
  sql: Sql,
  organization: OrganizationId,
  file: SettlementFileId,
  allotments: readonly StoredAllotment[],
): Promise<number> {
  if (allotments.length === 0) return 0;
  const texts = (of: (each: StoredAllotment) => string | number | bigint | undefined) =>
    arrayText(allotments.map((each) => of(each) ?? ""));
  const { count } = await sql`
    INSERT INTO settlement_allotments
      (organization, file, position, part, effect, rule, currency, amount_minor, target_kind, target, target_account, claim,
       exception_kind, note)
    SELECT ${organization}, ${file}, a.position, a.part, a.effect, a.rule, a.currency, a.amount::numeric, nullif(a.target_kind, ''),
           nullif(a.target, ''), nullif(a.target_account, ''), nullif(a.claim, ''), nullif(a.exception_kind, ''), nullif(a.note, '')
    FROM unnest(${texts(({ position }) => position)}::int[], ${texts(({ part }) => part)}::int[], ${texts(({ effect }) => effect)}::text[],
                ${texts(({ rule }) => rule)}::text[], ${texts(({ amount }) => amount.currency)}::text[],
                ${texts(({ amount }) => amount.minor)}::text[], ${texts(({ target }) => target?.kind)}::text[],
                ${texts(({ target }) => target?.id)}::text[], ${texts(({ target }) => target?.account)}::text[],
                ${texts(({ claim }) => claim)}::text[], ${texts(({ exception }) => exception?.kind)}::text[],
                ${texts(({ exception }) => exception?.note.slice(0, note_length_max))}::text[])
         AS a (position, part, effect, rule, currency, amount, target_kind, target, target_account, claim, exception_kind, note)
    ON CONFLICT (claim, organization) WHERE claim IS NOT NULL AND NOT is_void DO NOTHING`;
  return count;
}

/** What stands of the records of a file behind a position, up to and with another, in order. */
export async function readAllotments(
  sql: Sql,
  file: SettlementFileId,
  { after, through }: { after: number; through: number },
): Promise<StoredAllotment[]> {
  const rows = await sql<AllotmentRow[]>`
    SELECT position, part, effect, rule, currency, amount_minor::text, target_kind, target, target_account, claim, exception_kind, note
    FROM settlement_allotments
    WHERE file = ${file} AND position > ${after} AND position <= ${through} AND NOT is_void
    ORDER BY position, part`;
  return rows.map(fromRow);
}

/** Which of these are taken. */
export async function findClaims(sql: Sql, claims: readonly string[]): Promise<ReadonlySet<string>> {
  if (claims.length === 0) return new Set();
  const rows = await sql<{ claim: string }[]>`
    SELECT a.claim FROM unnest(${arrayText(claims)}::text[]) AS w (claim)
    CROSS JOIN LATERAL (
      SELECT claim FROM settlement_allotments WHERE claim = w.claim AND claim IS NOT NULL AND NOT is_void OFFSET 0) a`;
  return new Set(rows.map(({ claim }) => claim));
}

/** What a file that is not posted yet has allotted to these invoices. */
export async function sumReceipts(
  sql: Sql,
  file: SettlementFileId,
  invoices: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  if (invoices.length === 0) return new Map();
  const rows = await sql<{ target: string; minor: string }[]>`
    SELECT target, sum(amount_minor)::text AS minor FROM settlement_allotments
    WHERE effect = 'receipt' AND NOT is_void AND target = ANY (${[...invoices]}::text[]) AND file = ${file}
    GROUP BY target`;
  return new Map(rows.map(({ target, minor }) => [target, BigInt(minor)]));
}

/** A part names what payments made of it: a capture its payment, a chargeback its dispute. */
export async function retargetAllotments(
  sql: Sql,
  file: SettlementFileId,
  parts: readonly {
    readonly position: number;
    readonly part: number;
    readonly target: NonNullable<Allotment["target"]>;
    readonly claim: string;
  }[],
): Promise<void> {
  if (parts.length === 0) return;
  await sql`
    UPDATE settlement_allotments a
    SET target_kind = w.kind, target = w.target, target_account = nullif(w.account, ''), claim = w.claim
    FROM unnest(${arrayText(parts.map(({ position }) => position))}::int[], ${arrayText(parts.map(({ part }) => part))}::int[],
                ${arrayText(parts.map(({ target }) => target.kind))}::text[], ${arrayText(parts.map(({ target }) => target.id))}::text[],
                ${arrayText(parts.map(({ target }) => target.account ?? ""))}::text[], ${arrayText(parts.map(({ claim }) => claim))}::text[])
         AS w (position, part, kind, target, account, claim)
    WHERE a.file = ${file} AND a.position = w.position AND a.part = w.part`;
}

/** What payments refused waits in suspense instead. */
export async function suspendAllotments(
  sql: Sql,
  file: SettlementFileId,
  parts: readonly {
    readonly position: number;
    readonly part: number;
    readonly kind: ExceptionKind;
    readonly note: string;
  }[],
): Promise<void> {
  if (parts.length === 0) return;
  await sql`
    UPDATE settlement_allotments a
    SET effect = 'suspense', rule = 'none', target_kind = NULL, target = NULL, target_account = NULL, claim = NULL,
        exception_kind = w.kind, note = w.note
    FROM unnest(${arrayText(parts.map(({ position }) => position))}::int[], ${arrayText(parts.map(({ part }) => part))}::int[],
                ${arrayText(parts.map(({ kind }) => kind))}::text[],
                ${arrayText(parts.map(({ note }) => note.slice(0, note_length_max)))}::text[]) AS w (position, part, kind, note)
    WHERE a.file = ${file} AND a.position = w.position AND a.part = w.part`;
}

/** Takes back what a person allotted. */
export async function voidAllotments(
  sql: Sql,
  file: SettlementFileId,
  position: number,
  parts: readonly number[],
): Promise<void> {
  await sql`
    UPDATE settlement_allotments SET is_void = true
    WHERE file = ${file} AND position = ${position} AND part = ANY (${[...parts]}::int[]) AND rule = 'by_hand'`;
}

/** The highest part of a record, void ones too. */
export async function lastPartOf(sql: Sql, file: SettlementFileId, position: number): Promise<number> {
  const [row] = await sql<{ last: number | null }[]>`
    SELECT max(part) AS last FROM settlement_allotments WHERE file = ${file} AND position = ${position}`;
  return row?.last ?? 0;
}

/** How many records of a file wait in suspense, at least in part. */
export async function countSuspended(sql: Sql, file: SettlementFileId): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    SELECT count(DISTINCT position)::text AS count FROM settlement_allotments
    WHERE file = ${file} AND effect = 'suspense' AND NOT is_void`;
  return Number(row?.count ?? 0);
}

export interface PayoutSum {
  /** The sender's id of the payout. */
  readonly payout: string;
  readonly currency: Currency;
  /** What the payout took off our account. */
  readonly paidOut: bigint;
  /** What the records that say that they are in it come to, and how many they are. */
  readonly components: bigint;
  readonly count: number;
}

/** The payouts that a file tells of, or whose records it has, and what all files of the account say is in them. */
export async function sumPayouts(
  sql: Sql,
  file: SettlementFileId,
  account: ProviderAccountId,
  limit: number,
): Promise<PayoutSum[]> {
  const rows = await sql<
    { payout: string; currency: Currency; paid_out: string; components: string; count: string }[]
  >`
    WITH named AS (
      SELECT DISTINCT payout FROM settlement_records WHERE file = ${file} AND payout IS NOT NULL ORDER BY payout LIMIT ${limit})
    SELECT n.payout, coalesce(r.settled_currency, r.currency) AS currency,
           coalesce(sum(-coalesce(r.settled_minor, r.gross_minor)) FILTER (WHERE r.kind = 'payout'), 0)::text AS paid_out,
           coalesce(sum(coalesce(r.settled_minor, r.gross_minor) - coalesce(r.fee_minor, 0)) FILTER (WHERE r.kind <> 'payout'), 0)::text AS components,
           (count(*) FILTER (WHERE r.kind <> 'payout'))::text AS count
    FROM named n
    CROSS JOIN LATERAL (
      SELECT * FROM settlement_records WHERE payout = n.payout AND account = ${account} AND repeats IS NULL OFFSET 0) r
    GROUP BY n.payout, coalesce(r.settled_currency, r.currency)
    HAVING count(*) FILTER (WHERE r.kind = 'payout') > 0 AND count(*) FILTER (WHERE r.kind <> 'payout') > 0`;
  return rows.map(({ payout, currency, paid_out, components, count }) => ({
    payout,
    currency,
    paidOut: BigInt(paid_out),
    components: BigInt(components),
    count: Number(count),
  }));
}

function fromRow(row: AllotmentRow): StoredAllotment {
  const { target_kind, target, target_account, exception_kind, note } = row;
  return {
    position: row.position,
    part: row.part,
    effect: row.effect,
    rule: row.rule,
    amount: { currency: row.currency, minor: BigInt(row.amount_minor) },
    claim: row.claim ?? undefined,
    ...(target_kind === null || target === null
      ? {}
      : {
          target: {
            kind: target_kind,
            id: target,
            ...(target_account === null ? {} : { account: target_account }),
          },
        }),
    ...(exception_kind === null ? {} : { exception: { kind: exception_kind, note: note ?? "" } }),
  };
}
