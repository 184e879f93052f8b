// Two organizations in one Weir. With A's key, every GraphQL field and every REST route is asked for B's things by
// their ids, keys and names. Nothing of B may come back, and nothing of B may change. A field or route that is not in
// these tables fails the test: whoever adds one adds its line.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.js";
import { createHttpServer } from "../../src/http/server.js";
import { fillOrganization, type FilledOrganization } from "../support/filled-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { wholeSelection } from "../support/whole-selection.js";

let weir: TestWeir;
let a: FilledOrganization;
let b: FilledOrganization;
const mark = "zebra";

beforeAll(async () => {
  weir = await startTestWeir("isolation");
  a = await fillOrganization(weir, "aardvark");
  b = await fillOrganization(weir, mark);
});
afterAll(() => weir?.close());

/** Arguments that ask for B's things; "" where a field takes none or shows the caller's own. */
const queries = (): Record<string, string> => ({
  addOn: `(idOrKey: "${b.ids.addOn}")`,
  addOns: "(first: 5)",
  apiKeys: "(revoked: true)",
  auditLog: `(first: 5, target: "${b.ids.meter}")`,
  catalogFile: "",
  coupon: `(idOrKey: "${b.ids.coupon}")`,
  coupons: "(first: 5, archived: true)",
  backtest: `(plan: "${b.ids.plan}", start: "2026-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z", draft: { currency: "USD", prices: [{ key: "p", meter: "aardvark-meter", model: { perUnit: "1" } }] })`,
  creditGrant: `(id: "${b.ids.creditGrant}")`,
  creditGrants: `(first: 5, customer: "${b.ids.customer}")`,
  customer: `(idOrKey: "${b.ids.customer}")`,
  customers: "(first: 5)",
  events: `(first: 5, subject: "${mark}-subject")`,
  import: `(idOrName: "${b.ids.fileImport}")`,
  imports: `(first: 5, after: "${b.ids.fileImport}")`,
  creditNote: `(idOrNumber: "${b.ids.creditNote}")`,
  creditNotes: `(first: 5, invoice: "${b.ids.invoice}")`,
  invoice: `(id: "${b.ids.invoice}")`,
  invoicePreview: `(subscription: "${b.ids.subscription}")`,
  invoices: `(first: 5, customer: "${b.ids.customer}")`,
  ledgerAccounts: `(first: 5, prefix: "receivable:${b.ids.customer}")`,
  ledgerBlocks: "(first: 5)",
  ledgerMonths: "(first: 5)",
  ledgerPosting: `(id: "${b.ids.posting}")`,
  ledgerPostings: `(first: 5, reference: "${b.ids.invoice}")`,
  ledgerTimeZone: "",
  ledgerVerification: "",
  lineExplanation: `(invoice: "${b.ids.invoice}", line: "${b.ids.line}")`,
  mail: `(id: "${b.ids.mail}")`,
  mailSettings: "",
  mails: `(first: 5, invoice: "${b.ids.invoice}")`,
  meter: `(idOrSlug: "${b.ids.meter}")`,
  meters: "(archived: true)",
  organization: "",
  plan: `(idOrKey: "${b.ids.plan}")`,
  plans: "(first: 5)",
  dispute: `(id: "${b.ids.dispute}")`,
  disputes: `(first: 5, payment: "${b.ids.payment}")`,
  dunningPreview: `(invoice: "${b.ids.openInvoice}")`,
  dunningSchedule: "",
  payment: `(id: "${b.ids.payment}")`,
  paymentAttempt: `(id: "${b.ids.attempt}")`,
  paymentAttempts: `(first: 5, invoice: "${b.ids.paidInvoice}")`,
  paymentMethod: `(id: "${b.ids.paymentMethod}")`,
  paymentMethods: `(first: 5, customer: "${b.ids.payer}")`,
  payments: `(first: 5, invoice: "${b.ids.paidInvoice}")`,
  payout: `(id: "${b.ids.payout}")`,
  payouts: `(first: 5, account: "${b.ids.providerAccount}")`,
  providerAccount: `(idOrKey: "${b.ids.providerAccount}")`,
  providerAccounts: "(first: 5)",
  providerEvents: `(first: 5, account: "${b.ids.providerAccount}")`,
  providers: "",
  receivables: `(first: 5, customer: "${b.ids.payer}")`,
  paymentBatch: `(id: "${b.ids.paymentBatch}")`,
  paymentBatches: `(first: 5, account: "${b.ids.bank}")`,
  prepaidBalance: `(customer: "${b.ids.payer}")`,
  reconciliation: `(account: "${b.ids.bank}", from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z")`,
  reconciliationException: `(id: "${b.ids.exception}")`,
  reconciliationExceptions: `(first: 5, file: "${b.ids.settlementFile}")`,
  reconciliationReport: '(idOrDay: "2026-01-31")',
  reconciliationReports: "(first: 5)",
  reconciliationSettings: "",
  settlementFile: `(id: "${b.ids.settlementFile}")`,
  settlementFiles: "(first: 5)",
  topUp: `(id: "${b.ids.topUp}")`,
  topUpSettings: `(customer: "${b.ids.payer}")`,
  topUps: "(first: 5)",
  refund: `(id: "${b.ids.refund}")`,
  refunds: `(first: 5, payment: "${b.ids.payment}")`,
  product: `(idOrKey: "${b.ids.product}")`,
  products: "(first: 5)",
  previewExplanation: `(subscription: "${b.ids.subscription}", price: "${mark}-price")`,
  revenueSchedules: `(first: 5, invoice: "${b.ids.invoice}", customer: "${b.ids.customer}")`,
  standardTaxRates: "",
  run: `(id: "${mark}-run")`,
  runs: "(first: 5)",
  subjects: "(first: 100)",
  subscription: `(id: "${b.ids.subscription}")`,
  subscriptions: `(first: 5, customer: "${b.ids.customer}")`,
  taxFor: '(buyer: { country: "NZ" })',
  taxRates: "(first: 5)",
  taxSettings: "",
  testClock: "",
  trialBalance: "",
  webhookDeliveries: `(first: 5, endpoint: "${b.ids.webhookEndpoint}")`,
  webhookDelivery: `(id: "${b.ids.webhookDelivery}")`,
  webhookEndpoint: `(id: "${b.ids.webhookEndpoint}")`,
  webhookEndpoints: "(first: 5)",
  webhookEventTypes: "",
  webhookMessage: `(id: "${b.ids.webhookMessage}")`,
  webhookMessages: "(first: 5)",
  upcomingRevenue: "",
});

