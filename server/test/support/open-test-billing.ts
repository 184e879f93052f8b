import {
  Customers,
  mustFindCustomer,
  openBilling,
  type Billing,
  type BillingOptions,
} from "../../src/billing/index.js";
import { Credits } from "../../src/credits/index.js";
import { Receivables } from "../../src/payments/index.js";
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
  given: Omit<BillingOptions, "tax" | "ledger" | "credits" | "revenue" | "customers" | "receivables"> &
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
  const receivables = new Receivables({
    ...given,
    ledger,
    billing: {
      customer: mustFindCustomer,
      invoice: () => Promise.reject(new Error("nobody pays here")),
      cancelSubscription: () => Promise.reject(new Error("nobody pays here")),
    },
    wakes: { wakeAll: () => Promise.resolve(), cancelWake: () => Promise.resolve(false) },
    notices: { publish: () => Promise.resolve() },
  });
  const revenue = new Revenue({ postgres, ledger, clock, clocks, monthEndNoted: () => Promise.resolve() });
  const billing = openBilling({ ...given, customers, tax, ledger, credits, revenue, receivables });
  return { billing, tax, ledger, credits, revenue };
}
