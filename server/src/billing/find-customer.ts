import type { Sql } from "../engines/postgres/index.js";
import { formatInstant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Customer } from "./customer.js";
import { findCustomer } from "./store/customers.js";

/** By id or key. @throws Refusal 404 */
export async function mustFindCustomer(sql: Sql, idOrKey: string): Promise<Customer> {
  const found = await findCustomer(sql, idOrKey);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem(
      "customer-not-found",
      404,
      "No such customer",
      `There is no customer with the id or key "${idOrKey}".`,
    ),
  );
}

/** @throws Refusal 409 for a customer whose personal data was erased */
export function refuseErased(customer: Customer): void {
  if (customer.erasedAt === undefined) return;
  const detail = `The personal data of "${customer.key}" was erased at ${formatInstant(customer.erasedAt)}, for good. Create a new customer.`;
  throw new Refusal(makeProblem("customer-erased", 409, "The customer was erased", detail));
}