/** Other ways to ask for the same: by key or slug, in filters, in nested input. */
const moreQueries = (): string[] => [
  `customer(idOrKey: "${mark}-customer") { id }`,
  `taxRates(after: "${b.ids.audit}") { nodes { name note } }`,
  `organization { billingProfile { legalName bankDetails registrationNumber contactName } }`,
  `meter(idOrSlug: "${mark}-meter") { id }`,
  `mails(customer: "${b.ids.customer}") { nodes { recipient reply } }`,
  `mails(after: "${b.ids.mail}") { nodes { recipient reason } }`,
  `mailSettings { fromName replyTo copies }`,
  `plan(idOrKey: "${mark}-plan") { id }`,
  `plan(idOrKey: "aardvark-plan") { versions(after: "${b.ids.planVersion}") { nodes { id name } } }`,
  `product(idOrKey: "${mark}-product") { id }`,
  `addOn(idOrKey: "${mark}-add-on") { id }`,
  `addOn(idOrKey: "aardvark-add-on") { versions(after: "${b.ids.addOnVersion}") { nodes { id name } } }`,
  `coupon(idOrKey: "${mark}-coupon") { id }`,
  `events(id: "${mark}-event-1", source: "${mark}-source") { nodes { data } }`,
  `auditLog(actor: "${b.ids.apiKey}") { nodes { after } }`,
  `auditLog(after: "${b.ids.audit}") { nodes { after } }`,
  `customers(after: "${b.ids.customer}") { nodes { name } }`,
  `meter(idOrSlug: "aardvark-meter") { usage(input: { customers: ["${b.ids.customer}"], subjects: ["${mark}-subject"] }) { rows { value } } }`,
  `meter(idOrSlug: "aardvark-meter") { usage(input: { filters: [{ dimension: "region", values: ["${mark}-region"] }] }) { rows { value } } }`,
  `backtest(plan: "aardvark-plan", start: "2026-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z", draft: { currency: "USD", prices: [{ key: "p", meter: "${mark}-meter", model: { perUnit: "1" } }] }) { totals { currency } customers { customer { name } } }`,
  `ledgerPostings(account: "receivable:${b.ids.customer}") { nodes { id } }`,
  `ledgerAccounts(at: "2030-01-01T00:00:00Z", prefix: "receivable:${b.ids.customer}") { nodes { code } }`,
  `trialBalance(at: "2030-01-01T00:00:00Z") { accounts { code currency } }`,
  `revenueSchedules(after: "${b.ids.invoice}") { nodes { id invoice line } }`,
  `providerAccount(idOrKey: "${mark}-stripe") { name }`,
  `payouts(first: 50) { nodes { providerRef account { name } } }`,
  `providerEvents(first: 50) { nodes { id objectId account { name } } }`,
  `providerEvents(after: "9999999999999999 evt") { nodes { id objectId } }`,
  `receivables(first: 50, overdue: true) { nodes { invoiceId customer { key } } }`,
  `payments(first: 50) { nodes { sourceId note customer { key } attempt { id } refunds { reason } disputes { evidence { text } } } }`,
  `payments(customer: "${mark}-debtor") { nodes { sourceId } }`,
  `paymentAttempts(customer: "${mark}-payer") { nodes { id } }`,
  `paymentMethods(customer: "${mark}-payer") { nodes { id } }`,
  `customer(idOrKey: "aardvark-debtor") { collectionPause { reason } payments { nodes { note } } receivables { nodes { invoiceId } } paymentMethods { nodes { id } } }`,
  `invoice(id: "${b.ids.paidInvoice}") { attempts { id } payments { nodes { id } } postings { id } receivable { state } }`,
  `import(idOrName: "${mark}-file") { name rejections { reason } file { run } }`,
  `imports(first: 50) { nodes { name rejections { reason } file { run } } }`,
  `run(id: "usage-import:${b.id}:${b.ids.fileImport}") { run { id } input steps { name } }`,
  `lineExplanation(invoice: "${a.ids.invoice}", line: "${b.ids.line}") { price { id } }`,
  `webhookDeliveries(message: "${b.ids.webhookMessage}") { nodes { id lastError } }`,
  `webhookDeliveries(first: 50) { nodes { endpoint { url } message { body } attempts { error } } }`,
  `webhookMessages(type: "webhook.test") { nodes { body deliveries { nodes { id } } } }`,
  `webhookMessages(after: "msg_7zzzzzzzzzzzzzzzzzzzzzzzzz") { nodes { body } }`,
  `previewExplanation(subscription: "${a.ids.subscription}", price: "${b.ids.price}") { price { id } }`,
];

