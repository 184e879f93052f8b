import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { Refusal } from "../../kernel/problem.js";
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
} from "../../settlement/index.js";
import type { BillingPort } from "../ports.js";
import type { ProviderAccounts } from "../provider-accounts.js";
import { findAccount, listAccounts, type StoredProviderAccount } from "../store/provider-accounts.js";
import {
  listCaptured,
  listInTransit,
  sumBankBooks,
  sumProviderBooks,
  type BookRow,
} from "../store/settlement-books.js";
import {
  findAttemptsByAmounts,
  findAttemptsByNames,
  findDisputesByAmounts,
  findDisputesByNames,
  findInvoicesByAmounts,
  findInvoicesByNames,
  findPaymentsByAmounts,
  findPaymentsByArns,
  findPaymentsByIds,
  findPaymentsByRefs,
  findPayoutsByAmounts,
  findPayoutsByNames,
  findRefundsByAmounts,
  findRefundsByNames,
} from "../store/settlement-targets.js";
import { SettlementActions, type SettlementActionsDependencies } from "./settlement-actions.js";
import {
  attemptTarget,
  disputeTarget,
  findInvoices,
  findTransfers,
  invoiceTarget,
  movementOf,
  paymentTarget,
  payoutTarget,
  refundTarget,
} from "./settlement-targets.js";

const accounts_max = 1_000;

/** Payments as settlement files see them: what they may be about, and what they tell. */
export class SettlementPort implements SettlementPayments {
  readonly #billing: BillingPort;
  readonly #accounts: ProviderAccounts;
  readonly #actions: SettlementActions;

  constructor(dependencies: SettlementActionsDependencies) {
    this.#billing = dependencies.billing;
    this.#accounts = dependencies.accounts;
    this.#actions = new SettlementActions(dependencies);
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
    const found: FoundTarget[] = [];
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
      return await this.#billing.customer(sql, idOrKey);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  apply(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly PaymentsAction[],
    cause: string,
  ): Promise<readonly ActionOutcome[]> {
    return this.#actions.apply(sql, organization, account, actions, cause);
  }

  undo(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly DoneAction[],
    cause: string,
  ): Promise<void> {
    return this.#actions.undo(sql, organization, account, actions, cause);
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
    const { files } = this.#accounts.providerOf(provider);
    return { id, key, name, provider, side: files.side, identifiers: files.identifiersOf(settings) };
  }

  async #named(
    sql: Sql,
    account: SettlementAccount,
    kind: TargetKind,
    references: readonly string[],
  ): Promise<FoundTarget[]> {
    const isBank = account.side === "bank";
    const found = <Row extends { readonly reference: string }>(
      rows: readonly Row[],
      toTarget: (row: Row) => Target,
    ) => rows.map((row): FoundTarget => ({ reference: row.reference, target: toTarget(row) }));
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
}
