import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import {
  amountQuestionOf,
  claimOf,
  fitting,
  matchByAmount,
  matchByReference,
  referencesOf,
  targetKindsOf,
  type AmountAnswer,
  type AmountQuestion,
  type FoundTarget,
  type MatchableRecord,
  type MatchedRecord,
  type Target,
  type TargetKind,
} from "./core/matching/index.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { batch_records } from "./stage-records.js";
import { findClaims, insertAllotments, sumReceipts, type StoredAllotment } from "./store/allotments.js";
import { findReturns } from "./store/exceptions.js";
import type { StoredFile } from "./store/files.js";
import { readRecordsToMatch, readUnallotted } from "./store/records-at-work.js";

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
  const records = await readRecordsToMatch(sql, file.id, { after, through, side: account.side });
  const found = await findNamed(sql, payments, account, records);
  const pending = await sumReceipts(sql, file.id, invoicesOf(found));
  const match = async (own: Sql, claimed: ReadonlySet<string>) => {
    const { matched } = matchByReference(records, { found, claimed, pending });
    const allotments = allotmentsOf(matched);
    const written = await insertAllotments(own, organization, file.id, allotments);
    if (written < allotments.length) throw new Claimed();
    return { through, matched: matched.length };
  };
  // Mostly nothing of it was settled before, and to look for all of it costs a tenth of the whole.
  try {
    return await sql.savepoint((own) => match(own, new Set()));
  } catch (error) {
    if (!(error instanceof Claimed)) throw error;
    return match(sql, await findClaims(sql, claimsOf(pairsOf(records, found))));
  }
}

/** Another record has settled what one of these would. */
class Claimed extends Error {
  override readonly name = "Claimed";
}

/**
 * What the records name: the surest reference of each first, and the next ones only of those that it found nothing for, since
 * most are found at once.
 */
async function findNamed(
  sql: Sql,
  payments: SettlementPayments,
  account: SettlementAccount,
  records: readonly MatchableRecord[],
): Promise<readonly FoundTarget[]> {
  const all: FoundTarget[] = [];
  let left = records
    .map((record) => ({ record, kinds: targetKindsOf(record), references: referencesOf(record) }))
    .filter(({ references }) => references.length > 0);
  for (let turn = 0; left.length > 0; turn += 1) {
    const asked = new Map<string, { kinds: readonly TargetKind[]; references: Set<string> }>();
    for (const { record, kinds, references } of left) {
      const group = asked.get(kinds.join()) ?? { kinds, references: new Set() };
      asked.set(kinds.join(), group);
      // What the payer wrote may name several: all of it at once.
      const isWritten = turn >= record.references.length;
      for (const each of isWritten ? references.slice(turn) : references.slice(turn, turn + 1))
        group.references.add(each);
    }
    const byReference = new Map<string, Target[]>();
    for (const { kinds, references } of asked.values()) {
      for (const each of await payments.findByReference(sql, account, kinds, [...references])) {
        all.push(each);
        byReference.set(each.reference, [...(byReference.get(each.reference) ?? []), each.target]);
      }
    }
    left = left.filter(({ record, references }) => {
      if (turn + 1 >= references.length || turn >= record.references.length) return false;
      return fitting(record, byReference.get(references[turn] ?? "") ?? []).length === 0;
    });
  }
  return all;
}

/** How many of a file's records are not allotted to anything yet. */
export function unallotted({ records, repeated, matched }: StoredFile): number {
  return records - repeated - matched;
}

/**
 * The rest of the file by amount and date, all that is left at once; beyond the limit what is left is for a person, some at a time.
 * @returns how many were allotted
 */
export async function matchRest(
  sql: Sql,
  payments: SettlementPayments,
  organization: OrganizationId,
  file: StoredFile,
  account: SettlementAccount,
): Promise<number> {
  const left = unallotted(file);
  if (left === 0) return 0;
  const records = await readUnallotted(sql, file.id, { limit: rest_records_max, side: account.side });
  const isWhole = left <= rest_records_max;
  const questions = isWhole ? records.flatMap((record) => amountQuestionOf(record) ?? []) : [];
  const answers =
    questions.length === 0
      ? []
      : [
          ...(await payments.findByAmount(sql, account, questions)),
          ...(await returnsOf(sql, account, questions)),
        ];
  const byPosition = new Map(records.map((record) => [record.position, record]));
  const pairs = answers.flatMap(({ position, target }) => {
    const record = byPosition.get(position);
    return record === undefined ? [] : [{ record, target }];
  });
  const matched = matchByAmount(records, answers, {
    claimed: await findClaims(sql, claimsOf(pairs)),
    pending: await sumReceipts(sql, file.id, invoicesOf(pairs)),
  });
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

/** A record and something that it may be about. */
interface Pair {
  readonly record: MatchableRecord;
  readonly target: Target;
}

function pairsOf(records: readonly MatchableRecord[], found: readonly FoundTarget[]): Pair[] {
  const byReference = new Map<string, Target[]>();
  for (const { reference, target } of found) {
    const known = byReference.get(reference);
    if (known === undefined) byReference.set(reference, [target]);
    else known.push(target);
  }
  return records.flatMap((record) =>
    referencesOf(record).flatMap((reference) =>
      (byReference.get(reference) ?? []).map((target) => ({ record, target })),
    ),
  );
}

function claimsOf(pairs: readonly Pair[]): string[] {
  return [...new Set(pairs.flatMap(({ record, target }) => claimOf(record, target) ?? []))];
}

function invoicesOf(found: readonly { readonly target: Target }[]): string[] {
  return [...new Set(found.flatMap(({ target }) => (target.kind === "invoice" ? [target.id] : [])))];
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
