import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, ProviderAccountId, SettlementFileId } from "../../kernel/ids.js";
import { formatDate, type LocalDate } from "../../kernel/local-date.js";
import type { Money } from "../../kernel/money.js";
import type { RecordKind } from "../core/index.js";
import type { StagedRecord } from "../core/staging/index.js";

// Between the references of one record: an array of arrays is no unnest's. No reference has it.
const separator = "\u001f";

/**
 * Writes the records whose keys are free, in one statement.
 * @returns the positions of those that were written
 */
export async function insertRecords(
  sql: Sql,
  organization: OrganizationId,
  { file, account }: { readonly file: SettlementFileId; readonly account: ProviderAccountId },
  records: readonly StagedRecord[],
): Promise<ReadonlySet<number>> {
  if (records.length === 0) return new Set();
  const texts = (of: (record: StagedRecord) => string | number | bigint | undefined) =>
    arrayText(records.map((record) => of(record) ?? ""));
  const rows = await sql<{ position: number }[]>`
    INSERT INTO settlement_records
      (organization, file, position, account, key, record, line, kind, currency, gross_minor, settled_currency, settled_minor,
       fee_currency, fee_minor, at, value_date, refs, ref, arn, payout, note, counterparty, is_reversal, card_last4, card_hash,
       repeats, decline_code, decline_message)
    SELECT ${organization}, ${file}, r.position, ${account}, r.key, r.record, nullif(r.line, '')::int, r.kind, r.currency, r.gross::numeric,
           nullif(r.settled_currency, ''), nullif(r.settled, '')::numeric, nullif(r.fee_currency, ''), nullif(r.fee, '')::numeric,
           r.at::timestamptz, nullif(r.value_date, '')::date,
           CASE WHEN r.refs = '' THEN '{}' ELSE string_to_array(r.refs, ${separator}) END,
           nullif(r.ref, ''), nullif(r.arn, ''), nullif(r.payout, ''), nullif(r.note, ''), nullif(r.counterparty, ''), r.is_reversal = 't',
           nullif(r.card_last4, ''), decode(nullif(r.card_hash, ''), 'hex'), nullif(r.repeats, ''), nullif(r.decline_code, ''),
           CASE WHEN r.decline_code = '' THEN NULL ELSE r.decline_message END
    FROM unnest(${texts(({ position }) => position)}::int[], ${texts(({ key }) => key)}::text[], ${texts(({ record }) => record)}::int[],
                ${texts(({ line }) => line)}::text[], ${texts(({ kind }) => kind)}::text[], ${texts(({ gross }) => gross.currency)}::text[],
                ${texts(({ gross }) => gross.minor)}::text[], ${texts(({ settled }) => settled?.currency)}::text[],
                ${texts(({ settled }) => settled?.minor)}::text[], ${texts(({ fee }) => fee?.currency)}::text[],
                ${texts(({ fee }) => fee?.minor)}::text[], ${texts(({ at }) => timestampText(at))}::text[],
                ${texts(({ valueDate }) => (valueDate === undefined ? undefined : formatDate(valueDate)))}::text[],
                ${texts(({ references }) => references.join(separator))}::text[], ${texts(({ ref }) => ref)}::text[],
                ${texts(({ arn }) => arn)}::text[], ${texts(({ payout }) => payout)}::text[], ${texts(({ text }) => text)}::text[],
                ${texts(({ counterparty }) => counterparty)}::text[], ${texts(({ isReversal }) => (isReversal ? "t" : "f"))}::text[],
                ${texts(({ card }) => card?.last4)}::text[], ${texts(({ card }) => card?.hash)}::text[],
                ${texts(({ repeats }) => repeats)}::text[], ${texts(({ decline }) => decline?.code)}::text[],
                ${texts(({ decline }) => decline?.message)}::text[])
         AS r (position, key, record, line, kind, currency, gross, settled_currency, settled, fee_currency, fee, at, value_date, refs,
               ref, arn, payout, note, counterparty, is_reversal, card_last4, card_hash, repeats, decline_code, decline_message)
    ON CONFLICT ON CONSTRAINT settlement_records_once DO NOTHING
    RETURNING position`;
  return new Set(rows.map(({ position }) => position));
}

interface RecordRow {
  readonly position: number;
  readonly key: string;
  readonly record: number;
  readonly line: number | null;
  readonly kind: RecordKind;
  readonly currency: Currency;
  readonly gross_minor: string;
  readonly settled_currency: Currency | null;
  readonly settled_minor: string | null;
  readonly fee_currency: Currency | null;
  readonly fee_minor: string | null;
  readonly at: string;
  readonly value_date: string | null;
  readonly refs: string[];
  readonly ref: string | null;
  readonly arn: string | null;
  readonly payout: string | null;
  readonly note: string | null;
  readonly counterparty: string | null;
  readonly is_reversal: boolean;
  readonly card_last4: string | null;
  readonly card_hash: string | null;
  readonly repeats: "in_file" | "otherwise" | null;
  readonly decline_code: string | null;
  readonly decline_message: string | null;
}

