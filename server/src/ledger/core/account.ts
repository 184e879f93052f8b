import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, ProviderAccountId } from "../../kernel/ids.js";

/** As in accounting: assets and expenses grow by debits, the others by credits. */
export type AccountType = "asset" | "liability" | "income" | "expense" | "equity";

/** What an account of a kind is kept for: each customer, or each account at a provider or bank; else there is one. */
export type AccountOwner = "customer" | "account";

interface ChartEntry {
  readonly type: AccountType;
  readonly per?: AccountOwner;
  /** In how many rows its balance is kept: many for what everything touches. */
  readonly shards: number;
}

/** Every kind of account there is. */
export const chart = {
  /** What a customer owes. */
  receivable: { type: "asset", per: "customer", shards: 1 },
  /** What was earned and is not billed yet. */
  unbilled_receivable: { type: "asset", shards: 16 },
  /** Money on a bank account. */
  cash: { type: "asset", per: "account", shards: 16 },
  /** Money that was received outside of Weir, such as for credits that were bought; the bank line is not known here. */
  cash_clearing: { type: "asset", shards: 16 },
  /** What a provider or an acquirer has taken in and not paid out. */
  provider_clearing: { type: "asset", per: "account", shards: 16 },
  /** Payouts that have left the provider and are not on the bank statement yet. */
  payouts_in_transit: { type: "asset", per: "account", shards: 4 },
  /** What is held back for disputes that are open. */
  disputes: { type: "asset", per: "account", shards: 4 },
  /** What was billed for services still to come, without tax. */
  deferred_revenue: { type: "liability", shards: 16 },
  /** Tax that was billed and is owed to the authority. */
  tax_payable: { type: "liability", shards: 16 },
  /** What a customer paid or was credited beyond what was due. */
  customer_balance: { type: "liability", per: "customer", shards: 1 },
  /** Credits that were paid for and not used yet. */
  prepaid_credit: { type: "liability", per: "customer", shards: 1 },
  /** Money of which it is not known yet what it is for. */
  suspense: { type: "liability", shards: 4 },
  /** What was billed for services that were given, without tax. */
  revenue: { type: "income", shards: 16 },
  /** Credits that were paid for and expired unused. */
  breakage: { type: "income", shards: 16 },
  /** Money given back without a credit note. */
  refunds: { type: "expense", shards: 16 },
  /** What providers, acquirers and banks keep for their service. */
  provider_fees: { type: "expense", shards: 16 },
  /** Credits given away: used up by promotional grants. */
  promotional_credit: { type: "expense", shards: 16 },
  /** What was owed and will not be paid: written off, or lost in a dispute. */
  bad_debt: { type: "expense", shards: 16 },
  /** Minor units by which totals of conversions differ. */
  rounding: { type: "expense", shards: 4 },
  /** Charged in one currency and settled in another: each is balanced against this. */
  currency_exchange: { type: "equity", shards: 4 },
} as const satisfies Readonly<Record<string, ChartEntry>>;

export type AccountKind = keyof typeof chart;

/** An account by what it is for; there is one per currency. */
export interface Account {
  readonly kind: AccountKind;
  /** Given exactly when the kind is kept per customer. */
  readonly customer?: CustomerId;
  /** Given exactly when the kind is kept per account at a provider. */
  readonly account?: ProviderAccountId;
}

/** What an account of a kind is kept for; undefined when there is one. */
export function ownerOf(kind: AccountKind): AccountOwner | undefined {
  const entry: ChartEntry = chart[kind];
  return entry.per;
}

/** "revenue", "receivable:cus_…", "cash:pac_…". @throws RangeError when its owner is missing, or is not what it is kept for */
export function codeOf({ kind, customer, account }: Account): string {
  const per = ownerOf(kind);
  const given = { customer, account };
  for (const owner of ["customer", "account"] as const)
    if ((per === owner) !== (given[owner] !== undefined))
      throw new RangeError(`${kind} is ${per === owner ? "" : "not "}kept per ${owner}`);
  const id = customer ?? account;
  return id === undefined ? kind : `${kind}:${id}`;
}

/**
 * The account that a code names. A kind by itself, of which there is an account per customer, names what they add up to.
 * @throws RangeError when there is no such account
 */
export function accountOf(code: string): Account {
  const [kind = "", id] = code.split(":", 2);
  if (!isAccountKind(kind)) throw new RangeError(`there is no account of kind "${kind}"`);
  if (id === undefined) return { kind };
  const per = ownerOf(kind);
  if (per === undefined) throw new RangeError(`${kind} is kept once`);
  return per === "customer"
    ? { kind, customer: id as CustomerId }
    : { kind, account: id as ProviderAccountId };
}

export function isAccountKind(text: string): text is AccountKind {
  return Object.hasOwn(chart, text);
}

/** What an account holds, seen from its side: positive when it holds what its type is for. */
export function balanceOf(type: AccountType, sums: { debit: bigint; credit: bigint }): bigint {
  return type === "asset" || type === "expense" ? sums.debit - sums.credit : sums.credit - sums.debit;
}

/** What is posted to an account in one currency, in minor units, and what is pending. */
export interface AccountSums {
  readonly code: string;
  readonly type: AccountType;
  readonly currency: Currency;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly pendingDebit: bigint;
  readonly pendingCredit: bigint;
}
