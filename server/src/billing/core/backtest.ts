import type { Currency } from "../../kernel/currency.js";
import type { CustomerId } from "../../kernel/ids.js";

/** What a subscription came to under its own prices and would have come to under others, in minor units. */
export interface BacktestedAmount {
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly current: bigint;
  readonly draft: bigint;
}

/** Revenue in one currency, and what the other prices would have changed. */
export interface BacktestTotal {
  readonly currency: Currency;
  readonly current: bigint;
  readonly draft: bigint;
  /** How many customers would pay less, more, and the same. */
  readonly winners: number;
  readonly losers: number;
  readonly unchanged: number;
}

export interface BacktestSummary {
  /** By currency. */
  readonly totals: readonly BacktestTotal[];
  /** Customers with their sums in a currency, the largest change first. */
  readonly customers: readonly BacktestedAmount[];
}

/** Adds subscriptions up to customers and currencies. */
export function summarizeBacktest(amounts: readonly BacktestedAmount[]): BacktestSummary {
  const customers = new Map<string, BacktestedAmount>();
  for (const amount of amounts) {
    const key = `${amount.customer} ${amount.currency}`;
    const known = customers.get(key);
    customers.set(
      key,
      known === undefined
        ? amount
        : { ...known, current: known.current + amount.current, draft: known.draft + amount.draft },
    );
  }
  const totals = new Map<Currency, BacktestTotal>();
  for (const { currency, current, draft } of customers.values()) {
    const known = totals.get(currency) ?? {
      currency,
      current: 0n,
      draft: 0n,
      winners: 0,
      losers: 0,
      unchanged: 0,
    };
    totals.set(currency, {
      currency,
      current: known.current + current,
      draft: known.draft + draft,
      winners: known.winners + (draft < current ? 1 : 0),
      losers: known.losers + (draft > current ? 1 : 0),
      unchanged: known.unchanged + (draft === current ? 1 : 0),
    });
  }
  return {
    totals: [...totals.values()].sort((one, other) => (one.currency < other.currency ? -1 : 1)),
    customers: [...customers.values()].sort(byChange),
  };
}

function byChange(one: BacktestedAmount, other: BacktestedAmount): number {
  const [first, second] = [changeOf(one), changeOf(other)];
  if (first !== second) return first > second ? -1 : 1;
  return one.customer < other.customer ? -1 : one.customer > other.customer ? 1 : 0;
}

function changeOf({ current, draft }: BacktestedAmount): bigint {
  return draft > current ? draft - current : current - draft;
}
