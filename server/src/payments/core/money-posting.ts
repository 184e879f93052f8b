import type { Account, Posting, Transfer } from "../../ledger/core/index.js";
import type { CustomerId, PaymentId, ProviderAccountId } from "../../kernel/ids.js";
import type { Money } from "../../kernel/money.js";
import type { DisputeEffect } from "./dispute.js";
import type { RefundSource } from "./refund.js";

/*
 * What money that moves posts. A posting's key names the effect, so that whoever learns of it again posts nothing more.
 */

/** Where money that came in lies: at a provider, on a bank account, or outside of Weir. */
export type MoneyPlace =
  | { readonly kind: "provider_clearing" | "cash"; readonly account: ProviderAccountId }
  | { readonly kind: "cash_clearing" };

export interface CapturedMoney {
  readonly payment: PaymentId;
  readonly customer: CustomerId;
  readonly place: MoneyPlace;
  readonly currency: Money["currency"];
  /** What went to invoices, to the customer's balance, and to prepaid credit. */
  readonly applied: bigint;
  readonly excess: bigint;
  readonly toppedUp: bigint;
}

export function capturePosting(money: CapturedMoney): Posting {
  const { payment, customer, place, currency, applied, excess, toppedUp } = money;
  return {
    idempotencyKey: `payment:${payment}:capture`,
    reason: "payment.capture",
    reference: payment,
    transfers: [
      ...move(place, { kind: "receivable", customer }, { currency, minor: applied }),
      ...move(place, { kind: "customer_balance", customer }, { currency, minor: excess }),
      ...move(place, { kind: "prepaid_credit", customer }, { currency, minor: toppedUp }),
    ],
  };
}

/** What the provider booked for an amount in its own currency. */
export interface Settled {
  readonly gross: Money;
  readonly fee: Money;
}

/**
 * The provider's side of a capture: when it settles in another currency, what was charged leaves and what was settled comes,
 * each against the exchange account, by the amounts that the provider gave; and its fee.
 */
export function settlementPosting(
  payment: PaymentId,
  account: ProviderAccountId,
  charged: Money,
  settled: Settled,
): Posting | undefined {
  const transfers = booked(account, charged, settled);
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `payment:${payment}:settle`,
    reason: "payment.settle",
    reference: payment,
    transfers,
  };
}

export interface RefundedMoney {
  readonly refund: string;
  readonly source: RefundSource;
  readonly customer: CustomerId;
  readonly place: MoneyPlace;
  readonly amount: Money;
}

export function refundPosting({ refund, source, customer, place, amount }: RefundedMoney): Posting {
  return {
    idempotencyKey: `refund:${refund}:make`,
    reason: "refund.make",
    reference: refund,
    transfers: move(refundedFrom(source, customer), place, amount),
  };
}

/** A refund that failed: the money is back where it was. */
export function refundReversal(money: RefundedMoney): Posting {
  const { refund, source, customer, place, amount } = money;
  return {
    idempotencyKey: `refund:${refund}:return`,
    reason: "refund.return",
    reference: refund,
    transfers: move(place, refundedFrom(source, customer), amount),
  };
}

/** What came back by a refund that failed, and its invoice does not need any more: the customer has it as balance. */
export function refundSurplusPosting({ refund, customer, amount }: RefundedMoney, surplus: bigint): Posting {
  return {
    idempotencyKey: `refund:${refund}:surplus`,
    reason: "refund.surplus",
    reference: refund,
    transfers: move(
      { kind: "receivable", customer },
      { kind: "customer_balance", customer },
      { currency: amount.currency, minor: surplus },
    ),
  };
}

/** The provider's side of a refund, as of a capture; the amounts are what it took off. */
export function refundSettlement(
  refund: string,
  account: ProviderAccountId,
  refunded: Money,
  settled: Settled,
): Posting | undefined {
  const transfers = booked(account, negative(refunded), settled);
  if (transfers.length === 0) return undefined;
  return { idempotencyKey: `refund:${refund}:settle`, reason: "refund.settle", reference: refund, transfers };
}

/** The provider's side of a refund that failed after it was made: what it put back, in the currency that it settles in. */
export function refundReturnSettlement(
  refund: string,
  account: ProviderAccountId,
  refunded: Money,
  settled: Settled,
): Posting | undefined {
  const transfers = booked(account, refunded, settled);
  if (transfers.length === 0) return undefined;
  const idempotencyKey = `refund:${refund}:return_settle`;
  return { idempotencyKey, reason: "refund.return_settle", reference: refund, transfers };
}

function refundedFrom(source: RefundSource, customer: CustomerId): Account {
  switch (source) {
    case "balance":
      return { kind: "customer_balance", customer };
    case "goodwill":
      return { kind: "refunds" };
    case "invoice":
      return { kind: "receivable", customer };
    case "prepaid":
      return { kind: "prepaid_credit", customer };
  }
}

