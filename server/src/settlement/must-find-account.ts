import type { Sql } from "../engines/postgres/index.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";

/** @throws Refusal 404 */
export async function mustFindAccount(
  sql: Sql,
  payments: Pick<SettlementPayments, "findAccount">,
  idOrKey: string,
): Promise<SettlementAccount> {
  const found = await payments.findAccount(sql, idOrKey);
  if (found !== undefined) return found;
  const detail = `There is no provider account "${idOrKey.slice(0, 64)}".`;
  throw new Refusal(makeProblem("provider-account-not-found", 404, "No such provider account", detail));
}