/** Mutations aimed at B's things: each must be refused. Those that only make something new aim at nothing of B's. */
const mutations = (): Record<string, string[]> => ({
  // A clock is the caller's own: refused in live mode, and once there are subscriptions.
  advanceTestClock: ['(to: "2031-01-01T00:00:00Z")'],
  startTestClock: ['(at: "2031-01-01T00:00:00Z")'],
  cancelRun: [`(id: "${mark}-run")`, `(id: "usage-import:${b.id}:${b.ids.fileImport}")`],
  retryRun: [`(id: "${mark}-run")`, `(id: "usage-import:${b.id}:${b.ids.fileImport}")`],
  addTaxRate: [],
  amendEvent: [`(source: "${mark}-source", id: "${mark}-event-1", reason: "r", data: { units: 99 })`],
  applyCatalog: [
    `(yaml: "plans: [{ key: stolen, currency: USD, prices: [{ key: p, meter: ${mark}-meter, perUnit: '1' }] }]")`,
    `(yaml: "plans: [{ key: stolen, currency: USD, prices: [{ key: p, meter: ${b.ids.meter}, perUnit: '1' }] }]")`,
    `(yaml: "addOns: [{ key: stolen, currency: USD, prices: [{ key: p, product: ${mark}-product, flat: '1' }] }]")`,
    `(yaml: "coupons: [{ key: stolen, percentOff: 5, appliesTo: { products: [${mark}-product] } }]", dryRun: true)`,
    // Both have a rate of this place and day: it is compared with the caller's own.
    `(yaml: "taxRates: [{ country: NZ, name: other, percent: 15, validFrom: 2020-01-01 }]")`,
  ],
  archiveCoupon: [`(coupon: "${b.ids.coupon}")`, `(coupon: "${mark}-coupon")`],
  archiveMeter: [`(meter: "${b.ids.meter}")`, `(meter: "${mark}-meter")`],
  assignSubject: [
    `(customer: "${b.ids.customer}", subject: "new")`,
    `(customer: "${mark}-customer", subject: "${mark}-subject")`,
  ],
  attachAddOn: [
    `(subscription: "${b.ids.subscription}", addOn: "aardvark-add-on")`,
    `(subscription: "${a.ids.subscription}", addOn: "${b.ids.addOn}")`,
    `(subscription: "${a.ids.subscription}", addOn: "${mark}-add-on")`,
  ],
  cancelSubscription: [`(subscription: "${b.ids.subscription}")`],
  changePlan: [
    `(subscription: "${b.ids.subscription}", plan: "aardvark-plan")`,
    `(subscription: "${a.ids.subscription}", plan: "${b.ids.planVersion}")`,
    `(subscription: "${a.ids.subscription}", plan: "${mark}-plan")`,
  ],
  changeMeter: [`(meter: "${b.ids.meter}", name: "taken")`, `(meter: "${mark}-meter", eventType: "x")`],
  changeProduct: [
    `(product: "${b.ids.product}", name: "taken")`,
    `(product: "${mark}-product", name: "taken")`,
  ],
  createAddOn: [
    `(key: "stolen", name: "n", currency: "USD", prices: [{ key: "p", product: "${mark}-product", model: { flat: "1" } }])`,
  ],
  createAddOnVersion: [
    `(addOn: "${b.ids.addOn}", name: "n", currency: "USD", prices: [{ key: "p", model: { flat: "1" } }])`,
    `(addOn: "${mark}-add-on", name: "n", currency: "USD", prices: [{ key: "p", model: { flat: "1" } }])`,
  ],
  // The books are the caller's own.
  closeLedgerMonth: [],
  setLedgerTimeZone: [],
  createApiKey: [],
  createCoupon: [`(key: "stolen", percentOff: "5", products: ["${mark}-product"])`],
  createCustomer: [`(key: "stolen", name: "n", timeZone: "UTC", payer: "${b.ids.customer}")`],
  createInvoice: [`(subscription: "${b.ids.subscription}")`],
  createMeter: [],
  createProduct: [],
  createPlan: [
    `(key: "stolen", name: "n", currency: "USD", prices: [{ key: "p", meter: "${mark}-meter", model: { perUnit: { unitAmount: "1" } } }])`,
    `(key: "stolen", name: "n", currency: "USD", prices: [{ key: "p", meter: "${b.ids.meter}", model: { perUnit: { unitAmount: "1" } } }])`,
  ],
  createPlanVersion: [
    `(plan: "${b.ids.plan}", name: "n", currency: "USD", prices: [{ key: "p", meter: "aardvark-meter", model: { perUnit: { unitAmount: "1" } } }])`,
    `(plan: "${mark}-plan", name: "n", currency: "USD", prices: [{ key: "p", meter: "aardvark-meter", model: { perUnit: { unitAmount: "1" } } }])`,
  ],
  createSubscription: [
    `(customer: "${b.ids.customer}", plan: "${b.ids.plan}")`,
    `(customer: "aardvark-customer", plan: "${b.ids.planVersion}")`,
    `(customer: "${mark}-customer", plan: "aardvark-plan")`,
  ],
  detachAddOn: [
    `(subscription: "${b.ids.subscription}", addOn: "${b.ids.subscribedAddOn}")`,
    `(subscription: "${a.ids.subscription}", addOn: "${b.ids.subscribedAddOn}")`,
  ],
  endTaxRate: [`(rate: "${b.ids.taxRate}", lastDay: "2030-01-01")`],
  endSubject: [
    `(customer: "${b.ids.customer}", subject: "${mark}-subject")`,
    `(customer: "aardvark-customer", subject: "${mark}-subject")`,
  ],
  eraseCustomer: [
    `(customer: "${b.ids.customer}", confirm: "${mark}-customer")`,
    `(customer: "aardvark-customer", confirm: "aardvark-customer", subjects: ["${mark}-subject"])`,
  ],
  reassignSubject: [
    `(customer: "aardvark-customer", subject: "${mark}-subject")`,
    `(customer: "${b.ids.customer}", subject: "aardvark-subject")`,
  ],
  redeemCoupon: [
    `(subscription: "${b.ids.subscription}", coupon: "aardvark-coupon")`,
    `(subscription: "${a.ids.subscription}", coupon: "${b.ids.coupon}")`,
  ],
  grantCredit: [
    `(customer: "${b.ids.customer}", kind: paid, amount: "5", currency: "USD")`,
    `(customer: "${mark}-customer", kind: promotional, amount: "5", currency: "USD")`,
  ],
  finalizeInvoice: [`(id: "${b.ids.invoice}")`],
  issueCreditNote: [`(invoice: "${b.ids.invoice}", reason: "r")`],
  refreshInvoice: [`(id: "${b.ids.invoice}")`],
  voidInvoice: [`(id: "${b.ids.invoice}", reason: "r")`],
  removeCoupon: [
    `(subscription: "${b.ids.subscription}", coupon: "${mark}-coupon")`,
    `(subscription: "${a.ids.subscription}", coupon: "${b.ids.coupon}")`,
  ],
  acceptDispute: [`(dispute: "${b.ids.dispute}")`],
  acceptSettlementFile: [`(file: "${b.ids.settlementFile}", reason: "r")`],
  closePaymentBatch: [`(account: "${b.ids.bank}")`, `(account: "${mark}-bank")`],
  disableTopUpSettings: [`(customer: "${b.ids.payer}")`, `(customer: "${mark}-payer")`],
  discardSettlementFile: [`(file: "${b.ids.settlementFile}", reason: "r")`],
  ignoreException: [`(exception: "${b.ids.exception}", version: 1, reason: "r")`],
  reopenException: [`(exception: "${b.ids.exception}", version: 1, reason: "r")`],
  resolveException: [
    `(exception: "${b.ids.exception}", version: 1, customer: "aardvark-payer")`,
    `(exception: "${a.ids.exception}", version: 1, customer: "${b.ids.payer}")`,
    `(exception: "${a.ids.exception}", version: 1, match: "${b.ids.openInvoice}")`,
  ],
  retrySettlementFile: [
    `(file: "${b.ids.settlementFile}", reason: "r")`,
    `(file: "${a.ids.settlementFile}", account: "${b.ids.bank}", reason: "r")`,
  ],
  setReconciliationSettings: [],
  setTopUpSettings: [
    `(customer: "${b.ids.payer}", lowAt: "1.00", currency: "USD")`,
    `(customer: "aardvark-payer", method: "${b.ids.paymentMethod}", threshold: "1.00", amount: "5.00", currency: "USD")`,
  ],
  topUpCredit: [
    `(customer: "${b.ids.payer}", amount: "5.00", currency: "USD")`,
    `(customer: "aardvark-payer", method: "${b.ids.paymentMethod}", amount: "5.00", currency: "USD")`,
  ],
  archiveProviderAccount: [`(account: "${b.ids.providerAccount}")`, `(account: "${mark}-stripe")`],
  attachPaymentMethod: [
    `(customer: "${b.ids.payer}", account: "aardvark-stripe", method: "pm_card_visa")`,
    `(customer: "aardvark-payer", account: "${b.ids.providerAccount}", method: "pm_card_visa")`,
    `(customer: "aardvark-payer", account: "${mark}-stripe", method: "pm_card_visa")`,
  ],
  backfillProviderEvents: [`(account: "${b.ids.providerAccount}")`],
  cancelPaymentAttempt: [`(attempt: "${b.ids.attempt}")`],
  createCardUpdateLink: [
    `(customer: "${b.ids.payer}")`,
    `(customer: "aardvark-payer", account: "${b.ids.providerAccount}")`,
  ],
  createPaymentSetupPage: [
    `(customer: "${mark}-payer")`,
    `(customer: "aardvark-payer", account: "${b.ids.providerAccount}")`,
  ],
  createProviderAccount: [],
  createRefund: [
    `(payment: "${b.ids.payment}", source: goodwill, reason: "r")`,
    `(payment: "${a.ids.payment}", source: invoice, invoice: "${b.ids.paidInvoice}", reason: "r", amount: "1.00")`,
    `(payment: "${a.ids.payment}", source: balance, creditNote: "${b.ids.creditNote}", reason: "r", amount: "1.00")`,
  ],
  detachPaymentMethod: [`(method: "${b.ids.paymentMethod}")`],
  lookUpPaymentAttempt: [`(attempt: "${b.ids.attempt}")`],
  pauseCollection: [`(customer: "${b.ids.payer}", reason: "r")`, `(customer: "${mark}-payer", reason: "r")`],
  payInvoice: [
    `(invoice: "${b.ids.openInvoice}")`,
    `(invoice: "${b.ids.openInvoice}", method: "${a.ids.paymentMethod}", amount: "1.00")`,
    `(invoice: "${a.ids.openInvoice}", method: "${b.ids.paymentMethod}")`,
  ],
  receivePayment: [
    `(customer: "${b.ids.payer}", amount: "1.00", currency: "USD", reference: "r")`,
    `(customer: "aardvark-debtor", amount: "1.00", currency: "USD", reference: "r", invoices: ["${b.ids.openInvoice}"])`,
  ],
  replayProviderEvent: [
    `(account: "${b.ids.providerAccount}", event: "${b.ids.providerEvent}")`,
    `(account: "aardvark-stripe", event: "evt_of_nobody")`,
  ],
  resumeCollection: [`(customer: "${mark}-debtor")`],
  setDefaultPaymentMethod: [`(method: "${b.ids.paymentMethod}")`],
  setDunningSchedule: [],
  settlePaymentAttempt: [`(attempt: "${b.ids.attempt}", outcome: failed, reason: "r")`],
  submitDisputeEvidence: [
    `(dispute: "${b.ids.dispute}", evidence: [{ field: "uncategorized_text", text: "t" }], submit: true)`,
  ],
  updateProviderAccount: [
    `(account: "${b.ids.providerAccount}", name: "taken")`,
    `(account: "${mark}-stripe", name: "taken")`,
  ],
  writeOffInvoice: [`(invoice: "${b.ids.openInvoice}", reason: "r")`],
  revokeApiKey: [`(id: "${b.ids.apiKey}")`],
  setQuantity: [
    `(subscription: "${b.ids.subscription}", price: "${mark}-price", quantity: "1")`,
    `(subscription: "${a.ids.subscription}", price: "${mark}-price", quantity: "1")`,
  ],
  uncancelSubscription: [`(subscription: "${b.ids.subscription}")`],
  updateCustomer: [
    `(customer: "${b.ids.customer}", name: "taken")`,
    `(customer: "${mark}-customer", name: "taken")`,
    `(customer: "aardvark-customer", payer: "${b.ids.customer}")`,
  ],
  resendMail: [`(id: "${b.ids.mail}")`],
  sendInvoice: [`(invoice: "${b.ids.invoice}")`, `(invoice: "${b.ids.invoice}", to: ["thief@example.com"])`],
  sendTestMail: [],
  setBillingProfile: [],
  setMailSettings: [],
  setTaxSettings: [],
  createWebhookEndpoint: [],
  deleteWebhookEndpoint: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  disableWebhookEndpoint: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  enableWebhookEndpoint: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  redeliverFailedWebhooks: [`(endpoint: "${b.ids.webhookEndpoint}", since: "2020-01-01T00:00:00Z")`],
  redeliverWebhook: [`(delivery: "${b.ids.webhookDelivery}")`],
  revealWebhookSecret: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  rotateWebhookSecret: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  testWebhookEndpoint: [`(endpoint: "${b.ids.webhookEndpoint}")`],
  updateWebhookEndpoint: [`(endpoint: "${b.ids.webhookEndpoint}", url: "https://taken.invalid/")`],
  voidCreditGrant: [`(grant: "${b.ids.creditGrant}", reason: "r")`],
  voidEvent: [`(source: "${mark}-source", id: "${mark}-event-1", reason: "r")`],
});

