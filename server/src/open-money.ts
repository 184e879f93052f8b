import {
  billingWakes,
  Customers,
  mustFindCustomer,
  mustFindFinalized,
  openBilling,
  registerInvoiceRuns,
  usagePortOf,
  type Billing,
} from "./billing/index.js";
import { Credits, noteExpiryBy, registerCreditExpiry } from "./credits/index.js";
import type { Workflows } from "./engines/workflow/index.js";
import type { Wakes } from "./time/index.js";
import { Catalog, CatalogFiles, type CatalogMeters } from "./catalog/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import { Taxes, taxRatesSection } from "./tax/index.js";
import { Ledger } from "./ledger/index.js";
import {
  openPayments,
  stripeProvider,
  type BillingPort,
  type GateOptions,
  type PaymentProvider,
  type Payments,
} from "./payments/index.js";
import type { Objects } from "./engines/objects/index.js";
import type { Secrets } from "./engines/secrets/index.js";
import { openSettlement, type Settlement, type SettlementOptions } from "./settlement/index.js";
import type { Log } from "./kernel/log.js";
import { findOrganization } from "./identity/index.js";
import { openMail, type MailConfig, type Mails } from "./mail/index.js";
import type { Clock, Clocks } from "./kernel/clock.js";
import { Refusal } from "./kernel/problem.js";
import type { SubjectsOfCustomers, Usage } from "./usage/index.js";
import type { Webhooks } from "./webhooks/index.js";

export interface MoneyOptions {
  readonly mail: MailConfig | undefined;
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly secrets: Secrets;
  /** One for each folder in payments/providers; all when left out. */
  readonly providers?: readonly PaymentProvider[] | undefined;
  /** How fast providers are called, and when they are left alone. */
  readonly gate?: GateOptions;
  /** Who tells receivers what happened. */
  readonly webhooks: Webhooks;
  readonly objects: Objects;
  readonly log: Log;
  /** Names this process's data directory. */
  readonly writer: string;
  readonly settlementLimits: SettlementOptions["limits"];
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

export interface Money {
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly credits: Credits;
  readonly payments: Payments;
  readonly mail: Mails;
  readonly settlement: Settlement;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney(options: MoneyOptions): Money {
  const { postgres, clock, clocks, workflows, wakes, webhooks, usage } = options;
  const port = usagePortOf(usage);
  const meters = catalogMetersOf(usage);
  const tax = new Taxes({ postgres, clock });
  const ledger = new Ledger({ postgres, clocks });
  const catalog = new Catalog({ postgres, meters, clock, clocks });
  const sections = [taxRatesSection];
  const catalogFiles = new CatalogFiles({ postgres, meters, clock, clocks, sections });
  const billingSchedule = billingWakes(wakes);
  const { subscriptionChanged } = billingSchedule;
  // Mail names customers and attaches invoices, and each of them tells it something: so they are asked for late.
  const mail = openMail({
    config: options.mail,
    postgres,
    clock,
    clocks,
    workflows,
    wakes,
    invoices: { get: (organization, idOrNumber) => billing.invoices.get(organization, idOrNumber) },
    customerOf: (organization, id) => customers.get(organization, id),
    documentOf: (organization, invoice) => billing.invoiceDocuments.ofInvoice(organization, invoice),
  });
  const customers = new Customers({
    postgres,
    clock,
    clocks,
    subscriptionChanged,
    customerErased: (sql, customer) => mail.customerErased(sql, customer),
  });
  const credits = new Credits({ postgres, ledger, customers, clocks, noteExpiry: noteExpiryBy(wakes) });
  registerCreditExpiry(credits, { workflows, wakes });
  const payments = openPayments({
    ...options,
    ledger,
    billing: billingPortOf(() => billing),
    topUps: credits,
    notices: {
      publish: (sql, organization, notices) => webhooks.publishAll(sql, organization, notices),
    },
    exceptions: { open: (sql, organization, found, at) => settlement.exceptions.open(sql, organization, found, at) },
    providers: options.providers ?? [stripeProvider()],
    isTest: async (sql, organization) => (await findOrganization(sql, organization))?.mode === "test",
  });
  const settlement: Settlement = openSettlement({
    ...options,
    ledger,
    payments: payments.settlementPort,
    limits: options.settlementLimits,
  });
  const billing: Billing = openBilling({
    postgres,
    catalog,
    usage: port,
    customers,
    clock,
    clocks,
    tax,
    ledger,
    credits,
    receivables: payments.receivables,
    webhooks,
    wakes: billingSchedule,
    invoicesFinalized: (sql, organization, invoices) => mail.invoicesFinalized(sql, organization, invoices),
  });
  registerInvoiceRuns(billing.dueInvoices, { workflows, wakes });
  const subjectsOfCustomers: SubjectsOfCustomers = (organization, idsOrKeys) =>
    customers.spansOf(organization, idsOrKeys);
  return { catalog, catalogFiles, billing, tax, ledger, credits, payments, settlement, mail, subjectsOfCustomers };
}

/** Billing as payments see it. */
function billingPortOf(billing: () => Billing): BillingPort {
  return {
    customer: mustFindCustomer,
    async invoice(sql, idOrNumber) {
      const { id, customer, finalized, sections } = await mustFindFinalized(sql, idOrNumber, true);
      const subscriptions = [...new Set(sections.map(({ subscription }) => subscription))];
      return { id, number: finalized?.number ?? id, customer, subscriptions };
    },
    async cancelSubscription(organization, subscription, key) {
      try {
        await billing().subscriptionChanges.cancel({ organization }, { subscription }, key);
      } catch (error) {
        // It has ended by then, or its end stands already.
        if (!(error instanceof Refusal) || error.problem.status !== 409) throw error;
      }
    },
  };
}

/** The usage domain's meters as the catalog sees them. */
function catalogMetersOf(usage: () => Pick<Usage, "meters">): CatalogMeters {
  return {
    async findMeter(organization, idOrSlug) {
      const found = await usage().meters.find(organization, idOrSlug);
      if (found === undefined) return undefined;
      const dimensions = found.groupBy.map((dimension) => dimension.name);
      return { meter: found.meter, slug: found.slug, aggregation: found.aggregation, dimensions };
    },
    list: (organization) => usage().meters.list(organization),
    async create(caller, meter) {
      await usage().meters.create(caller, meter);
    },
  };
}
