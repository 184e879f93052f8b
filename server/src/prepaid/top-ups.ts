import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import { newId, type CustomerId, type OrganizationId, type PaymentId } from "../kernel/ids.js";
import { hour, type Instant } from "../kernel/instant.js";
import { formatMoney, moneyJson, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { PaymentAttempt } from "../payments/index.js";
import { checkTopUp, type NewTopUp } from "./check-top-up.js";
import { afterDecline } from "./core/index.js";
import type { LookWakes } from "./look-wakes.js";
import type {
  BalanceNotice,
  BillingPort,
  CreditsPort,
  NoticesPort,
  PaidTopUp,
  PaymentsPort,
} from "./ports.js";
import { findWatch, updateWatch, type BalanceWatch } from "./store/balance-watches.js";
import {
  findOpenTopUp,
  findTopUp,
  findTopUpPayment,
  insertTopUp,
  insertTopUpPayment,
  listTopUpPayments,
  listTopUps,
  updateTopUp,
  type TopUp,
  type TopUpPage,
  type TopUpPayment,
} from "./store/top-ups.js";

export interface TopUpsDependencies {
  readonly postgres: Postgres;
  readonly billing: BillingPort;
  readonly credits: CreditsPort;
  readonly payments: PaymentsPort;
  readonly notices: NoticesPort;
  readonly lookWakes: LookWakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** An attempt of a top-up that has ended without money. */
export type EndedAttempt = Pick<PaymentAttempt, "id" | "target" | "number" | "decline" | "customer">;

/** Why no more is charged by itself, or a top-up came to nothing. */
export interface TopUpFailure {
  /** A decline's or problem's code. */
  readonly code: string;
  readonly message: string;
}

/** How long after an attempt that was canceled the balance is looked at again. */
const look_after_cancel = hour;
const payments_max = 50;

/**
 * Money that customers are charged in advance: begun by a person or by a look, at most one at a time of a customer in a currency,
 * ended by what becomes of its attempts. In every transaction the watch is locked before the top-up.
 */
export class TopUps {
  readonly #on: TopUpsDependencies;

  constructor(dependencies: TopUpsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Charges a customer in advance: the attempt is persisted, the money taken a moment later. An automatic top-up that waits for
   * another attempt makes room.
   * @throws Refusal 400 listing every fault by field; 404; 409 while another is under way; 422 without a way to pay
   */
  async topUp(caller: Caller, input: NewTopUp, idempotencyKey?: string): Promise<PaymentAttempt> {
    const { organization } = caller;
    const { postgres, billing, payments, clock, clocks } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "top_up.create", input };
      const id = await runOnce(sql, request, async () => {
        const customer = await billing.customer(sql, input.customer);
        const { currency, amount } = checkTopUp(input, customer.currency);
        if (input.method !== undefined) await payments.checkMethod(sql, customer.id, input.method);
        await findWatch(sql, customer.id, { lock: true });
        await this.giveUpWaiting(sql, organization, { customer: customer.id, currency });
        const now = clocks.of(organization).now();
        const topUp: TopUp = {
          ...newTopUp(customer.id, { currency, minor: amount }, now),
          isAutomatic: false,
          method: input.method as TopUp["method"],
        };
        if (!(await insertTopUp(sql, organization, topUp)))
          throw underWay(await findOpenTopUp(sql, topUp), customer.key);
        const attempt = await this.#charge(sql, organization, topUp);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "top_up.create",
          target: topUp.id,
          before: undefined,
          after: describe(topUp, attempt),
          at: clock.now(),
        });
        return attempt.id;
      });
      return payments.attempt(sql, id);
    });
  }

  /** By id, oldest first. */
  async list(organization: OrganizationId, page: TopUpPage): Promise<TopUp[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listTopUps(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<TopUp | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findTopUp(sql, id));
  }

  /** What a top-up brought in. */
  async paymentsOf(organization: OrganizationId, topUp: TopUp): Promise<TopUpPayment[]> {
    return this.#on.postgres.inOrganization(organization, (sql) =>
      listTopUpPayments(sql, topUp.id, payments_max),
    );
  }

  /** By the rule of a watch that is locked. @returns the watch as it is now: stopped, when there is no way to charge */
  async beginAutomatic(sql: Sql, organization: OrganizationId, watch: BalanceWatch): Promise<BalanceWatch> {
    const { topUp: rule, customer, currency } = watch;
    if (rule === undefined) throw new RangeError(`the balance of ${customer} has no rule to be topped up by`);
    const now = this.#on.clocks.of(organization).now();
    const topUp: TopUp = {
      ...newTopUp(customer, { currency, minor: rule.amount }, now),
      isAutomatic: true,
      method: rule.method,
    };
    if (!(await insertTopUp(sql, organization, topUp))) return watch;
    return this.#chargeByRule(sql, organization, watch, topUp);
  }

  /** Another attempt of one that waits, of a watch that is locked. */
  async retry(sql: Sql, organization: OrganizationId, watch: BalanceWatch): Promise<BalanceWatch> {
    const topUp = await findOpenTopUp(sql, watch, { lock: true });
    if (topUp?.retryAt === undefined) return watch;
    return this.#chargeByRule(sql, organization, watch, { ...topUp, method: watch.topUp?.method });
  }

  /** Ends the one that waits for another attempt, if there is one; its watch is locked, or has no rule any more. */
  async giveUpWaiting(
    sql: Sql,
    organization: OrganizationId,
    of: { readonly customer: CustomerId; readonly currency: Currency },
  ): Promise<void> {
    const topUp = await findOpenTopUp(sql, of, { lock: true });
    if (topUp?.retryAt === undefined) return;
    await this.#update(sql, organization, { ...topUp, state: "canceled", retryAt: undefined });
  }

  /** Makes the grant of money that came in for a top-up, in the transaction that books it. */
  async grantToppedUp(sql: Sql, organization: OrganizationId, paid: PaidTopUp): Promise<void> {
    const { credits, notices, lookWakes } = this.#on;
    const { customer, amount, payment, at } = paid;
    const watch = await findWatch(sql, customer, { lock: true });
    const topUp = await mustFindTopUp(sql, paid.topUp, { lock: true });
    const grant = await credits.grantToppedUp(sql, organization, {
      customer,
      amount,
      reference: payment,
      at,
    });
    await insertTopUpPayment(sql, organization, { payment, topUp: topUp.id, grant });
    await this.#update(sql, organization, {
      ...topUp,
      state: "succeeded",
      retryAt: undefined,
      failedBy: undefined,
    });
    // What was taken late was taken all the same: the card is good.
    if (topUp.isAutomatic && watch?.stopped !== undefined)
      await updateWatch(sql, { ...watch, stopped: undefined });
    const data = {
      customer,
      topUp: topUp.id,
      payment,
      grant,
      amount: moneyJson(amount),
      isAutomatic: topUp.isAutomatic,
    };
    await notices.publish(sql, organization, [
      { type: "balance.topped_up", key: `balance.topped_up:${payment}`, data },
    ]);
    await lookWakes.changed(sql, organization, [customer]);
  }

  /**
   * What becomes of a top-up whose attempt ended without money, in the transaction of it.
   * @returns whether the customer is to be asked for another card
   */
  async attemptEnded(
    sql: Sql,
    organization: OrganizationId,
    attempt: EndedAttempt,
  ): Promise<{ readonly asksForMethod: boolean }> {
    const { target, number, decline } = attempt;
    if (target.kind !== "top_up") throw new RangeError(`attempt ${attempt.id} is not of a top-up`);
    const watch = await findWatch(sql, attempt.customer, { lock: true });
    const topUp = await mustFindTopUp(sql, target.topUp, { lock: true });
    if (topUp.state !== "open" || topUp.attempts !== number) return { asksForMethod: false };
    const now = this.#on.clocks.of(organization).now();
    const after = afterDecline(decline, { number, isAutomatic: topUp.isAutomatic }, now);
    switch (after.kind) {
      case "retry":
        await this.#update(sql, organization, { ...topUp, retryAt: after.at });
        await this.#on.lookWakes.lookBy(sql, organization, topUp.customer, after.at);
        return { asksForMethod: false };
      case "cancel":
        await this.#update(sql, organization, { ...topUp, state: "canceled" });
        if (topUp.isAutomatic)
          await this.#on.lookWakes.lookBy(
            sql,
            organization,
            topUp.customer,
            (now + look_after_cancel) as Instant,
          );
        return { asksForMethod: false };
      case "fail": {
        const failure = {
          code: decline?.code ?? "declined",
          message: decline?.message ?? "The payment was declined.",
        };
        await this.#fail(sql, organization, topUp, failure);
        if (topUp.isAutomatic && watch !== undefined)
          await updateWatch(sql, { ...watch, stopped: { at: now, by: failure.code } });
        return { asksForMethod: topUp.isAutomatic && decline?.hardness !== "setup" };
      }
    }
  }

  /**
   * The customer has another default method, in the transaction of it: what was stopped goes on, and what waits is tried at once.
   * A rule that names its method goes on when it is set anew.
   */
  async methodChanged(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void> {
    const watch = await findWatch(sql, customer, { lock: true });
    if (watch?.topUp === undefined || watch.topUp.method !== undefined) return;
    if (watch.stopped !== undefined) await updateWatch(sql, { ...watch, stopped: undefined });
    const waiting = await findOpenTopUp(sql, watch, { lock: true });
    const now = this.#on.clocks.of(organization).now();
    if (waiting?.retryAt !== undefined) await this.#update(sql, organization, { ...waiting, retryAt: now });
    await this.#on.lookWakes.changed(sql, organization, [customer]);
  }

  /** Money is collected of the customer by itself again. */
  async collectionResumed(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void> {
    await this.#on.lookWakes.changed(sql, organization, [customer]);
  }

  /** What of a payment's credit can be given back as money; undefined when it is not one of a top-up. */
  async refundableOf(sql: Sql, payment: PaymentId): Promise<bigint | undefined> {
    const found = await findTopUpPayment(sql, payment);
    return found === undefined ? undefined : this.#on.credits.leftOf(sql, found.grant);
  }

  /** Takes back credit that is refunded, in the refund's transaction. @throws Refusal 409 for more than is left of it */
  async takeBack(
    sql: Sql,
    organization: OrganizationId,
    { payment, amount, reason }: { payment: PaymentId; amount: bigint; reason: string },
  ): Promise<void> {
    const found = await findTopUpPayment(sql, payment);
    if (found === undefined) throw notToppedUp(payment);
    await this.#on.credits.takeBack(sql, organization, { grant: found.grant, amount, reason });
  }

  /** The refund did not arrive: the credit is there again. */
  async giveBack(
    sql: Sql,
    organization: OrganizationId,
    { payment, amount, reason }: { payment: PaymentId; amount: bigint; reason: string },
  ): Promise<void> {
    const found = await findTopUpPayment(sql, payment);
    if (found === undefined) throw notToppedUp(payment);
    await this.#on.credits.giveBack(sql, organization, { grant: found.grant, amount, reason });
  }

  /** Nothing is charged by itself any more, of a watch that is locked, before a person has done something. */
  async stop(
    sql: Sql,
    organization: OrganizationId,
    watch: BalanceWatch,
    failure: TopUpFailure,
  ): Promise<BalanceWatch> {
    const now = this.#on.clocks.of(organization).now();
    const stopped = { ...watch, stopped: { at: now, by: failure.code } };
    await updateWatch(sql, stopped);
    await this.#on.notices.publish(sql, organization, [
      failedNotice(watch, `stopped:${now}`, failure, { topUp: undefined, isStopped: true }),
    ]);
    return stopped;
  }

  /** Charges by the rule; a refusal that a person would see stops it. */
  async #chargeByRule(
    sql: Sql,
    organization: OrganizationId,
    watch: BalanceWatch,
    topUp: TopUp,
  ): Promise<BalanceWatch> {
    const { clock, clocks } = this.#on;
    try {
      const attempt = await this.#charge(sql, organization, topUp);
      await recordAudit(sql, {
        organization,
        actor: "system",
        action: "top_up.charge",
        target: topUp.id,
        before: undefined,
        after: describe(topUp, attempt),
        at: clock.now(),
      });
      return watch;
    } catch (error) {
      // Refused before anything was written or sent: no method, an account that is archived or lacks the currency.
      if (!(error instanceof Refusal)) throw error;
      const failure = { code: error.slug, message: error.problem.detail };
      await this.#fail(sql, organization, topUp, failure);
      const stopped = { ...watch, stopped: { at: clocks.of(organization).now(), by: failure.code } };
      await updateWatch(sql, stopped);
      return stopped;
    }
  }

  async #charge(sql: Sql, organization: OrganizationId, topUp: TopUp): Promise<PaymentAttempt> {
    const { id, customer, currency, amount: minor, method } = topUp;
    const number = topUp.attempts + 1;
    const attempt = await this.#on.payments.chargeTopUp(sql, organization, {
      topUp: id,
      number,
      customer,
      amount: { currency, minor },
      method,
    });
    await this.#update(sql, organization, { ...topUp, attempts: number, retryAt: undefined });
    return attempt;
  }

  async #fail(sql: Sql, organization: OrganizationId, topUp: TopUp, failure: TopUpFailure): Promise<void> {
    await this.#update(sql, organization, {
      ...topUp,
      state: "failed",
      retryAt: undefined,
      failedBy: failure.code,
    });
    await this.#on.notices.publish(sql, organization, [
      failedNotice(topUp, topUp.id, failure, { topUp, isStopped: topUp.isAutomatic }),
    ]);
  }

  async #update(sql: Sql, organization: OrganizationId, topUp: TopUp): Promise<void> {
    await updateTopUp(sql, { ...topUp, changedAt: this.#on.clocks.of(organization).now() });
  }
}

