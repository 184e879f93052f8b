import { findEarlierAnswer, recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { parseCurrency } from "../kernel/currency.js";
import type { CustomerId, OrganizationId, TopUpId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { formatMoney, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { askProvider } from "./ask-provider.js";
import { mustFindAttempt, type AttemptNews, type Attempts } from "./attempts.js";
import type { Captures } from "./captures.js";
import { isOpen } from "./core/index.js";
import { charge_kind } from "./kinds.js";
import type { BillingPort } from "./ports.js";
import type { ProviderCalls } from "./provider-calls.js";
import {
  listAttemptEvents,
  listAttempts,
  findAttempt,
  targetId,
  type AttemptEvent,
  type AttemptPage,
  type PaymentAttempt,
} from "./store/attempts.js";
import {
  findPayment,
  findPaymentBySource,
  findSettlement,
  listAllocations,
  listPayments,
  type Allocation,
  type Payment,
  type PaymentPage,
} from "./store/payments.js";
import { lockOpenReceivables } from "./store/receivables.js";

export interface ChargesDependencies {
  readonly postgres: Postgres;
  readonly attempts: Attempts;
  readonly captures: Captures;
  readonly calls: ProviderCalls;
  readonly billing: BillingPort;
  readonly wakes: Wakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

export interface ReceivedMoney {
  readonly customer: string;
  /** In minor units. */
  readonly amount: bigint;
  readonly currency: string;
  /** By id or number, in this order; the customer's open ones, those due first coming first, when left out. */
  readonly invoices?: readonly string[];
  /** What names it where it came in, such as a check's number: the same twice is refused. */
  readonly reference: string;
  readonly note?: string;
  readonly receivedAt?: Instant;
}

const events_max = 1_000;
const invoices_max = 100;

/** Payments as people see and make them: charging, looking after what is unclear, and money that came in elsewhere. */
export class Charges {
  readonly #on: ChargesDependencies;

  constructor(dependencies: ChargesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Charges what is open of an invoice, or a part of it: the attempt is persisted, the money taken a moment later.
   * @throws Refusal 404; 409 when nothing is owed or an attempt is in progress; 422 without a way to pay
   */
  async pay(
    caller: Caller,
    input: { readonly invoice: string; readonly method?: string; readonly amount?: bigint },
    idempotencyKey?: string,
  ): Promise<PaymentAttempt> {
    const { organization } = caller;
    const { postgres, billing, attempts, wakes, clocks, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "invoice.pay", input };
      let begun: PaymentAttempt | undefined;
      const id = await runOnce(sql, request, async () => {
        const { id: invoice } = await billing.invoice(sql, input.invoice);
        const { method, amount } = input;
        const attempt = await attempts.begin(sql, organization, {
          target: { kind: "invoice", invoice },
          method,
          amount,
        });
        await Promise.all([
          // What was planned comes later than this one.
          wakes.cancelWake(sql, charge_kind, invoice),
          wakes.wake(sql, organization, clocks.of(organization).now(), charge_kind, attempt.id, {
            attempt: attempt.id,
          }),
          recordAudit(sql, {
            organization,
            actor: caller,
            action: "invoice.pay",
            target: invoice,
            before: undefined,
            after: {
              attempt: attempt.id,
              amount: formatMoney({ currency: attempt.currency, minor: attempt.amount }),
              method: attempt.method,
            },
            at: clock.now(),
          }),
        ]);
        begun = attempt;
        return attempt.id;
      });
      return begun ?? mustFindAttempt(sql, id);
    });
  }

  /**
   * Charges a top-up, in the caller's transaction: the attempt is persisted, the money taken a moment later. One of this number
   * that is there is given back.
   * @throws Refusal 409 while an attempt is in progress; 422 without a way to pay
   */
  async chargeTopUp(
    sql: Sql,
    organization: OrganizationId,
    charge: {
      readonly topUp: TopUpId;
      readonly number: number;
      readonly customer: CustomerId;
      readonly amount: Money;
      readonly method: string | undefined;
    },
  ): Promise<PaymentAttempt> {
    const { attempts, wakes, clocks } = this.#on;
    const { topUp, number, customer, amount, method } = charge;
    const attempt = await attempts.begin(sql, organization, {
      target: { kind: "top_up", topUp },
      number,
      method,
      topUp: { customer, amount },
    });
    const now = clocks.of(organization).now();
    await wakes.wake(sql, organization, now, charge_kind, attempt.id, { attempt: attempt.id });
    return attempt;
  }

  /** Asks the provider now what became of an attempt. @throws Refusal 404, 422, 503 */
  async lookUp(caller: Caller, id: string, idempotencyKey?: string): Promise<PaymentAttempt> {
    const attempt = await this.#must(caller.organization, id);
    if (!isOpen(attempt.state)) return attempt;
    const news = await askProvider(() => this.#on.calls.lookUp(caller.organization, attempt));
    return this.#audited(caller, "payment_attempt.look_up", attempt, { attempt: id }, idempotencyKey, news);
  }

  /**
   * Sees to it that an attempt takes no money any more; one that has taken it stays.
   * @throws Refusal 404, 422, 503; 409 for one that has ended
   */
  async cancel(caller: Caller, id: string, idempotencyKey?: string): Promise<PaymentAttempt> {
    const { organization } = caller;
    const attempt = await this.#must(organization, id);
    if (await this.#wasDone(caller, "payment_attempt.cancel", { attempt: id }, idempotencyKey))
      return attempt;
    if (!isOpen(attempt.state)) throw ended(attempt);
    const news = await askProvider(() => this.#on.calls.withdraw(organization, attempt));
    return this.#audited(caller, "payment_attempt.cancel", attempt, { attempt: id }, idempotencyKey, news);
  }

  /**
   * What a person found out about an attempt that the provider gives no answer to. Nothing is sent.
   * @throws Refusal 400, 404; 409 for one whose outcome is known
   */
  async settleByHand(
    caller: Caller,
    input: {
      readonly attempt: string;
      readonly outcome: "succeeded" | "failed";
      readonly reason: string;
      readonly ref?: string;
    },
    idempotencyKey?: string,
  ): Promise<PaymentAttempt> {
    const attempt = await this.#must(caller.organization, input.attempt);
    if (await this.#wasDone(caller, "payment_attempt.settle", input, idempotencyKey)) return attempt;
    if (attempt.state !== "unknown") throw known(attempt);
    const faults: { field: string; message: string }[] = [];
    if (!isText(input.reason, 512)) faults.push({ field: "reason", message: "1 to 512 characters" });
    if (input.ref !== undefined && !isText(input.ref, 255))
      faults.push({ field: "ref", message: "1 to 255 characters" });
    if (faults.length > 0) throw invalidSettlement(faults);
    const ref = input.ref ?? attempt.ref;
    const news: AttemptNews =
      input.outcome === "failed"
        ? {
            input: {
              kind: "declined",
              ref,
              decline: { code: "settled_by_hand", hardness: "hard", message: input.reason },
            },
          }
        : { input: { kind: "succeeded", ref: ref ?? `by-hand:${attempt.id}` } };
    return this.#audited(caller, "payment_attempt.settle", attempt, input, idempotencyKey, news);
  }

  /**
   * Money that came in outside of Weir.
   * @throws Refusal 400, 404; 409 for a reference that was recorded before
   */
  async receive(caller: Caller, input: ReceivedMoney, idempotencyKey?: string): Promise<Payment> {
    const { organization } = caller;
    const { postgres, billing, captures, clock } = this.#on;
    const currency = parseCurrency(input.currency);
    const faults: { field: string; message: string }[] = [];
    if (currency === undefined)
      faults.push({ field: "currency", message: `"${input.currency}" is no currency` });
    if (input.amount <= 0n) faults.push({ field: "amount", message: "is above zero" });
    if (!isText(input.reference, 255)) faults.push({ field: "reference", message: "1 to 255 characters" });
    if (input.note !== undefined && !isText(input.note, 512))
      faults.push({ field: "note", message: "1 to 512 characters" });
    if ((input.invoices?.length ?? 0) > invoices_max)
      faults.push({ field: "invoices", message: `at most ${invoices_max}` });
    if (faults.length > 0 || currency === undefined) throw invalidPayment(faults);
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "payment.receive", input };
      const id = await runOnce(sql, request, async () => {
        const customer = await billing.customer(sql, input.customer);
        const named = [];
        for (const one of input.invoices ?? []) named.push(await billing.invoice(sql, one));
        const others = named.find((one) => one.customer !== customer.id);
        if (others !== undefined) throw otherPayer(others.number, customer.key);
        const invoices =
          input.invoices === undefined
            ? (await lockOpenReceivables(sql, customer.id, currency, invoices_max)).map(
                ({ invoice }) => invoice,
              )
            : named.map(({ id: invoice }) => invoice);
        const before = await listPayments(sql, { customer: customer.id, limit: 1 });
        const payment = await captures.record(sql, organization, {
          customer: customer.id,
          place: { kind: "cash_clearing" },
          source: "manual",
          sourceId: input.reference,
          amount: { currency, minor: input.amount },
          invoices,
          topUp: undefined,
          ref: undefined,
          note: input.note,
          receivedAt: input.receivedAt,
        });
        if (payment.amount !== input.amount || payment.customer !== customer.id)
          throw recordedBefore(input.reference);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "payment.receive",
          target: payment.id,
          before: { first: before.length === 0 },
          after: {
            customer: customer.id,
            amount: formatMoney({ currency, minor: input.amount }),
            reference: input.reference,
          },
          at: clock.now(),
        });
        return payment.id;
      });
      const stored = await findPayment(sql, id);
      if (stored === undefined) throw new Error(`payment ${id} was written and is not there`);
      return stored;
    });
  }

  /** In the caller's transaction. @throws Refusal 404 */
  attempt(sql: Sql, id: string): Promise<PaymentAttempt> {
    return mustFindAttempt(sql, id);
  }

  async attemptsOf(organization: OrganizationId, page: AttemptPage): Promise<PaymentAttempt[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listAttempts(sql, page));
  }

  async findAttempt(organization: OrganizationId, id: string): Promise<PaymentAttempt | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findAttempt(sql, id));
  }

  /** What became known of an attempt, in order. */
  async events(organization: OrganizationId, attempt: PaymentAttempt): Promise<AttemptEvent[]> {
    return this.#on.postgres.inOrganization(organization, (sql) =>
      listAttemptEvents(sql, attempt.id, events_max),
    );
  }

  async payments(organization: OrganizationId, page: PaymentPage): Promise<Payment[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listPayments(sql, page));
  }

  async findPayment(organization: OrganizationId, id: string): Promise<Payment | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findPayment(sql, id));
  }

  /** What an attempt brought in; undefined as long as it has brought nothing. */
  async paymentOf(organization: OrganizationId, { id }: PaymentAttempt): Promise<Payment | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findPaymentBySource(sql, "attempt", id));
  }

  async allocations(organization: OrganizationId, payment: Payment): Promise<Allocation[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listAllocations(sql, [payment.id]));
  }

  async settlement(organization: OrganizationId, payment: Payment): ReturnType<typeof findSettlement> {
    return this.#on.postgres.inOrganization(organization, (sql) => findSettlement(sql, payment.id));
  }

  async #must(organization: OrganizationId, id: string): Promise<PaymentAttempt> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFindAttempt(sql, id));
  }

  /** Whether it was done before under its idempotency key: asked first, since its own outcome would refuse it now. */
  async #wasDone(
    { organization }: Caller,
    action: string,
    input: object,
    idempotencyKey: string | undefined,
  ): Promise<boolean> {
    const request = { organization, idempotencyKey, action, input };
    const earlier = await this.#on.postgres.inOrganization(organization, (sql) =>
      findEarlierAnswer<string>(sql, request),
    );
    return earlier !== undefined;
  }

  async #audited(
    caller: Caller,
    action: string,
    attempt: PaymentAttempt,
    input: object,
    idempotencyKey: string | undefined,
    news: AttemptNews,
  ): Promise<PaymentAttempt> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      await runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        const after = await this.#on.attempts.record(sql, organization, attempt.id, news);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: attempt.id,
          before: { state: attempt.state, target: targetId(attempt.target) },
          after: { ...input, state: after.state },
          at: this.#on.clock.now(),
        });
        return attempt.id;
      });
      return mustFindAttempt(sql, attempt.id);
    });
  }
}

