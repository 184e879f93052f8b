import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import { newsOf, type Attempts } from "./attempts.js";
import type { Disputes } from "./disputes.js";
import type { PaymentMethods } from "./payment-methods.js";
import type { Payouts } from "./payouts.js";
import type { ProviderObject } from "./provider.js";
import type { RefundOutcomes } from "./refund-outcomes.js";
import { findAttempt, findAttemptByRef } from "./store/attempts.js";

export interface ProviderObjectsDependencies {
  readonly attempts: Attempts;
  readonly refunds: RefundOutcomes;
  readonly disputes: Disputes;
  readonly payouts: Payouts;
  readonly methods: PaymentMethods;
}

/**
 * What came of an object, for people; or that it came too early: it is about money of which we do not know yet, and is
 * to be asked for again.
 */
export type Applied = { readonly note: string } | { readonly early: string };

/**
 * What an object that a provider told us of does, in the caller's transaction. States only go forward, so that events may
 * come twice and in any order.
 */
export async function applyObject(
  on: ProviderObjectsDependencies,
  sql: Sql,
  organization: OrganizationId,
  account: ProviderAccountId,
  object: ProviderObject,
): Promise<Applied> {
  switch (object.kind) {
    case "charge": {
      const { reply } = object;
      const byRef = reply.ref === undefined ? undefined : await findAttemptByRef(sql, account, reply.ref);
      const named = object.attempt === undefined ? undefined : await findAttempt(sql, object.attempt);
      const attempt = byRef ?? named;
      // Metadata can be written by anyone with the account's key: the account must be the attempt's own.
      if (attempt === undefined || attempt.account !== account)
        return { note: "a charge that Weir did not make" };
      const recorded = await on.attempts.record(sql, organization, attempt.id, newsOf(reply));
      return { note: `${attempt.id} ${recorded.state}` };
    }
    case "refund": {
      if (await isUnknownYet(sql, account, object.chargeRef)) return { early: charge_unknown };
      const note = await on.refunds.reported(sql, organization, account, object);
      return note === undefined ? { early: "other refunds of the payment are on their way" } : { note };
    }
    case "dispute":
      if (await isUnknownYet(sql, account, object.dispute.chargeRef)) return { early: charge_unknown };
      return { note: await on.disputes.reported(sql, organization, account, object.dispute) };
    case "payout":
      return { note: await on.payouts.reported(sql, organization, account, object.payout) };
    case "method":
      return { note: await on.methods.reported(sql, organization, account, object.method) };
    case "irrelevant":
      return { note: "nothing that Weir keeps books of" };
  }
}

const charge_unknown = "what became of its charge is not known yet";

/** Whether a charge is ours and its money is not booked: its own news have not come, or not been asked for. */
async function isUnknownYet(sql: Sql, account: ProviderAccountId, charge: string): Promise<boolean> {
  const attempt = await findAttemptByRef(sql, account, charge);
  return attempt !== undefined && attempt.state !== "succeeded";
}