const subscriptions = (): Record<string, string> => ({
  usage: `(meter: "${b.ids.meter}")`,
});

interface RestCall {
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
}

/** Routes that a signature of their own opens, whatever the key: here none that is right. */
const signedRoutes = (): Record<string, RestCall[]> => ({
  "POST /v1/webhooks/:organization/:account": [
    { path: `/v1/webhooks/${b.id}/${b.ids.providerAccount}`, body: { id: "evt_1", type: "payout.paid" } },
    { path: `/v1/webhooks/${b.id}/${mark}-stripe`, body: {} },
    { path: `/v1/webhooks/${a.id}/${b.ids.providerAccount}`, body: {} },
  ],
  "GET /pay/:token": [{ path: `/pay/${b.ids.cardToken.slice(0, -1)}` }, { path: `/pay/${ofAnother()}` }],
});

/** A's signature over B's customer. */
function ofAnother(): string {
  const token = Buffer.from(a.ids.cardToken, "base64url");
  Buffer.from(b.ids.cardToken, "base64url").copy(token, 1, 1, token.length - 32);
  return token.toString("base64url");
}

/** Routes by "METHOD path"; public ones show nothing of any organization. */
const routes = (): Record<string, RestCall[] | "public" | "graphql"> => ({
  "GET /": "public",
  "GET /healthz": "public",
  "GET /readyz": "public",
  "GET /metrics": "public",
  "GET /pay/done": "public",
  "GET /graphql": "graphql",
  "POST /graphql": "graphql",
  "OPTIONS /graphql": "graphql",
  "GET /v1/config": [{ path: "/v1/config" }],
  "GET /v1/catalog": [{ path: "/v1/catalog" }],
  "GET /v1/invoices/:file": [
    { path: `/v1/invoices/${b.ids.invoice}.json` },
    { path: `/v1/invoices/${b.ids.invoice}.html` },
    { path: `/v1/invoices/${b.ids.invoice}.pdf` },
    { path: `/v1/invoices/${b.ids.invoice}.xml` },
    { path: "/v1/invoices/INV-000001.json" },
  ],
  "GET /v1/ledger/journal": [{ path: "/v1/ledger/journal" }, { path: "/v1/ledger/journal?format=parquet" }],
  "GET /v1/credit-notes/:file": [
    { path: `/v1/credit-notes/${b.ids.creditNote}.json` },
    { path: `/v1/credit-notes/${b.ids.creditNote}.html` },
    { path: `/v1/credit-notes/${b.ids.creditNote}.pdf` },
    { path: `/v1/credit-notes/${b.ids.creditNote}.xml` },
    { path: "/v1/credit-notes/CN-000001.json" },
  ],
  "POST /v1/catalog/apply": [
    {
      path: "/v1/catalog/apply",
      body: {
        plans: [
          { key: "stolen", currency: "USD", prices: [{ key: "p", meter: `${mark}-meter`, perUnit: "1" }] },
        ],
      },
    },
  ],
  "POST /v1/events": [{ path: "/v1/events", body: [newEvent()] }],
  "POST /api/v1/events": [{ path: "/api/v1/events", body: [newEvent()] }],
  "GET /v1/events": [
    { path: `/v1/events?subject=${mark}-subject` },
    { path: `/v1/events?source=${mark}-source&id=${mark}-event-1` },
    { path: "/v1/events" },
  ],
  "GET /api/v1/events": [{ path: `/api/v1/events?subject=${mark}-subject` }, { path: "/api/v1/events" }],
  "POST /v1/events/void": [
    { path: "/v1/events/void", body: { source: `${mark}-source`, id: `${mark}-event-1`, reason: "r" } },
  ],
  "POST /v1/events/amend": [
    {
      path: "/v1/events/amend",
      body: { source: `${mark}-source`, id: `${mark}-event-1`, reason: "r", change: { subject: "x" } },
    },
  ],
  "GET /v1/payment-batches/:file": [{ path: `/v1/payment-batches/${b.ids.paymentBatch}` }],
  "GET /v1/settlement/files/:id": [{ path: `/v1/settlement/files/${b.ids.settlementFile}` }],
  "POST /v1/settlement/files": [
    { path: `/v1/settlement/files?account=${b.ids.bank}`, body: "<Document/>" },
    { path: `/v1/settlement/files?account=${mark}-bank`, body: "<Document/>" },
  ],
  "GET /v1/imports": [{ path: "/v1/imports" }, { path: `/v1/imports?after=${b.ids.fileImport}` }],
  "POST /v1/imports": [],
  "GET /v1/imports/:id": [
    { path: `/v1/imports/${b.ids.import}` },
    { path: `/v1/imports/${mark}-import` },
    { path: `/v1/imports/${b.ids.fileImport}` },
    { path: `/v1/imports/${mark}-file` },
  ],
  "POST /v1/imports/:id/events": [
    { path: `/v1/imports/${b.ids.import}/events?firstRow=0&rows=1`, body: [newEvent()] },
  ],
  "POST /v1/imports/:id/complete": [
    { path: `/v1/imports/${b.ids.import}/complete`, body: {} },
    { path: `/v1/imports/${b.ids.fileImport}/complete`, body: {} },
  ],
  ...meterRoutes("/v1"),
  ...meterRoutes("/api/v1"),
  "GET /api/v1/meters/:meter/group-by/:dimension/values": [
    { path: `/api/v1/meters/${b.ids.meter}/group-by/region/values` },
    { path: "/api/v1/meters/aardvark-meter/group-by/region/values" },
  ],
});

