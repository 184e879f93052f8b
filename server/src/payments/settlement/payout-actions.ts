import type { Sql } from "../../engines/postgres/index.js";
import type { Clocks } from "../../kernel/clock.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Ledger } from "../../ledger/index.js";
import type { ActionOutcome, SettlementAccount } from "../../settlement/index.js";
import { payoutReceivedPosting } from "../core/index.js";
import type { Payouts } from "../payouts.js";
import { findPayout, findPayoutByRef, updatePayout } from "../store/payouts.js";
import type { Of } from "./action-of.js";
import { notUndoable } from "./not-undoable.js";

export interface PayoutActionsDependencies {
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly payouts: Payouts;
}

/** What providers' files and bank statements tell of payouts. */
export class PayoutActions {
  readonly #on: PayoutActionsDependencies;

  constructor(dependencies: PayoutActionsDependencies) {
    this.#on = dependencies;
  }

  async send(
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

  async return(
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

  async receive(
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

  /** Takes back that it was received. */
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
}
