import { makeProblem, Refusal } from "../kernel/problem.js";

/** Relay's arguments; lists of ours are read forward only. */
export interface ConnectionArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

export const page_items_max = 200;
const page_items_default = 50;

/**
 * A page of a list whose cursor is its items' id, read by a function that gives up to `limit` items after an id.
 * @throws Refusal 400 for a page backwards
 */
export async function forwardConnection<T extends { readonly id: string }>(
  args: ConnectionArguments,
  read: (page: { after?: string; limit: number }) => Promise<readonly T[]>,
) {
  const page = forwardPage(args, page_items_max);
  const found = await read({ ...page, limit: page.limit + 1 });
  const edges = found.slice(0, page.limit).map((node) => ({ cursor: node.id, node }));
  return {
    edges,
    pageInfo: {
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
      hasNextPage: found.length > page.limit,
      hasPreviousPage: page.after !== undefined,
    },
  };
}

/** @throws Refusal 400 for a page backwards */
export function forwardPage(args: ConnectionArguments, items_max: number): { after?: string; limit: number } {
  if (args.last != null || args.before != null) {
    const detail = "Use `first` and `after`, not `last` and `before`.";
    throw new Refusal(makeProblem("invalid-page", 400, "Pages go forward only", detail));
  }
  const limit = Math.min(Math.max(args.first ?? page_items_default, 1), items_max);
  return { limit, ...(args.after == null ? {} : { after: args.after }) };
}
