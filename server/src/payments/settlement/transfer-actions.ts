import type { Sql } from "../../engines/postgres/index.js";
import type { Clocks } from "../../kernel/clock.js";
import { newId, type CustomerId, type InvoiceId, type OrganizationId } from "../../kernel/ids.js";
import type { Money } from "../../kernel/money.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Ledger } from "../../ledger/index.js";
import type { ActionOutcome, OpenMovement, SettlementAccount } from "../../settlement/index.js";
import type { Captures } from "../captures.js";
import { refundPosting } from "../core/index.js";
import type { BillingPort, NoticesPort } from "../ports.js";
import type { Receivables } from "../receivables.js";
import {
  addRefunded,
  findPaymentBySource,
  listAllocations,
  lockPayment,
  type Payment,
} from "../store/payments.js";
import { lockReceivables } from "../store/receivables.js";
import { insertRefund, listRefunds } from "../store/refunds.js";
import type { Of } from "./action-of.js";
import { mustFindPayment } from "./must-find-payment.js";
import { notUndoable } from "./not-undoable.js";

const refunds_max = 1_000;

export interface TransferActionsDependencies {
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly billing: BillingPort;
  readonly captures: Captures;
  readonly receivables: Receivables;
  readonly notices: NoticesPort;
}

/** What files tell of customers' transfers: that they came in, and that the bank took them back. */
export class TransferActions {
  readonly #on: TransferActionsDependencies;

  constructor(dependencies: TransferActionsDependencies) {
    this.#on = dependencies;
  }

  async receive(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    { key, at, amount, invoices, customer, note }: Of<"receive_transfer">,
  ): Promise<ActionOutcome> {
    const [first] = invoices;
    const payer =
      customer ??
      (first === undefined ? undefined : (await this.#on.billing.invoice(sql, first.invoice)).customer);
    if (payer === undefined)
      return { kind: "refused", reason: "It names neither a customer nor an invoice." };
    const source = sourceOf(account);
    const before = await findPaymentBySource(sql, source, key);
    const payment = await this.#on.captures.record(sql, organization, {
      customer: payer as CustomerId,
      place: placeOf(account),
      source,
      sourceId: key,
      amount,
      invoices: invoices.map(({ invoice }) => invoice as InvoiceId),
      topUp: undefined,
      ref: undefined,
      note: note?.slice(0, 512),
      receivedAt: await this.#receivedAt(sql, organization, at),
    });
    const target = { kind: "payment", id: payment.id, root: payment.id } as const;
    return { kind: before === undefined ? "done" : "already_done", target };
  }

  async takeBack(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    { payment }: Of<"take_back">,
  ): Promise<ActionOutcome> {
    const found = await mustFindPayment(sql, payment);
    await this.#giveBack(sql, organization, account, found, "by the bank");
    const { id, customer, currency, amount } = found;
    const data = { payment: id, customer, currency, amount: amount.toString() };
    await this.#on.notices.publish(sql, organization, [
      { type: "payment.returned", key: `payment.returned:${id}`, data },
    ]);
    return { kind: "done" };
  }

  /** Takes back that a transfer was received. */
  async unreceive(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    key: string,
    cause: string,
  ): Promise<void> {
    const found = await findPaymentBySource(sql, sourceOf(account), key);
    if (found === undefined) throw notUndoable("receive_transfer");
    await this.#giveBack(sql, organization, account, found, `by ${cause}`);
  }

  /** When a transfer counts: not ahead of the organization's clock, as a bank's date may be, and not in a month that is closed. */
  async #receivedAt(
    sql: Sql,
    organization: OrganizationId,
    at: OpenMovement["at"],
  ): Promise<OpenMovement["at"] | undefined> {
    if (at > this.#on.clocks.of(organization).now()) return undefined;
    return this.#on.ledger.openInstant(sql, at);
  }

  /** A transfer that was another's: the invoices are owed again, and the money is out of our books. */
  async #giveBack(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    payment: Payment,
    by: string,
  ): Promise<void> {
    await lockPayment(sql, payment.id);
    const [refund] = await listRefunds(sql, { payment: payment.id, limit: refunds_max });
    if (refund !== undefined) throw refunded(payment, refund.id);
    const now = this.#on.clocks.of(organization).now();
    const allocations = await listAllocations(sql, [payment.id]);
    const receivables = await lockReceivables(
      sql,
      allocations.map(({ invoice }) => invoice),
    );
    const place = placeOf(account);
    await addRefunded(sql, payment.id, payment.amount);
    const back = async (minor: bigint, invoice: InvoiceId | undefined) => {
      if (minor === 0n) return;
      const taken = {
        id: newId("ref", now),
        payment: payment.id,
        source: invoice === undefined ? ("balance" as const) : ("invoice" as const),
        invoice,
        creditNote: undefined,
        currency: payment.currency,
        amount: minor,
        toBalance: 0n,
        reason: `taken back ${by}`,
        state: "succeeded" as const,
        ref: undefined,
        payee: undefined,
        failure: undefined,
        parkedAt: undefined,
        sentAt: undefined,
        createdAt: now,
        changedAt: now,
      };
      await insertRefund(sql, organization, taken);
      const amount: Money = { currency: payment.currency, minor };
      const { id, source: from } = taken;
      await this.#on.ledger.post(sql, organization, [
        refundPosting({ refund: id, source: from, customer: payment.customer, place, amount }),
      ]);
    };
    for (const { invoice, amount } of allocations) {
      const receivable = receivables.find((one) => one.invoice === invoice);
      if (receivable === undefined || receivable.state === "void" || receivable.paid < amount)
        throw notUndoable("receive_transfer");
      await this.#on.receivables.returned(sql, receivable, amount);
      await back(amount, invoice);
    }
    await back(payment.excess, undefined);
  }
}

function sourceOf({ side }: SettlementAccount): "bank" | "file" {
  return side === "bank" ? "bank" : "file";
}

/** Where a transfer's money is. */
function placeOf({ side, id }: SettlementAccount) {
  return { kind: side === "bank" ? "cash" : "provider_clearing", account: id } as const;
}

function refunded(payment: Payment, refund: string): Refusal {
  const detail = `Of payment ${payment.id} money was given back since (${refund}).`;
  return new Refusal(makeProblem("payment-refunded", 409, "The payment was refunded", detail));
}
