import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { Refusal } from "../../kernel/problem.js";
import type { ActionOutcome, DoneAction, PaymentsAction, SettlementAccount } from "../../settlement/index.js";
import type { Of } from "./action-of.js";
import { ChargeActions, type ChargeActionsDependencies } from "./charge-actions.js";
import { DisputeActions, type DisputeActionsDependencies } from "./dispute-actions.js";
import { notUndoable } from "./not-undoable.js";
import { PayoutActions, type PayoutActionsDependencies } from "./payout-actions.js";
import { RefundActions, type RefundActionsDependencies } from "./refund-actions.js";
import { TransferActions, type TransferActionsDependencies } from "./transfer-actions.js";

export type SettlementActionsDependencies = ChargeActionsDependencies &
  RefundActionsDependencies &
  DisputeActionsDependencies &
  PayoutActionsDependencies &
  TransferActionsDependencies;

/** What settlement files tell payments, done. Each at most once: what it changes knows whether it was told before. */
export class SettlementActions {
  readonly #charges: ChargeActions;
  readonly #refunds: RefundActions;
  readonly #disputes: DisputeActions;
  readonly #payouts: PayoutActions;
  readonly #transfers: TransferActions;

  constructor(dependencies: SettlementActionsDependencies) {
    this.#charges = new ChargeActions(dependencies);
    this.#refunds = new RefundActions(dependencies);
    this.#disputes = new DisputeActions(dependencies);
    this.#payouts = new PayoutActions(dependencies);
    this.#transfers = new TransferActions(dependencies);
  }

  async apply(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly PaymentsAction[],
    cause: string,
  ): Promise<readonly ActionOutcome[]> {
    const settling = actions.filter((action): action is Of<"settle"> => action.kind === "settle");
    const settled = await this.#charges.settle(sql, organization, account, settling, cause);
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
      if (kind === "receive_transfer")
        await this.#transfers.unreceive(sql, organization, account, key, cause);
      else if (kind === "receive_payout" && target !== null)
        await this.#payouts.unreceive(sql, organization, account, target, cause);
      else throw notUndoable(kind);
    }
  }

  #one(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    action: Exclude<PaymentsAction, { kind: "settle" }>,
  ): Promise<ActionOutcome> {
    switch (action.kind) {
      case "capture":
        return this.#charges.capture(sql, organization, action);
      case "decline":
        return this.#charges.decline(sql, organization, account, action);
      case "take_back":
        return this.#transfers.takeBack(sql, organization, account, action);
      case "confirm_refund":
      case "fail_refund":
        return this.#refunds.record(sql, organization, action);
      case "open_dispute":
        return this.#disputes.open(sql, organization, account, action);
      case "win_dispute":
        return this.#disputes.win(sql, organization, account, action);
      case "send_payout":
        return this.#payouts.send(sql, organization, account, action);
      case "return_payout":
        return this.#payouts.return(sql, organization, account, action);
      case "receive_payout":
        return this.#payouts.receive(sql, organization, account, action);
      case "receive_transfer":
        return this.#transfers.receive(sql, organization, account, action);
    }
  }
}