/** The records of a file behind a position, up to and with another. */
export async function readRecords(
  sql: Sql,
  file: SettlementFileId,
  { after, through, limit }: { after: number; through: number; limit: number },
): Promise<StagedRecord[]> {
  const rows = await sql<RecordRow[]>`
    SELECT position, key, record, line, kind, currency, gross_minor::text, settled_currency, settled_minor::text, fee_currency,
           fee_minor::text, (extract(epoch FROM at) * 1000000)::bigint::text AS at,
           (value_date - date '1970-01-01')::text AS value_date, refs, ref, arn, payout, note, counterparty, is_reversal, card_last4,
           encode(card_hash, 'hex') AS card_hash, repeats, decline_code, decline_message
    FROM settlement_records
    WHERE file = ${file} AND position > ${after} AND position <= ${through}
    ORDER BY position LIMIT ${limit}`;
  return rows.map(fromRow);
}

/** A record under a key of the account, and the file it came in. */
export type KeyedRecord = Pick<StagedRecord, "key" | "kind" | "gross" | "settled" | "fee" | "position"> & {
  readonly file: SettlementFileId;
};

export async function findByKeys(
  sql: Sql,
  account: ProviderAccountId,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyedRecord>> {
  const rows = await sql<
    (Pick<
      RecordRow,
      | "position"
      | "key"
      | "kind"
      | "currency"
      | "gross_minor"
      | "settled_currency"
      | "settled_minor"
      | "fee_currency"
      | "fee_minor"
    > & { file: SettlementFileId })[]
  >`
    SELECT r.file, r.position, r.key, r.kind, r.currency, r.gross_minor::text, r.settled_currency, r.settled_minor::text, r.fee_currency,
           r.fee_minor::text
    FROM unnest(${arrayText(keys)}::text[]) AS w (key)
    CROSS JOIN LATERAL (SELECT * FROM settlement_records WHERE key = w.key AND account = ${account} OFFSET 0) r`;
  return new Map(
    rows.map((row) => [
      row.key,
      {
        file: row.file,
        position: row.position,
        key: row.key,
        kind: row.kind,
        gross: { currency: row.currency, minor: BigInt(row.gross_minor) },
        settled: moneyOf(row.settled_currency, row.settled_minor),
        fee: moneyOf(row.fee_currency, row.fee_minor),
      },
    ]),
  );
}

/** What a later file knows of records that are there: the payout that they were paid out in. */
export async function notePayouts(
  sql: Sql,
  account: ProviderAccountId,
  records: readonly { readonly key: string; readonly payout: string }[],
): Promise<void> {
  if (records.length === 0) return;
  await sql`
    UPDATE settlement_records r SET payout = w.payout
    FROM unnest(${arrayText(records.map(({ key }) => key))}::text[], ${arrayText(records.map(({ payout }) => payout))}::text[]) AS w (key, payout)
    WHERE r.key = w.key AND r.account = ${account} AND r.payout IS NULL`;
}

/** Deletes some records of a file and all that is kept of them. @returns how many */
export async function deleteRecords(sql: Sql, file: SettlementFileId, limit: number): Promise<number> {
  const [last] = await sql<{ position: number }[]>`
    SELECT max(position) AS position
    FROM (SELECT position FROM settlement_records WHERE file = ${file} ORDER BY position LIMIT ${limit}) gone
    HAVING count(*) > 0`;
  if (last === undefined) return 0;
  await sql`DELETE FROM settlement_allotments WHERE file = ${file} AND position <= ${last.position}`;
  const gone =
    await sql`DELETE FROM settlement_records WHERE file = ${file} AND position <= ${last.position} RETURNING 1`;
  return gone.length;
}

function fromRow(row: RecordRow): StagedRecord {
  return {
    position: row.position,
    key: row.key,
    record: row.record,
    line: row.line ?? undefined,
    kind: row.kind,
    gross: { currency: row.currency, minor: BigInt(row.gross_minor) },
    settled: moneyOf(row.settled_currency, row.settled_minor),
    fee: moneyOf(row.fee_currency, row.fee_minor),
    at: instantOfMicros(row.at),
    valueDate: valueDateOf(row),
    references: row.refs,
    ref: row.ref ?? undefined,
    arn: row.arn ?? undefined,
    payout: row.payout ?? undefined,
    text: row.note ?? undefined,
    counterparty: row.counterparty ?? undefined,
    isReversal: row.is_reversal,
    decline: declineOf(row),
    card: row.card_last4 === null ? undefined : { last4: row.card_last4, hash: row.card_hash ?? undefined },
    repeats: row.repeats ?? undefined,
  };
}

export function valueDateOf({ value_date: date }: Pick<RecordRow, "value_date">): LocalDate | undefined {
  return date === null ? undefined : (Number(date) as LocalDate);
}

export function declineOf({
  decline_code: code,
  decline_message: message,
}: Pick<RecordRow, "decline_code" | "decline_message">): StagedRecord["decline"] {
  return code === null ? undefined : { code, message: message ?? "" };
}

export function moneyOf(currency: Currency | null, minor: string | null): Money | undefined {
  return currency === null || minor === null ? undefined : { currency, minor: BigInt(minor) };
}
