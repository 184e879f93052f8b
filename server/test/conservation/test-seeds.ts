import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "./batch.js";
import type { PlayedSeed } from "./played-seed.js";
import { planOf } from "./seeded-plan.js";
import { describeHistory, shortestHistory } from "./shortest-history.js";

const at_once = 12;
/** How many of those that failed are looked into. */
const shortened_max = 2;

/**
 * docs/spec/conservation.md: twenty customers, their invoices and what goes wrong, as a seed decides; in half of the seeds Weir dies in the
 * middle. Plays these on one Weir that dies and lives again, then tests each. npm run test:conservation plays 200.
 */
export function testSeeds(seeds: readonly number[]): void {
  if (seeds.length === 0) {
    test("no seed is left for this quarter", () => {});
    return;
  }
  let batch: Batch;
  const played = new Map<number, PlayedSeed>();

  beforeAll(async () => {
    batch = await Batch.open();
    await batch.playAll(
      seeds.map((seed) => planOf(seed)),
      at_once,
      (one) => played.set(one.plan.seed, one),
    );
  }, 1_200_000);

  afterAll(async () => {
    await batch.close();
  });

  test.each(seeds)(
    "seed %i: at rest, nothing is lost and nothing came twice",
    async (seed) => {
      const came = played.get(seed);
      if (came === undefined) throw new Error("it was not played");
      if (came.violations.length === 0) return;
      const failedBefore = [...played.values()].filter(
        (one) => one.violations.length > 0 && one.plan.seed < seed,
      );
      const shown =
        failedBefore.length < shortened_max ? await shortestHistory(came, (plan) => batch.play(plan)) : came;
      expect.fail(`${describeHistory(shown)}\nPlay it again: npm run test:conservation -- --seeds ${seed}`);
    },
    1_200_000,
  );
}
