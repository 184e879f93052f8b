import type { Account, CustomerRecord } from "../account.js";
import { missing } from "../api/api-error.js";

/** A customer that a parameter names. @throws ApiError 400, also for one that was deleted */
export function customerFor(account: Account, id: string, param = "customer"): CustomerRecord {
  const customer = account.customers.get(id, param);
  if (customer.isDeleted) throw missing("customer", id, param, false);
  return customer;
}
