import {
  billingWakes,
  Customers,
  mustFindCustomer,
  mustFindPayable,
  openBilling,
  type PaymentOfInvoice,
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
import {
  mailedCardLinks,
  openPayments,
  type BillingPort,
  type NoticesPort,
  type GateOptions,
  type PaymentProvider,
  type Payments,
} from "./payments/index.js";
import type { Objects } from "./engines/objects/index.js";
import type { Secrets } from "./engines/secrets/index.js";
import { openSettlement, type Settlement, type SettlementOptions } from "./settlement/index.js";
import { findOrganization } from "./identity/index.js";
import { isMailLink, openMail, type MailConfig, type Mails } from "./mail/index.js";
import { openPrepaid, type Prepaid } from "./prepaid/index.js";
import { noteMonthEndBy, openBooks, registerRecognition, type Books, type Ledger } from "./ledger/index.js";
import type { Log } from "./kernel/log.js";
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
  /** See PrepaidOptions. */
  readonly balanceLookMinutes: number;
  /** Where Weir is reached, as links in mails name it. */
  readonly publicUrl: () => string;
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

export interface Money {
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly credits: Credits;
  readonly payments: Payments;
  readonly prepaid: Prepaid;
  readonly mail: Mails;
  readonly settlement: Settlement;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney(options: MoneyOptions): Money {
  const { postgres, clock, clocks, workflows, wakes, webhooks, log, usage } = options;
  const port = usagePortOf(usage);
  const meters = catalogMetersOf(usage);
  const tax = new Taxes({ postgres, clock });
  const books = openBooks({ postgres, clock, clocks, log, monthEndNoted: noteMonthEndBy(wakes) });
  const { ledger, revenue } = books;
  registerRecognition(revenue, { workflows, wakes });
  const catalog = new Catalog({ postgres, meters, clock, clocks });
  const sections = [taxRatesSection];
  const catalogFiles = new CatalogFiles({ postgres, meters, clock, clocks, sections });
  const billingSchedule = watchedSchedule(billingWakes(wakes), () => prepaid);
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
  const credits = new Credits({
    postgres,
    ledger,
    customers,
    clocks,
    noteExpiry: noteExpiryBy(wakes),
    creditsChanged: (sql, organization, of) => prepaid.lookWakes.changed(sql, organization, of),
  });
  registerCreditExpiry(credits, { workflows, wakes });
  const notices: NoticesPort = {
    publish: (sql, organization, told) => webhooks.publishAll(sql, organization, told),
  };
  const prepaid: Prepaid = openPrepaid({
    ...options,
    billing: {
      customer: mustFindCustomer,
      unbilled: (organization, payers, at) => billing.unbilledCosts.of(organization, payers, at),
      holds: (sql, cost) => billing.unbilledCosts.holds(sql, cost),
    },
    credits,
    payments: {
      chargeTopUp: (sql, organization, charge) => payments.charges.chargeTopUp(sql, organization, charge),
      attempt: (sql, id) => payments.charges.attempt(sql, id),
      checkMethod: (sql, customer, method) => payments.methods.check(sql, customer, method),
      isPaused: (sql, customer) => payments.dunning.isPaused(sql, customer),
    },
    notices,
    lookMinutes: options.balanceLookMinutes,
  });
  const cardLinkOf = mailedCardLinks(options);
  const payments: Payments = openPayments({
    ...options,
    ledger,
    billing: billingPortOf(() => billing),
    topUps: prepaid.topUps,
    notices,
    mail: {
      tellsOfPayments: (sql, organization) => mail.tellsOfPayments(sql, organization),
      async tell(sql, organization, { customer, invoice, ...told }) {
        if (customer.email === undefined) return;
        const about = invoice === undefined ? {} : { invoice };
        await mail.queue(sql, organization, { ...told, ...about, to: [customer.email], customer });
      },
      cardLinkOf(organization, customer, account) {
        const link = cardLinkOf(organization, customer, account);
        // Where Weir is reached by http only, no mail leads there.
        return link !== undefined && isMailLink(link) ? link : undefined;
      },
    },
    payers: { find: (organization, sourceId) => settlement.payers.find(organization, sourceId) },
    exceptions: {
      open: (sql, organization, found, at) => settlement.exceptions.open(sql, organization, found, at),
    },
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
    paymentOf: documentPaymentOf(payments),
    webhooks,
    revenue,
    wakes: billingSchedule,
    async invoicesFinalized(sql, organization, invoices) {
      await mail.invoicesFinalized(sql, organization, invoices);
      const drawing = invoices.filter(({ totals }) => totals.paidCredits > 0n);
      await prepaid.lookWakes.changed(
        sql,
        organization,
        drawing.map(({ customer }) => customer),
      );
    },
  });
  registerInvoiceRuns(billing.dueInvoices, { workflows, wakes });
  const subjectsOfCustomers: SubjectsOfCustomers = (organization, idsOrKeys) =>
    customers.spansOf(organization, idsOrKeys);
  return {
    catalog,
    catalogFiles,
    billing,
    tax,
    ledger,
    books,
    credits,
    payments,
    prepaid,
    settlement,
    mail,
    subjectsOfCustomers,
  };
}

/** The billing schedule, of which prepaid balances are told: fees of a new period, and a change of plan, cost at once. */
function watchedSchedule(
  schedule: ReturnType<typeof billingWakes>,
  prepaid: () => Prepaid,
): ReturnType<typeof billingWakes> {
  return {
    ...schedule,
    async subscriptionChanged(sql, organization, subscription) {
      await schedule.subscriptionChanged(sql, organization, subscription);
      await prepaid().lookWakes.changed(sql, organization, [subscription.payer]);
    },
    async boundariesDone(sql, organization, subscriptions, boundary) {
      await schedule.boundariesDone(sql, organization, subscriptions, boundary);
      await prepaid().lookWakes.changed(
        sql,
        organization,
        subscriptions.map(({ payer }) => payer),
      );
    },
  };
}

/** How an invoice is to be paid, for its document: by a transfer to the oldest account that takes one. */
function documentPaymentOf({ instructions }: Payments): PaymentOfInvoice {
  return async (sql, invoice) => {
    const [first] = await instructions.find(sql, invoice);
    if (first === undefined) return undefined;
    const { holder, iban, bic, reference, code } = first;
    return { kind: "transfer", reference, account: { holder, iban, bic }, code };
  };
}

/** Billing as payments see it. */
function billingPortOf(billing: () => Billing): BillingPort {
  return {
    customer: mustFindCustomer,
    async invoice(sql, idOrNumber) {
      const { id, customer, number = id, subscriptions } = await mustFindPayable(sql, idOrNumber);
      return { id, number, customer, subscriptions };
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
