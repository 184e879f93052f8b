import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type ProviderAccountId } from "../kernel/ids.js";
import type { Ledger } from "../ledger/index.js";
import { onPayoutState, payoutPosting } from "./core/index.js";
import type { ExceptionsPort, NoticesPort } from "./ports.js";
import type { ReportedPayout } from "./provider.js";
import {
  findPayout,
  findPayoutByRef,
  insertPayout,
  listPayouts,
  updatePayout,
  type Payout,
} from "./store/payouts.js";

export interface PayoutsDependencies {
  readonly postgres: Postgres;
  readonly ledger: Ledger;
  readonly exceptions: ExceptionsPort;
  readonly notices: NoticesPort;
  readonly clocks: Clocks;
}

/** What providers send to the bank: on its way until the bank's statement shows it. */
export class Payouts {
  readonly #on: PayoutsDependencies;

  constructor(dependencies: PayoutsDependencies) {
    this.#on = dependencies;
  }

  async list(organization: OrganizationId, page: Parameters<typeof listPayouts>[1]): Promise<Payout[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listPayouts(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Payout | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findPayout(sql, id));
  }

  /** What the provider says of a payout, in the caller's transaction. The same again changes nothing. */
  async reported(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    reported: ReportedPayout,
  ): Promise<string> {
    const known = await findPayoutByRef(sql, account, reported.ref);
    const locked = known && (await findPayout(sql, known.id, { lock: true }));
    const transition = onPayoutState(locked?.state, reported.state);
    if (transition.kind === "ignored") return `${locked?.id ?? ""} ${locked?.state ?? ""}`;
    const { ledger, clocks, exceptions, notices } = this.#on;
    const now = clocks.of(organization).now();
    const payout: Payout = {
      ...(locked ?? {
        id: newId("pyo", now),
        account,
        ref: reported.ref,
        amount: reported.amount,
        createdAt: now,
        receivedAt: undefined,
      }),
      state: transition.next,
      failure: reported.failure,
      arrivesOn: reported.arrivesOn,
      changedAt: now,
    };
    if (locked === undefined) await insertPayout(sql, organization, payout);
    else await updatePayout(sql, payout);
    if (transition.effect !== "none")
      await ledger.post(sql, organization, [
        payoutPosting(payout.id, account, payout.amount, transition.effect),
      ]);
    if (payout.state === "failed")
      await exceptions.open(
        sql,
        organization,
        {
          kind: "payout_failed",
          key: payout.id,
          detail: `The payout did not arrive (${payout.failure ?? "no reason given"}): the money is back at the provider.`,
          reference: payout.id,
          amount: payout.amount,
        },
        now,
      );
    const type = `payout.${payout.state}` as const;
    const data = {
      payout: payout.id,
      account,
      currency: payout.amount.currency,
      amount: payout.amount.minor.toString(),
    };
    await notices.publish(sql, organization, [{ type, key: `${type}:${payout.id}`, data }]);
    return `${payout.id} ${payout.state}`;
  }
}
