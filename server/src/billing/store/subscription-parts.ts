import { instantOfMicros, type Sql } from "../../engines/postgres/index.js";
import type { BillingInterval } from "../../kernel/billing-period.js";
import { Decimal } from "../../kernel/decimal.js";
import type {
  AddOnVersionId,
  CouponId,
  PlanVersionId,
  SubscribedAddOnId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import { priceModelFromJson, type PriceModelJson } from "../../rating/core/index.js";
import type {
  QuantityChange,
  Redemption,
  SchedulePhase,
  SubscribedAddOn,
  ZoneChange,
} from "../core/index.js";

/** What of several subscriptions stands now, each part by subscription and in order of time. */
export interface SubscriptionParts {
  readonly schedule: ReadonlyMap<SubscriptionId, readonly SchedulePhase[]>;
  readonly quantities: ReadonlyMap<SubscriptionId, readonly QuantityChange[]>;
  readonly addOns: ReadonlyMap<SubscriptionId, readonly SubscribedAddOn[]>;
  readonly coupons: ReadonlyMap<SubscriptionId, readonly Redemption[]>;
  readonly zoneChanges: ReadonlyMap<SubscriptionId, readonly ZoneChange[]>;
}

export async function readSubscriptionParts(
  sql: Sql,
  subscriptions: readonly SubscriptionId[],
): Promise<SubscriptionParts> {
  const ids = [...subscriptions];
  const phases = await sql<PhaseRow[]>`
    SELECT subscription, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to,
           plan_version, phase, billing_interval, overrides
    FROM subscription_phases
    WHERE subscription = ANY(${ids}::text[]) AND removed_in IS NULL ORDER BY subscription, subscription_phases.valid_from`;
  const quantities = await sql<QuantityRow[]>`
    SELECT subscription, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from, price_key, quantity::text
    FROM subscription_quantities
    WHERE subscription = ANY(${ids}::text[]) AND removed_in IS NULL
    ORDER BY subscription, price_key, subscription_quantities.valid_from`;
  const addOns = await sql<AddOnRow[]>`
    SELECT subscription, id, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to,
           add_on_version, quantity::text, billing_interval
    FROM subscription_add_ons
    WHERE subscription = ANY(${ids}::text[]) AND removed_in IS NULL ORDER BY subscription, id`;
  const coupons = await sql<CouponRow[]>`
    SELECT subscription, coupon, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to
    FROM subscription_coupons
    WHERE subscription = ANY(${ids}::text[]) AND removed_in IS NULL
    ORDER BY subscription, subscription_coupons.valid_from, coupon`;
  const zones = await sql<ZoneRow[]>`
    SELECT subscription, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from, time_zone
    FROM subscription_time_zones
    WHERE subscription = ANY(${ids}::text[]) AND removed_in IS NULL
    ORDER BY subscription, subscription_time_zones.valid_from`;
  return {
    schedule: bySubscription(phases, (row) => ({
      ...span(row),
      planVersion: row.plan_version,
      phase: row.phase ?? undefined,
      interval: row.billing_interval,
      overrides: Object.fromEntries(
        Object.entries(row.overrides).map(([key, model]) => [key, priceModelFromJson(model)]),
      ),
    })),
    quantities: bySubscription(quantities, (row) => ({
      priceKey: row.price_key,
      at: instantOfMicros(row.valid_from),
      quantity: Decimal.of(row.quantity),
    })),
    addOns: bySubscription(addOns, (row) => ({
      id: row.id,
      addOnVersion: row.add_on_version,
      ...span(row),
      quantity: Decimal.of(row.quantity),
      interval: row.billing_interval,
    })),
    coupons: bySubscription(coupons, (row) => ({ coupon: row.coupon, ...span(row) })),
    zoneChanges: bySubscription(zones, (row) => ({
      from: instantOfMicros(row.valid_from),
      timeZone: row.time_zone,
    })),
  };
}

interface PartRow {
  readonly subscription: SubscriptionId;
  readonly valid_from: string;
}
interface SpanRow extends PartRow {
  readonly valid_to: string | null;
}
interface PhaseRow extends SpanRow {
  readonly plan_version: PlanVersionId;
  readonly phase: string | null;
  readonly billing_interval: BillingInterval;
  readonly overrides: Readonly<Record<string, PriceModelJson>>;
}
interface QuantityRow extends PartRow {
  readonly price_key: string;
  readonly quantity: string;
}
interface AddOnRow extends SpanRow {
  readonly id: SubscribedAddOnId;
  readonly add_on_version: AddOnVersionId;
  readonly quantity: string;
  readonly billing_interval: BillingInterval;
}
interface CouponRow extends SpanRow {
  readonly coupon: CouponId;
}
interface ZoneRow extends PartRow {
  readonly time_zone: TimeZone;
}

function span(row: SpanRow) {
  return {
    from: instantOfMicros(row.valid_from),
    to: row.valid_to === null ? undefined : instantOfMicros(row.valid_to),
  };
}

function bySubscription<R extends PartRow, T>(
  rows: readonly R[],
  read: (row: R) => T,
): Map<SubscriptionId, T[]> {
  const found = new Map<SubscriptionId, T[]>();
  for (const row of rows) {
    const known = found.get(row.subscription);
    if (known === undefined) found.set(row.subscription, [read(row)]);
    else known.push(read(row));
  }
  return found;
}
