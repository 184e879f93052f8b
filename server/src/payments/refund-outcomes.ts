import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type ProviderAccountId, type RefundId } from "../kernel/ids.js";
import type { Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Ledger } from "../ledger/index.js";
import {
  onRefundState,
  refundable,
  refundPosting,
  refundReturnSettlement,
  refundReversal,
  refundSettlement,
  refundSurplusPosting,
  type MoneyPlace,
  type RefundSource,
  type RefundState,
} from "./core/index.js";
import type { ExceptionsPort, NoticesPort, TakenBack, TopUpPort } from "./ports.js";
import type { RefundReply, SettledAmounts } from "./provider.js";
import type { Receivables } from "./receivables.js";
import { addRefunded, findPayment, findPaymentByRef, lockPayment, type Payment } from "./store/payments.js";
import { lockReceivables } from "./store/receivables.js";
import {
  findRefund,
  findRefundByRef,
  insertRefund,
  listRefunds,
  updateRefund,
  type Refund,
} from "./store/refunds.js";

export interface RefundOutcomesDependencies {
  readonly ledger: Ledger;
  readonly receivables: Receivables;
  readonly topUps: TopUpPort;
  readonly exceptions: ExceptionsPort;
  readonly notices: NoticesPort;
  readonly clocks: Clocks;
}

export const refunds_per_payment_max = 1_000;

/** What becomes of refunds at their providers: one that failed is posted back, also when it had succeeded. */
export class RefundOutcomes {
  readonly #on: RefundOutcomesDependencies;

  constructor(dependencies: RefundOutcomesDependencies) {
    this.#on = dependencies;
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
    const isBack = transition.effect === "reverse";
    const toBalance = isBack ? await this.#backToInvoice(sql, organization, refund) : 0n;
    await updateRefund(sql, {
      ...refund,
      state: transition.next,
      ref,
      toBalance,
      failure,
      parkedAt: undefined,
      changedAt: now,
    });
    if (isBack) {
      const money = moneyOf(refund, payment);
      await ledger.post(sql, organization, [
        refundReversal(money),
        ...(toBalance > 0n ? [refundSurplusPosting(money, toBalance)] : []),
      ]);
      await addRefunded(sql, payment.id, -refund.amount);
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
      toBalance: 0n,
      reason: "made at the provider",
      state: "pending",
      ref: reported.reply.ref,
      payee: undefined,
      failure: undefined,
      parkedAt: undefined,
      createdAt: now,
      sentAt: undefined,
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

  /** Marks one of which nobody can tell whether it was made, in the caller's transaction: a person looks at it. */
  async park(sql: Sql, organization: OrganizationId, refund: Refund): Promise<void> {
    if (refund.parkedAt !== undefined) return;
    const now = this.#on.clocks.of(organization).now();
    await updateRefund(sql, { ...refund, parkedAt: now, changedAt: now });
    await this.#on.exceptions.open(
      sql,
      organization,
      {
        kind: "unknown_outcome",
        key: refund.id,
        detail: "It is not known whether the refund was made: the provider gave no answer that says so.",
        reference: refund.id,
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

  /** The money is back: its invoice, if it was owed again, is paid as far as it still is. @returns what it does not need any more */
  async #backToInvoice(
    sql: Sql,
    organization: OrganizationId,
    { id, invoice, amount }: Refund,
  ): Promise<bigint> {
    if (invoice === undefined) return 0n;
    const [receivable] = await lockReceivables(sql, [invoice]);
    if (receivable === undefined) return 0n;
    return this.#on.receivables.paidAgain(sql, organization, receivable, amount, id);
  }
}

export function takenBack(payment: Payment, amount: bigint, reason: string): TakenBack {
  return { payment: payment.id, amount, reason };
}

export function moneyOf(refund: Refund, payment: Payment) {
  const place: MoneyPlace =
    payment.account === undefined
      ? { kind: "cash_clearing" }
      : { kind: payment.source === "bank" ? "cash" : "provider_clearing", account: payment.account };
  const amount = { currency: refund.currency, minor: refund.amount };
  return { refund: refund.id, source: refund.source, customer: payment.customer, place, amount };
}

export async function mustFindRefund(
  sql: Sql,
  id: string,
  options: { lock?: boolean } = {},
): Promise<Refund> {
  const found = await findRefund(sql, id, options);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem("refund-not-found", 404, "No such refund", `There is no refund "${id.slice(0, 64)}".`),
  );
}

/** @param lock  holds whoever else gives back of it until the transaction ends */
export async function mustFindPayment(sql: Sql, id: string, { lock = false } = {}): Promise<Payment> {
  const found = await findPayment(sql, id);
  if (found !== undefined && lock) await lockPayment(sql, found.id);
  if (found !== undefined) return found;
  const detail = `There is no payment "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-not-found", 404, "No such payment", detail));
}
