import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { SubscriptionId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { TimeZone } from "../kernel/time-zone.js";
import { changeZone, timeZoneAt } from "./core/index.js";
import { holdSubscription } from "./find-subscription.js";
import { writeChange } from "./subscription-changes.js";
import type { SubscriptionChanged } from "./subscriptions.js";

/** How many running subscriptions move with one change of a zone or a payer. */
export const moved_subscriptions_max = 2000;

/**
 * Puts running subscriptions into a zone, each from its next period on.
 * @throws Refusal 409 for more than 2,000
 */
export async function moveSubscriptions(
  sql: Sql,
  on: { readonly clock: Clock; readonly subscriptionChanged?: SubscriptionChanged },
  caller: Caller,
  ids: readonly SubscriptionId[],
  timeZone: TimeZone,
  now: Instant,
): Promise<void> {
  if (ids.length > moved_subscriptions_max) {
    const detail = `More than ${moved_subscriptions_max} running subscriptions would change their zone at once.`;
    throw new Refusal(makeProblem("too-many", 409, "Too many subscriptions move", detail));
  }
  for (const id of ids) {
    const { subscription: before, revision } = await holdSubscription(sql, caller.organization, id);
    const after = changeZone(before, timeZone, now);
    if (JSON.stringify(after.zoneChanges) === JSON.stringify(before.zoneChanges)) continue;
    const change = after.zoneChanges.at(-1);
    const effectiveAt = change?.from ?? now;
    const details = { timeZone: timeZoneAt(after, effectiveAt), from: formatInstant(effectiveAt) };
    const action = "change_time_zone";
    await writeChange(sql, on, caller, { before, after, revision, action, effectiveAt, details });
  }
}
