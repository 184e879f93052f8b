import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import {
  newId,
  type CreditNoteId,
  type InvoiceId,
  type OrganizationId,
  type ProviderAccountId,
  type RefundId,
} from "../kernel/ids.js";
import { day, hour, minute, msOf, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { formatMoney, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { codeOf, type Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import {
  onRefundState,
  refundable,
  refundPosting,
  refundReturnSettlement,
  refundReversal,
  refundSettlement,
  type MoneyPlace,
  type RefundSource,
  type RefundState,
} from "./core/index.js";
import { abilityOf } from "./ability.js";
import { refund_kind } from "./kinds.js";
import type { BillingPort, ExceptionsPort, NoticesPort, TakenBack, TopUpPort } from "./ports.js";
import type { Payee, RefundReply, SettledAmounts } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { isUnanswered, ProviderBusy, ProviderRefusal, ProviderUnanswered } from "./provider-failure.js";
import type { ProviderGate } from "./provider-gate.js";
import type { Receivables } from "./receivables.js";
import type { RefundPayees } from "./refund-payees.js";
import { fromStepJson, stepJson } from "./step-json.js";
import { listDisputes } from "./store/disputes.js";
import {
  addRefunded,
  findPayment,
  findPaymentByRef,
  listAllocations,
  lockPayment,
  type Payment,
} from "./store/payments.js";
import { lockReceivables } from "./store/receivables.js";
import {
  findRefund,
  findRefundByRef,
  insertRefund,
  listRefunds,
  updateRefund,
  type Refund,
} from "./store/refunds.js";

export interface NewRefundInput {
  readonly payment: string;
  /** In minor units; all that can be given back when left out. */
  readonly amount?: bigint;
  readonly source: RefundSource;
  /** That is owed again, with source "invoice"; the payment's only one when left out. */
  readonly invoice?: string;
  readonly creditNote?: CreditNoteId;
  /** Whose account a transfer goes to; the one that the payment came from when left out. */
  readonly payee?: Payee;
  readonly reason: string;
}

export interface RefundsDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly gate: ProviderGate;
  readonly ledger: Ledger;
  readonly receivables: Receivables;
  readonly topUps: TopUpPort;
  readonly billing: BillingPort;
  readonly payees: RefundPayees;
  readonly exceptions: ExceptionsPort;
  readonly notices: NoticesPort;
  readonly wakes: Wakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

const refunds_per_payment_max = 1_000;
const reason_length_max = 512;
const described_invoices_max = 5;
const unknown_max = day;

/** Money that goes back. Never more than came in, under the payment's lock; posted when it is made, reversed when it failed. */
export class Refunds {
  readonly #on: RefundsDependencies;

  constructor(dependencies: RefundsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Gives money of a payment back: the refund and its posting commit, then it is sent.
   * @throws Refusal 400, 404; 409 for more than is left, or for a balance that the customer does not have; 422 when it is not known
   *         whose account a transfer is to go to
   */
  async create(caller: Caller, input: NewRefundInput, idempotencyKey?: string): Promise<Refund> {
    const { organization } = caller;
    checkReason(input.reason);
    const request = { organization, idempotencyKey, action: "refund.create", input };
    const payee = await this.#on.payees.payeeFor(request, input);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const id = await runOnce(sql, request, async () => {
        const payment = await mustFindPayment(sql, input.payment, { lock: true });
        const money = await this.#checked(sql, payment, input);
        const invoice =
          input.source === "invoice" ? await this.#reopened(sql, payment, input.invoice, money) : undefined;
        if (input.source === "balance") await this.#refuseBeyondBalance(sql, payment, money);
        if (input.source === "prepaid")
          await this.#on.topUps.takeBack(sql, organization, takenBack(payment, money.minor, input.reason));
        const now = this.#on.clocks.of(organization).now();
        const isManual = !(await this.#isSent(sql, organization, payment));
        const refundId = newId("ref", now);
        const refund: Refund = {
          id: refundId,
          payment: payment.id,
          source: input.source,
          invoice,
          creditNote: input.creditNote,
          currency: payment.currency,
          amount: money.minor,
          reason: input.reason,
          state: isManual ? "succeeded" : "pending",
          ref: undefined,
          payee: this.#on.payees.seal(organization, refundId, payee),
          failure: undefined,
          parkedAt: undefined,
          createdAt: now,
          changedAt: now,
        };
        await insertRefund(sql, organization, refund);
        await addRefunded(sql, payment.id, refund.amount);
        await this.#on.ledger.post(sql, organization, [refundPosting(moneyOf(refund, payment))]);
        if (!isManual) await this.#on.wakes.wake(sql, organization, now, refund_kind, refund.id);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "refund.create",
          target: refund.id,
          before: { payment: payment.id },
          after: {
            amount: formatMoney(money),
            source: input.source,
            invoice: invoice ?? null,
            reason: input.reason,
          },
          at: this.#on.clock.now(),
        });
        return refund.id;
      });
      return mustFindRefund(sql, id);
    });
  }

  async list(organization: OrganizationId, page: Parameters<typeof listRefunds>[1]): Promise<Refund[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listRefunds(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Refund | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findRefund(sql, id));
  }

  /** What the provider says of a refund, in the caller's transaction. */
  async record(
    sql: Sql,
    organization: OrganizationId,
    id: RefundId,
    { ref, state, failure, settled, returned }: RefundReply,
  ): Promise<RefundState> {
    const before = await mustFindRefund(sql, id);
    const payment = await mustFindPayment(sql, before.payment, { lock: true });
    const refund = await mustFindRefund(sql, id, { lock: true });
    const { ledger, clocks, notices, exceptions } = this.#on;
    const now = clocks.of(organization).now();
    if (settled !== undefined && payment.account !== undefined)
      await this.#settle(sql, organization, refund, refundSettlement, payment.account, settled);
    if (returned !== undefined && payment.account !== undefined)
      await this.#settle(sql, organization, refund, refundReturnSettlement, payment.account, returned);
    const transition = onRefundState(refund.state, state);
    if (transition.kind === "ignored") {
      if (refund.ref === undefined)
        await updateRefund(sql, { ...refund, ref, parkedAt: undefined, changedAt: now });
      return refund.state;
    }
    await updateRefund(sql, {
      ...refund,
      state: transition.next,
      ref,
      failure,
      parkedAt: undefined,
      changedAt: now,
    });
    if (transition.effect === "reverse") {
      await ledger.post(sql, organization, [refundReversal(moneyOf(refund, payment))]);
      await addRefunded(sql, payment.id, -refund.amount);
      if (refund.invoice !== undefined)
        await this.#paidAgain(sql, organization, refund.invoice, refund.amount);
      if (refund.source === "prepaid")
        await this.#on.topUps.giveBack(
          sql,
          organization,
          takenBack(payment, refund.amount, `refund ${refund.id} did not arrive`),
        );
      await exceptions.open(
        sql,
        organization,
        {
          kind: "refund_failed",
          key: refund.id,
          detail: `The refund did not arrive (${failure ?? "no reason given"}): the money is back. Give it back another way.`,
          reference: refund.id,
          amount: { currency: refund.currency, minor: refund.amount },
        },
        now,
      );
    }
    const type = transition.next === "succeeded" ? "refund.succeeded" : "refund.failed";
    const data = {
      refund: refund.id,
      payment: payment.id,
      amount: refund.amount.toString(),
      currency: refund.currency,
    };
    await notices.publish(sql, organization, [{ type, key: `${type}:${refund.id}`, data }]);
    return transition.next;
  }

  /**
   * One that a provider tells of: ours by our id, or by its own; one made on the provider's page is taken in.
   * @returns undefined when it is too early to take it in
   */
  async reported(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    reported: { refund: RefundId | undefined; chargeRef: string; amount: Money; reply: RefundReply },
  ): Promise<string | undefined> {
    const known =
      (reported.refund === undefined ? undefined : await findRefund(sql, reported.refund)) ??
      (await findRefundByRef(sql, reported.reply.ref));
    if (known !== undefined)
      return `${known.id} ${await this.record(sql, organization, known.id, reported.reply)}`;
    const found = await findPaymentByRef(sql, account, reported.chargeRef);
    if (found === undefined) return "a refund of a charge that Weir does not know";
    const payment = await mustFindPayment(sql, found.id, { lock: true });
    // One of ours that was not sent yet stands in its way: the provider will refuse that one, and then there is room.
    const others = await listRefunds(sql, { payment: payment.id, limit: refunds_per_payment_max });
    if (refundable(payment.amount, others, 0n) < reported.amount.minor) return undefined;
    const now = this.#on.clocks.of(organization).now();
    const refund: Refund = {
      id: newId("ref", now),
      payment: payment.id,
      source: await this.#reportedSource(sql, organization, payment, reported.amount),
      invoice: undefined,
      creditNote: undefined,
      currency: reported.amount.currency,
      amount: reported.amount.minor,
      reason: "made at the provider",
      state: "pending",
      ref: reported.reply.ref,
      payee: undefined,
      failure: undefined,
      parkedAt: undefined,
      createdAt: now,
      changedAt: now,
    };
    await insertRefund(sql, organization, refund);
    await addRefunded(sql, payment.id, refund.amount);
    await this.#on.ledger.post(sql, organization, [refundPosting(moneyOf(refund, payment))]);
    return `${refund.id} ${await this.record(sql, organization, refund.id, reported.reply)}`;
  }

  /** Of a top-up the credit goes with the money, as far as nothing of it was used; else it is out of our pocket. */
  async #reportedSource(
    sql: Sql,
    organization: OrganizationId,
    payment: Payment,
    { currency, minor }: Money,
  ): Promise<RefundSource> {
    const left = await this.#on.topUps.refundableOf(sql, payment.id);
    if (left === undefined || left < minor || currency !== payment.currency) return "goodwill";
    await this.#on.topUps.takeBack(sql, organization, takenBack(payment, minor, "refunded at the provider"));
    return "prepaid";
  }

  /** Sends a refund, or asks what became of it. @throws ProviderBusy */
  async send(organization: OrganizationId, id: RefundId): Promise<RefundReply | "unanswered"> {
    const { postgres, accounts, gate, payees, clock } = this.#on;
    const { refund, payment, opened, description } = await postgres.inOrganization(
      organization,
      async (sql) => {
        const found = await mustFindRefund(sql, id);
        const of = await mustFindPayment(sql, found.payment);
        if (of.account === undefined) throw new RangeError(`refund ${id} goes through no provider`);
        return {
          refund: found,
          payment: of,
          opened: await accounts.open(sql, organization, of.account),
          description: await this.#describe(sql, of),
        };
      },
    );
    const { account, provider } = opened;
    const sending = abilityOf(provider, "refunds");
    const chargeRef = payment.ref;
    const amount = { currency: refund.currency, minor: refund.amount };
    const isInKeyWindow = msOf(clock.now()) - msOf(refund.createdAt) < provider.keyWindow_ms;
    try {
      return await gate.call(opened, async () => {
        const found = await sending.lookUpRefund(account, { refund: id, ref: refund.ref, chargeRef });
        if (found !== "not_found") return found;
        if (isInKeyWindow || refund.ref === undefined)
          return sending.refund(account, {
            refund: id,
            payment: payment.id,
            chargeRef,
            amount,
            payee: payees.open(organization, refund),
            description,
          });
        throw new ProviderUnanswered("the provider does not know the refund any more");
      });
    } catch (error) {
      if (error instanceof ProviderRefusal)
        return {
          ref: refund.ref ?? `refused:${id}`,
          state: "failed",
          failure: error.message,
          settled: undefined,
        };
      if (error instanceof ProviderBusy) throw error;
      if (error instanceof ProviderUnanswered) return "unanswered";
      throw error;
    }
  }

  /** Not known for too long: a person looks at it. In the caller's transaction. */
  async lookAgain(sql: Sql, organization: OrganizationId, id: RefundId): Promise<void> {
    const refund = await mustFindRefund(sql, id, { lock: true });
    if (refund.state !== "pending") return;
    if (refund.ref !== undefined && !(await this.#isAsked(sql, organization, refund))) return;
    const now = this.#on.clocks.of(organization).now();
    const age = now - refund.createdAt;
    if (age < unknown_max || refund.ref !== undefined) {
      const wait = refund.ref !== undefined ? day : age < hour ? 5 * minute : 2 * hour;
      await this.#on.wakes.wake(sql, organization, (now + wait) as Instant, refund_kind, id);
      return;
    }
    if (refund.parkedAt !== undefined) return;
    await updateRefund(sql, { ...refund, parkedAt: now, changedAt: now });
    await this.#on.exceptions.open(
      sql,
      organization,
      {
        kind: "unknown_outcome",
        key: id,
        detail: "It is not known whether the refund was made: the provider gave no answer that says so.",
        reference: id,
        amount: { currency: refund.currency, minor: refund.amount },
      },
      now,
    );
  }

  async #settle(
    sql: Sql,
    organization: OrganizationId,
    refund: Refund,
    postingOf: typeof refundSettlement,
    account: ProviderAccountId,
    settled: SettledAmounts,
  ): Promise<void> {
    const refunded = { currency: refund.currency, minor: refund.amount };
    const posting = postingOf(refund.id, account, refunded, settled);
    if (posting !== undefined) await this.#on.ledger.post(sql, organization, [posting]);
  }

  /** What the payee reads: the invoices that the payment went to. */
  async #describe(sql: Sql, { id }: Payment): Promise<string> {
    const allocations = (await listAllocations(sql, [id])).slice(0, described_invoices_max);
    const numbers = [];
    for (const { invoice } of allocations)
      numbers.push((await this.#on.billing.invoice(sql, invoice)).number);
    return ["Refund", ...numbers].join(" ");
  }

  /** Whose account a refund goes to, where that is ours to say. */
  payeeOf(organization: OrganizationId, refund: Refund): Payee | undefined {
    return this.#on.payees.open(organization, refund);
  }

  /** Whether asking again may tell more; what goes out by files is told of by files. */
  async #isAsked(sql: Sql, organization: OrganizationId, { payment }: Refund): Promise<boolean> {
    const { account } = await mustFindPayment(sql, payment);
    return (
      account === undefined || (await this.#on.accounts.open(sql, organization, account)).provider.isRemote
    );
  }

  /** Whether a provider sends what goes back of a payment; money that came in outside of Weir goes back outside of Weir. */
  async #isSent(sql: Sql, organization: OrganizationId, { account, ref }: Payment): Promise<boolean> {
    if (account === undefined) return false;
    const { refunds } = (await this.#on.accounts.open(sql, organization, account)).provider;
    return refunds !== undefined && (ref !== undefined || refunds.to === "account");
  }

  async #checked(sql: Sql, payment: Payment, input: NewRefundInput): Promise<Money> {
    const refunds = await listRefunds(sql, { payment: payment.id, limit: refunds_per_payment_max });
    if (refunds.length >= refunds_per_payment_max) throw tooMany(payment.id);
    const disputes = await listDisputes(sql, { payment: payment.id, limit: 100 });
    // Money that a dispute took away cannot be given back a second time.
    const disputed = disputes.reduce(
      (sum, { state, amount }) => (state === "won" || state === "inquiry" ? sum : sum + amount.minor),
      0n,
    );
    const left = refundable(payment.amount, refunds, disputed);
    const minor = input.amount ?? (await this.#all(sql, payment, input.source, left));
    if (minor <= 0n || minor > left)
      throw beyondCaptured(payment, { currency: payment.currency, minor: left }, minor);
    return { currency: payment.currency, minor };
  }

  /** What a refund without an amount gives back: all that is left of the payment, and of the credit where that is what goes. */
  async #all(sql: Sql, payment: Payment, source: RefundSource, left: bigint): Promise<bigint> {
    if (source !== "prepaid") return left;
    const credit = (await this.#on.topUps.refundableOf(sql, payment.id)) ?? left;
    return credit < left ? credit : left;
  }

  /** The invoice that is owed again of what the refund takes back. */
  async #reopened(
    sql: Sql,
    payment: Payment,
    wanted: string | undefined,
    { minor }: Money,
  ): Promise<InvoiceId> {
    const allocations = await listAllocations(sql, [payment.id]);
    const found =
      wanted === undefined && allocations.length === 1
        ? allocations[0]
        : allocations.find(({ invoice }) => invoice === wanted);
    if (found === undefined)
      throw whichInvoice(
        payment.id,
        allocations.map(({ invoice }) => invoice),
      );
    const [receivable] = await lockReceivables(sql, [found.invoice]);
    if (receivable === undefined || receivable.paid < minor || receivable.state === "void")
      throw notPaidThatMuch(found.invoice);
    await this.#on.receivables.returned(sql, receivable, minor);
    return found.invoice;
  }

  async #paidAgain(
    sql: Sql,
    organization: OrganizationId,
    invoice: InvoiceId,
    amount: bigint,
  ): Promise<void> {
    const [receivable] = await lockReceivables(sql, [invoice]);
    if (receivable !== undefined) await this.#on.receivables.paid(sql, organization, receivable, amount);
  }

  async #refuseBeyondBalance(sql: Sql, { customer, currency }: Payment, { minor }: Money): Promise<void> {
    const code = codeOf({ kind: "customer_balance", customer });
    const balances = await this.#on.ledger.balancesOf(sql, [{ code, currency }], { hold: true });
    const balance = balances.get(`${code} ${currency}`) ?? 0n;
    if (balance < minor) throw beyondBalance({ currency, minor: balance });
  }
}

