import type { Sql } from "../engines/postgres/index.js";
import { hasBilled } from "./store/has-billed.js";

/**
 * Why the organization cannot have a test clock: what began by real time would be ahead of its clock, or far behind, and
 * a finalized invoice never changes.
 */
export async function refuseTestClock(sql: Sql): Promise<string | undefined> {
  const { subscriptions, finalized } = await hasBilled(sql);
  if (finalized) return "it has a finalized invoice";
  return subscriptions ? "it has a subscription that began in live mode" : undefined;
}
