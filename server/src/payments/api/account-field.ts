import type { GraphQLContext } from "../../graphql/builder.js";
import type { ProviderAccountId } from "../../kernel/ids.js";
import type { DescribedAccount } from "../provider-accounts.js";

/** The account that something went through. */
export async function accountOf(
  { account }: { readonly account: ProviderAccountId },
  _args: unknown,
  { caller, services }: Pick<GraphQLContext, "caller" | "services">,
): Promise<DescribedAccount> {
  const found = await services.payments.accounts.find(caller.organization, account);
  if (found === undefined) throw new Error(`provider account ${account} is named and is not there`);
  return found;
}
