/** A posting that is in no block yet. */
export interface Unsealed {
  readonly id: string;
  /** Of the transaction that wrote it. */
  readonly xact: bigint;
  /** In microseconds since 1970. */
  readonly postedAt: number;
}

/** How many postings a block holds at most. */
export const block_postings_max = 4096;

/**
 * Cuts postings into blocks, by time: postings that came together, such as a file of a week's payments, so make blocks of a
 * few hours each, and few of them hold any one instant.
 *
 * @param all  whether the last block may be a small one; else what would be in it waits
 */
export function cutBlocks(
  unsealed: readonly Unsealed[],
  { all }: { readonly all: boolean },
): { readonly blocks: readonly (readonly Unsealed[])[]; readonly rest: readonly Unsealed[] } {
  const sorted = [...unsealed].sort(
    (one, other) => one.postedAt - other.postedAt || (one.id < other.id ? -1 : 1),
  );
  const blocks: Unsealed[][] = [];
  for (let first = 0; first < sorted.length; first += block_postings_max)
    blocks.push(sorted.slice(first, first + block_postings_max));
  const last = blocks.at(-1);
  if (all || last === undefined || last.length === block_postings_max) return { blocks, rest: [] };
  return { blocks: blocks.slice(0, -1), rest: last };
}
