import type { RunSummary } from "./manifest.js";

/** Eight runs of a size become one: a key is rewritten log8(keys / 32,768) times, and some 20 runs hold 100 M keys. */
const runs_per_merge = 8;
const smallest_tier_keys = 32_768;
/** No merge makes a run larger than this (3.7 GB): the largest runs then expire as a whole. */
const merged_keys_max = 128 * 1024 * 1024;
/** Rewrite a run when this share of it has expired; below it the space is not worth the writing. */
const expired_share_min = 0.25;
const seconds_per_day = 86_400;

export function tierOf(keys: number): number {
  return keys <= smallest_tier_keys
    ? 0
    : Math.ceil(Math.log(keys / smallest_tier_keys) / Math.log(runs_per_merge));
}

/** The runs to merge next, of the smallest tier that has enough of them; none when all is well. */
export function chooseMerge(runs: readonly RunSummary[], busy: ReadonlySet<number>): RunSummary[] {
  const tiers = new Map<number, RunSummary[]>();
  for (const run of runs) {
    if (busy.has(run.id) || run.keys > merged_keys_max / runs_per_merge) continue;
    const tier = tierOf(run.keys);
    const members = tiers.get(tier);
    if (members === undefined) tiers.set(tier, [run]);
    else members.push(run);
  }
  for (const tier of [...tiers.keys()].sort((a, b) => a - b)) {
    const members = tiers.get(tier) ?? [];
    // Oldest first, so that what merges expires together.
    if (members.length >= runs_per_merge) return members.sort((a, b) => a.id - b.id).slice(0, runs_per_merge);
  }
  return [];
}

/** True when every key of the run has expired. */
export function hasExpired(run: RunSummary, expiredSeconds: number): boolean {
  return run.latestExpiry <= expiredSeconds;
}

/** True when enough of the run has expired to rewrite it. */
export function isWorthRewriting(run: RunSummary, expiredSeconds: number): boolean {
  const today = Math.floor(expiredSeconds / seconds_per_day);
  let expired = 0;
  for (const [day, keys] of run.days) if (day >= 0 && day < today) expired += keys;
  return expired > 0 && expired >= run.keys * expired_share_min;
}
