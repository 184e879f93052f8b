import { parseCurrency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import type { CouponDuration, CouponOff, CouponScope } from "./coupon.js";
import type { CatalogFaults } from "./fault.js";

/** A coupon as somebody describes it. */
export interface NewCoupon {
  readonly key: string;
  /** The key when left out. */
  readonly name?: string;
  readonly off: CouponOff;
  /** Once when left out. */
  readonly duration?: CouponDuration;
  readonly appliesTo?: CouponScope;
  readonly redemptionsMax?: number;
  readonly expiresAt?: Instant;
}

const months_max = 120;
const scope_max = 200;
const redemptions_max = 1_000_000_000;

/** Adds everything wrong with a coupon but whether its products exist. */
export function checkCoupon(coupon: NewCoupon, faults: CatalogFaults): void {
  faults.key("key", coupon.key);
  faults.name("name", coupon.name);
  if (coupon.off.kind === "percent") faults.percent("percentOff", coupon.off.percent);
  else {
    faults.amounts("amountOff", coupon.off.amounts);
    for (const code of Object.keys(coupon.off.amounts)) {
      if (parseCurrency(code) !== code)
        faults.add(`amountOff.${code}`, `"${code}" is not an ISO 4217 code such as "EUR"`);
    }
  }
  if (coupon.duration?.kind === "months") faults.count("months", coupon.duration.months, 1, months_max);
  faults.count("redemptionsMax", coupon.redemptionsMax, 1, redemptions_max);
  if (coupon.appliesTo !== undefined) checkScope(coupon.appliesTo, faults.inside("appliesTo"));
}

function checkScope({ prices = [], products = [] }: CouponScope, faults: CatalogFaults): void {
  if (prices.length + products.length === 0)
    faults.add("", "name prices or products, or leave it out for everything");
  if (prices.length + products.length > scope_max) faults.add("", `at most ${scope_max} prices and products`);
  prices.forEach((key, index) => faults.key(`prices[${index}]`, key));
  products.forEach((key, index) => faults.key(`products[${index}]`, key));
}
