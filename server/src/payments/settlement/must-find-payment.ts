import type { Sql } from "../../engines/postgres/index.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { findPayment, type Payment } from "../store/payments.js";

/** @throws Refusal 404 */
export async function mustFindPayment(sql: Sql, id: string): Promise<Payment> {
  const found = await findPayment(sql, id);
  if (found !== undefined) return found;
  throw new Refusal(makeProblem("payment-not-found", 404, "No such payment", `There is no payment "${id}".`));
}
