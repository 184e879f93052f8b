import type { GraphQLContext } from "../../graphql/builder.js";
import type { StoredPosting } from "../../ledger/index.js";

const postings_max = 200;
/** What causes postings has a handful of them. */
export const postingsComplexity = { field: 10, multiplier: 3 };

/**
 * What something posted, oldest first: each movement of money is posted under the id of what caused it. Those of one time are
 * in the order of their reasons.
 */
export async function postingsOf(
  { caller, services }: Pick<GraphQLContext, "caller" | "services">,
  reference: string,
): Promise<StoredPosting[]> {
  const found = await services.ledger.postings(caller.organization, { reference, limit: postings_max });
  return found.sort((one, other) => one.postedAt - other.postedAt || (one.reason < other.reason ? -1 : 1));
}
