/** Numbers that a series lacks: from one to another, both included. */
export interface SequenceGap {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * What a number that arrives does to the gaps of its series, given its neighbours: the one it falls into ends, and what is
 * left of it on either side begins. The first file of a series begins it, whatever its number.
 */
export function gapsAround(
  number: bigint,
  { previous, next }: { readonly previous: bigint | undefined; readonly next: bigint | undefined },
): { readonly ended: SequenceGap | undefined; readonly begun: readonly SequenceGap[] } {
  const gap = (after: bigint | undefined, before: bigint | undefined): SequenceGap[] =>
    after === undefined || before === undefined || before - after < 2n
      ? []
      : [{ from: after + 1n, to: before - 1n }];
  const [ended] = gap(previous, next);
  return { ended, begun: [...gap(previous, number), ...gap(number, next)] };
}
