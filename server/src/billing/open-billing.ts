import type { Catalog } from "../catalog/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { Customers } from "./customers.js";
import { Explanations } from "./explanations.js";
import { Invoices } from "./invoices.js";
import { Subscriptions } from "./subscriptions.js";
import type { UsagePort } from "./usage-port.js";

/** The billing domain: what it offers to the rest of Weir. */
export interface Billing {
  readonly customers: Customers;
  readonly subscriptions: Subscriptions;
  readonly invoices: Invoices;
  readonly explanations: Explanations;
}

export interface BillingOptions {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly usage: UsagePort;
  /** Made before the usage domain, which asks it whose subjects are whose. */
  readonly customers: Customers;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

export function openBilling(options: BillingOptions): Billing {
  const { customers, catalog, usage } = options;
  const subscriptions = new Subscriptions(options);
  const invoices = new Invoices({ ...options, subscriptions });
  return { customers, subscriptions, invoices, explanations: new Explanations({ catalog, usage, invoices }) };
}
