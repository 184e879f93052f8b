import { parseCurrency } from "../../../server/dist/kernel/currency.js";
import { Decimal } from "../../../server/dist/kernel/decimal.js";
import { toMoney } from "../../../server/dist/kernel/money.js";
import { rate, type PriceModel } from "../../../server/dist/rating/core/index.js";
import { against, atLeast, type BenchOptions, type FigureRow, median } from "../figure.js";

/** Up to, price of a unit, fee. Quantities fall into all of them. */
const ladder = [
  [1_000, 0, 0],
  [10_000, 0.03, 5],
  [100_000, 0.025, 0],
  [1_000_000, 0.0175, 12.5],
  [Infinity, 0.0125, 0],
] as const;
const quantities_count = 10_000;
const chunk = 1_000;

/** Quantities with three decimals, as many in each tier, the same in every run. */
function makeQuantities(): { exact: Decimal; plain: number }[] {
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: quantities_count }, () => {
    const thousandths = Math.floor(10 ** (random() * 5 + 2) * 1_000);
    return { exact: Decimal.fromUnscaled(BigInt(thousandths), 3), plain: thousandths / 1_000 };
  });
}

/**
 * A graduated price of five tiers: quantity to parts and exact amount, and the amount rounded to cents, on one thread.
 * The reference computes the same cents with JavaScript's numbers, inexactly and without parts.
 */
export async function measureRating(options: BenchOptions): Promise<FigureRow[]> {
  const currency = parseCurrency("USD");
  if (currency === undefined) throw new Error("there is no USD");
  const model: PriceModel = {
    kind: "graduated",
    per: Decimal.one,
    tiers: ladder.map(([upTo, unit, flat]) => ({
      upTo: upTo === Infinity ? undefined : Decimal.of(upTo),
      unitAmount: Decimal.of(String(unit)),
      flatAmount: Decimal.of(String(flat)),
    })),
  };
  const quantities = makeQuantities();
  let parts = 0;
  const exactly = (index: number): number => {
    const { exact } = quantities[index] ?? { exact: Decimal.zero };
    const rated = rate(model, exact);
    parts += rated.parts.length;
    return Number(toMoney(rated.amount, currency).minor);
  };
  const plainly = (index: number): number => {
    const quantity = quantities[index]?.plain ?? 0;
    let amount = 0;
    let from = 0;
    for (const [upTo, unit, flat] of ladder) {
      if (from > 0 && quantity <= from) break;
      amount += (Math.min(quantity, upTo) - from) * unit + flat;
      from = upTo;
    }
    return Math.round(amount * 100);
  };
  requireAgreement(exactly, plainly);
  const ratesPerSecond: number[] = [];
  const references: number[] = [];
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    perSecond(exactly, options.warmupSeconds);
    ratesPerSecond.push(perSecond(exactly, options.loadSeconds));
    perSecond(plainly, options.warmupSeconds);
    references.push(perSecond(plainly, options.loadSeconds));
  }
  const figure = median(ratesPerSecond);
  return [
    {
      name: "rating, graduated with 5 tiers",
      figure,
      unit: "ratings/s",
      ...atLeast(figure, 100_000),
      ...against(figure, median(references), "the same cents with JavaScript numbers, inexact, no parts: /s"),
      detail: { ratesPerSecond, references, quantities: quantities_count, partsMade: parts },
    },
  ];
}

/** Both compute the same thing: numbers are off by a cent at most. */
function requireAgreement(exactly: (index: number) => number, plainly: (index: number) => number): void {
  for (let index = 0; index < quantities_count; index += 1) {
    const [exact, plain] = [exactly(index), plainly(index)];
    if (Math.abs(exact - plain) > 1)
      throw new Error(`quantity ${index}: ${exact} cents, by numbers ${plain}`);
  }
}

function perSecond(work: (index: number) => number, seconds: number): number {
  const began = performance.now();
  const until = began + seconds * 1_000;
  let done = 0;
  let sum = 0;
  while (performance.now() < until) {
    for (let step = 0; step < chunk; step += 1) sum += work((done + step) % quantities_count);
    done += chunk;
  }
  // The sum is used, so that no compiler leaves the work out.
  if (!Number.isFinite(sum)) throw new Error("the amounts are no numbers");
  return done / ((performance.now() - began) / 1_000);
}