const meterRoutes = (prefix: string): Record<string, RestCall[]> => ({
  [`GET ${prefix}/meters`]: [{ path: `${prefix}/meters` }],
  [`POST ${prefix}/meters`]: [],
  [`GET ${prefix}/meters/:meter`]: [
    { path: `${prefix}/meters/${b.ids.meter}` },
    { path: `${prefix}/meters/${mark}-meter` },
  ],
  [`PUT ${prefix}/meters/:meter`]: [
    {
      path: `${prefix}/meters/${b.ids.meter}`,
      body: { name: "taken", eventType: "x", aggregation: "COUNT" },
    },
  ],
  [`DELETE ${prefix}/meters/:meter`]: [{ path: `${prefix}/meters/${b.ids.meter}` }],
  [`GET ${prefix}/meters/:meter/query`]: [
    { path: `${prefix}/meters/${b.ids.meter}/query` },
    { path: `${prefix}/meters/aardvark-meter/query?subject=${mark}-subject&groupBy=region` },
    { path: `${prefix}/meters/aardvark-meter/query?groupBy=subject&groupBy=region&format=csv` },
  ],
  [`POST ${prefix}/meters/:meter/query`]: [
    { path: `${prefix}/meters/${b.ids.meter}/query`, body: {} },
    { path: `${prefix}/meters/aardvark-meter/query`, body: { subject: [`${mark}-subject`] } },
  ],
  [`GET ${prefix}/subjects`]: [{ path: `${prefix}/subjects` }],
});

