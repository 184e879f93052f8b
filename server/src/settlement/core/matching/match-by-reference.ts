import { formatMoney, type Money } from "../../../kernel/money.js";
import type { Allotment, Rule } from "./allotment.js";
import { claimOf } from "./claim.js";
import { decideTarget, feeOf, toSuspense } from "./decide-target.js";
import { fitting, targetKindsOf } from "./fit.js";
import { movedBy, type MatchableRecord } from "./matchable-record.js";
import type { FoundTarget, InvoiceTarget, PayoutTarget, Target } from "./target.js";
import { referencesInText } from "./text-references.js";

/** What our books know when a batch of records is matched. */
export interface Knowledge {
  /** What was found by the references of the batch. */
  readonly found: readonly FoundTarget[];
  /** Of what was found: what other records have settled already. */
  readonly claimed: ReadonlySet<string>;
  /** What earlier records of the file were allotted to invoices, in minor units, and is not in the books yet. */
  readonly pending: ReadonlyMap<string, bigint>;
}

/** A record and what it turned out to be. */
export interface MatchedRecord {
  readonly record: MatchableRecord;
  readonly allotments: readonly Allotment[];
  /** What of our books it has settled, so that no other record does. */
  readonly claims: readonly string[];
}

export interface ReferenceMatching {
  readonly matched: readonly MatchedRecord[];
  /** Whose references name nothing of ours. */
  readonly left: readonly MatchableRecord[];
}

/** Every text by which a record's target may be looked for. */
export function referencesOf(record: MatchableRecord): string[] {
  if (record.repeats !== undefined || targetKindsOf(record).length === 0) return [];
  const written = record.side === "bank" && record.text !== undefined ? referencesInText(record.text) : [];
  return [...new Set([...record.references, ...written])];
}

/**
 * The first rules: what says itself what it is, and what is named. In the order of the file: of two records that name one
 * thing, the first has it.
 */
export function matchByReference(
  records: readonly MatchableRecord[],
  knowledge: Knowledge,
): ReferenceMatching {
  const byReference = new Map<string, Target[]>();
  for (const { reference, target } of knowledge.found) {
    const known = byReference.get(reference);
    if (known === undefined) byReference.set(reference, [target]);
    else known.push(target);
  }
  const books = new Books(knowledge);
  const matched: MatchedRecord[] = [];
  const left: MatchableRecord[] = [];
  for (const record of records) {
    const allotments = ofKind(record) ?? named(record, byReference, books);
    if (allotments === undefined) left.push(record);
    else matched.push({ record, ...allotments });
  }
  return { matched, left };
}

type Outcome = Pick<MatchedRecord, "allotments" | "claims">;
const unclaimed = (allotments: readonly Allotment[]): Outcome => ({ allotments, claims: [] });

/** What no target is looked for. */
function ofKind(record: MatchableRecord): Outcome | undefined {
  const moved = movedBy(record);
  if (record.repeats === "in_file") {
    const note = "The file has the same movement twice.";
    return unclaimed(toSuspense(record, { kind: "duplicate", note }));
  }
  if (record.repeats === "otherwise") return unclaimed(toldOtherwise(record));
  if (record.kind === "fee") {
    const own: Allotment[] = moved.minor === 0n ? [] : [{ effect: "fee", rule: "kind", amount: moved }];
    const all = [...own, ...feeOf(record)];
    return unclaimed(all.length > 0 ? all : [{ effect: "none", rule: "kind", amount: moved }]);
  }
  if (moved.minor === 0n && record.kind !== "decline") {
    return unclaimed([{ effect: "none", rule: "kind", amount: moved }, ...feeOf(record)]);
  }
  if (targetKindsOf(record).length > 0) return undefined;
  const what = record.isReversal ? "It takes back an earlier movement" : `The file calls it "${record.kind}"`;
  return unclaimed(toSuspense(record, { kind: "unmatched", note: `${what}: a person says what it is.` }));
}

function named(
  record: MatchableRecord,
  byReference: ReadonlyMap<string, readonly Target[]>,
  books: Books,
): Outcome | undefined {
  for (const reference of record.references) {
    const targets = fitting(record, byReference.get(reference) ?? []);
    const [only, other] = targets;
    if (only === undefined) continue;
    if (other !== undefined) return unclaimed(ambiguous(record, targets));
    return only.kind === "invoice"
      ? receipt(record, [only], "reference", books)
      : settle(record, only, "reference", books);
  }
  if (record.side !== "bank" || record.text === undefined) return undefined;
  const written = referencesInText(record.text).flatMap((reference) => byReference.get(reference) ?? []);
  const targets = fitting(record, written);
  return targets.length === 0 ? undefined : writtenTargets(record, targets, books);
}

/** What the payer wrote may name several: payouts that make up the amount, or invoices of one customer. */
function writtenTargets(record: MatchableRecord, targets: readonly Target[], books: Books): Outcome {
  const invoices = targets.filter((target): target is InvoiceTarget => target.kind === "invoice");
  const payouts = targets.filter((target): target is PayoutTarget => target.kind === "payout");
  if (invoices.length > 0) {
    if (new Set(invoices.map(({ customer }) => customer)).size > 1)
      return unclaimed(ambiguous(record, targets));
    return receipt(record, invoices, "text", books);
  }
  const [first] = targets;
  if (first !== undefined && first.kind !== "invoice" && targets.length === 1)
    return settle(record, first, "text", books);
  if (payouts.length !== targets.length) return unclaimed(ambiguous(record, targets));
  return severalPayouts(record, payouts, books);
}

