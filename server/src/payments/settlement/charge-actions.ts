import type { Sql } from "../../engines/postgres/index.js";
import type { Clocks } from "../../kernel/clock.js";
import type { OrganizationId, PaymentAttemptId, PaymentId } from "../../kernel/ids.js";
import type { Ledger, Transfer } from "../../ledger/index.js";
import type { ActionOutcome, SettlementAccount } from "../../settlement/index.js";
import { mustFindAttempt, type Attempts } from "../attempts.js";
import { settlementPosting } from "../core/index.js";
import type { ProviderAccounts } from "../provider-accounts.js";
import { findPaymentBySource } from "../store/payments.js";
import { insertSettlements } from "../store/settlement-books.js";
import type { Of } from "./action-of.js";

export interface ChargeActionsDependencies {
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly accounts: ProviderAccounts;
  readonly attempts: Attempts;
}

/** What files tell of charges: that they took money or none, and what the provider made of it. */
export class ChargeActions {
  readonly #on: ChargeActionsDependencies;

  constructor(dependencies: ChargeActionsDependencies) {
    this.#on = dependencies;
  }

  /** Many at once: what is new of them is one posting. @returns the payments that were not settled yet */
  async settle(
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

  async capture(sql: Sql, organization: OrganizationId, action: Of<"capture">): Promise<ActionOutcome> {
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

  async decline(
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