function newEvent() {
  return {
    specversion: "1.0",
    id: "fresh",
    source: "fresh",
    type: "aardvark.type",
    subject: "fresh",
    data: { units: 1 },
  };
}

/** What the caller said itself may come back in a refusal; nothing else of B's may. */
function leaks(answer: string, said: string): string[] {
  const secrets = [mark, b.id, b.key, ...Object.values(b.ids)].filter((secret) => secret !== "");
  let text = answer;
  // Longest first, so that an echoed "zebra-meter" is taken out whole and leaves no "zebra" behind.
  const words = (said.match(/[\w.@-]+/g) ?? []).flatMap((word) => [
    word,
    word.replace(/\.(json|html|pdf|xml)$/, ""),
  ]);
  const echoes = [...new Set(words)].sort((one, other) => other.length - one.length);
  for (const echo of echoes)
    if (secrets.some((secret) => echo.includes(secret))) text = text.replaceAll(echo, "");
  return secrets.filter((secret) => text.includes(secret));
}

async function graphqlText(
  operation: string,
  key = a.key,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const response = await weir.fetch("/graphql", {
    method: "POST",
    key,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: operation }),
  });
  const text = await response.text();
  return { text, data: (JSON.parse(text) as { data?: Record<string, unknown> }).data ?? {} };
}

