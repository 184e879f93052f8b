import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import {
  newId,
  type CustomerId,
  type DisputeId,
  type InvoiceId,
  type OrganizationId,
  type PaymentAttemptId,
  type PaymentId,
  type RefundId,
} from "../kernel/ids.js";
import type { Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Ledger, Transfer } from "../ledger/index.js";
import type {
  ActionOutcome,
  DoneAction,
  OpenMovement,
  PaymentsAction,
  SettlementAccount,
} from "../settlement/index.js";
import { mustFindAttempt, type Attempts } from "./attempts.js";
import type { Captures } from "./captures.js";
import { payoutReceivedPosting, refundPosting, settlementPosting } from "./core/index.js";
import type { Disputes } from "./disputes.js";
import type { Payouts } from "./payouts.js";
import type { BillingPort, NoticesPort } from "./ports.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import type { Receivables } from "./receivables.js";
import type { Refunds } from "./refunds.js";
import { findDispute, findDisputeByRef } from "./store/disputes.js";
import {
  addRefunded,
  findPayment,
  findPaymentBySource,
  listAllocations,
  lockPayment,
  type Payment,
} from "./store/payments.js";
import { findPayout, findPayoutByRef, updatePayout } from "./store/payouts.js";
import { lockReceivables } from "./store/receivables.js";
import { findRefund, insertRefund, listRefunds } from "./store/refunds.js";
import { insertSettlements } from "./store/settlement-books.js";

export interface SettlementActionsDependencies {
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly billing: BillingPort;
  readonly accounts: ProviderAccounts;
  readonly attempts: Attempts;
  readonly captures: Captures;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly payouts: Payouts;
  readonly receivables: Receivables;
  readonly notices: NoticesPort;
}

type Of<Kind extends PaymentsAction["kind"]> = Extract<PaymentsAction, { kind: Kind }>;

const refunds_max = 1_000;

/** What settlement files tell payments, done. Each at most once: what it changes knows whether it was told before. */
export class SettlementActions {
  readonly #on: SettlementActionsDependencies;

  constructor(dependencies: SettlementActionsDependencies) {
    this.#on = dependencies;
  }