function newTopUp(customer: CustomerId, { currency, minor: amount }: Money, now: Instant) {
  return {
    id: newId("tup", now),
    customer,
    currency,
    amount,
    state: "open",
    attempts: 0,
    retryAt: undefined,
    failedBy: undefined,
    createdAt: now,
    changedAt: now,
  } as const;
}

async function mustFindTopUp(sql: Sql, id: string, options: { lock?: boolean } = {}): Promise<TopUp> {
  const found = await findTopUp(sql, id, options);
  if (found === undefined) throw new RangeError(`there is no top-up ${id}`);
  return found;
}

function describe({ customer, currency, amount: minor, isAutomatic }: TopUp, attempt: PaymentAttempt) {
  const { id, number, method } = attempt;
  return { customer, amount: formatMoney({ currency, minor }), isAutomatic, attempt: id, number, method };
}

/** @param key  names it: told once */
export function failedNotice(
  of: { readonly customer: CustomerId; readonly currency: Currency },
  key: string,
  { code, message }: TopUpFailure,
  { topUp, isStopped }: { readonly topUp: TopUp | undefined; readonly isStopped: boolean },
): BalanceNotice {
  return {
    type: "balance.top_up_failed",
    key: `balance.top_up_failed:${of.customer}:${key}`,
    data: {
      customer: of.customer,
      topUp: topUp?.id ?? null,
      amount: topUp === undefined ? null : moneyJson({ currency: of.currency, minor: topUp.amount }),
      isAutomatic: topUp?.isAutomatic ?? true,
      isStopped,
      reason: { code, message },
    },
  };
}

function underWay(topUp: TopUp | undefined, customer: string): Refusal {
  const detail = `Top-up ${topUp?.id ?? ""} of customer "${customer}" is under way: it may still take money. Wait for it, or cancel its payment attempt.`;
  return new Refusal(
    makeProblem("top-up-in-progress", 409, "A top-up is in progress", detail, { topUp: topUp?.id ?? null }),
  );
}

function notToppedUp(payment: PaymentId): Refusal {
  const detail = `Payment ${payment} is not one of a top-up: no prepaid credit came of it. Refund from another source.`;
  return new Refusal(
    makeProblem("payment-not-prepaid", 409, "No prepaid credit came of the payment", detail),
  );
}
