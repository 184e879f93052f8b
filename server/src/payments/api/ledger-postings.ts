import type { GraphQLContext } from "../../graphql/builder.js";
import type { StoredPosting } from "../../ledger/index.js";

const postings_max = 200;

/** What something posted, oldest first: each movement of money is posted under the id of what caused it. */
export function postingsOf(
  { caller, services }: Pick<GraphQLContext, "caller" | "services">,
  reference: string,
): Promise<StoredPosting[]> {
  return services.ledger.postings(caller.organization, { reference, limit: postings_max });
}
