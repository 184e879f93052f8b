/** @returns the seeds that WEIR_SEEDS asks for, `17` or `1-200`; without it those given @throws when it says something else */
export function seedsAsked({ from, to }: { readonly from: number; readonly to: number }): number[] {
  const asked = process.env["WEIR_SEEDS"];
  if (asked === undefined) return range(from, to);
  const found = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(asked);
  const first = Number(found?.[1]);
  const last = Number(found?.[2] ?? first);
  if (found === null || last < first || last - first >= seeds_max)
    throw new Error(`WEIR_SEEDS=${asked}: 17, or 1-200, at most ${seeds_max} seeds`);
  return range(first, last);
}

const seeds_max = 10_000;

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Every fourth of them: several processes play them, and a process that lived too often is slow. @param quarter  1 to 4 */
export function quarterOf(seeds: readonly number[], quarter: 1 | 2 | 3 | 4): number[] {
  return seeds.filter((_, index) => index % 4 === quarter - 1);
}