  async apply(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly PaymentsAction[],
    cause: string,
  ): Promise<readonly ActionOutcome[]> {
    const settling = actions.filter((action): action is Of<"settle"> => action.kind === "settle");
    const settled = await this.#settle(sql, organization, account, settling, cause);
    const outcomes: ActionOutcome[] = [];
    for (const action of actions) {
      if (action.kind === "settle") {
        outcomes.push({ kind: settled.has(action.payment) ? "done" : "already_done" });
        continue;
      }
      try {
        outcomes.push(await sql.savepoint((own) => this.#one(own, organization, account, action)));
      } catch (error) {
        // Nothing of it was written, and the others go on.
        if (!(error instanceof Refusal)) throw error;
        outcomes.push({ kind: "refused", reason: error.problem.detail });
      }
    }
    return outcomes;
  }

  async undo(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly DoneAction[],
    cause: string,
  ): Promise<void> {
    for (const { kind, key, target } of actions) {
      if (kind === "receive_transfer") {
        const source = account.side === "bank" ? "bank" : "file";
        const found = await findPaymentBySource(sql, source, key);
        if (found === undefined) throw notUndoable(kind);
        await this.#giveBack(sql, organization, account, found, `by ${cause}`);
      } else if (kind === "receive_payout" && target !== null)
        await this.#unreceive(sql, organization, account, target, cause);
      else throw notUndoable(kind);
    }
  }

  /** Many at once: what is new of them is one posting. @returns the payments that were not settled yet */
  async #settle(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly Of<"settle">[],
    cause: string,
  ): Promise<ReadonlySet<string>> {
    const byPayment = new Map(actions.map((action) => [action.payment, action]));
    const fresh = await insertSettlements(
      sql,
      organization,
      [...byPayment.values()].map(({ payment, settlement }) => ({
        payment: payment as PaymentId,
        ...settlement,
      })),
      this.#on.clocks.of(organization).now(),
    );
    const [first] = fresh;
    if (first === undefined) return new Set();
    const transfers = fresh.flatMap((payment): readonly Transfer[] => {
      const action = byPayment.get(payment);
      if (action === undefined) return [];
      const { gross, fee } = action.settlement;
      const settled = { gross, fee: { currency: gross.currency, minor: fee } };
      return settlementPosting(payment, account.id, action.amount, settled)?.transfers ?? [];
    });
    const summed = summedUp(transfers);
    if (summed.length > 0)
      await this.#on.ledger.post(sql, organization, [
        {
          // Each payment is settled once, so the first of them names the posting.
          idempotencyKey: `payment:${first}:settle:file`,
          reason: "payment.settle",
          reference: cause,
          transfers: summed,
        },
      ]);
    return new Set(fresh);
  }

  #one(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    action: Exclude<PaymentsAction, { kind: "settle" }>,
  ): Promise<ActionOutcome> {
    switch (action.kind) {
      case "capture":
        return this.#capture(sql, organization, action);
      case "decline":
        return this.#decline(sql, organization, account, action);
      case "take_back":
        return this.#takeBack(sql, organization, account, action);
      case "confirm_refund":
        return this.#refund(sql, organization, action);
      case "fail_refund":
        return this.#refund(sql, organization, action);
      case "open_dispute":
        return this.#openDispute(sql, organization, account, action);
      case "win_dispute":
        return this.#winDispute(sql, organization, account, action);
      case "send_payout":
        return this.#sendPayout(sql, organization, account, action);
      case "return_payout":
        return this.#returnPayout(sql, organization, account, action);
      case "receive_payout":
        return this.#receivePayout(sql, organization, account, action);
      case "receive_transfer":
        return this.#receiveTransfer(sql, organization, account, action);
    }
  }

  async #capture(sql: Sql, organization: OrganizationId, action: Of<"capture">): Promise<ActionOutcome> {
    const id = action.attempt as PaymentAttemptId;
    const before = await mustFindAttempt(sql, id);
    const { ref, gross, fee, arn } = action.settlement;
    const settled = { ref, gross, fee: { currency: gross.currency, minor: fee }, rate: undefined, arn };
    const charge = before.ref ?? action.ref ?? arn ?? ref;
    const after = await this.#on.attempts.record(sql, organization, before.id, {
      input: { kind: "succeeded", ref: charge },
      captured: action.amount,
      settled,
    });
    const payment = await findPaymentBySource(sql, "attempt", id);
    if (after.state !== "succeeded" || payment === undefined)
      return { kind: "refused", reason: `${id} is ${after.state}, and is not captured by the file.` };
    const target = { kind: "payment", id: payment.id, root: id } as const;
    return { kind: before?.state === "succeeded" ? "already_done" : "done", target };
  }

  async #decline(
    sql: Sql,
    organization: OrganizationId,
    { provider }: SettlementAccount,
    { attempt, code, message }: Of<"decline">,
  ): Promise<ActionOutcome> {
    const before = await mustFindAttempt(sql, attempt);
    const { id } = before;
    const known = this.#on.accounts.providerOf(provider).declineFor?.(code);
    const decline = {
      code,
      hardness: "soft",
      ...known,
      message: message || (known?.message ?? code),
    } as const;
    const after = await this.#on.attempts.record(sql, organization, before.id, {
      input: { kind: "declined", ref: before.ref, decline },
    });
    if (after.state === "failed") return { kind: before.state === "failed" ? "already_done" : "done" };
    return { kind: "refused", reason: `${id} is ${after.state}, and is not declined by the file.` };
  }

  async #takeBack(
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

  async #refund(
    sql: Sql,
    organization: OrganizationId,
    action: Of<"confirm_refund"> | Of<"fail_refund">,
  ): Promise<ActionOutcome> {
    const id = action.refund as RefundId;
    const before = await findRefund(sql, id);
    const isFailed = action.kind === "fail_refund";
    const settled =
      action.kind === "fail_refund"
        ? undefined
        : {
            ref: action.settlement.ref,
            gross: action.settlement.gross,
            fee: { currency: action.settlement.gross.currency, minor: action.settlement.fee },
            rate: undefined,
          };
    await this.#on.refunds.record(sql, organization, id, {
      ref: before?.ref ?? action.key,
      state: isFailed ? "failed" : "succeeded",
      failure: isFailed ? "The provider's file says that it failed." : undefined,
      settled,
    });
    return { kind: "done" };
  }

  async #openDispute(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    { payment: id, ref, amount, held, fee, chargeback }: Of<"open_dispute">,
  ): Promise<ActionOutcome> {
    const payment = await mustFindPayment(sql, id);
    if (payment.ref === undefined)
      return { kind: "refused", reason: `${id} has no charge that could be disputed.` };
    const opened = await this.#on.accounts.open(sql, organization, account.id);
    const { settings } = opened.account;
    const { disputes } = opened.provider;
    await this.#on.disputes.reported(sql, organization, account.id, {
      ref,
      chargeRef: payment.ref,
      amount,
      held,
      fee: { currency: held.currency, minor: fee },
      reason: "reported by a settlement file",
      state: "needs_response",
      evidenceDueAt: chargeback && disputes?.evidenceDueAt?.(settings, chargeback),
    });
    const dispute = await findDisputeByRef(sql, account.id, ref);
    if (dispute === undefined) return { kind: "refused", reason: `${id} takes no dispute ${ref}.` };
    return { kind: "done", target: { kind: "dispute", id: dispute.id, root: dispute.id } };
  }

  async #winDispute(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    action: Of<"win_dispute">,
  ): Promise<ActionOutcome> {
    const dispute = await findDispute(sql, action.dispute as DisputeId);
    const payment = dispute && (await mustFindPayment(sql, dispute.payment));
    if (dispute === undefined || payment?.ref === undefined)
      return { kind: "refused", reason: `${action.dispute} is not there.` };
    const { ref, amount, held, fee, reason, evidenceDueAt } = dispute;
    const reported = { ref, chargeRef: payment.ref, amount, held, fee, reason, evidenceDueAt };
    await this.#on.disputes.reported(sql, organization, account.id, { ...reported, state: "won" });
    return { kind: dispute.state === "won" ? "already_done" : "done" };
  }

  async #sendPayout(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    { ref, amount }: Of<"send_payout">,
  ): Promise<ActionOutcome> {
    const before = await findPayoutByRef(sql, account.id, ref);
    if (before === undefined)
      await this.#on.payouts.reported(sql, organization, account.id, {
        ref,
        amount,
        state: "in_transit",
        failure: undefined,
        arrivesOn: undefined,
      });
    const payout = before ?? (await findPayoutByRef(sql, account.id, ref));
    if (payout === undefined) throw new RangeError(`payout ${ref} is not there after it was reported`);
    const target = { kind: "payout", id: payout.id, root: payout.id } as const;
    return { kind: before === undefined ? "done" : "already_done", target };
  }

  async #returnPayout(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    action: Of<"return_payout">,
  ): Promise<ActionOutcome> {
    const payout = await findPayout(sql, action.payout);
    if (payout === undefined) return { kind: "refused", reason: `${action.payout} is not there.` };
    const { ref, amount, arrivesOn } = payout;
    const failure = "The provider's file says that it came back.";
    await this.#on.payouts.reported(sql, organization, account.id, {
      ref,
      amount,
      state: "failed",
      failure,
      arrivesOn,
    });
    return { kind: "done" };
  }

  async #receivePayout(
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

  async #receiveTransfer(
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

  async #unreceive(
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
}

