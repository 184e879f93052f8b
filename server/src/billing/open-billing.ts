import type { Catalog } from "../catalog/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { Backtests } from "./backtests.js";
import type { Customers } from "./customers.js";
import { Explanations } from "./explanations.js";
import { Invoices } from "./invoices.js";
import { catalogPortOf, type CatalogPort } from "./catalog-port.js";
import { readInvoicedUntil, type InvoicedUntil } from "./store/invoiced-until.js";
import { SubscriptionChanges } from "./subscription-changes.js";
import { Subscriptions, type SubscriptionChanged } from "./subscriptions.js";
import type { UsagePort } from "./usage-port.js";

/** The billing domain: what it offers to the rest of Weir. */
export interface Billing {
  readonly catalog: CatalogPort;
  readonly customers: Customers;
  readonly subscriptions: Subscriptions;
  readonly subscriptionChanges: SubscriptionChanges;
  readonly invoices: Invoices;
  readonly explanations: Explanations;
  readonly backtests: Backtests;
}

export interface BillingOptions {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly usage: UsagePort;
  /** Made before the usage domain, which asks it whose subjects are whose. */
  readonly customers: Customers;
  readonly clock: Clock;
  readonly clocks: Clocks;
  /** Up to where finalized invoices have closed time; the invoices' own table when left out. */
  readonly invoicedUntil?: InvoicedUntil;
  /** Sets a subscription's next wake in the transaction that made or changed it. */
  readonly subscriptionChanged?: SubscriptionChanged;
}

export function openBilling(options: BillingOptions): Billing {
  const { customers, catalog, usage, invoicedUntil = readInvoicedUntil } = options;
  const port = catalogPortOf(catalog);
  const subscriptions = new Subscriptions({ ...options, catalog: port });
  const subscriptionChanges = new SubscriptionChanges({ ...options, catalog: port, invoicedUntil });
  const invoices = new Invoices({ ...options, subscriptions });
  const explanations = new Explanations({ catalog, usage, invoices });
  const backtests = new Backtests({ ...options, catalogPort: port });
  return { catalog: port, customers, subscriptions, subscriptionChanges, invoices, explanations, backtests };
}