function ended({ id, state }: PaymentAttempt): Refusal {
  const detail = `Payment attempt ${id} has ${state}.`;
  return new Refusal(makeProblem("payment-attempt-ended", 409, "The attempt has ended", detail));
}

function known({ id, state }: PaymentAttempt): Refusal {
  const detail = `Payment attempt ${id} is ${state}: only an unknown outcome is settled by hand.`;
  return new Refusal(makeProblem("payment-attempt-known", 409, "The outcome is known", detail));
}

function isText(text: string, length_max: number): boolean {
  return text.length > 0 && text.length <= length_max;
}

function invalidSettlement(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-settlement", 400, "The settlement is not valid", detail, { errors }),
  );
}

function invalidPayment(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(makeProblem("invalid-payment", 400, "The payment is not valid", detail, { errors }));
}

function otherPayer(invoice: string, customer: string): Refusal {
  const detail = `Invoice ${invoice} is not one that customer "${customer}" pays.`;
  return new Refusal(makeProblem("not-the-payer", 409, "Another customer pays this invoice", detail));
}

function recordedBefore(reference: string): Refusal {
  const detail = `A payment with the reference "${reference.slice(0, 64)}" was recorded before, with another amount or customer.`;
  return new Refusal(makeProblem("payment-recorded", 409, "The reference is taken", detail));
}
