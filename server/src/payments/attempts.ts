import type { Sql } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type CustomerId, type OrganizationId, type PaymentAttemptId } from "../kernel/ids.js";
import { hour, second, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { formatMoney, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { abilityOf } from "./ability.js";
import type { Captures } from "./captures.js";
import { isOpen, onAttemptInput, openAmount, type AttemptEffect, type AttemptInput } from "./core/index.js";
import type { Dunning } from "./dunning.js";
import type { EventLooks } from "./event-looks.js";
import { repair_kind } from "./kinds.js";
import type { PaymentMails } from "./payment-mails.js";
import type { ExceptionsPort, NoticesPort, TopUpPort } from "./ports.js";
import type { ChargeReply, PaymentProvider, SettledAmounts } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { inFlight } from "./receivables.js";
import {
  findAttempt,
  findStandingAttempt,
  insertAttempt,
  insertAttemptEvent,
  targetId,
  updateAttempt,
  type AttemptTarget,
  type PaymentAttempt,
} from "./store/attempts.js";
import { findDefaultMethods, findMethod, type PaymentMethod } from "./store/payment-methods.js";
import { lockReceivableOf, lockReceivables, updateReceivable } from "./store/receivables.js";

/** What is known of an attempt, with the amounts when money was taken. */
export interface AttemptNews {
  readonly input: AttemptInput;
  readonly captured?: Money | undefined;
  readonly settled?: SettledAmounts | undefined;
}

export interface NewAttempt {
  readonly target: AttemptTarget;
  /** The next one when left out; one that is there is given back. */
  readonly number?: number | undefined;
  /** The customer's default when left out. */
  readonly method?: string | undefined;
  /** Of an invoice: all that is open when left out. */
  readonly amount?: bigint | undefined;
  /** Of a top-up. */
  readonly topUp?: { readonly customer: CustomerId; readonly amount: Money } | undefined;
}

export interface AttemptsDependencies {
  readonly accounts: ProviderAccounts;
  readonly captures: Captures;
  readonly dunning: Dunning;
  readonly mails: PaymentMails;
  readonly topUps: TopUpPort;
  readonly wakes: Wakes;
  readonly looks: EventLooks;
  readonly exceptions: ExceptionsPort;
  readonly notices: NoticesPort;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** The first time that an attempt is looked up by itself, whatever became of its run. */
const first_repair = hour;
/** And when its outcome is not known. */
const first_look = 10 * second;
export const attempts_per_invoice_max = 50;

/** Attempts: begun before the provider hears of them, and changed only by what becomes known. */
export class Attempts {
  readonly #on: AttemptsDependencies;

  constructor(dependencies: AttemptsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Persists an attempt in the caller's transaction: under the lock of its invoice, captured − refunded + what is in flight +
   * this one is never more than is due.
   * @throws Refusal 409 when nothing is owed, an attempt is in progress or there are too many; 422 without a way to pay
   */
  async begin(sql: Sql, organization: OrganizationId, input: NewAttempt): Promise<PaymentAttempt> {
    const target = targetId(input.target);
    const money = await this.#owed(sql, input);
    const number = input.number ?? money.attempts + 1;
    const [standing, chosen] = await Promise.all([
      findStandingAttempt(sql, target, number),
      methodOf(sql, money.customer, input.method),
    ]);
    if (standing?.number === number) return standing;
    if (standing !== undefined) throw inFlight(target, standing.id);
    if (number > attempts_per_invoice_max) throw tooMany(target);
    if (money.open === 0n) throw nothingOwed(target);
    const amount = input.amount ?? money.open;
    if (amount <= 0n || amount > money.open)
      throw wrongAmount(target, { currency: money.currency, minor: money.open });
    const method = mustBeUsable(chosen, money.customer, input.method);
    const provider = await this.#checkAccount(sql, organization, method, money.currency);
    const now = this.#on.clocks.of(organization).now();
    const attempt: PaymentAttempt = {
      id: newId("pat", now),
      target: input.target,
      number,
      customer: money.customer,
      account: method.account,
      method: method.id,
      currency: money.currency,
      amount,
      state: "pending",
      ref: undefined,
      decline: undefined,
      actionUrl: undefined,
      unknownSince: undefined,
      parkedAt: undefined,
      createdAt: now,
      sentAt: this.#on.clock.now(),
      changedAt: now,
    };
    const { receivable } = money;
    const [isWritten] = await Promise.all([
      insertAttempt(sql, organization, attempt),
      receivable &&
        updateReceivable(sql, {
          ...receivable,
          attempts: number,
          dunning: { ...receivable.dunning, nextAttemptAt: undefined },
        }),
      this.#on.wakes.wake(sql, organization, (now + first_repair) as Instant, repair_kind, attempt.id),
      this.#on.looks.asked(sql, organization, method.account, provider),
    ]);
    if (!isWritten) throw new RangeError(`attempt ${number} of ${target} was written meanwhile`);
    return attempt;
  }

  /**
   * What became known of an attempt, from whomever, in the caller's transaction. The same again changes nothing.
   * @returns the attempt as it is now
   */
  async record(
    sql: Sql,
    organization: OrganizationId,
    id: PaymentAttemptId,
    { input, captured, settled }: AttemptNews,
  ): Promise<PaymentAttempt> {
    // The invoice first, then the attempt: in one order everywhere.
    const [, attempt] = await Promise.all([
      lockReceivableOf(sql, id),
      mustFindAttempt(sql, id, { lock: true }),
    ]);
    const now = this.#on.clocks.of(organization).now();
    const transition = onAttemptInput(attempt, input, now);
    const after = transition.kind === "accepted" ? transition.next : attempt;
    const current: PaymentAttempt =
      transition.kind === "accepted"
        ? {
            ...attempt,
            ...after,
            parkedAt: after.state === "unknown" ? attempt.parkedAt : undefined,
            changedAt: now,
          }
        : attempt;
    const isEnded = transition.kind === "accepted" && !isOpen(after.state);
    await Promise.all([
      (transition.kind !== "ignored" || input.kind === "unanswered") &&
        insertAttemptEvent(sql, organization, id, {
          input: input.kind,
          outcome: transition.kind,
          state: after.state,
          detail: detailOf(input) ?? (transition.kind === "contradicts" ? transition.detail : undefined),
          at: now,
        }),
      transition.kind === "accepted" && updateAttempt(sql, current),
      isEnded && this.#on.wakes.cancelWake(sql, repair_kind, id),
    ]);
    if (transition.kind === "contradicts")
      await this.#on.exceptions.open(
        sql,
        organization,
        {
          kind: "contradiction",
          key: `${id}:${"ref" in input ? input.ref : ""}`,
          detail: transition.detail,
          reference: id,
          amount: undefined,
        },
        now,
      );
    const effects = transition.kind === "accepted" ? transition.effects : [];
    for (const effect of effects)
      await this.#act(sql, organization, current, effect, { captured, settled }, now);
    // What was captured before may have been settled only now.
    if (settled !== undefined && current.state === "succeeded" && !effects.includes("capture"))
      await this.#on.captures.record(sql, organization, paymentOf(current, captured), settled);
    return current;
  }

  /** Marks an attempt whose outcome nobody can tell, in the caller's transaction: a person looks at it. */
  async park(sql: Sql, organization: OrganizationId, id: PaymentAttemptId): Promise<void> {
    const attempt = await mustFindAttempt(sql, id, { lock: true });
    if (attempt.parkedAt !== undefined || !isOpen(attempt.state)) return;
    const now = this.#on.clocks.of(organization).now();
    await updateAttempt(sql, { ...attempt, parkedAt: now, changedAt: now });
    const { currency, amount } = attempt;
    await this.#on.exceptions.open(
      sql,
      organization,
      {
        kind: "unknown_outcome",
        key: id,
        detail: `It is not known whether ${formatMoney({ currency, minor: amount })} were taken: the provider gave no answer that says so.`,
        reference: id,
        amount: { currency, minor: amount },
      },
      now,
    );
  }

  async #act(
    sql: Sql,
    organization: OrganizationId,
    attempt: PaymentAttempt,
    effect: AttemptEffect,
    { captured, settled }: Pick<AttemptNews, "captured" | "settled">,
    now: Instant,
  ): Promise<void> {
    const { captures, exceptions, mails, notices, wakes } = this.#on;
    switch (effect) {
      case "capture": {
        const payment = await captures.record(sql, organization, paymentOf(attempt, captured), settled);
        await mails.received(sql, organization, attempt, payment);
        if (captured !== undefined && captured.minor !== attempt.amount)
          await exceptions.open(
            sql,
            organization,
            {
              kind: "amount_differs",
              key: attempt.id,
              detail: `${formatMoney({ currency: attempt.currency, minor: attempt.amount })} were asked for, ${formatMoney(captured)} were taken.`,
              reference: attempt.id,
              amount: captured,
            },
            now,
          );
        return;
      }
      case "report_late_capture":
        return exceptions.open(
          sql,
          organization,
          {
            kind: "late_capture",
            key: attempt.id,
            detail:
              "Money was taken by an attempt that had ended without. What its invoice does not need is on the customer's balance.",
            reference: attempt.id,
            amount: { currency: attempt.currency, minor: attempt.amount },
          },
          now,
        );
      case "release":
        await notices.publish(sql, organization, [
          { type: "payment.failed", key: `payment.failed:${attempt.id}`, data: describeAttempt(attempt) },
        ]);
        return this.#ended(sql, organization, attempt);
      case "ask_customer":
        return notices.publish(sql, organization, [
          {
            type: "payment.action_required",
            key: `payment.action_required:${attempt.id}`,
            data: describeAttempt(attempt),
          },
        ]);
      case "look_up":
        return wakes.wake(sql, organization, (now + first_look) as Instant, repair_kind, attempt.id);
    }
  }

  /** Nothing was taken: what it was for goes on by its own rules. */
  async #ended(sql: Sql, organization: OrganizationId, attempt: PaymentAttempt): Promise<void> {
    const { dunning, mails, topUps } = this.#on;
    if (attempt.target.kind === "invoice") return dunning.attemptEnded(sql, organization, attempt);
    const { asksForMethod } = await topUps.attemptEnded(sql, organization, attempt);
    if (asksForMethod) await mails.methodRefused(sql, organization, attempt);
  }

  async #owed(sql: Sql, { target, topUp }: NewAttempt) {
    if (target.kind === "top_up") {
      if (topUp === undefined) throw new RangeError("a top-up has a customer and an amount");
      const { customer, amount } = topUp;
      return { customer, currency: amount.currency, open: amount.minor, attempts: 0, receivable: undefined };
    }
    const [receivable] = await lockReceivables(sql, [target.invoice]);
    if (receivable === undefined) throw nothingOwed(target.invoice);
    const { customer, currency, attempts, state } = receivable;
    return { customer, currency, open: state === "open" ? openAmount(receivable) : 0n, attempts, receivable };
  }

  /** The provider of a method's account. @throws Refusal 409, 422 when a new charge cannot go through it */
  async #checkAccount(
    sql: Sql,
    organization: OrganizationId,
    method: PaymentMethod,
    currency: Money["currency"],
  ): Promise<PaymentProvider> {
    const { account, provider, isArchived } = await this.#on.accounts.open(sql, organization, method.account);
    if (isArchived) throw accountArchived(account.key);
    abilityOf(provider, "charging");
    if (account.currencies.length > 0 && !account.currencies.includes(currency))
      throw currencyLacking(account.key, currency, account.currencies);
    return provider;
  }
}

