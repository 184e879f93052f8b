import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId, SubscriptionId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Subscription } from "./core/index.js";
import { takeProgress } from "./store/billing-progress.js";
import { findSubscription, lockSubscription } from "./store/subscriptions.js";

/** @throws Refusal 404 */
export async function mustFindSubscription(sql: Sql, id: string): Promise<Subscription> {
  const found = await findSubscription(sql, id);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem("subscription-not-found", 404, "No such subscription", `There is no subscription "${id}".`),
  );
}

/** A subscription under its lock, and its next revision. @throws Refusal 404 */
export async function holdSubscription(
  sql: Sql,
  organization: OrganizationId,
  id: string,
): Promise<{ subscription: Subscription; revision: number }> {
  // Before the subscription itself, as an invoice run does: its invoices and its changes come one after another.
  await takeProgress(sql, organization, [id as SubscriptionId]);
  const held = await lockSubscription(sql, id);
  // Read after the lock is held: what another change left.
  const subscription = await mustFindSubscription(sql, id);
  return { subscription, revision: (held?.revision ?? 0) + 1 };
}
