import { UsageError, type CliContext } from "./context.js";

interface Versions<T> {
  readonly versions: {
    readonly nodes: readonly T[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const page_size = 50;

/**
 * Up to `limit` versions of a plan or an add-on, oldest first, page by page.
 * @throws UsageError when there is no such plan or add-on
 */
export async function versionsOf<T>(
  context: CliContext,
  { field, noun, idOrKey }: { field: "plan" | "addOn"; noun: "plan" | "add-on"; idOrKey: string },
  selection: string,
  limit: number,
): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = null; ; ) {
    const { sold }: { sold: Versions<T> | null } = await context.weir.graphql.run<{
      sold: Versions<T> | null;
    }>(
      `query ($key: String!, $first: Int, $after: String) { sold: ${field}(idOrKey: $key) { versions(first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } } }`,
      { key: idOrKey, first: Math.min(limit - found.length, page_size), after },
    );
    if (sold === null) throw new UsageError(`there is no ${noun} "${idOrKey}"; weir ${noun}s list`);
    found.push(...sold.versions.nodes);
    after = sold.versions.pageInfo.endCursor;
    if (!sold.versions.pageInfo.hasNextPage || found.length >= limit) return found;
  }
}
