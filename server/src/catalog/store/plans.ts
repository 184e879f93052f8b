import type { Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { MeterId, OrganizationId, PlanId, PlanVersionId, PriceId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import { parsePriceModel, priceModelToJson } from "../../rating/core/index.js";
import { standard_tax_category, type BillingInterval, type PlanVersion } from "../core/index.js";

/** A plan and which of its versions is sold now. */
export interface PlanRow {
  readonly id: PlanId;
  readonly key: string;
  readonly currentVersion: PlanVersionId;
  readonly createdAt: Instant;
}

/** Plans by id, oldest first, after a plan. */
export async function listPlans(sql: Sql, page: { after?: string; limit: number }): Promise<PlanRow[]> {
  const rows = await sql<RawPlan[]>`
    SELECT id, key, current_version, created_at FROM plans
    WHERE id > ${page.after ?? ""} ORDER BY id LIMIT ${page.limit}`;
  return rows.map(planFrom);
}

export async function findPlan(sql: Sql, idOrKey: string): Promise<PlanRow | undefined> {
  const rows = await sql<RawPlan[]>`
    SELECT id, key, current_version, created_at FROM plans WHERE id = ${idOrKey} OR key = ${idOrKey} ORDER BY id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(planFrom)[0];
}

/** Holds the plan until the transaction ends, so that its versions get consecutive numbers. */
export async function lockPlan(sql: Sql, plan: PlanId): Promise<void> {
  await sql`SELECT FROM plans WHERE id = ${plan} FOR UPDATE`;
}

/** @returns false when the key is taken */
export async function insertPlan(sql: Sql, organization: OrganizationId, plan: PlanRow): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO plans (organization, id, key, current_version, created_at)
    VALUES (${organization}, ${plan.id}, ${plan.key}, ${plan.currentVersion}, ${new Date(msOf(plan.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** The version customers get from now on; subscriptions keep theirs. */
export async function sellVersion(sql: Sql, plan: PlanId, version: PlanVersionId): Promise<void> {
  await sql`UPDATE plans SET current_version = ${version} WHERE id = ${plan}`;
}

/** Writes a version and its prices; nothing changes them afterwards (their UPDATE is revoked). */
export async function insertPlanVersion(
  sql: Sql,
  organization: OrganizationId,
  version: PlanVersion,
): Promise<void> {
  const at = new Date(msOf(version.createdAt));
  await sql`
    INSERT INTO plan_versions (organization, id, plan, version, name, currency, billing_interval, created_at)
    VALUES (${organization}, ${version.id}, ${version.plan}, ${version.version}, ${version.name}, ${version.currency},
            ${version.interval}, ${at})`;
  for (const [position, price] of version.prices.entries()) {
    await sql`
      INSERT INTO prices (organization, id, plan_version, position, key, name, meter, meter_slug, model, created_at)
      VALUES (${organization}, ${price.id}, ${version.id}, ${position}, ${price.key}, ${price.name}, ${price.meter?.id ?? null},
              ${price.meter?.slug ?? null}, ${JSON.stringify(priceModelToJson(price.model))}::text::jsonb, ${at})`;
  }
}

/** Versions with their prices, by plan and number. */
export async function readPlanVersions(sql: Sql, ids: readonly PlanVersionId[]): Promise<PlanVersion[]> {
  const versions = await sql<RawVersion[]>`
    SELECT v.id, v.plan, p.key AS plan_key, v.version, v.name, v.currency, v.billing_interval, v.created_at
    FROM plan_versions v JOIN plans p ON p.organization = v.organization AND p.id = v.plan
    WHERE v.id = ANY(${[...ids]}::text[]) ORDER BY v.plan, v.version`;
  const prices = await sql<RawPrice[]>`
    SELECT id, plan_version, key, name, meter, meter_slug, model FROM prices
    WHERE plan_version = ANY(${[...ids]}::text[]) ORDER BY plan_version, position`;
  return versions.map((version) => versionFrom(version, prices));
}

/** Every version of a plan, oldest first, by id only. */
export async function listPlanVersionIds(sql: Sql, plan: PlanId): Promise<PlanVersionId[]> {
  const rows = await sql<
    { id: PlanVersionId }[]
  >`SELECT id FROM plan_versions WHERE plan = ${plan} ORDER BY version`;
  return rows.map((row) => row.id);
}

interface RawPlan {
  readonly id: PlanId;
  readonly key: string;
  readonly current_version: PlanVersionId;
  readonly created_at: Date;
}

interface RawVersion {
  readonly id: PlanVersionId;
  readonly plan: PlanId;
  readonly plan_key: string;
  readonly version: number;
  readonly name: string;
  readonly currency: Currency;
  readonly billing_interval: BillingInterval;
  readonly created_at: Date;
}

interface RawPrice {
  readonly id: PriceId;
  readonly plan_version: PlanVersionId;
  readonly key: string;
  readonly name: string;
  readonly meter: MeterId;
  readonly meter_slug: string;
  readonly model: unknown;
}

function planFrom(row: RawPlan): PlanRow {
  return {
    id: row.id,
    key: row.key,
    currentVersion: row.current_version,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}

function versionFrom(row: RawVersion, prices: readonly RawPrice[]): PlanVersion {
  return {
    id: row.id,
    plan: row.plan,
    planKey: row.plan_key,
    version: row.version,
    name: row.name,
    currency: row.currency,
    interval: row.billing_interval,
    effectiveFrom: instantFromMs(row.created_at.getTime()),
    trialDays: 0,
    phases: [],
    minimum: undefined,
    maximum: undefined,
    commitments: [],
    graceHours: undefined,
    spendThreshold: undefined,
    createdAt: instantFromMs(row.created_at.getTime()),
    prices: prices
      .filter((price) => price.plan_version === row.id)
      .map((price) => ({
        id: price.id,
        key: price.key,
        name: price.name,
        product: undefined,
        taxCategory: standard_tax_category,
        charge: "usage",
        timing: "arrears",
        interval: row.billing_interval,
        prorated: true,
        meter: { id: price.meter, slug: price.meter_slug },
        filters: [],
        included: undefined,
        phases: undefined,
        model: parsePriceModel(price.model),
        currencies: {},
      })),
  };
}
