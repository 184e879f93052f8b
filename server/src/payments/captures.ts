import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type CustomerId, type InvoiceId, type OrganizationId, type TopUpId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Money } from "../kernel/money.js";
import type { Ledger, Posting } from "../ledger/index.js";
import { allocate, capturePosting, settlementPosting, type MoneyPlace } from "./core/index.js";
import type { NoticesPort, TopUpPort } from "./ports.js";
import type { SettledAmounts } from "./provider.js";
import type { Receivables } from "./receivables.js";
import {
  findPaymentBySource,
  insertAllocations,
  insertPayment,
  insertSettlement,
  type Allocation,
  type Payment,
  type PaymentSource,
} from "./store/payments.js";
import { lockReceivables, type Receivable } from "./store/receivables.js";

/** Money that came in. */
export interface NewPayment {
  readonly customer: CustomerId;
  readonly place: MoneyPlace;
  readonly source: PaymentSource;
  /** Once per source. */
  readonly sourceId: string;
  readonly amount: Money;
  /** In this order; what they do not take becomes the customer's balance, or prepaid credit of a top-up. */
  readonly invoices: readonly InvoiceId[];
  readonly topUp: TopUpId | undefined;
  readonly ref: string | undefined;
  readonly note: string | undefined;
  /** The bank's booking date, say; now when left out. */
  readonly receivedAt: Instant | undefined;
}

export interface CapturesDependencies {
  readonly ledger: Ledger;
  readonly receivables: Receivables;
  readonly topUps: TopUpPort;
  readonly notices: NoticesPort;
  readonly clocks: Clocks;
}

/** Books money that came in, in the caller's transaction, each once. */
export class Captures {
  readonly #on: CapturesDependencies;

  constructor(dependencies: CapturesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Spreads a payment over its invoices, posts it, and says so. Again, by the same source, changes nothing.
   * @param settled  what the provider booked for it, when that is known; it may be told again later, and counts once
   * @returns the payment that stands
   */
  async record(
    sql: Sql,
    organization: OrganizationId,
    input: NewPayment,
    settled?: SettledAmounts,
  ): Promise<Payment> {
    const { ledger, receivables, topUps, notices, clocks } = this.#on;
    const [known, found] = await Promise.all([
      findPaymentBySource(sql, input.source, input.sourceId),
      lockReceivables(sql, input.invoices),
    ]);
    if (known !== undefined) {
      if (settled !== undefined) await this.#settle(sql, organization, known, settled);
      return known;
    }
    const now = clocks.of(organization).now();
    const { currency } = input.amount;
    const locked = inOrder(found, input.invoices);
    let left = input.amount.minor;
    const shares: { readonly receivable: Receivable; readonly amount: bigint }[] = [];
    for (const receivable of locked) {
      if (receivable.currency !== currency || receivable.state === "void") continue;
      const { applied, excess } = allocate(withoutWriteOff(receivable), left);
      if (applied > 0n) shares.push({ receivable, amount: applied });
      left = excess;
    }
    const payment: Payment = {
      id: newId("pay", now),
      customer: input.customer,
      account: "account" in input.place ? input.place.account : undefined,
      source: input.source,
      sourceId: input.sourceId,
      currency,
      amount: input.amount.minor,
      excess: left,
      topUp: input.topUp,
      ref: input.ref,
      note: input.note,
      receivedAt: input.receivedAt ?? now,
    };
    const isTopUp = input.topUp !== undefined;
    const capture = {
      ...capturePosting({
        payment: payment.id,
        customer: payment.customer,
        place: input.place,
        currency,
        applied: payment.amount - left,
        excess: isTopUp ? 0n : left,
        toppedUp: isTopUp ? left : 0n,
      }),
      ...(input.receivedAt === undefined ? {} : { at: input.receivedAt }),
    };
    const allocations = shares.map(
      ({ receivable, amount }): Allocation => ({
        payment: payment.id,
        invoice: receivable.invoice,
        amount,
        at: now,
      }),
    );
    const [isWritten] = await Promise.all([
      insertPayment(sql, organization, payment),
      insertAllocations(sql, organization, allocations),
      settled !== undefined &&
        payment.account !== undefined &&
        insertSettlement(sql, organization, payment.id, settled, now),
    ]);
    if (!isWritten)
      throw new RangeError(`payment of ${input.source} ${input.sourceId} was written meanwhile`);
    for (const { receivable, amount } of shares)
      await receivables.paid(
        sql,
        organization,
        await receivables.recovered(sql, organization, receivable, amount, payment.id),
        amount,
      );
    await notices.publish(sql, organization, [
      {
        type: "payment.succeeded",
        key: `payment.succeeded:${payment.id}`,
        data: describePayment(payment, allocations),
      },
    ]);
    // Late: the balances that change are locked until the transaction ends, and the provider's are every charge's.
    await ledger.post(sql, organization, [capture, ...settlementsOf(payment, settled)]);
    if (input.topUp !== undefined && left > 0n)
      await topUps.grantToppedUp(sql, organization, {
        topUp: input.topUp,
        payment: payment.id,
        customer: payment.customer,
        amount: { currency, minor: left },
        at: now,
      });
    return payment;
  }

  /** What the provider booked for a payment that stands, once. */
  async #settle(
    sql: Sql,
    organization: OrganizationId,
    payment: Payment,
    settled: SettledAmounts,
  ): Promise<void> {
    const now = this.#on.clocks.of(organization).now();
    if (payment.account === undefined) return;
    if (await insertSettlement(sql, organization, payment.id, settled, now))
      await this.#on.ledger.post(sql, organization, settlementsOf(payment, settled));
  }
}

/** None where the provider has booked no more than came in, or is none. */
function settlementsOf(
  { id, account, currency, amount }: Payment,
  settled: SettledAmounts | undefined,
): Posting[] {
  if (account === undefined || settled === undefined) return [];
  const posting = settlementPosting(id, account, { currency, minor: amount }, settled);
  return posting === undefined ? [] : [posting];
}

/** What a payment can go to: what was written off is owed all the same. */
function withoutWriteOff(receivable: Receivable): Receivable {
  return { ...receivable, writtenOff: 0n };
}

function inOrder(locked: readonly Receivable[], invoices: readonly InvoiceId[]): Receivable[] {
  const byInvoice = new Map(locked.map((one) => [one.invoice, one]));
  return [...new Set(invoices)].flatMap((invoice) => byInvoice.get(invoice) ?? []);
}

function describePayment(payment: Payment, allocations: readonly Allocation[]): Record<string, JsonValue> {
  return {
    payment: payment.id,
    customer: payment.customer,
    currency: payment.currency,
    amount: payment.amount.toString(),
    invoices: allocations.map(({ invoice, amount }) => ({ invoice, amount: amount.toString() })),
    toBalance: payment.topUp === undefined ? payment.excess.toString() : "0",
    topUp: payment.topUp ?? null,
  };
}
