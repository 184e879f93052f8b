import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, RefundId } from "../../kernel/ids.js";
import type { ActionOutcome } from "../../settlement/index.js";
import type { RefundOutcomes } from "../refund-outcomes.js";
import { findRefund } from "../store/refunds.js";
import type { Of } from "./action-of.js";

export interface RefundActionsDependencies {
  readonly refunds: RefundOutcomes;
}

/** What files tell of refunds. */
export class RefundActions {
  readonly #on: RefundActionsDependencies;

  constructor(dependencies: RefundActionsDependencies) {
    this.#on = dependencies;
  }

  async record(
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
}
