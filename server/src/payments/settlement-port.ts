import type { Sql } from "../engines/postgres/index.js";
import { instantOfMicros } from "../engines/postgres/index.js";
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
  AmountAnswer,
  AmountQuestion,
  BookSum,
  DoneAction,
  FoundTarget,
  OpenMovement,
  PaymentsAction,
  SettlementAccount,
  SettlementPayments,
  Target,
  TargetKind,
} from "../settlement/index.js";
import { mustFindAttempt, type Attempts } from "./attempts.js";
import type { Captures } from "./captures.js";
import {
  isOpen,
  payoutReceivedPosting,
  plain,
  readCreditorReference,
  refundPosting,
  settlementPosting,
  type AttemptState,
} from "./core/index.js";
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
import { findAccount, listAccounts, type StoredProviderAccount } from "./store/provider-accounts.js";
import { lockReceivables } from "./store/receivables.js";
import { findRefund, insertRefund, listRefunds } from "./store/refunds.js";
import {
  insertSettlements,
  listCaptured,
  listInTransit,
  sumBankBooks,
  sumProviderBooks,
  type BookRow,
  type MovementRow,
} from "./store/settlement-books.js";
import {
  findAttemptsByAmounts,
  findAttemptsByNames,
  findDisputesByAmounts,
  findDisputesByNames,
  findInvoicesByAmounts,
  findInvoicesByNames,
  findInvoicesBySequences,
  findPaymentsByAmounts,
  findPaymentsByArns,
  findPaymentsByIds,
  findPaymentsByRefs,
  findPayoutsByAmounts,
  findPayoutsByNames,
  findRefundsByAmounts,
  findRefundsByNames,
  findTransfersOfInvoices,
  type NamedAttempt,
  type NamedDispute,
  type NamedInvoice,
  type NamedPayment,
  type NamedPayout,
  type NamedRefund,
} from "./store/settlement-targets.js";

export interface SettlementPortDependencies {
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

type Found = FoundTarget;
type Of<Kind extends PaymentsAction["kind"]> = Extract<PaymentsAction, { kind: Kind }>;

const accounts_max = 1_000;
const refunds_max = 1_000;

/** Payments as settlement files see them: what they may be about, and what they tell. */
export class SettlementPort implements SettlementPayments {
  readonly #on: SettlementPortDependencies;

  constructor(dependencies: SettlementPortDependencies) {
    this.#on = dependencies;
  }

  async findAccount(sql: Sql, idOrKey: string): Promise<SettlementAccount | undefined> {
    const found = await findAccount(sql, idOrKey);
    return found && this.#accountOf(found);
  }