/** @returns the record as the target's, unless another has settled it */
export function settle(
  record: MatchableRecord,
  target: Exclude<Target, InvoiceTarget>,
  rule: Rule,
  books: Pick<Books, "claim">,
): Outcome {
  const allotments = decideTarget(record, target, rule);
  const isMatched = allotments.some((each) => each.target !== undefined);
  const claim = claimOf(record, target);
  if (!isMatched || claim === undefined) return unclaimed(allotments);
  if (target.kind === "payout" && record.side === "bank" && target.received)
    return unclaimed(again(record, [target]));
  if (!books.claim(claim)) return unclaimed(again(record, [target]));
  return { allotments, claims: [claim] };
}

function severalPayouts(record: MatchableRecord, payouts: readonly PayoutTarget[], books: Books): Outcome {
  const { currency, minor } = movedBy(record);
  const sum = payouts.reduce((all, { amount }) => all + amount.minor, 0n);
  if (payouts.some(({ amount }) => amount.currency !== currency))
    return unclaimed(
      toSuspense(record, {
        kind: "currency_differs",
        note: `It names payouts in another currency than ${currency}.`,
      }),
    );
  if (sum !== minor) {
    const note = `It names payouts of ${formatMoney({ currency, minor: sum })} in all, and is ${formatMoney({ currency, minor })}.`;
    return unclaimed(toSuspense(record, { kind: "payout_differs", note }));
  }
  const claims = payouts.flatMap((payout) => claimOf(record, payout) ?? []);
  if (payouts.some(({ received }) => received) || claims.some((claim) => books.isClaimed(claim)))
    return unclaimed(again(record, payouts));
  for (const claim of claims) books.claim(claim);
  const allotments = payouts.map(
    ({ id, account, amount }): Allotment => ({
      effect: "receive_payout",
      rule: "text",
      amount,
      target: { kind: "payout", id, account },
    }),
  );
  return { allotments: [...allotments, ...feeOf(record)], claims };
}

/** A customer's money: towards the invoices in the order they are named, and what is too much to the customer's balance. */
export function receipt(
  record: MatchableRecord,
  invoices: readonly InvoiceTarget[],
  rule: Rule,
  books: Pick<Books, "takeOpen">,
): Outcome {
  const { currency, minor } = movedBy(record);
  const [first] = invoices;
  if (first === undefined) throw new RangeError("a receipt is for at least one invoice");
  const foreign = invoices.find(({ amount }) => amount.currency !== currency);
  if (foreign !== undefined) {
    const note = `${foreign.id} is in ${foreign.amount.currency}, and the money is ${formatMoney({ currency, minor })}.`;
    return unclaimed(toSuspense(record, { kind: "currency_differs", note }));
  }
  if (minor < 0n)
    return unclaimed(
      toSuspense(record, { kind: "unmatched", note: `It takes money away and names ${first.id}.` }),
    );
  let rest = minor;
  const allotments: Allotment[] = [];
  const allot = (amount: bigint, target: NonNullable<Allotment["target"]>) => {
    if (amount > 0n)
      allotments.push({ effect: "receipt", rule, amount: { currency, minor: amount }, target });
    rest -= amount;
  };
  for (const invoice of invoices) allot(books.takeOpen(invoice, rest), { kind: "invoice", id: invoice.id });
  allot(rest, { kind: "customer", id: first.customer });
  return unclaimed([...allotments, ...feeOf(record)]);
}

/** It is in the books as another file told it: which of the two is right, a person says, and nothing moves until then. */
function toldOtherwise(record: MatchableRecord): Allotment[] {
  const note = `The same movement is in the books from another file, with other amounts; here it is ${formatMoney(movedBy(record))}.`;
  const exception = { kind: "amount_differs", note } as const;
  return [
    { effect: "none", rule: "kind", amount: movedBy(record), exception },
    ...feeOf(record).map((fee): Allotment => ({ ...fee, effect: "none" })),
  ];
}

function ambiguous(record: MatchableRecord, targets: readonly Target[]): Allotment[] {
  const note = `It names several: ${listed(targets)}.`;
  return toSuspense(record, { kind: "unmatched", note });
}

function again(record: MatchableRecord, targets: readonly Target[]): Allotment[] {
  const note = `Another record has settled ${listed(targets)} already: ${formatMoney(movedBy(record))} moved a second time.`;
  return toSuspense(record, { kind: "duplicate", note });
}

const listed_max = 5;

export function listed(targets: readonly Target[]): string {
  const some = targets
    .slice(0, listed_max)
    .map(({ id, amount }) => `${id} (${formatMoney(amount)})`)
    .join(", ");
  return targets.length > listed_max ? `${some} and ${targets.length - listed_max} more` : some;
}

/** What is left to be settled while records are matched one after the other. */
export class Books {
  readonly #claimed: Set<string>;
  readonly #pending: Map<string, bigint>;

  constructor({ claimed, pending }: Pick<Knowledge, "claimed" | "pending">) {
    this.#claimed = new Set(claimed);
    this.#pending = new Map(pending);
  }

  isClaimed(claim: string): boolean {
    return this.#claimed.has(claim);
  }

  /** @returns false when another record has it */
  claim(claim: string): boolean {
    if (this.#claimed.has(claim)) return false;
    this.#claimed.add(claim);
    return true;
  }

  /** How much of an amount goes towards an invoice. */
  takeOpen({ id, amount }: { readonly id: string; readonly amount: Money }, offered: bigint): bigint {
    const pending = this.#pending.get(id) ?? 0n;
    const open = amount.minor > pending ? amount.minor - pending : 0n;
    const taken = offered < open ? offered : open;
    this.#pending.set(id, pending + taken);
    return taken;
  }
}
