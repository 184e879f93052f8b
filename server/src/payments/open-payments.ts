import type { Objects } from "../engines/objects/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import { Attempts } from "./attempts.js";
import { BatchQueue } from "./batch-queue.js";
import { registerBatchRuns } from "./batch-runs.js";
import { Batches } from "./batches.js";
import { Captures } from "./captures.js";
import { registerChargeRuns } from "./charge-runs.js";
import { Charges } from "./charges.js";
import { Disputes } from "./disputes.js";
import { Dunning } from "./dunning.js";
import { EventLooks, registerEventLooks } from "./event-looks.js";
import { Inbox, registerInbox } from "./inbox.js";
import { PaymentMethods } from "./payment-methods.js";
import { PaymentInstructions } from "./payment-instructions.js";
import { Payouts } from "./payouts.js";
import { PaymentMails } from "./payment-mails.js";
import type { BillingPort, ExceptionsPort, MailPort, NoticesPort, PayersPort, TopUpPort } from "./ports.js";
import type { PaymentProvider } from "./provider.js";
import { allProviders } from "./providers/index.js";
import { ProviderAccounts } from "./provider-accounts.js";
import { ProviderCalls } from "./provider-calls.js";
import { ProviderGate, type GateOptions } from "./provider-gate.js";
import { applyObject } from "./provider-objects.js";
import { Receivables } from "./receivables.js";
import { RefundCalls } from "./refund-calls.js";
import { RefundOutcomes } from "./refund-outcomes.js";
import { RefundPayees } from "./refund-payees.js";
import { registerRefundRuns } from "./refund-runs.js";
import { Refunds } from "./refunds.js";
import { SettlementPort } from "./settlement/settlement-port.js";

/** The payments domain: what it offers to the rest of Weir. */
export interface Payments {
  readonly accounts: ProviderAccounts;
  readonly methods: PaymentMethods;
  readonly receivables: Receivables;
  readonly instructions: PaymentInstructions;
  readonly charges: Charges;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly payouts: Payouts;
  /** What goes out by files. */
  readonly batches: Batches;
  readonly dunning: Dunning;
  readonly inbox: Inbox;
  /** Books money that came in, in the caller's transaction: what settlement files bring. */
  readonly captures: Captures;
  readonly attempts: Attempts;
  /** What settlement files may be about, and what they tell. */
  readonly settlementPort: SettlementPort;
}

export interface PaymentsOptions {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly ledger: Ledger;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly billing: BillingPort;
  readonly topUps: TopUpPort;
  readonly exceptions: ExceptionsPort;
  readonly notices: NoticesPort;
  readonly mail: MailPort;
  readonly payers: PayersPort;
  /** All that there are when left out. */
  readonly providers?: readonly PaymentProvider[] | undefined;
  readonly objects: Objects;
  /** Names this process's data directory. */
  readonly writer: string;
  readonly isTest: (sql: Sql, organization: OrganizationId) => Promise<boolean>;
  readonly gate?: GateOptions;
}

export function openPayments(options: PaymentsOptions): Payments {
  const { workflows, wakes } = options;
  const queue = new BatchQueue(options);
  const all = options.providers ?? allProviders(queue);
  const providers = new Map(all.map((provider) => [provider.name, provider]));
  const gate = new ProviderGate(options.gate);
  const accounts = new ProviderAccounts({ ...options, providers });
  const looks = new EventLooks({ ...options, accounts });
  const receivables = new Receivables(options);
  const captures = new Captures({ ...options, receivables });
  const mails = new PaymentMails({ ...options });
  const dunning = new Dunning({ ...options, receivables, mails });
  const attempts = new Attempts({ ...options, accounts, captures, dunning, mails, looks });
  const calls = new ProviderCalls({ ...options, accounts, gate });
  const methods = new PaymentMethods({ ...options, accounts, calls, gate, dunning, looks });
  const payees = new RefundPayees({ ...options, accounts });
  const refunds = new Refunds({ ...options, accounts, receivables, payees, looks });
  const refundOutcomes = new RefundOutcomes({ ...options, receivables });
  const refundCalls = new RefundCalls({ ...options, accounts, gate, payees });
  const disputes = new Disputes({ ...options, accounts, gate });
  const batches = new Batches({ ...options, accounts, queue });
  const payouts = new Payouts(options);
  const charges = new Charges({ ...options, attempts, captures, calls });
  const objects = { attempts, refunds: refundOutcomes, disputes, payouts, methods };
  const inbox = new Inbox({
    ...options,
    accounts,
    gate,
    apply: (sql, organization, account, object) => applyObject(objects, sql, organization, account, object),
  });
  registerChargeRuns({ ...options, attempts, calls, dunning }, { workflows, wakes });
  registerBatchRuns(batches, { workflows, wakes });
  registerRefundRuns({ ...options, outcomes: refundOutcomes, calls: refundCalls }, { workflows, wakes });
  registerInbox(inbox, { workflows, wakes });
  registerEventLooks({ looks, inbox }, { workflows, wakes });
  const settlementPort = new SettlementPort({
    ...options,
    accounts,
    attempts,
    captures,
    refunds: refundOutcomes,
    disputes,
    payouts,
    receivables,
  });
  return {
    settlementPort,
    accounts,
    methods,
    receivables,
    instructions: new PaymentInstructions({ ...options, accounts }),
    charges,
    refunds,
    disputes,
    payouts,
    batches,
    dunning,
    inbox,
    captures,
    attempts,
  };
}
