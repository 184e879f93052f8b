import type { RetryPolicy } from "./workflow.js";

export const default_retry: RetryPolicy = { attemptsMax: 6, wait_ms: 200, wait_ms_max: 30_000 };

/**
 * Milliseconds to wait after the nth failure (from 1): doubled each time up to the maximum, of which chance takes away up to a
 * half, so that runs that failed together do not come back together.
 *
 * @param random  from 0 to 1
 */
export function backOff(policy: RetryPolicy, failures: number, random: number): number {
  const full = Math.min(policy.wait_ms * 2 ** Math.min(failures - 1, 40), policy.wait_ms_max);
  return Math.ceil(full * (1 - random / 2));
}
