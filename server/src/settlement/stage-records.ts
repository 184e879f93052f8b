import { createHash } from "node:crypto";
import type { Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { FileRefused, type FileSummary, type SettlementRecord } from "./core/index.js";
import { isSameMovement, stageRecord, type Hashes, type StagedRecord } from "./core/staging/index.js";
import type { FileReadings } from "./file-readings.js";
import type { FileRefusal, StoredFile, StoredSummary } from "./store/files.js";
import { findByKeys, insertRecords, notePayouts } from "./store/records.js";

export interface StagingDependencies {
  readonly readings: FileReadings;
  readonly secrets: Pick<Secrets, "keyedHash">;
}

// A step's work: a third of a second on a slow machine, and some 10 MiB.
export const batch_records = 10_000;

export type StagedPiece =
  | { readonly kind: "more" | "ended"; readonly file: StoredFile }
  | { readonly kind: "refused"; readonly refusal: FileRefusal };

/**
 * Writes the next records of a file, in the caller's transaction, which holds the file.
 * @returns the file as it is to be saved
 */
export async function stageRecords(
  sql: Sql,
  { readings, secrets }: StagingDependencies,
  organization: OrganizationId,
  file: StoredFile,
): Promise<StagedPiece> {
  try {
    const reading = await readings.take(organization, file, file.records);
    try {
      const { records, bytesDone, summary } = await reading.next(batch_records);
      const hashes = hashesOf(secrets, organization);
      const staged = records.map((record, index) => stageRecord(record, file.records + index + 1, hashes));
      const repeated = await write(sql, organization, file, staged);
      const after: StoredFile = {
        ...file,
        format: reading.format?.name,
        bytesDone,
        records: file.records + records.length,
        repeated: file.repeated + repeated,
        period: periodOf(file, records),
      };
      if (summary === undefined) {
        readings.giveBack(file, reading);
        return { kind: "more", file: after };
      }
      reading.close();
      const { variant, logicalId } = summary;
      return { kind: "ended", file: { ...after, variant, logicalId, summary: storedSummary(summary) } };
    } catch (error) {
      reading.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    return { kind: "refused", refusal: refusalOf(error) };
  }
}

export function refusalOf({ line, record, field, detail, advice }: FileRefused): FileRefusal {
  return { line: line ?? null, record: record ?? null, field: field ?? null, detail, advice };
}

/** @returns how many are in the books from another file */
async function write(
  sql: Sql,
  organization: OrganizationId,
  file: StoredFile,
  staged: readonly StagedRecord[],
): Promise<number> {
  const written = await insertRecords(sql, organization, { file: file.id, account: file.account }, staged);
  const again = staged.filter(({ position }) => !written.has(position));
  if (again.length === 0) return 0;
  const known = await findByKeys(
    sql,
    file.account,
    again.map(({ key }) => key),
  );
  const repeating: StagedRecord[] = [];
  const same: StagedRecord[] = [];
  for (const record of again) {
    const before = known.get(record.key);
    if (before !== undefined && before.file !== file.id && isSameMovement(before, record)) same.push(record);
    else
      repeating.push({
        ...record,
        // Under a key of its own: it is there to be looked at, not to stand for the movement.
        key: `${record.key}#${file.id}/${record.position}`,
        repeats: before === undefined || before.file === file.id ? "in_file" : "otherwise",
      });
  }
  await insertRecords(sql, organization, { file: file.id, account: file.account }, repeating);
  const paidOut = same.flatMap(({ key, payout }) => (payout === undefined ? [] : [{ key, payout }]));
  await notePayouts(sql, file.account, paidOut);
  return same.length;
}

function hashesOf(secrets: Pick<Secrets, "keyedHash">, organization: OrganizationId): Hashes {
  return {
    // Of each organization's own: the same card of two of them has two hashes.
    card: (number) => secrets.keyedHash(`${organization}:${number}`, "card-number"),
    digest: (text) => createHash("sha256").update(text).digest("hex"),
  };
}

function periodOf({ period }: StoredFile, records: readonly SettlementRecord[]): StoredFile["period"] {
  let [from, to] = [period?.from, period?.to];
  for (const { at } of records) {
    if (from === undefined || at < from) from = at;
    if (to === undefined || at > to) to = at;
  }
  return from === undefined || to === undefined ? undefined : { from: from as Instant, to: to as Instant };
}

function storedSummary(summary: FileSummary): StoredSummary {
  const { accounts, kinds, totals, sequences, checks, leftOut, refusedRows } = summary;
  return {
    accounts,
    kinds,
    totals: totals.map(({ currency, records, gross, fee, net }) => ({
      currency,
      records,
      gross: gross.toString(),
      fee: fee.toString(),
      net: net.toString(),
    })),
    sequences: sequences.map(({ series, number }) => ({ series, number: number.toString() })),
    checks,
    leftOut,
    refusedRows,
  };
}