  async listAccounts(sql: Sql): Promise<readonly SettlementAccount[]> {
    return (await listAccounts(sql, { limit: accounts_max })).map((account) => this.#accountOf(account));
  }

  async findByReference(
    sql: Sql,
    account: SettlementAccount,
    kinds: readonly TargetKind[],
    references: readonly string[],
  ): Promise<readonly FoundTarget[]> {
    const found: Found[] = [];
    let left = references;
    for (const kind of kinds) {
      if (left.length === 0) break;
      const some = await this.#named(sql, account, kind, left);
      found.push(...some);
      const named = new Set(some.map(({ reference }) => reference));
      left = named.size === 0 ? left : left.filter((reference) => !named.has(reference));
    }
    return found;
  }

  async findByAmount(
    sql: Sql,
    account: SettlementAccount,
    questions: readonly AmountQuestion[],
  ): Promise<readonly AmountAnswer[]> {
    const answers: AmountAnswer[] = [];
    const of = async <Row extends { readonly reference: string }>(
      kind: TargetKind,
      find: (asked: readonly AmountQuestion[]) => Promise<readonly Row[]>,
      toTarget: (row: Row) => Target,
    ) => {
      const asked = questions.filter(({ kinds }) => kinds.includes(kind));
      if (asked.length === 0) return;
      for (const row of await find(asked))
        answers.push({ position: Number(row.reference), target: toTarget(row) });
    };
    const isBank = account.side === "bank";
    await of("payment", (asked) => findPaymentsByAmounts(sql, account.id, asked), paymentTarget);
    await of("attempt", (asked) => findAttemptsByAmounts(sql, account.id, asked), attemptTarget);
    await of("refund", (asked) => findRefundsByAmounts(sql, account.id, asked), refundTarget);
    await of("dispute", (asked) => findDisputesByAmounts(sql, account.id, asked), disputeTarget);
    await of(
      "payout",
      (asked) => findPayoutsByAmounts(sql, isBank ? undefined : account.id, asked),
      payoutTarget,
    );
    await of("invoice", (asked) => findInvoicesByAmounts(sql, asked), invoiceTarget);
    return answers;
  }

  async findTarget(sql: Sql, idOrNumber: string): Promise<Target | undefined> {
    const one = [idOrNumber];
    const [payment] = await findPaymentsByIds(sql, undefined, one);
    if (payment !== undefined) return paymentTarget(payment);
    const [attempt] = await findAttemptsByNames(sql, undefined, one);
    if (attempt !== undefined) return attemptTarget(attempt);
    const [refund] = await findRefundsByNames(sql, undefined, one);
    if (refund !== undefined) return refundTarget(refund);
    const [dispute] = await findDisputesByNames(sql, undefined, one);
    if (dispute !== undefined) return disputeTarget(dispute);
    const [payout] = await findPayoutsByNames(sql, undefined, one);
    if (payout !== undefined) return payoutTarget(payout);
    const [invoice] = await findInvoicesByNames(sql, one);
    return invoice && invoiceTarget(invoice);
  }

  async findCustomer(
    sql: Sql,
    idOrKey: string,
  ): Promise<{ readonly id: string; readonly name: string } | undefined> {
    try {
      return await this.#on.billing.customer(sql, idOrKey);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
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

  async sumBooks(
    sql: Sql,
    account: SettlementAccount,
    period: Parameters<typeof sumProviderBooks>[2],
  ): Promise<readonly BookSum[]> {
    const rows =
      account.side === "bank"
        ? await sumBankBooks(sql, account.id, period)
        : await sumProviderBooks(sql, account.id, period);
    return rows.map(({ line, currency, count, minor }: BookRow) => ({
      line,
      currency,
      count: Number(count),
      minor: BigInt(minor),
    }));
  }

  async listCaptured(
    sql: Sql,
    account: SettlementAccount,
    page: Parameters<typeof listCaptured>[2],
  ): Promise<readonly OpenMovement[]> {
    return (await listCaptured(sql, account.id, page)).map((row) =>
      movementOf(row.id.startsWith("pat_") ? "attempt" : "payment", row),
    );
  }

  async listInTransit(sql: Sql, page: Parameters<typeof listInTransit>[1]): Promise<readonly OpenMovement[]> {
    return (await listInTransit(sql, page)).map((row) => movementOf("payout", row));
  }

  #accountOf({ id, key, name, provider, settings }: StoredProviderAccount): SettlementAccount {
    const { files } = this.#on.accounts.providerOf(provider);
    return { id, key, name, provider, side: files.side, identifiers: files.identifiersOf(settings) };
  }

  async #named(
    sql: Sql,
    account: SettlementAccount,
    kind: TargetKind,
    references: readonly string[],
  ): Promise<Found[]> {
    const isBank = account.side === "bank";
    const found = <Row extends { readonly reference: string }>(
      rows: readonly Row[],
      toTarget: (row: Row) => Target,
    ) => rows.map((row): Found => ({ reference: row.reference, target: toTarget(row) }));
    switch (kind) {
      case "payment": {
        if (isBank) return found(await findTransfers(sql, account, references), paymentTarget);
        const arns = references.filter((each) => /^\d{23}$/.test(each));
        const ours = references.filter((each) => /^(pay|pat)_/.test(each));
        const theirs =
          ours.length === 0 ? references : references.filter((each) => !/^(pay|pat)_/.test(each));
        return [
          ...(theirs.length === 0
            ? []
            : found(await findPaymentsByRefs(sql, account.id, theirs), paymentTarget)),
          ...(ours.length === 0 ? [] : found(await findPaymentsByIds(sql, account.id, ours), paymentTarget)),
          ...(arns.length === 0 ? [] : found(await findPaymentsByArns(sql, account.id, arns), paymentTarget)),
        ];
      }
      case "attempt":
        return found(await findAttemptsByNames(sql, account.id, references), attemptTarget);
      case "refund":
        return found(await findRefundsByNames(sql, account.id, references), refundTarget);
      case "dispute":
        return found(await findDisputesByNames(sql, account.id, references), disputeTarget);
      case "payout":
        return found(
          await findPayoutsByNames(sql, isBank ? undefined : account.id, references),
          payoutTarget,
        );
      case "invoice":
        return found(await findInvoices(sql, references), invoiceTarget);
      case "return":
        return [];
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
    const after = await this.#on.attempts.record(sql, organization, before, {
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
    const after = await this.#on.attempts.record(sql, organization, before, {
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

/** Transfers that came in on a bank account: by our id, or by the invoices that they paid. */
async function findTransfers(
  sql: Sql,
  { id }: SettlementAccount,
  references: readonly string[],
): Promise<NamedPayment[]> {
  const invoices = await findInvoices(sql, references);
  const paid = await findTransfersOfInvoices(
    sql,
    id,
    invoices.map((invoice) => invoice.id),
  );
  const byInvoice = invoices.flatMap(({ reference, id: invoice }) =>
    paid.filter((each) => each.reference === invoice).map((each) => ({ ...each, reference })),
  );
  return [...(await findPaymentsByIds(sql, id, references)), ...byInvoice];
}

/** Also by structured reference: its text is an invoice's number without punctuation. */
async function findInvoices(sql: Sql, references: readonly string[]): Promise<NamedInvoice[]> {
  const found = await findInvoicesByNames(sql, references);
  const structured = references.flatMap((reference) => {
    const text = readCreditorReference(reference);
    const digits = text === undefined ? undefined : /\d{1,15}$/.exec(text)?.[0];
    return text === undefined || digits === undefined ? [] : [{ reference, text, sequence: BigInt(digits) }];
  });
  if (structured.length === 0) return found;
  const rows = await findInvoicesBySequences(
    sql,
    structured.map(({ sequence }) => sequence),
  );
  for (const { reference, text, sequence } of structured) {
    const row = rows.find((each) => each.reference === sequence.toString() && plain(each.number) === text);
    if (row !== undefined) found.push({ ...row, reference });
  }
  return found;
}

const money = (currency: Money["currency"], minor: string): Money => ({ currency, minor: BigInt(minor) });

function paymentTarget(row: NamedPayment): Target {
  const { settled_currency: currency, settled, fee } = row;
  return {
    kind: "payment",
    id: row.id,
    root: row.source === "attempt" ? row.source_id : row.id,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
    settlement:
      currency === null || settled === null
        ? undefined
        : { gross: money(currency, settled), fee: BigInt(fee ?? "0") },
  };
}

function attemptTarget(row: NamedAttempt): Target {
  const state = isOpen(row.state as AttemptState) ? "open" : "ended";
  return {
    kind: "attempt",
    id: row.id,
    root: row.id,
    state,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

function refundTarget(row: NamedRefund): Target {
  const state = row.state === "pending" ? "open" : row.state === "succeeded" ? "done" : "failed";
  return {
    kind: "refund",
    id: row.id,
    root: row.id,
    state,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

function disputeTarget(row: NamedDispute): Target {
  return {
    kind: "dispute",
    id: row.id,
    root: row.id,
    state: row.state === "won" || row.state === "lost" ? row.state : "open",
    amount: money(row.currency, row.amount),
    held: money(row.held_currency, row.held),
    fee: money(row.fee_currency, row.fee),
    at: instantOfMicros(row.at),
  };
}

function payoutTarget(row: NamedPayout): Target {
  return {
    kind: "payout",
    id: row.id,
    root: row.id,
    account: row.account,
    state: row.state === "failed" || row.state === "canceled" ? "returned" : "sent",
    received: row.received,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

function invoiceTarget(row: NamedInvoice): Target {
  return {
    kind: "invoice",
    id: row.id,
    root: row.id,
    customer: row.customer,
    customerName: row.customer_name,
    amount: money(row.currency, row.open),
    at: instantOfMicros(row.at),
  };
}

function movementOf(kind: OpenMovement["kind"], row: MovementRow): OpenMovement {
  const { id, root, account, currency, amount, at } = row;
  return { kind, id, root, account, amount: money(currency, amount), at: instantOfMicros(at) };
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
