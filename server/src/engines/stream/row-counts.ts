/** Adds counts per table; tables that one side does not know count 0 there. */
export function addRowCounts(sums: number[], counts: readonly number[]): void {
  for (let table = 0; table < counts.length; table += 1) {
    sums[table] = (sums[table] ?? 0) + (counts[table] ?? 0);
  }
}

export function sameRowCounts(left: readonly number[], right: readonly number[]): boolean {
  for (let table = 0; table < Math.max(left.length, right.length); table += 1) {
    if ((left[table] ?? 0) !== (right[table] ?? 0)) return false;
  }
  return true;
}
