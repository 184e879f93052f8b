import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import { newsOf, type Attempts } from "./attempts.js";
import type { Disputes } from "./disputes.js";
import type { PaymentMethods } from "./payment-methods.js";
import type { Payouts } from "./payouts.js";
import type { ProviderObject } from "./provider.js";
import type { Refunds } from "./refunds.js";
import { findAttempt, findAttemptByRef } from "./store/attempts.js";

export interface ProviderObjectsDependencies {
  readonly attempts: Attempts;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly payouts: Payouts;
  readonly methods: PaymentMethods;
}

/**
 * What an object that a provider told us of does, in the caller's transaction. States only go forward, so that events may
 * come twice and in any order.
 * @returns what came of it, for people
 */
export async function applyObject(
  on: ProviderObjectsDependencies,
  sql: Sql,
  organization: OrganizationId,
  account: ProviderAccountId,
  object: ProviderObject,
): Promise<string> {
  switch (object.kind) {
    case "charge": {
      const { reply } = object;
      const byRef = reply.ref === undefined ? undefined : await findAttemptByRef(sql, account, reply.ref);
      const named = object.attempt === undefined ? undefined : await findAttempt(sql, object.attempt);
      const attempt = byRef ?? named;
      // Metadata can be written by anyone with the account's key: the account must be the attempt's own.
      if (attempt === undefined || attempt.account !== account) return "a charge that Weir did not make";
      const recorded = await on.attempts.record(sql, organization, attempt, newsOf(reply));
      return `${attempt.id} ${recorded.state}`;
    }
    case "refund":
      return on.refunds.reported(sql, organization, account, object);
    case "dispute":
      return on.disputes.reported(sql, organization, account, object.dispute);
    case "payout":
      return on.payouts.reported(sql, organization, account, object.payout);
    case "method":
      return on.methods.reported(sql, organization, account, object.method);
    case "irrelevant":
      return "nothing that Weir keeps books of";
  }
}
