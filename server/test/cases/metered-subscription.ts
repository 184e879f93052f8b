import {
  computeSection,
  keyText,
  listCharges,
  planSection,
  targetOf,
  type BilledCharge,
  type Contract,
  type Measured,
  type SectionKind,
} from "../../src/billing/core/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { toDecimal, toMoney } from "../../src/kernel/money.js";
import type { AnyPriceModel } from "../../src/rating/core/index.js";
import { aContract, aCoupon, aPlan, aPrice, at, scopeOf, usd } from "../support/billing-contract.js";
import { refuse } from "./case-parameters.js";

/** What is agreed besides the price, in major units. */
export interface Terms {
  readonly percentOff?: Decimal | undefined;
  readonly minimum?: Decimal | undefined;
  readonly maximum?: Decimal | undefined;
  /** A fee for the month, on the same invoice as its usage. */
  readonly fee?: Decimal | undefined;
}

const month = at("2026-01-01");
const halfway = at("2026-01-15");

/** A month's subscription to one metered price, billed by Weir's own invoices. */
export class MeteredSubscription {
  readonly #contract: Contract;

  constructor(model: AnyPriceModel, { percentOff, minimum, maximum, fee }: Terms = {}) {
    const inUsd = (amount: Decimal | undefined) => (amount === undefined ? undefined : { [usd]: amount });
    const plan = aPlan({
      prices: [
        aPrice({ key: "usage", charge: "usage", model }),
        ...(fee === undefined
          ? []
          : [aPrice({ key: "fee", timing: "arrears", model: { kind: "flat", amount: fee } })]),
      ],
      minimum: inUsd(minimum),
      maximum: inUsd(maximum),
    });
    const percent = { kind: "percent", percent: percentOff ?? Decimal.zero } as const;
    const coupon = aCoupon({ off: percent, duration: { kind: "forever" } });
    this.#contract = aContract({
      startedAt: month,
      phases: [{ plan }],
      couponsKnown: [coupon],
      coupons: percentOff === undefined ? [] : [{ coupon: coupon.id, from: month, to: undefined }],
    });
  }

  /** What the month's usage must come to in all, exactly: before minimum and maximum. */
  target(quantity: Decimal): Decimal {
    return targetOf(this.#usage(), [measured(quantity)], usd).net;
  }

  /** Whether an invoice in the middle of the month bears the usage so far. */
  get isBilledAhead(): boolean {
    return this.#plan("threshold", []).charges.some(({ price }) => price.charge === "usage");
  }

  /**
   * What an invoice comes to, in whole cents, when the month's usage so far is `quantity`.
   *
   * @param billed  what earlier invoices billed of the usage
   */
  invoice(kind: "threshold" | "period", quantity: Decimal, billed: Decimal | undefined): Decimal {
    const { item, period, price, covered } = this.#usage();
    const net = billed === undefined ? undefined : centsOf(billed);
    const before: BilledCharge[] =
      net === undefined
        ? []
        : [
            {
              item,
              period,
              price: price.id,
              name: price.name,
              category: price.taxCategory,
              covered,
              gross: net,
              net,
              rate: undefined,
              meterVersion: undefined,
            },
          ];
    const plan = this.#plan(kind, before);
    const usage = new Map(plan.usage.map((charge) => [keyText(charge), [measured(quantity)]]));
    const minor = computeSection(plan, usage).reduce((sum, line) => sum + line.net, 0n);
    return toDecimal({ currency: usd, minor });
  }

  #plan(kind: SectionKind, billed: readonly BilledCharge[]) {
    // A threshold is reached within the period, a period's invoice is for the whole of it.
    const scope = scopeOf(this.#contract, kind, halfway);
    return planSection(this.#contract, scope, new Map(billed.map((one) => [keyText(one), one])));
  }

  #usage() {
    const charge = listCharges(this.#contract, month, halfway).find((one) => one.price.charge === "usage");
    return charge ?? refuse("the subscription has no usage");
  }
}

function measured(quantity: Decimal): Measured {
  return { usage: { kind: "quantity", quantity, events: 1 }, events: 1 };
}

/** Minimums, maximums, credits and taxes are in whole minor units. @throws Inexpressible for an amount that is finer */
export function centsOf(amount: Decimal): bigint {
  const { minor } = toMoney(amount, usd);
  if (!toDecimal({ currency: usd, minor }).equals(amount))
    refuse(`${amount.toString()} is finer than a cent, and invoices are in whole minor units`);
  return minor;
}