/** One transfer for each two accounts and currency. */
function summedUp(transfers: readonly Transfer[]): Transfer[] {
  const sums = new Map<string, Transfer>();
  for (const transfer of transfers) {
    const { debit, credit, amount } = transfer;
    const key = JSON.stringify([debit, credit, amount.currency]);
    const known = sums.get(key);
    const minor = (known?.amount.minor ?? 0n) + amount.minor;
    sums.set(key, { ...transfer, amount: { currency: amount.currency, minor } });
  }
  return [...sums.values()];
}

async function mustFindPayment(sql: Sql, id: string): Promise<Payment> {
  const found = await findPayment(sql, id);
  if (found !== undefined) return found;
  throw new Refusal(makeProblem("payment-not-found", 404, "No such payment", `There is no payment "${id}".`));
}

function notUndoable(kind: string): Refusal {
  const detail = `What was told to payments ("${kind.replace("_", " ")}") cannot be taken back any more. Correct it there, such as by a refund.`;
  return new Refusal(makeProblem("settlement-not-undoable", 409, "It cannot be taken back", detail));
}

function refunded(payment: Payment, refund: string): Refusal {
  const detail = `Of payment ${payment.id} money was given back since (${refund}).`;
  return new Refusal(makeProblem("payment-refunded", 409, "The payment was refunded", detail));
}
