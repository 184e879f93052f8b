import type { Sql } from "../engines/postgres/index.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Ledger, Transfer } from "../ledger/index.js";
import { claimOf } from "./core/matching/index.js";
import { findFormat } from "./core/index.js";
import { planPosting, type PlannedAction, type RecordSource } from "./core/posting/index.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { batch_records } from "./stage-records.js";
import {
  readAllotments,
  retargetAllotments,
  suspendAllotments,
  type StoredAllotment,
} from "./store/allotments.js";
import { insertExceptions, type NewException } from "./store/exceptions.js";
import type { StoredFile } from "./store/files.js";
import { readRecordsToPost, type RecordToPost } from "./store/records-at-work.js";

export interface PostingDependencies {
  readonly payments: SettlementPayments;
  readonly ledger: Ledger;
}

interface Batch {
  readonly organization: OrganizationId;
  readonly file: StoredFile;
  readonly account: SettlementAccount;
  readonly records: ReadonlyMap<number, RecordToPost>;
}

/**
 * Posts the next records of a file, in the caller's transaction, which holds the file.
 * @returns the position up to which it is posted
 */
export async function postRecords(
  sql: Sql,
  { payments, ledger }: PostingDependencies,
  organization: OrganizationId,
  file: StoredFile,
  account: SettlementAccount,
  now: Instant,
): Promise<number> {
  const after = file.posted;
  const through = Math.min(after + batch_records, file.records);
  const records = await readRecordsToPost(sql, file.id, { after, through });
  const allotments = await readAllotments(sql, file.id, { after, through });
  const batch: Batch = {
    organization,
    file,
    account,
    records: new Map(records.map((record) => [record.position, record])),
  };
  const parts = byPosition(allotments);
  const { actions, movements } = planPosting(
    sourceOf(account, file),
    records.map((record) => ({ record, parts: parts.get(record.position) ?? [] })),
  );
  const refusals = await applyActions(sql, payments, batch, actions);
  // What payments will not have waits in suspense, and is the same money.
  const suspended = suspend(allotments, refusals);
  for (const { amount } of suspended) movements.add("suspense", amount);
  await suspendAllotments(
    sql,
    file.id,
    suspended.map(({ position, part, exception }) => ({ position, part, ...exception })),
  );
  await post(sql, ledger, batch, `${after + 1}-${through}`, movements.transfers());
  const waiting = allotments.filter((each) => !refusals.has(keyOfPart(each)));
  await insertExceptions(sql, organization, exceptionsOf(batch, [...waiting, ...suspended], now));
  return through;
}

/** Whose records a file has, and how they came. */
export function sourceOf(
  { id, side }: SettlementAccount,
  { format, landedAt }: Pick<StoredFile, "format" | "landedAt">,
): RecordSource {
  return {
    account: id,
    side,
    scheme: format === undefined ? undefined : findFormat(format)?.scheme,
    landedAt,
  };
}

function byPosition(allotments: readonly StoredAllotment[]): ReadonlyMap<number, StoredAllotment[]> {
  const parts = new Map<number, StoredAllotment[]>();
  for (const each of allotments) {
    const known = parts.get(each.position);
    if (known === undefined) parts.set(each.position, [each]);
    else known.push(each);
  }
  return parts;
}

const keyOfPart = ({ position, part }: { position: number; part: number }) => `${position}/${part}`;

/** @returns why payments refused an action, by each of its parts */
async function applyActions(
  sql: Sql,
  payments: SettlementPayments,
  { organization, file, account, records }: Batch,
  actions: readonly PlannedAction[],
): Promise<ReadonlyMap<string, string>> {
  if (actions.length === 0) return new Map();
  const outcomes = await payments.apply(
    sql,
    organization,
    account,
    actions.map(({ action }) => action),
    file.id,
  );
  const refusals = new Map<string, string>();
  const made: Parameters<typeof retargetAllotments>[2][number][] = [];
  for (const [index, { record, parts, action }] of actions.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new RangeError(`payments gave no outcome for ${action.key}`);
    const { position } = record;
    if (outcome.kind === "refused") {
      for (const { part } of parts) refusals.set(keyOfPart({ position, part }), outcome.reason);
      continue;
    }
    const [first] = parts;
    const staged = records.get(position);
    if (outcome.target === undefined || first === undefined || staged === undefined) continue;
    // A transfer's parts name its invoices; what payments made of it is found by the action's key.
    if (action.kind === "receive_transfer") continue;
    const { kind, id, root } = outcome.target;
    const claim = claimOf({ ...staged, side: account.side }, { kind, root });
    if (claim === undefined) continue;
    // The bank file that brings a payout is the bank's, the payout its provider's.
    const owner = first.target?.account ?? account.id;
    const target = { kind, id, ...(kind === "payout" ? { account: owner } : {}) };
    made.push({ position, part: first.part, target, claim });
  }
  await retargetAllotments(sql, file.id, made);
  return refusals;
}

function suspend(
  allotments: readonly StoredAllotment[],
  refusals: ReadonlyMap<string, string>,
): (StoredAllotment & { readonly exception: NonNullable<StoredAllotment["exception"]> })[] {
  return allotments.flatMap((each) => {
    const note = refusals.get(keyOfPart(each));
    if (note === undefined) return [];
    const { position, part, amount } = each;
    const exception = { kind: "unmatched", note } as const;
    return [
      { position, part, amount, effect: "suspense", rule: "none", claim: undefined, exception } as const,
    ];
  });
}

async function post(
  sql: Sql,
  ledger: Ledger,
  { organization, file }: Batch,
  positions: string,
  transfers: readonly Transfer[],
): Promise<void> {
  if (transfers.length === 0) return;
  const idempotencyKey = `settlement:${file.id}:${positions}`;
  await ledger.post(sql, organization, [
    { idempotencyKey, reason: "settlement.post", reference: file.id, transfers },
  ]);
}

function exceptionsOf(
  { file, account, records }: Batch,
  allotments: readonly StoredAllotment[],
  now: Instant,
): NewException[] {
  return allotments.flatMap(({ position, part, effect, amount, target, exception }): NewException[] => {
    const record = records.get(position);
    if (exception === undefined || record === undefined) return [];
    return [
      {
        id: newId("rex", now),
        kind: exception.kind,
        about: `record:${file.id}:${position}:${part}`,
        account: account.id,
        file: file.id,
        position,
        target: target === undefined ? undefined : { kind: target.kind, id: target.id },
        amount,
        suspense: effect === "suspense" ? amount.minor : 0n,
        reason: exception.note,
        happenedAt: record.at,
        openedAt: now,
      },
    ];
  });
}
