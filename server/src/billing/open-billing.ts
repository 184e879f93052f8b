import type { Catalog } from "../catalog/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { Backtests } from "./backtests.js";
import type { Customers } from "./customers.js";
import type { billingWakes } from "./invoicing/invoice-runs.js";
import { CreditNotes } from "./invoicing/credit-notes.js";
import { DueInvoices } from "./invoicing/due-invoices.js";
import { Explanations } from "./invoicing/explanations.js";
import type { CreditsPort, LedgerPort } from "./invoicing/funds.js";
import type { ReceivablesPort } from "./invoicing/receivables-port.js";
import type { WebhooksPort } from "./invoicing/invoice-webhooks.js";
import { InvoiceDocuments, type PaymentOfInvoice } from "./invoicing/invoice-documents.js";
import type { RevenuePort } from "./invoicing/revenue-port.js";
import { Invoices } from "./invoicing/invoices.js";
import { UnbilledCosts } from "./invoicing/unbilled-costs.js";
import type { InvoicesFinalized } from "./invoicing/write-invoices.js";
import { findBillingProfile } from "../identity/index.js";
import type { TaxPort } from "../tax/index.js";
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
  readonly creditNotes: CreditNotes;
  readonly invoiceDocuments: InvoiceDocuments;
  readonly dueInvoices: DueInvoices;
  readonly explanations: Explanations;
  readonly backtests: Backtests;
  readonly unbilledCosts: UnbilledCosts;
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
  readonly tax: TaxPort;
  readonly ledger: LedgerPort;
  readonly credits: CreditsPort;
  readonly receivables: ReceivablesPort;
  /** Told what happens to invoices; without it nobody is. */
  readonly webhooks?: WebhooksPort;
  /** Told of what is finalized, in that transaction. */
  readonly invoicesFinalized?: InvoicesFinalized;
  /** How invoices are to be paid, for their documents. */
  readonly paymentOf?: PaymentOfInvoice;
  readonly revenue: RevenuePort;
  /** Sets the wakes that billing needs; without them nothing is billed by itself. */
  readonly wakes?: ReturnType<typeof billingWakes>;
}

export function openBilling(options: BillingOptions): Billing {
  const { customers, catalog, usage, invoicedUntil = readInvoicedUntil } = options;
  const port = catalogPortOf(catalog);
  const subscriptionChanged: SubscriptionChanged | undefined = options.wakes?.subscriptionChanged;
  const changed = subscriptionChanged === undefined ? {} : { subscriptionChanged };
  const subscriptions = new Subscriptions({ ...options, ...changed, catalog: port });
  const subscriptionChanges = new SubscriptionChanges({
    ...options,
    ...changed,
    catalog: port,
    invoicedUntil,
  });
  const invoicing = {
    ...options,
    catalog: port,
    subscriptions,
    sellerOf: findBillingProfile,
    draftsNoted: options.wakes?.draftsNoted,
    boundariesDone: options.wakes?.boundariesDone,
    thresholdsChecked: options.wakes?.thresholdsChecked,
  };
  const invoices = new Invoices(invoicing);
  const creditNotes = new CreditNotes(options);
  const invoiceDocuments = new InvoiceDocuments({ ...options, invoices, creditNotes });
  const dueInvoices = new DueInvoices(invoicing);
  const explanations = new Explanations({ catalog, usage, invoices, subscriptions });
  const backtests = new Backtests({ ...options, catalogPort: port });
  const unbilledCosts = new UnbilledCosts({ ...options, catalog: port });
  return {
    catalog: port,
    customers,
    subscriptions,
    subscriptionChanges,
    invoices,
    creditNotes,
    invoiceDocuments,
    dueInvoices,
    explanations,
    backtests,
    unbilledCosts,
  };
}
