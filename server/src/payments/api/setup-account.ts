import type { Caller } from "../../identity/index.js";
import type { CustomerId } from "../../kernel/ids.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { DescribedAccount } from "../provider-accounts.js";
import { mustFindAccount } from "./must-find-account.js";

const accounts_max = 100;
const methods_max = 50;

/**
 * Where a customer is to enter a card: the account that is named; otherwise that of the customer's default method, or the
 * only one there is.
 * @throws Refusal 404; 409 for one that is archived; 422 when it must be named
 */
export async function setupAccountFor(
  { services, caller }: { readonly services: Services; readonly caller: Caller },
  customer: CustomerId,
  wanted: string | undefined,
): Promise<DescribedAccount> {
  const { organization } = caller;
  const { accounts, methods } = services.payments;
  if (wanted !== undefined) {
    const named = await mustFindAccount({ caller, services }, wanted);
    if (named.archivedAt !== undefined) throw archived(named.key);
    return named;
  }
  const known = await accounts.list(organization, { limit: accounts_max });
  const open = known.filter(
    ({ archivedAt, provider }) =>
      archivedAt === undefined && accounts.providerOf(provider).setupPages !== undefined,
  );
  const used = (await methods.list(organization, { customer, limit: methods_max })).find(
    ({ isDefault }) => isDefault,
  );
  const found = open.find(({ id }) => id === used?.account) ?? (open.length === 1 ? open[0] : undefined);
  if (found === undefined) throw unclear(open.map(({ key }) => key));
  return found;
}

function archived(key: string): Refusal {
  const detail = `Provider account "${key}" is archived. Name another.`;
  return new Refusal(
    makeProblem("provider-account-archived", 409, "The provider account is archived", detail),
  );
}

function unclear(keys: readonly string[]): Refusal {
  const detail =
    keys.length === 0
      ? "There is no provider account, archived ones apart, that has a page for entering a card. Create one: createProviderAccount."
      : `Name the provider account: ${keys.join(", ")}.`;
  return new Refusal(makeProblem("provider-account-unclear", 422, "Which provider account", detail));
}
