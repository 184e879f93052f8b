import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";
import { codeOf, type Account } from "./account.js";

/** Moves an amount from one account to another: the debited one's side grows, the credited one's too. */
export interface Transfer {
  readonly debit: Account;
  readonly credit: Account;
  /** Above zero. */
  readonly amount: Money;
  /** The half-open period that the amount is for, when it is for one. */
  readonly service?: { readonly start: Instant; readonly end: Instant };
}

/** Transfers that are posted together, all or none. */
export interface Posting {
  /** The business's name for the effect, such as "invoice:inv_…:finalize": posting it again changes nothing. */
  readonly idempotencyKey: string;
  /** thing.verb, such as invoice.finalize */
  readonly reason: string;
  /** The id of what caused it. */
  readonly reference: string;
  /** When it counts, such as a bank's booking date; now when left out. Not part of what its key stands for. */
  readonly at?: Instant;
  /** Moves pending sums only, until it is resolved by a posting of its own. */
  readonly pending?: boolean;
  readonly transfers: readonly Transfer[];
}

/** What became of a pending posting: it counts, wholly or in part, or it does not. */
export type Resolution = "post" | "void";

/** What a posting stands for, whatever its key and its time. */
export type PostedContent = Pick<Posting, "reason" | "reference" | "pending" | "transfers"> & {
  readonly resolution?: Resolution | undefined;
};

/** Why a posting cannot be posted: a defect of the caller, not of the user. @throws RangeError */
export function checkPosting({ idempotencyKey, transfers }: Posting): void {
  if (idempotencyKey.length === 0 || idempotencyKey.length > 256) {
    throw new RangeError("a posting's idempotency key has 1 to 256 characters");
  }
  if (transfers.length === 0) throw new RangeError(`posting ${idempotencyKey} has no transfers`);
  for (const { debit, credit, amount } of transfers) {
    if (amount.minor <= 0n) throw new RangeError(`posting ${idempotencyKey} moves ${amount.minor}`);
    if (codeOf(debit) === codeOf(credit)) {
      throw new RangeError(`posting ${idempotencyKey} moves from ${codeOf(debit)} to itself`);
    }
  }
}

/** The text that a posting's fingerprint is taken of: everything that another posting under its key must share. */
export function contentOf({
  reason,
  reference,
  pending = false,
  resolution,
  transfers,
}: PostedContent): string {
  const moves = transfers.map(({ debit, credit, amount, service }) => [
    codeOf(debit),
    codeOf(credit),
    amount.currency,
    amount.minor.toString(),
    service?.start ?? null,
    service?.end ?? null,
  ]);
  const kind = pending ? "pending" : (resolution ?? "posted");
  return JSON.stringify([reason, reference, kind, moves]);
}

/** The same amounts back: what was debited is credited. */
export function reversed(transfers: readonly Transfer[]): Transfer[] {
  return transfers.map((transfer) => ({ ...transfer, debit: transfer.credit, credit: transfer.debit }));
}

/**
 * What a pending posting moves when it is posted.
 *
 * @param amounts  of each transfer in turn, in minor units, at most what is pending of it; 0 moves nothing. All when left out
 * @throws RangeError for another number of amounts, for one below zero or above what is pending, or when nothing is moved
 */
export function resolvedTransfers(
  pending: readonly Transfer[],
  amounts: readonly bigint[] = pending.map(({ amount }) => amount.minor),
): Transfer[] {
  if (amounts.length !== pending.length)
    throw new RangeError(`${pending.length} transfers are pending, and ${amounts.length} amounts are given`);
  const moved = pending.flatMap((transfer, index) => {
    const minor = amounts[index] ?? 0n;
    const { currency, minor: most } = transfer.amount;
    if (minor < 0n || minor > most) throw new RangeError(`${minor} of ${most} ${currency} cannot be posted`);
    return minor === 0n ? [] : [{ ...transfer, amount: { currency, minor } }];
  });
  if (moved.length === 0) throw new RangeError("a pending posting of which nothing is posted is voided");
  return moved;
}
