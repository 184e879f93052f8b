import type { Account, ChargeRecord, DisputeRecord, DisputeWire } from "../account.js";
import { badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { Parameters } from "../api/parameters.js";
import type { BalanceTransactionWire } from "../ledger.js";
import { seconds } from "../unix-time.js";
import { listPage } from "./page.js";
import { exchangeFor } from "./settlement-exchange.js";

const path = "/v1/disputes";

export const disputeRoutes: readonly Route[] = [
  { method: "GET", path, operation: "disputes.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "disputes.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "disputes.update", act: update },
  { method: "POST", path: `${path}/:id/close`, operation: "disputes.close", act: close },
];

export interface NewDispute {
  readonly reason?: string;
  /** In minor units of the charge's currency; what is not refunded when not given, all of a charge that is. */
  readonly amount?: number;
  /** An inquiry moves no money unless it is escalated. */
  readonly isInquiry?: boolean;
}

const evidence_length_max = 150_000;

/** The evidence that a dispute takes; all text here, also what is a file's id on Stripe. */
const evidence_fields = [
  "access_activity_log",
  "billing_address",
  "cancellation_policy",
  "cancellation_policy_disclosure",
  "cancellation_rebuttal",
  "customer_communication",
  "customer_email_address",
  "customer_name",
  "customer_purchase_ip",
  "customer_signature",
  "duplicate_charge_documentation",
  "duplicate_charge_explanation",
  "duplicate_charge_id",
  "product_description",
  "receipt",
  "refund_policy",
  "refund_policy_disclosure",
  "refund_refusal_explanation",
  "service_date",
  "service_documentation",
  "shipping_address",
  "shipping_carrier",
  "shipping_date",
  "shipping_documentation",
  "shipping_tracking_number",
  "uncategorized_file",
  "uncategorized_text",
] as const;

/**
 * The owner of a card wants their money back: what is disputed leaves the balance at once, and a fee with it.
 * @throws ApiError 400 for a charge that took no money, or for more than it took
 */
export function openDispute(account: Account, charge: ChargeRecord, dispute: NewDispute = {}): DisputeRecord {
  const { wire: paid } = charge;
  const amount = dispute.amount ?? (paid.amount - paid.amount_refunded || paid.amount);
  const totals = account.ledger.charge(paid.id);
  const disputable = (totals?.captured ?? 0) - (totals?.disputed ?? 0);
  if (amount < 1 || amount > disputable)
    throw refused(
      `Of charge ${paid.id} ${disputable} can be disputed (${paid.currency}, in minor units), not ${amount}.`,
      { param: "amount" },
    );
  const now_ms = account.now_ms();
  const due_ms = now_ms + account.settings.delays.disputeEvidence_ms;
  const isInquiry = dispute.isInquiry ?? false;
  const wire: DisputeWire = {
    id: account.ids.next("du"),
    object: "dispute",
    amount,
    balance_transactions: [],
    charge: paid.id,
    created: seconds(now_ms),
    currency: paid.currency,
    enhanced_eligibility_types: [],
    evidence: {
      ...noEvidence(),
      enhanced_evidence: {},
    },
    evidence_details: {
      due_by: seconds(due_ms),
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: "not_submitted",
    },
    intended_submission_method: null,
    is_charge_refundable: isInquiry,
    livemode: false,
    metadata: {},
    payment_intent: paid.payment_intent,
    payment_method_details: {
      card: {
        brand: charge.instrument.brand,
        case_type: isInquiry ? "inquiry" : "chargeback",
        network: charge.instrument.brand,
        network_reason_code: "10.4",
      },
      type: "card",
    },
    reason: dispute.reason ?? "fraudulent",
    status: isInquiry ? "warning_needs_response" : "needs_response",
  };
  const record = account.disputes.add({ wire });
  paid.disputed = true;
  if (!isInquiry) withdraw(account, record, charge);
  account.events.emit("charge.dispute.created", wire);
  if (!isInquiry) account.events.emit("charge.dispute.funds_withdrawn", wire);
  account.agenda.add(due_ms, () => {
    if (wire.status !== "needs_response" && wire.status !== "warning_needs_response") return;
    wire.evidence_details.past_due = true;
    decideDispute(account, record, "lost");
  });
  return record;
}

/**
 * The bank decides. An inquiry is closed either way, and its charge stays paid.
 * @throws ApiError 400 when it has
 */
export function decideDispute(account: Account, dispute: DisputeRecord, outcome: "won" | "lost"): void {
  const { wire } = dispute;
  checkOpen(wire);
  if (wire.status.startsWith("warning_")) {
    wire.status = "warning_closed";
  } else {
    if (outcome === "won") reinstate(account, dispute);
    wire.status = outcome;
  }
  account.events.emit("charge.dispute.closed", wire);
}

/**
 * An inquiry becomes a dispute: the money leaves the balance now.
 * @throws ApiError 400 when it is no open inquiry
 */
export function escalateDispute(account: Account, dispute: DisputeRecord): void {
  const { wire } = dispute;
  checkOpen(wire);
  if (!wire.status.startsWith("warning_")) throw refused(`Dispute ${wire.id} is no inquiry.`);
  wire.status = "needs_response";
  wire.is_charge_refundable = false;
  withdraw(account, dispute, account.charges.get(wire.charge, "charge"));
  account.events.emit("charge.dispute.updated", wire);
  account.events.emit("charge.dispute.funds_withdrawn", wire);
}

function withdraw(account: Account, { wire }: DisputeRecord, charge: ChargeRecord): void {
  const exchange = exchangeFor(account, wire.currency);
  const { fees } = account.settings;
  const transaction = account.ledger.post({
    type: "adjustment",
    reportingCategory: "dispute",
    amount: -exchange.convert(wire.amount),
    fee: { amount: fees.dispute, description: "Dispute fee" },
    currency: exchange.currency,
    rate: exchange.rate,
    source: wire.id,
    charge: charge.wire.id,
    description: `Chargeback withdrawal for ${charge.wire.id}`,
    available_ms: account.now_ms(),
  });
  wire.balance_transactions.push({ ...transaction.wire });
  account.ledger.chargeTotals(charge.wire.id, charge.wire.currency).disputed += wire.amount;
}

function reinstate(account: Account, { wire }: DisputeRecord): void {
  const [withdrawn] = wire.balance_transactions as readonly BalanceTransactionWire[];
  if (withdrawn === undefined) return;
  const charge = account.charges.get(wire.charge, "charge");
  const { fees } = account.settings;
  const transaction = account.ledger.post({
    type: "adjustment",
    reportingCategory: "dispute_reversal",
    amount: -withdrawn.amount,
    ...(fees.isDisputeFeeReturned && { fee: { amount: -withdrawn.fee, description: "Dispute fee refund" } }),
    currency: withdrawn.currency,
    source: wire.id,
    charge: charge.wire.id,
    description: `Chargeback reversal for ${charge.wire.id}`,
    available_ms: account.now_ms(),
  });
  wire.balance_transactions.push({ ...transaction.wire });
  wire.is_charge_refundable = true;
  account.ledger.chargeTotals(charge.wire.id, charge.wire.currency).disputed -= wire.amount;
  account.events.emit("charge.dispute.funds_reinstated", wire);
}

function update(call: Call): DisputeWire {
  const { account, params } = call;
  const dispute = account.disputes.get(idOf(call));
  const { wire } = dispute;
  const given = readEvidence(params.nested("evidence"));
  const isSubmitted = params.boolean("submit") ?? given !== undefined;
  const metadata = params.metadata(wire.metadata);
  params.done();
  if (given !== undefined || isSubmitted) {
    checkOpen(wire);
    if (wire.status.endsWith("under_review"))
      throw refused(`Dispute ${wire.id} is under review: its evidence was submitted and cannot be changed.`);
  }
  wire.metadata = metadata;
  if (given !== undefined) wire.evidence = { ...wire.evidence, ...given };
  const evidence = evidence_fields.filter((field) => wire.evidence[field] !== null);
  wire.evidence_details.has_evidence = evidence.length > 0;
  if (isSubmitted) submit(account, dispute);
  account.events.emit("charge.dispute.updated", wire);
  return wire;
}

/** Stripe's test evidence wins or loses by its text; any other waits for the bank, which is played by hand. */
function submit(account: Account, dispute: DisputeRecord): void {
  const { wire } = dispute;
  wire.status = wire.status.startsWith("warning_") ? "warning_under_review" : "under_review";
  wire.evidence_details.submission_count += 1;
  wire.evidence_details.submission_method = "manual";
  const text = wire.evidence.uncategorized_text;
  const outcome = text === "winning_evidence" ? "won" : text === "losing_evidence" ? "lost" : undefined;
  if (outcome === undefined) return;
  account.agenda.add(account.now_ms() + account.settings.delays.disputeDecision_ms, () => {
    if (wire.status.endsWith("under_review")) decideDispute(account, dispute, outcome);
  });
}

/** Accepts the loss. */
function close(call: Call): DisputeWire {
  call.params.done();
  const dispute = call.account.disputes.get(idOf(call));
  if (dispute.wire.status !== "needs_response" && dispute.wire.status !== "warning_needs_response")
    throw refused(`Dispute ${dispute.wire.id} has the status ${dispute.wire.status}; it cannot be closed.`);
  decideDispute(call.account, dispute, "lost");
  return dispute.wire;
}

function retrieve(call: Call): DisputeWire {
  call.params.done();
  return call.account.disputes.get(idOf(call)).wire;
}

function list({ account, params }: Call): object {
  const charge = params.text("charge");
  const intent = params.text("payment_intent");
  return listPage({
    store: account.disputes,
    url: path,
    params,
    matches: ({ wire }) =>
      (charge === undefined || wire.charge === charge) &&
      (intent === undefined || wire.payment_intent === intent),
  });
}

type Evidence = Record<(typeof evidence_fields)[number], string | null>;

function noEvidence(): Evidence {
  return Object.fromEntries(evidence_fields.map((field) => [field, null])) as Evidence;
}

function readEvidence(given: Parameters | undefined): Partial<Evidence> | undefined {
  if (given === undefined) return undefined;
  const evidence: Partial<Evidence> = {};
  let length = 0;
  for (const field of evidence_fields) {
    const value = given.unsettableText(field);
    if (value === undefined) continue;
    evidence[field] = value;
    length += value?.length ?? 0;
  }
  given.done();
  if (length > evidence_length_max)
    throw badParameter(
      "evidence",
      `Evidence has at most ${evidence_length_max} characters, and this has ${length}.`,
    );
  return evidence;
}

function checkOpen(wire: DisputeWire): void {
  if (wire.status === "won" || wire.status === "lost" || wire.status === "warning_closed")
    throw refused("This dispute is already closed.", {});
}
