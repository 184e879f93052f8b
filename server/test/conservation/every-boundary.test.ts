import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Batch } from "./batch.js";
import type { Plan } from "./plan.js";
import type { PlayedSeed } from "./played-seed.js";
import { planOf } from "./seeded-plan.js";
import { describeHistory } from "./shortest-history.js";

/*
 * Three customers, and Weir dies at one await boundary after the other: at some of them, or at each with --soak
 * (npm run test:conservation -- --soak).
 */

const customers = 3;
const seeds = process.env["WEIR_SOAK"] === "1" ? [1, 2, 3, 4, 5] : [1];
const deaths_max = process.env["WEIR_SOAK"] === "1" ? Infinity : 10;
const at_once = 12;

let batch: Batch;

beforeAll(async () => {
  batch = await Batch.open();
});

afterAll(async () => {
  await batch.close();
});

describe.each(seeds)("seed %i", (seed) => {
  test("whatever boundary Weir dies at, nothing is lost and nothing came twice", async () => {
    const plan: Plan = { ...planOf(seed, customers), crashes: [] };
    const undisturbed = await batch.play(plan);
    expect(undisturbed.violations).toEqual([]);
    const boundaries = spread(undisturbed.boundaries, deaths_max);
    const played: PlayedSeed[] = [];
    await batch.playAll(
      boundaries.map((boundary) => ({ ...plan, crashes: [boundary] })),
      at_once,
      (one) => played.push(one),
    );
    expect(played).toHaveLength(boundaries.length);
    // What is at work at once is not the same each time, and a plan may come to its end before its boundary.
    const died = played.filter(({ plan: { crashes }, deaths }) =>
      deaths.some(({ boundary }) => boundary === crashes[0]),
    );
    expect(died.length).toBeGreaterThan(boundaries.length / 2);
    const broken = played.filter(({ violations }) => violations.length > 0);
    if (broken.length > 0) expect.fail(broken.slice(0, 3).map(describeHistory).join("\n\n"));
  }, 14_400_000);
});

/** At most so many of 1 to `last`, as far apart as they can be. */
function spread(last: number, most: number): number[] {
  const count = Math.min(last, most);
  return Array.from({ length: count }, (_, index) => Math.floor((index * last) / count) + 1);
}
