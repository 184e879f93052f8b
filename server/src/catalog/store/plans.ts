import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, PlanId, PlanVersionId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { BillingInterval, PlanVersion } from "../core/index.js";
import { planTermsFrom, planTermsJson, type PlanTermsJson } from "./plan-terms.js";
import { insertPrices, readPlanPrices } from "./prices.js";

/** A plan and which of its versions is in force at the instant that was asked for. */
export interface PlanRow {
  readonly id: PlanId;
  readonly key: string;
  readonly inForce: PlanVersionId | undefined;
  readonly createdAt: Instant;
}

/** Plans by id, oldest first, after a plan. @param at  the instant to say the version in force of */
export async function listPlans(
  sql: Sql,
  page: { after?: string; limit: number },
  at: Instant,
): Promise<PlanRow[]> {
  const rows = await sql<RawPlan[]>`
    SELECT p.id, p.key, p.created_at,
           (SELECT v.id FROM plan_versions v
            WHERE v.organization = p.organization AND v.plan = p.id AND v.effective_from <= ${timestampText(at)}::text::timestamptz
            ORDER BY v.effective_from DESC, v.version DESC LIMIT 1) AS in_force
    FROM plans p WHERE p.id > ${page.after ?? ""} ORDER BY p.id LIMIT ${page.limit}`;
  return rows.map(planFrom);
}

export async function findPlan(sql: Sql, idOrKey: string, at: Instant): Promise<PlanRow | undefined> {
  const rows = await sql<RawPlan[]>`
    SELECT p.id, p.key, p.created_at,
           (SELECT v.id FROM plan_versions v
            WHERE v.organization = p.organization AND v.plan = p.id AND v.effective_from <= ${timestampText(at)}::text::timestamptz
            ORDER BY v.effective_from DESC, v.version DESC LIMIT 1) AS in_force
    FROM plans p WHERE p.id = ${idOrKey} OR p.key = ${idOrKey} ORDER BY p.id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(planFrom)[0];
}

export async function countPlans(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::integer AS count FROM plans`;
  return row?.count ?? 0;
}

/** @returns false when the key is taken */
export async function insertPlan(
  sql: Sql,
  organization: OrganizationId,
  plan: Omit<PlanRow, "inForce">,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO plans (organization, id, key, created_at)
    VALUES (${organization}, ${plan.id}, ${plan.key}, ${new Date(msOf(plan.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Writes a version and its prices; nothing changes them afterwards. */
export async function insertPlanVersion(
  sql: Sql,
  organization: OrganizationId,
  version: PlanVersion,
): Promise<void> {
  await sql`
    INSERT INTO plan_versions
      (organization, id, plan, version, name, currency, billing_interval, effective_from, trial_days, grace_hours, terms,
       created_at)
    VALUES (${organization}, ${version.id}, ${version.plan}, ${version.version}, ${version.name}, ${version.currency},
            ${version.interval}, ${timestampText(version.effectiveFrom)}::text::timestamptz, ${version.trialDays},
            ${version.graceHours ?? null}, ${JSON.stringify(planTermsJson(version))}::text::jsonb,
            ${new Date(msOf(version.createdAt))})`;
  await insertPrices(sql, organization, { planVersion: version.id }, version.prices, version.createdAt);
}

/** Versions with their prices, by plan and number. */
export async function readPlanVersions(sql: Sql, ids: readonly PlanVersionId[]): Promise<PlanVersion[]> {
  if (ids.length === 0) return [];
  const versions = await sql<RawVersion[]>`
    SELECT v.id, v.plan, p.key AS plan_key, v.version, v.name, v.currency, v.billing_interval,
           (extract(epoch FROM v.effective_from) * 1000000)::bigint::text AS effective_from, v.trial_days, v.grace_hours,
           v.terms, v.created_at
    FROM plan_versions v JOIN plans p ON p.organization = v.organization AND p.id = v.plan
    WHERE v.id = ANY(${[...ids]}::text[]) ORDER BY v.plan, v.version`;
  const prices = await readPlanPrices(sql, ids);
  return versions.map((row) => ({
    id: row.id,
    plan: row.plan,
    planKey: row.plan_key,
    version: row.version,
    name: row.name,
    currency: row.currency,
    interval: row.billing_interval,
    effectiveFrom: instantOfMicros(row.effective_from),
    trialDays: row.trial_days,
    graceHours: row.grace_hours ?? undefined,
    ...planTermsFrom(row.terms),
    prices: prices.get(row.id) ?? [],
    createdAt: instantFromMs(row.created_at.getTime()),
  }));
}

/** A plan's versions by number, after a version. */
export async function listPlanVersionIds(
  sql: Sql,
  plan: PlanId,
  page: { after?: string; limit: number },
): Promise<PlanVersionId[]> {
  const rows = await sql<{ id: PlanVersionId }[]>`
    SELECT id FROM plan_versions
    WHERE plan = ${plan}
      AND version > coalesce((SELECT a.version FROM plan_versions a WHERE a.plan = ${plan} AND a.id = ${page.after ?? ""}), 0)
    ORDER BY version LIMIT ${page.limit}`;
  return rows.map((row) => row.id);
}

/** The number of a plan's newest version, and how it will be numbered on; 0 before the first. */
export async function latestVersionNumber(sql: Sql, plan: PlanId): Promise<number> {
  const [row] = await sql<{ latest: number | null }[]>`
    SELECT max(version) AS latest FROM plan_versions WHERE plan = ${plan}`;
  return row?.latest ?? 0;
}

interface RawPlan {
  readonly id: PlanId;
  readonly key: string;
  readonly in_force: PlanVersionId | null;
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
  readonly effective_from: string;
  readonly trial_days: number;
  readonly grace_hours: number | null;
  readonly terms: PlanTermsJson;
  readonly created_at: Date;
}

function planFrom(row: RawPlan): PlanRow {
  return {
    id: row.id,
    key: row.key,
    inForce: row.in_force ?? undefined,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}