/** Everything that is stored of B: each table under tenancy, and each of ClickHouse's. */
async function stateOf(organization: FilledOrganization): Promise<string> {
  const { postgres, columnar } = weir.weir.services;
  const tables = await postgres.inOrganization(organization.id, async (sql) => {
    const names = await sql<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'weir' AND column_name = 'organization' ORDER BY 1`;
    const dumps: string[] = [];
    for (const { name } of names) {
      // Without when a key was used, and which process looks after an endpoint: that changes by itself.
      const rows = await sql.unsafe(
        `SELECT (to_jsonb(t) - ARRAY['last_used_at', 'served_by', 'served_until'])::text AS row FROM ${name} t ORDER BY 1`,
      );
      dumps.push(`${name}: ${rows.map((row) => String(row["row"])).join("\n")}`);
    }
    return dumps.join("\n");
  });
  const door = columnar.forOrganization(organization.id);
  const figures = await door.query(
    "state",
    `SELECT (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage_events WHERE organization = {organization:String} ORDER BY key, revision)) AS events,
            (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage WHERE organization = {organization:String} ORDER BY key, revision)) AS usage,
            (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage_corrections WHERE organization = {organization:String} ORDER BY key)) AS corrections`,
    {},
    (row) => JSON.stringify(row),
  );
  return `${tables}\n${figures.join("\n")}`;
}

describe("with A's key, asking for what is B's", () => {
  let before: string;
  beforeAll(async () => {
    before = await stateOf(b);
    expect(before.split(mark).length).toBeGreaterThan(20); // the dump does see B
  });

  test("every query", async () => {
    const table = queries();
    const fields = schema.getQueryType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      for (const depth of [3, 1]) {
        const operation = `{ ${name}${table[name] ?? ""} ${wholeSelection(field.type, depth)} }`;
        const { text } = await graphqlText(operation);
        // Too large for one query? Then the flatter one must do.
        if (depth === 3 && /exceeds maximum/.test(text)) continue;
        expect(text, operation).not.toMatch(/exceeds maximum|Cannot query field/);
        expect(leaks(text, operation), `${operation}\n${text}`).toEqual([]);
        break;
      }
    }
    for (const query of moreQueries()) {
      const { text } = await graphqlText(`{ ${query} }`);
      expect(text, query).not.toMatch(/Cannot query field|Syntax Error/);
      expect(leaks(text, query), `${query}\n${text}`).toEqual([]);
    }
  });

  test("every mutation", async () => {
    const table = mutations();
    const fields = schema.getMutationType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      for (const args of table[name] ?? []) {
        const operation = `mutation { result: ${name}${args} ${wholeSelection(field.type, 2)} }`;
        const { text, data } = await graphqlText(operation);
        expect(data["result"], `${operation}\n${text}`).toMatchObject({ __typename: "RefusalError" });
        expect(leaks(text, operation), `${operation}\n${text}`).toEqual([]);
      }
    }
  });

  test("every subscription", async () => {
    const table = subscriptions();
    const fields = schema.getSubscriptionType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      const operation = `subscription { ${name}${table[name] ?? ""} ${wholeSelection(field.type, 2)} }`;
      const response = await weir.fetch("/graphql", {
        method: "POST",
        key: a.key,
        headers: { "content-type": "application/json", accept: "text/event-stream" },
        body: JSON.stringify({ query: operation }),
      });
      const text = await response.text();
      expect(text).toContain("errors");
      expect(leaks(text, operation), text).toEqual([]);
    }
  });

  test("every REST route", async () => {
    const table = { ...routes(), ...signedRoutes() };
    const registered = new Set<string>();
    const app = await createHttpServer(weir.weir.services, ({ method, url }) => {
      for (const each of [method].flat()) if (each !== "HEAD") registered.add(`${each} ${url}`);
    });
    await app.close();
    expect([...registered].sort()).toEqual(Object.keys(table).sort());
    for (const [route, calls] of Object.entries(table)) {
      if (calls === "graphql") continue;
      const [method = ""] = route.split(" ");
      for (const { path, body } of calls === "public" ? [{ path: route.slice(method.length + 1) }] : calls) {
        const response = await weir.fetch(path, {
          method,
          key: a.key,
          ...(body === undefined
            ? {}
            : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
        });
        const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
        const said = `${path} ${JSON.stringify(body ?? "")}`;
        expect(response.status, `${route} ${text}`).toBeLessThan(500);
        expect(leaks(text, said), `${route} ${said}\n${text}`).toEqual([]);
      }
    }
  });

  test("nothing of B's has changed", async () => {
    await weir.settled();
    expect(await stateOf(b)).toBe(before);
  });
});

describe("keys", () => {
  const kinds: Record<string, string> = {};
  beforeAll(async () => {
    const caller = await weir.weir.services.identity.authenticate(`Bearer ${a.key}`);
    if (caller === undefined) throw new Error("A's key is unknown");
    for (const kind of ["ingest", "read"] as const) {
      kinds[kind] = (await weir.weir.services.identity.createKey(caller, { kind, name: kind })).secret;
    }
    const { key, secret } = await weir.weir.services.identity.createKey(caller, {
      kind: "secret",
      name: "gone",
    });
    await weir.weir.services.identity.revokeKey(caller, key.id);
    kinds["revoked"] = secret;
  });

  /** The status of each route's first call, with a key or without one. */
  async function statusesWith(key: string | undefined): Promise<Map<string, number>> {
    const statuses = new Map<string, number>();
    for (const [route, calls] of Object.entries(routes())) {
      const [method = "", path = ""] = route.split(" ");
      if (method === "OPTIONS") continue;
      const call =
        calls === "graphql" || calls === "public" || calls.length === 0
          ? { path: path.replace(/:\w+/g, "x"), body: method === "POST" ? {} : undefined }
          : (calls[0] ?? { path });
      const response = await fetch(new URL(call.path, weir.url), {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      statuses.set(route, response.status);
      await response.arrayBuffer();
    }
    return statuses;
  }

  test("without one, with a wrong one, or with a revoked one nothing but the public routes is there", async () => {
    const open = Object.entries(routes()).flatMap(([route, calls]) => (calls === "public" ? [route] : []));
    for (const key of [undefined, "weir_secret_wrong_wrong_wrong", kinds["revoked"]]) {
      for (const [route, status] of await statusesWith(key)) {
        if (open.includes(route)) expect([200, 503], route).toContain(status);
        else expect(status, `${route} with ${key}`).toBe(401);
      }
    }
  });

  test("with any key or none, what a signature opens stays shut without one that is right", async () => {
    for (const key of [undefined, a.key, b.key, kinds["revoked"]]) {
      for (const [route, calls] of Object.entries(signedRoutes())) {
        const [method = ""] = route.split(" ");
        for (const { path, body } of calls) {
          const response = await fetch(new URL(path, weir.url), {
            method,
            redirect: "manual",
            headers: {
              ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
              ...(body === undefined ? {} : { "content-type": "application/json" }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          expect([400, 404], `${route} ${path}`).toContain(response.status);
          expect(leaks(await response.text(), path)).toEqual([]);
        }
      }
    }
  });

  test("an ingest key reads nothing and changes nothing, it sends events", async () => {
    const allowed = ["POST /v1/events", "POST /api/v1/events"];
    for (const [route, status] of await statusesWith(kinds["ingest"])) {
      if (routes()[route] === "public") continue;
      if (allowed.includes(route)) expect([202, 204], route).toContain(status);
      else expect(status, route).toBe(403);
    }
  });

  test("a read key reads, and changes and sends nothing", async () => {
    const reads = /^GET |\/query$|^POST \/graphql$/;
    for (const [route, status] of await statusesWith(kinds["read"])) {
      if (routes()[route] === "public" || route === "GET /v1/config") continue;
      // It holds the tokens that money is taken with.
      if (route === "GET /v1/payment-batches/:file") continue;
      if (reads.test(route)) expect(status, route).not.toBe(403);
      else expect(status, route).toBe(403);
    }
    for (const [name, field] of Object.entries(schema.getMutationType()?.getFields() ?? {})) {
      const args = mutationOfOwn[name] ?? mutations()[name]?.[0] ?? "";
      const operation = `mutation { ${name}${args} ${wholeSelection(field.type, 1)} }`;
      const { text } = await graphqlText(operation, kinds["read"]);
      expect(text, operation).toMatch(/wrong-key-kind/);
    }
  });

  const mutationOfOwn: Record<string, string> = {
    createWebhookEndpoint: '(url: "https://new.invalid/", eventTypes: ["*"])',
    addTaxRate: '(country: "NZ", name: "GST", percent: "15", validFrom: "2026-01-01")',
    sendTestMail: '(to: "me@example.com")',
    setBillingProfile: '(legalName: "mine")',
    setDunningSchedule: "(hour: 9)",
    createProviderAccount: '(key: "mine", provider: "stripe")',
    setTaxSettings: '(country: "NZ")',
    closeLedgerMonth: '(month: "2020-01")',
    setLedgerTimeZone: '(timeZone: "Pacific/Auckland")',
    createApiKey: '(kind: secret, name: "mine")',
    createProduct: '(key: "p")',
    createCustomer: '(key: "c", name: "c", timeZone: "UTC")',
    createMeter: '(slug: "m", eventType: "t", aggregation: COUNT)',
  };
});