/** @param change  from which state to which, since each is gone through once */
export function disputePosting(
  dispute: string,
  change: string,
  account: ProviderAccountId,
  held: Money,
  effects: readonly DisputeEffect[],
): Posting | undefined {
  const clearing: Account = { kind: "provider_clearing", account };
  const disputed: Account = { kind: "disputes", account };
  const transfers = effects.flatMap((effect): Transfer[] => {
    switch (effect) {
      case "withdraw":
        return move(disputed, clearing, held);
      case "reinstate":
        return move(clearing, disputed, held);
      case "write_off":
        return move({ kind: "bad_debt" }, disputed, held);
      case "undo_write_off":
        return move(disputed, { kind: "bad_debt" }, held);
    }
  });
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `dispute:${dispute}:change:${change}`,
    reason: "dispute.change",
    reference: dispute,
    transfers,
  };
}

/** What a dispute's fee came to in all, less what was posted of it before. */
export function disputeFeePosting(
  dispute: string,
  account: ProviderAccountId,
  before: bigint,
  fee: Money,
): Posting | undefined {
  const transfers = move(
    { kind: "provider_fees" },
    { kind: "provider_clearing", account },
    { currency: fee.currency, minor: fee.minor - before },
  );
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `dispute:${dispute}:fee:${fee.minor}`,
    reason: "dispute.fee",
    reference: dispute,
    transfers,
  };
}

export function payoutPosting(
  payout: string,
  account: ProviderAccountId,
  amount: Money,
  effect: "send" | "return",
): Posting {
  const transit: Account = { kind: "payouts_in_transit", account };
  const clearing: Account = { kind: "provider_clearing", account };
  return {
    idempotencyKey: `payout:${payout}:${effect}`,
    reason: `payout.${effect}`,
    reference: payout,
    transfers: effect === "send" ? move(transit, clearing, amount) : move(clearing, transit, amount),
  };
}

/** A payout is on the bank's statement. @param key  names the statement's line: a payout that was taken off one may come on another */
export function payoutReceivedPosting(
  payout: string,
  account: ProviderAccountId,
  bank: ProviderAccountId,
  amount: Money,
  key: string,
): Posting {
  return {
    idempotencyKey: `payout:${payout}:receive:${key}`.slice(0, 256),
    reason: "payout.receive",
    reference: payout,
    transfers: move({ kind: "cash", account: bank }, { kind: "payouts_in_transit", account }, amount),
  };
}

/** A balance of the customer that pays an invoice, or money that was credited and is to be owed by it no more. */
export function writeOffPosting(invoice: string, customer: CustomerId, amount: Money, key: string): Posting {
  return {
    idempotencyKey: `invoice:${invoice}:write_off:${key}`,
    reason: "invoice.write_off",
    reference: invoice,
    transfers: move({ kind: "bad_debt" }, { kind: "receivable", customer }, amount),
  };
}

/** Money for something that was written off came after all. */
export function recoveryPosting(invoice: string, customer: CustomerId, amount: Money, key: string): Posting {
  return {
    idempotencyKey: `invoice:${invoice}:recover:${key}`,
    reason: "invoice.recover",
    reference: invoice,
    transfers: move({ kind: "receivable", customer }, { kind: "bad_debt" }, amount),
  };
}

/** What was paid towards an invoice that is void: the customer has it as balance. */
export function freedPosting(invoice: string, customer: CustomerId, amount: Money): Posting | undefined {
  const transfers = move({ kind: "receivable", customer }, { kind: "customer_balance", customer }, amount);
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `invoice:${invoice}:free`,
    reason: "invoice.free",
    reference: invoice,
    transfers,
  };
}

/** What a provider booked for money that moved through it: in its own currency, and its fee. */
function booked(account: ProviderAccountId, moved: Money, { gross, fee }: Settled): Transfer[] {
  const clearing: Account = { kind: "provider_clearing", account };
  return [...exchange(clearing, moved, gross), ...move({ kind: "provider_fees" }, clearing, fee)];
}

/** Two balanced legs, when the currencies differ: what was charged goes out, what was settled comes in. */
function exchange(clearing: Account, charged: Money, settled: Money): Transfer[] {
  if (charged.currency === settled.currency) return [];
  const pool: Account = { kind: "currency_exchange" };
  return [...move(pool, clearing, charged), ...move(clearing, pool, settled)];
}

/** Below zero it goes the other way, and for zero there is none. */
function move(debit: Account, credit: Account, { currency, minor }: Money): Transfer[] {
  if (minor === 0n) return [];
  return minor > 0n
    ? [{ debit, credit, amount: { currency, minor } }]
    : [{ debit: credit, credit: debit, amount: { currency, minor: -minor } }];
}

function negative({ currency, minor }: Money): Money {
  return { currency, minor: -minor };
}
