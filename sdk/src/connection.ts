import type { GraphQL } from "./graphql.js";

export interface Connection<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** What a query must select of a list beside `nodes`. */
export const pageInfo = "pageInfo { hasNextPage endCursor }";

/**
 * Every item of a list, page by page, as far as the caller reads.
 * @param query takes $after, and names the list `connection`
 */
export function nodesOf<T>(
  graphql: GraphQL,
  query: string,
  variables: object,
): AsyncGenerator<T, void, void> {
  return nodesOfPages(async (after) => {
    const answer = await graphql.run<{ readonly connection: Connection<T> }>(query, { ...variables, after });
    return answer.connection;
  });
}

/** As `nodesOf`, of a list wherever it stands in an answer. @param read gives the page behind a cursor; null when there is no list */
export async function* nodesOfPages<T>(
  read: (after: string | null) => Promise<Connection<T> | null>,
): AsyncGenerator<T, void, void> {
  let after: string | null = null;
  do {
    const page: Connection<T> | null = await read(after);
    if (page === null) return;
    yield* page.nodes;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
}
