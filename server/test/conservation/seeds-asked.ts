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