/** The customer's default when none is named. */
async function methodOf(
  sql: Sql,
  customer: CustomerId,
  wanted: string | undefined,
): Promise<PaymentMethod | undefined> {
  if (wanted !== undefined) return findMethod(sql, wanted);
  return (await findDefaultMethods(sql, [customer])).get(customer);
}

function mustBeUsable(
  method: PaymentMethod | undefined,
  customer: CustomerId,
  wanted: string | undefined,
): PaymentMethod {
  if (method === undefined || method.customer !== customer || method.detachedAt !== undefined)
    throw noMethod(customer, wanted);
  return method;
}

export async function mustFindAttempt(
  sql: Sql,
  id: string,
  options: { lock?: boolean } = {},
): Promise<PaymentAttempt> {
  const found = await findAttempt(sql, id, options);
  if (found !== undefined) return found;
  const detail = `There is no payment attempt "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-attempt-not-found", 404, "No such payment attempt", detail));
}

/** A provider's reply as an attempt takes it. */
export function newsOf(reply: ChargeReply): AttemptNews {
  if (reply.kind !== "succeeded") return { input: reply };
  const { ref, captured, settled } = reply;
  return { input: { kind: "succeeded", ref }, captured, settled };
}

function paymentOf(attempt: PaymentAttempt, captured: Money | undefined) {
  const { target } = attempt;
  return {
    customer: attempt.customer,
    place: { kind: "provider_clearing", account: attempt.account } as const,
    source: "attempt" as const,
    sourceId: attempt.id,
    amount: captured ?? { currency: attempt.currency, minor: attempt.amount },
    invoices: target.kind === "invoice" ? [target.invoice] : [],
    topUp: target.kind === "top_up" ? target.topUp : undefined,
    ref: attempt.ref,
    note: undefined,
    receivedAt: undefined,
  };
}

function detailOf(input: AttemptInput): string | undefined {
  if (input.kind === "unanswered") return input.error;
  if ("decline" in input) return `${input.decline.code}: ${input.decline.message}`;
  return undefined;
}

function describeAttempt(attempt: PaymentAttempt): Record<string, JsonValue> {
  return {
    attempt: attempt.id,
    number: attempt.number,
    target: targetId(attempt.target),
    customer: attempt.customer,
    currency: attempt.currency,
    amount: attempt.amount.toString(),
    state: attempt.state,
    decline: attempt.decline === undefined ? null : { ...attempt.decline },
    actionUrl: attempt.actionUrl ?? null,
  };
}

function nothingOwed(target: string): Refusal {
  return new Refusal(makeProblem("nothing-owed", 409, "Nothing is owed", `Of ${target} nothing is owed.`));
}

function tooMany(target: string): Refusal {
  const detail = `${attempts_per_invoice_max} attempts were made to pay ${target}, which is the most there can be.`;
  return new Refusal(makeProblem("too-many-payment-attempts", 409, "Too many payment attempts", detail));
}

function wrongAmount(target: string, open: Money): Refusal {
  const detail = `Of ${target} ${formatMoney(open)} are open: charge that, or a part of it above zero.`;
  return new Refusal(makeProblem("invalid-amount", 422, "The amount is not what is open", detail));
}

function noMethod(customer: string, wanted: string | undefined): Refusal {
  const detail =
    wanted === undefined
      ? `Customer ${customer} has no default payment method. Attach one, or send the customer a link to enter one.`
      : `"${wanted.slice(0, 64)}" is no payment method that customer ${customer} has.`;
  return new Refusal(makeProblem("no-payment-method", 422, "No way to pay", detail));
}

function accountArchived(key: string): Refusal {
  const detail = `The payment method is one of provider account "${key}", which is archived.`;
  return new Refusal(
    makeProblem("provider-account-archived", 409, "The provider account is archived", detail),
  );
}

function currencyLacking(key: string, currency: string, known: readonly string[]): Refusal {
  const detail = `Provider account "${key}" charges in ${known.join(", ")}, not in ${currency}.`;
  return new Refusal(
    makeProblem("currency-not-charged", 422, "The account does not charge in this currency", detail),
  );
}
