import type { GraphQLContext } from "../../graphql/builder.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { DescribedAccount } from "../provider-accounts.js";

/** By id or key. @throws Refusal 404 */
export async function mustFindAccount(
  { caller, services }: Pick<GraphQLContext, "caller" | "services">,
  idOrKey: string,
): Promise<DescribedAccount> {
  const found = await services.payments.accounts.find(caller.organization, idOrKey);
  if (found !== undefined) return found;
  const detail = `There is no provider account with the id or key "${idOrKey.slice(0, 64)}".`;
  throw new Refusal(makeProblem("provider-account-not-found", 404, "No such provider account", detail));
}
