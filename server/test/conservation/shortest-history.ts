import { describePlan, describeStep, partOf, partsOf, type Plan } from "./plan.js";
import type { PlayedSeed } from "./played-seed.js";

/** How often a part of a plan is played in search of a shorter one. */
const plays_max = 80;

/**
 * The shortest part of a plan, as far as it was found, in which the same laws are broken: parts are left out, half of them at first,
 * then fewer and fewer. What died where depends on what else is under way, so a part is kept only when it failed when it was played.
 */
export async function shortestHistory(
  failed: PlayedSeed,
  play: (plan: Plan) => Promise<PlayedSeed>,
): Promise<PlayedSeed> {
  const laws = new Set(failed.violations.map(lawOf));
  let shortest = failed;
  let parts = partsOf(failed.plan);
  let plays = 0;
  for (let size = Math.ceil(parts.length / 2); size >= 1 && plays < plays_max; ) {
    const before = parts.length;
    for (let start = 0; start < parts.length && plays < plays_max; ) {
      const left = [...parts.slice(0, start), ...parts.slice(start + size)];
      plays += 1;
      const played = await play(partOf(failed.plan, new Set(left)));
      if (played.violations.some((violation) => laws.has(lawOf(violation)))) {
        shortest = played;
        parts = left;
      } else start += size;
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (parts.length === before) break;
  }
  return shortest;
}

/** What happened, for whoever has to find out why: to be replayed by its seed. */
export function describeHistory({ plan, outcomes, deaths, violations }: PlayedSeed): string {
  return [
    ...describePlan({ ...plan, steps: [], crashes: [] }),
    ...plan.steps.map((step) => {
      const came = outcomes.find((one) => one.step.number === step.number)?.came;
      return `${describeStep(step)}: ${came ?? "it did not come to an end"}`;
    }),
    ...deaths.map(({ place }) => `Weir died at ${place}`),
    ...violations.map((violation) => `broken: ${violation}`),
  ].join("\n");
}

/** A violation without ids and amounts. */
function lawOf(violation: string): string {
  return violation
    .split("\n", 1)[0]!
    .replaceAll(/\b[a-z]+_\w+/g, "…")
    .replaceAll(/-?\d+/g, "…");
}
