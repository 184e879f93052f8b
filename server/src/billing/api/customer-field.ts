import type { GraphQLContext } from "../../graphql/builder.js";
import type { CustomerId } from "../../kernel/ids.js";
import type { Customer } from "../customer.js";

type Context = Pick<GraphQLContext, "caller" | "services">;

/** Whose something is. */
export function customerOf(
  { customer }: { readonly customer: string },
  _args: unknown,
  { caller, services }: Context,
): Promise<Customer> {
  return services.billing.customers.get(caller.organization, customer);
}

/** Of a list's argument: the customer, by id or key, whose things alone are asked for. @throws Refusal 404 */
export async function customerFilter(
  { caller, services }: Context,
  idOrKey: string | null | undefined,
): Promise<{ readonly customer?: CustomerId }> {
  return idOrKey == null
    ? {}
    : { customer: (await services.billing.customers.get(caller.organization, idOrKey)).id };
}
