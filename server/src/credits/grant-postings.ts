import type { CreditMovementId, InvoiceId } from "../kernel/ids.js";
import type { Account, Posting } from "../ledger/index.js";
import type { StoredGrant } from "./store/credit-grants.js";

/*
 * What grants post by themselves. Promotional credits post nothing until an invoice uses them: they are nobody's money
 * before. For paid ones prepaid_credit:{customer} is at any moment what the customer's grants have left.
 */

type Paid = Pick<StoredGrant, "id" | "kind" | "customer" | "currency" | "amount">;

/** Money came in, outside of Weir, and is owed as credit. */
export function grantPosting(grant: Paid): Posting[] {
  return posting(grant, {
    idempotencyKey: `credit:${grant.id}:grant`,
    reason: "credit.grant",
    amount: grant.amount,
    debit: { kind: "cash_clearing" },
    credit: prepaid(grant),
  });
}

/** What is left goes back as money, outside of Weir. */
export function voidPosting(grant: Paid, movement: CreditMovementId, amount: bigint): Posting[] {
  return posting(grant, {
    idempotencyKey: `credit:${grant.id}:void:${movement}`,
    reason: "credit.void",
    amount,
    debit: prepaid(grant),
    credit: { kind: "cash_clearing" },
  });
}

/** What was paid for and will not be used is earned. */
export function expiryPosting(grant: Paid, movement: CreditMovementId, amount: bigint): Posting[] {
  return posting(grant, {
    idempotencyKey: `credit:${grant.id}:expire:${movement}`,
    reason: "credit.expire",
    amount,
    debit: prepaid(grant),
    credit: { kind: "breakage" },
  });
}

/** An invoice for a service period before the expiry draws on what was booked as earned. */
export function revivalPosting(grant: Paid, invoice: InvoiceId, amount: bigint): Posting[] {
  return posting(grant, {
    idempotencyKey: `credit:${grant.id}:revive:${invoice}`,
    reason: "credit.revive",
    amount,
    debit: { kind: "breakage" },
    credit: prepaid(grant),
  });
}

interface Move {
  readonly idempotencyKey: string;
  readonly reason: string;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: bigint;
}

function posting(grant: Paid, { idempotencyKey, reason, debit, credit, amount }: Move): Posting[] {
  if (grant.kind === "promotional") return [];
  const transfer = { debit, credit, amount: { currency: grant.currency, minor: amount } };
  return [{ idempotencyKey, reason, reference: grant.id, transfers: [transfer] }];
}

function prepaid({ customer }: Paid): Account {
  return { kind: "prepaid_credit", customer };
}
