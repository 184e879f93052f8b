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
  readonly transfers: readonly Transfer[];
}

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
export function contentOf({ reason, reference, transfers }: Posting): string {
  const moves = transfers.map(({ debit, credit, amount, service }) => [
    codeOf(debit),
    codeOf(credit),
    amount.currency,
    amount.minor.toString(),
    service?.start ?? null,
    service?.end ?? null,
  ]);
  return JSON.stringify([reason, reference, moves]);
}

/** The same amounts back: what was debited is credited. */
export function reversed(transfers: readonly Transfer[]): Transfer[] {
  return transfers.map((transfer) => ({ ...transfer, debit: transfer.credit, credit: transfer.debit }));
}
