import { timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { priceModelToJson } from "../../rating/core/index.js";
import type { Subscription } from "../core/index.js";
import { insertSubscriptionChange, type SubscriptionChange } from "./subscription-changes.js";
import { insertSubscription, updateSubscription } from "./subscriptions.js";

/**
 * Writes a subscription as a change left it: rows that are no more are marked with the change's revision, new ones are
 * added under it, and those that stayed are not touched. Hold its lock, and give the next revision.
 */
export async function saveSubscription(
  sql: Sql,
  organization: OrganizationId,
  before: Subscription | undefined,
  after: Subscription,
  change: SubscriptionChange,
): Promise<void> {
  if (before === undefined) await insertSubscription(sql, organization, after);
  else await updateSubscription(sql, after, change.revision);
  await insertSubscriptionChange(sql, organization, after.id, change);
  const { revision } = change;
  const { id } = after;

  const phases = difference(before?.schedule ?? [], after.schedule, phaseText);
  for (const { from } of phases.gone)
    await sql`
      UPDATE subscription_phases SET removed_in = ${revision}
      WHERE subscription = ${id} AND valid_from = ${timestampText(from)}::text::timestamptz AND removed_in IS NULL`;
  for (const phase of phases.added)
    await sql`
      INSERT INTO subscription_phases
        (organization, subscription, valid_from, valid_to, plan_version, phase, billing_interval, overrides, added_in)
      VALUES (${organization}, ${id}, ${timestampText(phase.from)}::text::timestamptz,
              ${textOrNull(phase.to)}::text::timestamptz, ${phase.planVersion}, ${phase.phase ?? null}, ${phase.interval},
              ${overridesText(phase.overrides)}::text::jsonb, ${revision})`;

  const quantities = difference(before?.quantities ?? [], after.quantities, JSON.stringify);
  for (const { priceKey, at } of quantities.gone)
    await sql`
      UPDATE subscription_quantities SET removed_in = ${revision}
      WHERE subscription = ${id} AND price_key = ${priceKey}
        AND valid_from = ${timestampText(at)}::text::timestamptz AND removed_in IS NULL`;
  for (const { priceKey, at, quantity } of quantities.added)
    await sql`
      INSERT INTO subscription_quantities (organization, subscription, price_key, valid_from, quantity, added_in)
      VALUES (${organization}, ${id}, ${priceKey}, ${timestampText(at)}::text::timestamptz,
              ${quantity.toString()}::text::numeric, ${revision})`;

  const addOns = difference(before?.addOns ?? [], after.addOns, JSON.stringify);
  for (const addOn of addOns.gone)
    await sql`
      UPDATE subscription_add_ons SET removed_in = ${revision}
      WHERE subscription = ${id} AND id = ${addOn.id} AND removed_in IS NULL`;
  for (const addOn of addOns.added)
    await sql`
      INSERT INTO subscription_add_ons
        (organization, subscription, id, add_on_version, valid_from, valid_to, quantity, billing_interval, added_in)
      VALUES (${organization}, ${id}, ${addOn.id}, ${addOn.addOnVersion}, ${timestampText(addOn.from)}::text::timestamptz,
              ${textOrNull(addOn.to)}::text::timestamptz, ${addOn.quantity.toString()}::text::numeric, ${addOn.interval},
              ${revision})`;

  const coupons = difference(before?.coupons ?? [], after.coupons, JSON.stringify);
  for (const { coupon, from } of coupons.gone)
    await sql`
      UPDATE subscription_coupons SET removed_in = ${revision}
      WHERE subscription = ${id} AND coupon = ${coupon} AND valid_from = ${timestampText(from)}::text::timestamptz
        AND removed_in IS NULL`;
  for (const { coupon, from, to } of coupons.added)
    await sql`
      INSERT INTO subscription_coupons (organization, subscription, coupon, valid_from, valid_to, added_in)
      VALUES (${organization}, ${id}, ${coupon}, ${timestampText(from)}::text::timestamptz,
              ${textOrNull(to)}::text::timestamptz, ${revision})`;

  const zones = difference(before?.zoneChanges ?? [], after.zoneChanges, JSON.stringify);
  for (const { from } of zones.gone)
    await sql`
      UPDATE subscription_time_zones SET removed_in = ${revision}
      WHERE subscription = ${id} AND valid_from = ${timestampText(from)}::text::timestamptz AND removed_in IS NULL`;
  for (const { from, timeZone } of zones.added)
    await sql`
      INSERT INTO subscription_time_zones (organization, subscription, valid_from, time_zone, added_in)
      VALUES (${organization}, ${id}, ${timestampText(from)}::text::timestamptz, ${timeZone}, ${revision})`;
}

/** The rows that are only in the one list and only in the other. */
function difference<T>(before: readonly T[], after: readonly T[], textOf: (row: T) => string) {
  const [old, now] = [new Set(before.map((row) => textOf(row))), new Set(after.map((row) => textOf(row)))];
  return {
    gone: before.filter((row) => !now.has(textOf(row))),
    added: after.filter((row) => !old.has(textOf(row))),
  };
}

function phaseText({ overrides, ...phase }: Subscription["schedule"][number]): string {
  return `${JSON.stringify(phase)} ${overridesText(overrides)}`;
}

function overridesText(overrides: Subscription["schedule"][number]["overrides"]): string {
  const entries = Object.entries(overrides).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries.map(([key, model]) => [key, priceModelToJson(model)])));
}

function textOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : timestampText(at);
}
