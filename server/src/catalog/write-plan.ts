import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { newId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  draftPlanVersion,
  writePlan,
  type NewPlan,
  type Plan,
  type PlanDefinition,
  type PlanVersion,
  type References,
} from "./core/index.js";
import { refuseTooMany } from "./invalid-definition.js";
import {
  countPlans,
  findPlan,
  insertPlan,
  insertPlanVersion,
  latestVersionNumber,
  readPlanVersions,
  type PlanRow,
} from "./store/plans.js";

/** What the catalog does with plans inside a transaction, for single changes and for files. */

const plans_max = 2000;
const versions_max = 1000;

/** A plan by id or key, with the version that is in force at an instant. */
export async function readPlan(sql: Sql, idOrKey: string, at: Instant): Promise<Plan | undefined> {
  const row = await findPlan(sql, idOrKey, at);
  return row === undefined ? undefined : (await withCurrent(sql, [row]))[0];
}

/** @throws Refusal 404 */
export async function mustReadPlan(sql: Sql, idOrKey: string, at: Instant): Promise<Plan> {
  const plan = await readPlan(sql, idOrKey, at);
  if (plan === undefined) throw planNotFound(idOrKey);
  return plan;
}

export async function withCurrent(sql: Sql, rows: readonly PlanRow[]): Promise<Plan[]> {
  const versions = await readPlanVersions(
    sql,
    rows.flatMap((row) => (row.inForce === undefined ? [] : [row.inForce])),
  );
  const byId = new Map(versions.map((version) => [version.id, version]));
  return rows.map(({ id, key, inForce, createdAt }) => ({
    id,
    key,
    current: inForce === undefined ? undefined : byId.get(inForce),
    createdAt,
  }));
}

/** Writes a plan with its first version. @throws Refusal 409 when the key is taken or there are too many */
export async function createPlan(
  sql: Sql,
  caller: Caller,
  input: NewPlan,
  references: References,
  at: Instant,
): Promise<PlanVersion> {
  const { organization } = caller;
  refuseTooMany("plans", await countPlans(sql), plans_max);
  const plan = newId("plan", at);
  const version = draftPlanVersion(input, references, { plan, planKey: input.key, version: 1 }, at);
  if (!(await insertPlan(sql, organization, { id: plan, key: input.key, createdAt: at })))
    throw planExists(input.key);
  await insertPlanVersion(sql, organization, version);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "plan.create",
    target: plan,
    before: undefined,
    after: describeVersion(version),
    at,
  });
  return version;
}

/** Writes a plan's next version; its catalog is locked. @param before  the version in force until then */
export async function createVersion(
  sql: Sql,
  caller: Caller,
  plan: Pick<Plan, "id" | "key">,
  input: PlanDefinition,
  references: References,
  before: PlanVersion | undefined,
  at: Instant,
): Promise<PlanVersion> {
  const { organization } = caller;
  const latest = await latestVersionNumber(sql, plan.id);
  refuseTooMany("plan-versions", latest, versions_max);
  const place = { plan: plan.id, planKey: plan.key, version: latest + 1 };
  const version = draftPlanVersion(input, references, place, at);
  await insertPlanVersion(sql, organization, version);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "plan.new_version",
    target: plan.id,
    before: before === undefined ? undefined : describeVersion(before),
    after: describeVersion(version),
    at,
  });
  return version;
}

/**
 * Why a new version may not be effective from an instant, or undefined. Time before the version that is in force began
 * belongs to versions that were sold then, so nothing is put there; a version that is still to come may be preceded, or
 * replaced by one of the same instant.
 */
export function lateVersion(
  effectiveFrom: Instant,
  inForceNow: Pick<PlanVersion, "version" | "effectiveFrom"> | undefined,
): string | undefined {
  if (inForceNow === undefined || effectiveFrom >= inForceNow.effectiveFrom) return undefined;
  const since = formatInstant(inForceNow.effectiveFrom);
  return `version ${inForceNow.version} has been in force since ${since}; a new one begins then or later`;
}

/** A version as the audit log keeps it. */
export function describeVersion(version: PlanVersion) {
  return {
    id: version.id,
    version: version.version,
    ...writePlan(version, version.effectiveFrom),
    priceIds: Object.fromEntries(version.prices.map((price) => [price.key, price.id])),
  };
}

export function planNotFound(idOrKey: string): Refusal {
  return new Refusal(
    makeProblem("plan-not-found", 404, "No such plan", `There is no plan with the id or key "${idOrKey}".`),
  );
}

export function planExists(key: string): Refusal {
  const detail = `The key "${key}" is taken by another plan. Give that plan a new version, or choose another key.`;
  return new Refusal(makeProblem("plan-exists", 409, "There is such a plan already", detail));
}
