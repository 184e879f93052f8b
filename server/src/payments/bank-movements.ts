import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type CustomerId, type InvoiceId, type OrganizationId } from "../kernel/ids.js";
import type { Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Ledger } from "../ledger/index.js";
import type { ActionOutcome, OpenMovement, PaymentsAction, SettlementAccount } from "../settlement/index.js";
import type { Captures } from "./captures.js";
import { payoutReceivedPosting, refundPosting } from "./core/index.js";
import type { BillingPort } from "./ports.js";
import type { Receivables } from "./receivables.js";
import {
  addRefunded,
  findPaymentBySource,
  listAllocations,
  lockPayment,
  type Payment,
} from "./store/payments.js";
import { findPayout, updatePayout } from "./store/payouts.js";
import { lockReceivables } from "./store/receivables.js";
import { insertRefund, listRefunds } from "./store/refunds.js";

export interface BankMovementsDependencies {
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly billing: BillingPort;
  readonly captures: Captures;
  readonly receivables: Receivables;
}

type Of<Kind extends PaymentsAction["kind"]> = Extract<PaymentsAction, { kind: Kind }>;

const refunds_max = 1_000;

/** Transfers and payouts that arrived at an account, as its statements tell, and what of that is taken back. */
export class BankMovements {
  readonly #on: BankMovementsDependencies;

  constructor(dependencies: BankMovementsDependencies) {
    this.#on = dependencies;
  }

  async receiveTransfer(
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
    const source = account.side === "bank" ? "bank" : "file";
    const before = await findPaymentBySource(sql, source, key);
    const payment = await this.#on.captures.record(sql, organization, {
      customer: payer as CustomerId,
      place: { kind: account.side === "bank" ? "cash" : "provider_clearing", account: account.id },
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

  /** A transfer that was another's: the invoices are owed again, and the money is out of our books. */
  async giveBack(
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
    const place = {
      kind: account.side === "bank" ? "cash" : "provider_clearing",
      account: account.id,
    } as const;
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
        reason: `taken back ${by}`,
        state: "succeeded" as const,
        ref: undefined,
        payee: undefined,
        failure: undefined,
        parkedAt: undefined,
        createdAt: now,
        sentAt: undefined,
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

  async receivePayout(
    sql: Sql,
    organization: OrganizationId,
    bank: SettlementAccount,
    action: Of<"receive_payout">,
  ): Promise<ActionOutcome> {
    const payout = await findPayout(sql, action.payout, { lock: true });
    if (payout === undefined) return { kind: "refused", reason: `${action.payout} is not there.` };
    if (payout.receivedAt !== undefined)
      return { kind: "refused", reason: `${payout.id} is on a bank's statement already.` };
    if (payout.state === "failed" || payout.state === "canceled")
      return { kind: "refused", reason: `${payout.id} is ${payout.state} by our books.` };
    const now = this.#on.clocks.of(organization).now();
    await updatePayout(sql, { ...payout, receivedAt: now, changedAt: now });
    await this.#on.ledger.post(sql, organization, [
      payoutReceivedPosting(payout.id, payout.account, bank.id, payout.amount, action.key),
    ]);
    return { kind: "done", target: { kind: "payout", id: payout.id, root: payout.id } };
  }

  /** A payout that was another's: it is on its way again. */
  async unreceive(
    sql: Sql,
    organization: OrganizationId,
    bank: SettlementAccount,
    id: string,
    cause: string,
  ): Promise<void> {
    const payout = await findPayout(sql, id, { lock: true });
    if (payout?.receivedAt === undefined) throw notUndoable("receive_payout");
    const now = this.#on.clocks.of(organization).now();
    await updatePayout(sql, { ...payout, receivedAt: undefined, changedAt: now });
    const posting = payoutReceivedPosting(
      payout.id,
      payout.account,
      bank.id,
      payout.amount,
      `${cause}:${now}`,
    );
    await this.#on.ledger.post(sql, organization, [
      {
        ...posting,
        reason: "payout.unreceive",
        transfers: posting.transfers.map(({ debit, credit, ...rest }) => ({
          ...rest,
          debit: credit,
          credit: debit,
        })),
      },
    ]);
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
}

export function notUndoable(kind: string): Refusal {
  const detail = `What was told to payments ("${kind.replace("_", " ")}") cannot be taken back any more. Correct it there, such as by a refund.`;
  return new Refusal(makeProblem("settlement-not-undoable", 409, "It cannot be taken back", detail));
}

function refunded(payment: Payment, refund: string): Refusal {
  const detail = `Of payment ${payment.id} money was given back since (${refund}).`;
  return new Refusal(makeProblem("payment-refunded", 409, "The payment was refunded", detail));
}
