import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import {
  amountQuestionOf,
  claimOf,
  matchByAmount,
  matchByReference,
  referencesOf,
  type AmountAnswer,
  type AmountQuestion,
  type FoundTarget,
  type MatchableRecord,
  type MatchedRecord,
  type Target,
} from "./core/matching/index.js";
import { toMatchable } from "./core/staging/index.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { batch_records } from "./stage-records.js";
import { findClaims, insertAllotments, sumReceipts, type StoredAllotment } from "./store/allotments.js";
import { findReturns } from "./store/exceptions.js";
import type { StoredFile } from "./store/files.js";
import { readRecords, readUnallotted } from "./store/records.js";

/** Records that name nothing of ours are compared with one another: so many at once. */
export const rest_records_max = 10_000;

export interface MatchedPiece {
  /** The last position that was looked at. */
  readonly through: number;
  readonly matched: number;
}

/** Matches the next records of a file by what they name, in the caller's transaction. */
export async function matchNamed(
  sql: Sql,
  payments: SettlementPayments,
  organization: OrganizationId,
  file: StoredFile,
  account: SettlementAccount,
  after: number,
): Promise<MatchedPiece> {
  const through = Math.min(after + batch_records, file.records);
  const staged = await readRecords(sql, file.id, { after, through, limit: batch_records });
  const records = staged.map((record) => toMatchable(record, account.side));
  const references = [...new Set(records.flatMap(referencesOf))];
  const found = references.length === 0 ? [] : await payments.findByReference(sql, account, references);
  const knowledge = await knownOf(sql, file, records, found);
  const { matched } = matchByReference(records, { found, ...knowledge });
  await insertAllotments(sql, organization, file.id, allotmentsOf(matched));
  return { through, matched: matched.length };
}

/**
 * The rest of the file by amount and date, all that is left at once; beyond the limit what is left is for a person.
 * @returns how many were allotted; 0 when nothing is left
 */
export async function matchRest(
  sql: Sql,
  payments: SettlementPayments,
  organization: OrganizationId,
  file: StoredFile,
  account: SettlementAccount,
): Promise<number> {
  const staged = await readUnallotted(sql, file.id, { after: 0, limit: rest_records_max + 1 });
  const some = staged.slice(0, rest_records_max);
  const isWhole = staged.length === some.length;
  const records = some.map((record) => toMatchable(record, account.side));
  const questions = isWhole ? records.flatMap((record) => amountQuestionOf(record) ?? []) : [];
  const answers =
    questions.length === 0
      ? []
      : [
          ...(await payments.findByAmount(sql, account, questions)),
          ...(await returnsOf(sql, account, questions)),
        ];
  const found = answers.map(({ target }) => ({ reference: "", target }));
  const matched = matchByAmount(records, answers, await knownOf(sql, file, records, found));
  await insertAllotments(sql, organization, file.id, allotmentsOf(matched));
  return matched.length;
}

/** What a person said goes back to its sender, of these amounts. */
async function returnsOf(
  sql: Sql,
  account: SettlementAccount,
  questions: readonly AmountQuestion[],
): Promise<AmountAnswer[]> {
  const asked = questions.filter(({ kinds }) => kinds.includes("return"));
  const found = await findReturns(sql, account.id, asked);
  return asked.flatMap(({ position, currency, minor }) =>
    found
      .filter(({ amount }) => amount.currency === currency && amount.minor === minor)
      .map(({ id, amount, at }) => ({
        position,
        target: { kind: "return" as const, id, root: id, amount, at },
      })),
  );
}

/** What other records have settled of what was found, or been allotted to it. */
async function knownOf(
  sql: Sql,
  file: StoredFile,
  records: readonly MatchableRecord[],
  found: readonly FoundTarget[],
): Promise<{ claimed: ReadonlySet<string>; pending: ReadonlyMap<string, bigint> }> {
  const targets = new Map<string, Target>();
  for (const { target } of found) targets.set(target.id, target);
  const movements = new Map<string, MatchableRecord>();
  for (const record of records) {
    const { kind, side, gross } = record;
    movements.set(`${kind} ${side} ${gross.minor > 0n}`, record);
  }
  const claims = new Set<string>();
  const invoices: string[] = [];
  for (const target of targets.values()) {
    if (target.kind === "invoice") invoices.push(target.id);
    for (const record of movements.values()) {
      const claim = claimOf(record, target);
      if (claim !== undefined) claims.add(claim);
    }
  }
  return {
    claimed: await findClaims(sql, [...claims]),
    pending: await sumReceipts(sql, file.id, invoices),
  };
}

function allotmentsOf(matched: readonly MatchedRecord[]): StoredAllotment[] {
  return matched.flatMap(({ record, allotments, claims }) => {
    const left = [...claims];
    return allotments.map((allotment, index): StoredAllotment => {
      // One claim for each part that names something: both are in the order in which they were decided.
      const claim = allotment.target === undefined ? undefined : left.shift();
      return { ...allotment, position: record.position, part: index + 1, claim };
    });
  });
}