/** `refund:{refund}:{instant}`: sends it, and asks again as long as it is not known what came of it. */
export function registerRefunds(
  refunds: Refunds,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: refund_kind,
    version: 1,
    queue: refund_kind,
    retry: { attemptsMax: 8, wait_ms: 500, wait_ms_max: 30_000 },
    async run(context: WorkflowContext, { refund }: { refund: string }) {
      const id = refund as RefundId;
      const sent = await sendStep(context, () => refunds.send(context.organization, id));
      return context.transaction("record", async (sql) => {
        const reply = fromStepJson<RefundReply | "unanswered">(sent);
        const state =
          reply === "unanswered" ? "pending" : await refunds.record(sql, context.organization, id, reply);
        if (state === "pending") await refunds.lookAgain(sql, context.organization, id);
        return state;
      });
    },
  });
  wakes.register({
    kind: refund_kind,
    act: (_organization, { key, at }) => ({
      start: { kind: refund_kind, id: `${refund_kind}:${key}:${at}`, input: { refund: key } },
    }),
  });
}

function takenBack(payment: Payment, amount: bigint, reason: string): TakenBack {
  return { payment: payment.id, amount, reason };
}

/** A provider that is too busy for too long was not asked: that is no answer. */
async function sendStep(
  context: WorkflowContext,
  send: () => Promise<RefundReply | "unanswered">,
): Promise<JsonValue> {
  try {
    return await context.step("send", async () => stepJson(await send()));
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return "unanswered";
  }
}

