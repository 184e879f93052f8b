import fc from "fast-check";
import { expect, test } from "vitest";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId } from "../../kernel/ids.js";
import { summarizeBacktest } from "./index.js";

const usd = "USD" as Currency;
const eur = "EUR" as Currency;
const amount = (customer: string, current: bigint, draft: bigint, currency = usd) => ({
  customer: customer as CustomerId,
  currency,
  current,
  draft,
});

test("subscriptions add up to customers, customers to currencies; the largest change comes first", () => {
  const summary = summarizeBacktest([
    amount("a", 100n, 90n),
    amount("a", 50n, 40n),
    amount("b", 100n, 300n),
    amount("c", 7n, 7n),
    amount("a", 10n, 20n, eur),
  ]);
  expect(summary.totals).toEqual([
    { currency: eur, current: 10n, draft: 20n, winners: 0, losers: 1, unchanged: 0 },
    { currency: usd, current: 257n, draft: 437n, winners: 1, losers: 1, unchanged: 1 },
  ]);
  expect(summary.customers.map(({ customer, currency }) => `${customer} ${currency}`)).toEqual([
    "b USD",
    "a USD",
    "a EUR",
    "c USD",
  ]);
});

test("whatever the amounts, totals are the customers' sums, and every customer is a winner, a loser, or neither", () => {
  const amounts = fc.array(
    fc
      .tuple(
        fc.constantFrom("a", "b", "c"),
        fc.bigInt(-99n, 99n),
        fc.bigInt(-99n, 99n),
        fc.constantFrom(usd, eur),
      )
      .map(([customer, current, draft, currency]) => amount(customer, current, draft, currency)),
  );
  fc.assert(
    fc.property(amounts, (all) => {
      const { totals, customers } = summarizeBacktest(all);
      for (const total of totals) {
        const own = customers.filter(({ currency }) => currency === total.currency);
        expect(total.current).toBe(own.reduce((sum, one) => sum + one.current, 0n));
        expect(total.draft).toBe(own.reduce((sum, one) => sum + one.draft, 0n));
        expect(total.winners + total.losers + total.unchanged).toBe(own.length);
      }
    }),
  );
});
