import type { Instant } from "../../kernel/instant.js";
import { toZoned, utc, type TimeZone } from "../../kernel/time-zone.js";
import { decideRate, type OwnTaxRate, type TaxBuyer, type TaxSettings } from "./decide-rate.js";
import type { TaxRate } from "./tax-rate.js";

/** Everything of an organization's that decides its taxes: read once, it serves any number of invoices. */
export interface TaxTable {
  readonly settings: TaxSettings | undefined;
  readonly rates: readonly OwnTaxRate[];
}

export interface BuyerInTime extends TaxBuyer {
  /** Where the buyer's days begin, and with them new rates; UTC when left out. */
  readonly timeZone?: TimeZone | undefined;
}

/**
 * The rate of each category for a buyer.
 * @param at an instant of the day whose rates count: of a service period its last (the end less a microsecond), since
 *           the end belongs to the next day
 */
export function decideRates(
  { settings, rates }: TaxTable,
  buyer: BuyerInTime,
  categories: readonly string[],
  at: Instant,
): ReadonlyMap<string, TaxRate> {
  const day = toZoned(at, buyer.timeZone ?? utc)
    .toPlainDate()
    .toString();
  return new Map(
    [...new Set(categories)].map((category) => [
      category,
      decideRate({ settings, rates, buyer, category, day }),
    ]),
  );
}
