import { Catalog } from "./catalog.js";
import { Customers } from "./customers.js";
import { Disputes } from "./disputes.js";
import { Events } from "./events.js";
import { GraphQL } from "./graphql.js";
import { Imports } from "./imports.js";
import { Invoices } from "./invoices.js";
import { Mail } from "./mail.js";
import { Ledger } from "./ledger.js";
import { Meters } from "./meters.js";
import { Organization } from "./organization.js";
import { PaymentBatches } from "./payment-batches.js";
import { PaymentMethods } from "./payment-methods.js";
import { Payments } from "./payments.js";
import { Receivables } from "./receivables.js";
import { Refunds } from "./refunds.js";
import { Runs } from "./runs.js";
import { Settlement } from "./settlement.js";
import { Subscriptions } from "./subscriptions.js";
import { Tax } from "./tax.js";
import { TestClock } from "./test-clock.js";
import { Transport, type WeirOptions } from "./transport.js";
import { Usage } from "./usage.js";

/**
 * Weir's client.
 *
 *     const weir = new Weir({ baseUrl: "http://127.0.0.1:8080", apiKey: "weir_secret_…" });
 *     await weir.events.send([{ id: "1", source: "api", type: "llm.request", subject: "acme", data: { tokens: 12 } }]);
 *     const { data } = await weir.usage.query("tokens", { windowSize: "DAY" });
 */
export class Weir {
  readonly events: Events;
  readonly meters: Meters;
  readonly usage: Usage;
  readonly imports: Imports;
  readonly catalog: Catalog;
  readonly organization: Organization;
  readonly customers: Customers;
  readonly subscriptions: Subscriptions;
  readonly invoices: Invoices;
  readonly receivables: Receivables;
  readonly payments: Payments;
  readonly paymentMethods: PaymentMethods;
  readonly paymentBatches: PaymentBatches;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly mail: Mail;
  readonly ledger: Ledger;
  readonly tax: Tax;
  readonly runs: Runs;
  readonly settlement: Settlement;
  readonly clock: TestClock;
  readonly graphql: GraphQL;
  readonly #transport: Transport;

  constructor(options: WeirOptions) {
    this.#transport = new Transport(options);
    this.events = new Events(this.#transport);
    this.meters = new Meters(this.#transport);
    this.usage = new Usage(this.#transport);
    this.imports = new Imports(this.#transport);
    this.catalog = new Catalog(this.#transport);
    this.settlement = new Settlement(this.#transport);
    this.graphql = new GraphQL(this.#transport);
    this.invoices = new Invoices(this.graphql, this.#transport);
    this.ledger = new Ledger(this.#transport);
    this.receivables = new Receivables(this.graphql);
    this.payments = new Payments(this.graphql);
    this.paymentMethods = new PaymentMethods(this.graphql);
    this.paymentBatches = new PaymentBatches(this.graphql, this.#transport);
    this.refunds = new Refunds(this.graphql);
    this.disputes = new Disputes(this.graphql);
    this.organization = new Organization(this.graphql);
    this.customers = new Customers(this.graphql);
    this.subscriptions = new Subscriptions(this.graphql);
    this.mail = new Mail(this.graphql);
    this.tax = new Tax(this.graphql);
    this.runs = new Runs(this.graphql);
    this.clock = new TestClock(this.graphql);
  }

  /** The server's configuration, without secrets. */
  config(): Promise<Record<string, unknown>> {
    return this.#transport.json("/v1/config");
  }
}

export type { SettlementFile, SettlementUpload } from "./settlement.js";
export type {
  PaymentBatch,
  PaymentBatchFile,
  PaymentBatchItem,
  PaymentBatchState,
} from "./payment-batches.js";
export type { ApplyOptions, CatalogChange, CatalogReport } from "./catalog.js";
export type {
  BillingAddress,
  Customer,
  CustomerFields,
  CustomerUpdate,
  ErasedCustomer,
  NewCustomer,
  SubjectSpan,
  TaxExemption,
} from "./customers.js";
export type {
  ChangeTime,
  NewSubscription,
  Overrides,
  Quantities,
  Subscription,
  SubscriptionStatus,
} from "./subscriptions.js";
export type { Correction, EventFilter, Receipt, StoredEvent, UsageEvent } from "./events.js";
export type { CreditedLine, CreditNote } from "./credit-note.js";
export type {
  Invoice,
  InvoiceHead,
  InvoiceKind,
  InvoiceLine,
  InvoicePreview,
  InvoicePreviewLine,
  InvoiceSection,
  InvoiceStatus,
  InvoiceTotals,
  LineTaxRate,
  Period,
} from "./invoice.js";
export type { Import, ImportDetails, ImportUpload } from "./imports.js";
export type { DocumentFile, DocumentFormat } from "./invoices.js";
export type {
  ExplainedLine,
  LineComputation,
  LineExplanation,
  MeasuredEvent,
  MeasuredEventPage,
  RatedPortion,
  RatedTier,
} from "./line-explanation.js";
export type { MailFilter, MailKind, MailSettings, MailState, NewMailSettings, SentMail } from "./mail.js";
export type { JournalFile, JournalFormat, JournalOptions } from "./ledger.js";
export type { Money } from "./money.js";
export type {
  Decline,
  Dispute,
  DisputeState,
  InvoicePayment,
  Payment,
  PaymentAttempt,
  PaymentAttemptDetails,
  PaymentAttemptEvent,
  PaymentAttemptState,
  PaymentDetails,
  PaymentSettlement,
  Posting,
  Receivable,
  Refund,
  RefundState,
  TransferInstructions,
} from "./payment.js";
export type { FoundOutcome, ReceivedPayment } from "./payments.js";
export type { CardUpdateLink, PaymentMethod } from "./payment-methods.js";
export type { NewRefund } from "./refunds.js";
export type { Run, RunDetails, RunState, RunStep } from "./runs.js";
export type { TestClockState } from "./test-clock.js";
export type { Aggregation, Meter, MeterFilter, NewMeter } from "./meters.js";
export type { UsageQuery, UsageResult, UsageRow } from "./usage.js";
export type { BillingProfile, NewBillingProfile } from "./organization.js";
export type { AppliedTaxRate, NewTaxRate, NewTaxSettings, TaxBuyer, TaxRate, TaxSettings } from "./tax.js";
export type { MutationArgument, Repeatable } from "./graphql.js";
export { WeirError, type Problem } from "./problem.js";
export {
  verifyWebhook,
  WebhookNotVerified,
  type SignedWebhook,
  type WebhookEvent,
} from "./webhook-signature.js";
export type { WeirOptions } from "./transport.js";
