import type { GraphQL } from "./graphql.js";

interface Connection<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** What a query must select of a list beside `nodes`. */
export const pageInfo = "pageInfo { hasNextPage endCursor }";

/**
 * Every item of a list, page by page, as far as the caller reads.
 * @param query takes $after, and names the list `connection`
 */
export async function* nodesOf<T>(
  graphql: GraphQL,
  query: string,
  variables: object,
): AsyncGenerator<T, void, void> {
  let after: string | null = null;
  do {
    const answer: { readonly connection: Connection<T> } = await graphql.run(query, { ...variables, after });
    yield* answer.connection.nodes;
    const { hasNextPage, endCursor } = answer.connection.pageInfo;
    after = hasNextPage ? endCursor : null;
  } while (after !== null);
}
