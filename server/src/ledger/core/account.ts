import type { Currency } from "../../kernel/currency.js";
import type { CustomerId } from "../../kernel/ids.js";

/** As in accounting: assets and expenses grow by debits, the others by credits. */
export type AccountType = "asset" | "liability" | "income" | "expense" | "equity";

/** Every kind of account there is: its type, and in how many rows its balance is kept. */
export const chart = {
  /** What a customer owes. */
  receivable: { type: "asset", perCustomer: true, shards: 1 },
  /** What was billed for services, without tax. */
  revenue: { type: "income", perCustomer: false, shards: 16 },
  /** Tax that was billed and is owed to the authority. */
  tax_payable: { type: "liability", perCustomer: false, shards: 16 },
  /** What a customer paid or was credited beyond what was due. */
  customer_balance: { type: "liability", perCustomer: true, shards: 1 },
  /** Credits given away: used up by promotional grants. */
  promotional_credit: { type: "expense", perCustomer: false, shards: 16 },
  /** Credits that were paid for and not used yet. */
  prepaid_credit: { type: "liability", perCustomer: true, shards: 1 },
  /** Credits that were paid for and expired unused. */
  breakage: { type: "income", perCustomer: false, shards: 16 },
  /** Money that was received outside of Weir, such as for credits that were bought; the bank line is not known here. */
  cash_clearing: { type: "asset", perCustomer: false, shards: 16 },
} as const satisfies Readonly<Record<string, { type: AccountType; perCustomer: boolean; shards: number }>>;

export type AccountKind = keyof typeof chart;

/** An account by what it is for; there is one per currency. */
export interface Account {
  readonly kind: AccountKind;
  /** Given exactly when the kind is kept per customer. */
  readonly customer?: CustomerId;
}

/** "revenue", "receivable:cus_…". @throws RangeError when a customer is missing or too many */
export function codeOf({ kind, customer }: Account): string {
  if (chart[kind].perCustomer !== (customer !== undefined)) {
    throw new RangeError(`${kind} is ${chart[kind].perCustomer ? "" : "not "}kept per customer`);
  }
  return customer === undefined ? kind : `${kind}:${customer}`;
}

/** The account that a code names. @throws RangeError when there is no such kind */
export function accountOf(code: string): Account {
  const [kind = "", customer] = code.split(":", 2);
  if (!(kind in chart)) throw new RangeError(`there is no account of kind "${kind}"`);
  const account = { kind: kind as AccountKind };
  return customer === undefined ? account : { ...account, customer: customer as CustomerId };
}

/** What an account holds, seen from its side: positive when it holds what its type is for. */
export function balanceOf(type: AccountType, sums: { debit: bigint; credit: bigint }): bigint {
  return type === "asset" || type === "expense" ? sums.debit - sums.credit : sums.credit - sums.debit;
}

/** An account's sums in one currency. */
export interface AccountSums {
  readonly code: string;
  readonly type: AccountType;
  readonly currency: Currency;
  readonly debit: bigint;
  readonly credit: bigint;
}
