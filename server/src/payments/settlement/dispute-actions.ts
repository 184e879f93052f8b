import type { Sql } from "../../engines/postgres/index.js";
import type { DisputeId, OrganizationId } from "../../kernel/ids.js";
import type { ActionOutcome, SettlementAccount } from "../../settlement/index.js";
import type { Disputes } from "../disputes.js";
import type { ProviderAccounts } from "../provider-accounts.js";
import { findDispute, findDisputeByRef } from "../store/disputes.js";
import type { Of } from "./action-of.js";
import { mustFindPayment } from "./must-find-payment.js";

export interface DisputeActionsDependencies {
  readonly accounts: ProviderAccounts;
  readonly disputes: Disputes;
}

/** What files tell of disputes. */
export class DisputeActions {
  readonly #on: DisputeActionsDependencies;

  constructor(dependencies: DisputeActionsDependencies) {
    this.#on = dependencies;
  }

  async open(
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

  async win(
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
}
