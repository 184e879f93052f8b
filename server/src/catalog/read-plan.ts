import type { Sql } from "../engines/postgres/index.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Plan } from "./core/index.js";
import { findPlan, readPlanVersions, type PlanRow } from "./store/plans.js";

/** A plan by id or key, with the version that is sold now. */
export async function readPlan(sql: Sql, idOrKey: string): Promise<Plan | undefined> {
  const row = await findPlan(sql, idOrKey);
  return row === undefined ? undefined : (await withCurrent(sql, [row]))[0];
}

/** @throws Refusal 404 */
export async function mustReadPlan(sql: Sql, idOrKey: string): Promise<Plan> {
  const plan = await readPlan(sql, idOrKey);
  if (plan === undefined) throw planNotFound(idOrKey);
  return plan;
}

export async function withCurrent(sql: Sql, rows: readonly PlanRow[]): Promise<Plan[]> {
  const versions = await readPlanVersions(
    sql,
    rows.map((row) => row.currentVersion),
  );
  const byId = new Map(versions.map((version) => [version.id, version]));
  return rows.flatMap(({ id, key, currentVersion, createdAt }) => {
    const current = byId.get(currentVersion);
    return current === undefined ? [] : [{ id, key, current, createdAt }];
  });
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
