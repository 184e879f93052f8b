import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type CreditNoteId, type InvoiceId, type OrganizationId } from "../kernel/ids.js";
import { formatMoney, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkReason } from "../kernel/reason.js";
import { codeOf, type Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import { refundable, refundPosting, type RefundSource } from "./core/index.js";
import type { EventLooks } from "./event-looks.js";
import { refund_kind } from "./kinds.js";
import type { TopUpPort } from "./ports.js";
import type { Payee } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import type { Receivables } from "./receivables.js";
import type { RefundPayees } from "./refund-payees.js";
import {
  moneyOf,
  mustFindPayment,
  mustFindRefund,
  refunds_per_payment_max,
  takenBack,
} from "./refund-outcomes.js";
import { listDisputes } from "./store/disputes.js";
import { addRefunded, listAllocations, type Payment } from "./store/payments.js";
import { lockReceivables } from "./store/receivables.js";
import { findRefund, insertRefund, listRefunds, type Refund } from "./store/refunds.js";

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
  readonly ledger: Ledger;
  readonly receivables: Receivables;
  readonly topUps: TopUpPort;
  readonly payees: RefundPayees;
  readonly wakes: Wakes;
  readonly looks: EventLooks;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** Money that goes back. Never more than came in, under the payment's lock; posted when it is made. */
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
    checkReason(input.reason, "invalid-refund", "The refund is not valid");
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
        const sending = await this.#sending(sql, organization, payment);
        const fault = sending?.provider.refunds?.amountFault?.(money);
        if (fault !== undefined) throw notTaken(money, fault);
        const refundId = newId("ref", now);
        const refund: Refund = {
          id: refundId,
          payment: payment.id,
          source: input.source,
          invoice,
          creditNote: input.creditNote,
          currency: payment.currency,
          amount: money.minor,
          toBalance: 0n,
          reason: input.reason,
          state: sending === undefined ? "succeeded" : "pending",
          ref: undefined,
          payee: this.#on.payees.seal(organization, refundId, payee),
          failure: undefined,
          parkedAt: undefined,
          createdAt: now,
          sentAt: sending && this.#on.clock.now(),
          changedAt: now,
        };
        await insertRefund(sql, organization, refund);
        await addRefunded(sql, payment.id, refund.amount);
        await this.#on.ledger.post(sql, organization, [refundPosting(moneyOf(refund, payment))]);
        if (sending !== undefined) {
          await this.#on.wakes.wake(sql, organization, now, refund_kind, refund.id);
          await this.#on.looks.asked(sql, organization, sending.account.id, sending.provider);
        }
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

  /** Whose account a refund goes to, where that is ours to say. */
  payeeOf(organization: OrganizationId, refund: Refund): Payee | undefined {
    return this.#on.payees.open(organization, refund);
  }

  /** Who sends what goes back of a payment; undefined for money that came in outside of Weir, which goes back outside of Weir. */
  async #sending(sql: Sql, organization: OrganizationId, { account, ref }: Payment) {
    if (account === undefined) return undefined;
    const opened = await this.#on.accounts.open(sql, organization, account);
    const { refunds } = opened.provider;
    return refunds !== undefined && (ref !== undefined || refunds.to === "account") ? opened : undefined;
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

  async #refuseBeyondBalance(sql: Sql, { customer, currency }: Payment, { minor }: Money): Promise<void> {
    const code = codeOf({ kind: "customer_balance", customer });
    const balances = await this.#on.ledger.balancesOf(sql, [{ code, currency }], { hold: true });
    const balance = balances.get(`${code} ${currency}`) ?? 0n;
    if (balance < minor) throw beyondBalance({ currency, minor: balance });
  }
}

function notTaken(money: Money, fault: string): Refusal {
  const detail = `${formatMoney(money)} cannot go back: ${fault} Give back another amount.`;
  return new Refusal(makeProblem("amount-not-taken", 422, "The provider does not take this amount", detail));
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
