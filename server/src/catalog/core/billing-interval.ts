import type { BillingInterval } from "../../kernel/billing-period.js";

export type { BillingInterval } from "../../kernel/billing-period.js";

export const billingIntervals: readonly BillingInterval[] = ["week", "month", "quarter", "year"];

const months: Readonly<Record<BillingInterval, number | undefined>> = {
  week: undefined,
  month: 1,
  quarter: 3,
  year: 12,
};

/** How many months an interval has; undefined for a week. */
export function monthsOf(interval: BillingInterval): number | undefined {
  return months[interval];
}

/**
 * Whether periods of `inner` tile each period of `outer`: months tile quarters and years. Weeks tile weeks only, since no
 * month is a whole number of them.
 */
export function nestsIn(inner: BillingInterval, outer: BillingInterval): boolean {
  if (inner === outer) return true;
  const [part, whole] = [months[inner], months[outer]];
  return part !== undefined && whole !== undefined && whole % part === 0;
}

/** The smallest of some intervals: the grid that their invoices come in. @throws RangeError without any */
export function smallestInterval(intervals: readonly BillingInterval[]): BillingInterval {
  const found = billingIntervals.find((interval) => intervals.includes(interval));
  if (found === undefined) throw new RangeError("there is no smallest of no intervals");
  return found;
}
