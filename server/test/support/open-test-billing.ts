import { Customers, openBilling, type Billing, type BillingOptions } from "../../src/billing/index.js";
import { Credits } from "../../src/credits/index.js";
import { Ledger, Revenue } from "../../src/ledger/index.js";
import { Taxes } from "../../src/tax/index.js";

export interface TestBilling {
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly credits: Credits;
  readonly revenue: Revenue;
}

/** Billing with the domains that it stands on, all real; nothing is billed by itself unless `wakes` are given. */
export function openTestBilling(
  given: Omit<BillingOptions, "tax" | "ledger" | "credits" | "revenue" | "customers"> &
    Partial<Pick<BillingOptions, "customers">>,
): TestBilling {
  const { postgres, clock, clocks } = given;
  const customers = given.customers ?? new Customers({ postgres, clock, clocks });
  const tax = new Taxes({ postgres, clock });
  const ledger = new Ledger({ postgres, clocks });
  const credits = new Credits({
    postgres,
    ledger,
    customers,
    clocks,
    noteExpiry: () => Promise.resolve(),
  });
  const revenue = new Revenue({ postgres, ledger, clocks, clock, monthEndNoted: () => Promise.resolve() });
  const billing = openBilling({ ...given, customers, tax, ledger, credits, revenue });
  return { billing, tax, ledger, credits, revenue };
}
