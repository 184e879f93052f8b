import { instantOfMicros, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { SettlementFileId } from "../../kernel/ids.js";
import type { RecordKind } from "../core/index.js";
import type { MatchableRecord, Side } from "../core/matching/index.js";
import type { PostedRecord } from "../core/posting/index.js";
import { declineOf, moneyOf, valueDateOf } from "./records.js";

/*
 * What matching and posting read of a file's records: a million of them, so no column more than is looked at.
 */

interface MovedRow {
  readonly position: number;
  readonly kind: RecordKind;
  readonly currency: Currency;
  readonly gross_minor: string;
  readonly settled_currency: Currency | null;
  readonly settled_minor: string | null;
  readonly fee_currency: Currency | null;
  readonly fee_minor: string | null;
  readonly at: string;
  readonly note: string | null;
}

interface MatchableRow extends MovedRow {
  readonly refs: string[];
  readonly counterparty: string | null;
  readonly is_reversal: boolean;
  readonly repeats: "in_file" | "otherwise" | null;
}

/** The records of a file behind a position, up to and with another, in order. */
export async function readRecordsToMatch(
  sql: Sql,
  file: SettlementFileId,
  { after, through, side }: { after: number; through: number; side: Side },
): Promise<MatchableRecord[]> {
  const rows = await sql<MatchableRow[]>`
    SELECT position, kind, currency, gross_minor::text, settled_currency, settled_minor::text, fee_currency, fee_minor::text,
           (extract(epoch FROM at) * 1000000)::bigint::text AS at, refs, note, counterparty, is_reversal, repeats
    FROM settlement_records
    WHERE file = ${file} AND position > ${after} AND position <= ${through}
    ORDER BY position`;
  return rows.map((row) => matchableOf(row, side));
}

/** Those that are not allotted to anything yet. */
export async function readUnallotted(
  sql: Sql,
  file: SettlementFileId,
  { limit, side }: { limit: number; side: Side },
): Promise<MatchableRecord[]> {
  // OFFSET: each is looked up by its key, whatever the planner thinks of how many allotments there are; 5 s for a million.
  const rows = await sql<MatchableRow[]>`
    SELECT position, kind, currency, gross_minor::text, settled_currency, settled_minor::text, fee_currency, fee_minor::text,
           (extract(epoch FROM at) * 1000000)::bigint::text AS at, refs, note, counterparty, is_reversal, repeats
    FROM settlement_records r
    WHERE file = ${file}
      AND NOT EXISTS (SELECT FROM settlement_allotments a
                      WHERE a.organization = r.organization AND a.file = r.file AND a.position = r.position OFFSET 0)
    ORDER BY position LIMIT ${limit}`;
  return rows.map((row) => matchableOf(row, side));
}

/** A record as posting sees it, and what kind it is of. */
export type RecordToPost = PostedRecord & { readonly kind: RecordKind };

interface PostedRow extends MovedRow {
  readonly key: string;
  readonly value_date: string | null;
  readonly decline_code: string | null;
  readonly decline_message: string | null;
  readonly ref: string | null;
  readonly arn: string | null;
}

/** The records of a file behind a position, up to and with another, in order. */
export async function readRecordsToPost(
  sql: Sql,
  file: SettlementFileId,
  { after, through }: { after: number; through: number },
): Promise<RecordToPost[]> {
  const rows = await sql<PostedRow[]>`
    SELECT position, key, kind, currency, gross_minor::text, settled_currency, settled_minor::text, fee_currency, fee_minor::text,
           (extract(epoch FROM at) * 1000000)::bigint::text AS at,
           (value_date - date '1970-01-01')::text AS value_date, ref, arn, note, decline_code, decline_message
    FROM settlement_records
    WHERE file = ${file} AND position > ${after} AND position <= ${through}
    ORDER BY position`;
  return rows.map((row) => ({
    position: row.position,
    key: row.key,
    kind: row.kind,
    gross: { currency: row.currency, minor: BigInt(row.gross_minor) },
    settled: moneyOf(row.settled_currency, row.settled_minor),
    fee: moneyOf(row.fee_currency, row.fee_minor),
    at: instantOfMicros(row.at),
    valueDate: valueDateOf(row),
    ref: row.ref ?? undefined,
    arn: row.arn ?? undefined,
    text: row.note ?? undefined,
    decline: declineOf(row),
  }));
}

function matchableOf(row: MatchableRow, side: Side): MatchableRecord {
  return {
    position: row.position,
    kind: row.kind,
    side,
    gross: { currency: row.currency, minor: BigInt(row.gross_minor) },
    settled: moneyOf(row.settled_currency, row.settled_minor),
    fee: moneyOf(row.fee_currency, row.fee_minor),
    at: instantOfMicros(row.at),
    references: row.refs,
    text: row.note ?? undefined,
    counterparty: row.counterparty ?? undefined,
    isReversal: row.is_reversal,
    repeats: row.repeats ?? undefined,
  };
}
