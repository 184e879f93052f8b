/** The first thing in the books that is not what it was, or does not add up. */
export interface LedgerFault {
  readonly kind:
    | "block" // missing, or not what its hash says
    | "posting" // changed, missing, or not sealed though it is older than what is
    | "transfer" // changed, missing, or added
    | "sums" // what is kept is not what the transfers add up to
    | "month"; // what was closed is not what the transfers add up to
  readonly block?: number;
  readonly posting?: string;
  /** Of the posting in its block; with a transfer, of that in its posting. From 0. */
  readonly position?: number;
  readonly account?: string;
  /** What differs, in a sentence. */
  readonly message: string;
}

/** What the parts of a digest are over: the posting, then its transfers in their order. In hexadecimal, 64 digits each. */
const part_length = 64;

/**
 * What of a posting is not as it was sealed.
 *
 * @param sealed  its digest in its block
 * @param found   the digest of what is there; undefined when it is not
 */
export function compareDigests(
  at: { readonly block: number; readonly position: number; readonly posting: string },
  sealed: string,
  found: string | undefined,
): LedgerFault | undefined {
  const { block, position, posting } = at;
  const where = `posting ${posting}, number ${position} of block ${block},`;
  if (found === undefined)
    return { kind: "posting", block, posting, position, message: `${where} is missing` };
  const before = partsOf(sealed);
  const now = partsOf(found);
  const changed = before.findIndex((part, index) => part !== now[index]);
  if (changed === -1) {
    if (now.length === before.length) return undefined;
    const added = before.length - 1;
    const message = `${where} has a transfer at position ${added} that it was sealed without`;
    return { kind: "transfer", block, posting, position: added, message };
  }
  if (changed === 0) {
    const message = `${where} is not what was sealed: its key, reason, reference, time, or what it reverses or resolves was changed`;
    return { kind: "posting", block, posting, position, message };
  }
  const place = changed - 1;
  const message =
    now[changed] === undefined
      ? `${where} lacks its transfer at position ${place}`
      : `${where} has at position ${place} another transfer than the one that was sealed`;
  return { kind: "transfer", block, posting, position: place, message };
}

function partsOf(digest: string): string[] {
  return Array.from({ length: digest.length / part_length }, (_, index) =>
    digest.slice(index * part_length, (index + 1) * part_length),
  );
}