function moneyOf(refund: Refund, payment: Payment) {
  const place: MoneyPlace =
    payment.account === undefined
      ? { kind: "cash_clearing" }
      : { kind: payment.source === "bank" ? "cash" : "provider_clearing", account: payment.account };
  const amount = { currency: refund.currency, minor: refund.amount };
  return { refund: refund.id, source: refund.source, customer: payment.customer, place, amount };
}

async function mustFindRefund(sql: Sql, id: string, options: { lock?: boolean } = {}): Promise<Refund> {
  const found = await findRefund(sql, id, options);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem("refund-not-found", 404, "No such refund", `There is no refund "${id.slice(0, 64)}".`),
  );
}

/** @param lock  holds whoever else gives back of it until the transaction ends */
async function mustFindPayment(sql: Sql, id: string, { lock = false } = {}): Promise<Payment> {
  const found = await findPayment(sql, id);
  if (found !== undefined && lock) await lockPayment(sql, found.id);
  if (found !== undefined) return found;
  const detail = `There is no payment "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-not-found", 404, "No such payment", detail));
}

function checkReason(reason: string): void {
  if (reason.length > 0 && reason.length <= reason_length_max) return;
  const errors = [{ field: "reason", message: `1 to ${reason_length_max} characters` }];
  const detail = `reason: 1 to ${reason_length_max} characters`;
  throw new Refusal(makeProblem("invalid-refund", 400, "The refund is not valid", detail, { errors }));
}

function beyondCaptured(payment: Payment, left: Money, asked: bigint): Refusal {
  const detail = `Of payment ${payment.id} ${formatMoney(left)} can be given back, not ${formatMoney({ currency: payment.currency, minor: asked })}.`;
  return new Refusal(makeProblem("refund-above-captured", 409, "More than can be given back", detail));
}

function beyondBalance(balance: Money): Refusal {
  const detail = `The customer's balance is ${formatMoney(balance)}. Issue a credit note first, or refund from another source.`;
  return new Refusal(makeProblem("refund-above-balance", 409, "More than the customer's balance", detail));
}

function notPaidThatMuch(invoice: string): Refusal {
  const detail = `Towards invoice ${invoice} less than that was paid, or it is void.`;
  return new Refusal(makeProblem("refund-above-captured", 409, "More than was paid of the invoice", detail));
}

function whichInvoice(payment: string, invoices: readonly string[]): Refusal {
  const detail = `Payment ${payment} went to ${invoices.length === 0 ? "no invoice" : invoices.join(", ")}: name the one that is to be owed again.`;
  return new Refusal(makeProblem("refund-invoice-unclear", 409, "Which invoice is owed again", detail));
}

function tooMany(payment: string): Refusal {
  const detail = `Payment ${payment} has ${refunds_per_payment_max} refunds, which is the most there can be.`;
  return new Refusal(makeProblem("too-many-refunds", 409, "Too many refunds", detail));
}
