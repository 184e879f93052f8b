import { hour, minute, second, type Instant } from "../../kernel/instant.js";

/** Waits after each failure, from the specification of Standard Webhooks: ten attempts over some three days. */
export const waits: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** Chance makes a wait longer or shorter by up to so much, so that what failed together does not come back together. */
const jitter = 0.1;

/** The longest that a receiver can ask to be left alone for. */
export const retry_after_max = 24 * hour;

/**
 * When to try again.
 *
 * @param failures    since the delivery was begun, at least 1
 * @param retryAfter  what the receiver asked for, in microseconds: it makes a wait longer, never shorter
 * @param random      from 0 to 1
 * @returns           undefined when it was tried often enough
 */
export function nextAttempt(
  failures: number,
  { now, retryAfter = 0, random }: { now: Instant; retryAfter?: number | undefined; random: number },
): Instant | undefined {
  const wait = waits[failures - 1];
  if (wait === undefined) return undefined;
  const jittered = Math.round(wait * (1 - jitter + 2 * jitter * random));
  return (now + Math.max(jittered, Math.min(retryAfter, retry_after_max))) as Instant;
}

/** A Retry-After header (RFC 9110, 10.2.3), in seconds or as a date, as microseconds from now; undefined when it is neither. */
export function parseRetryAfter(text: string | undefined, now: Instant): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * second;
  if (!/^[A-Z][a-z]{2,8}, .{8,} GMT$/.test(text)) return undefined;
  const at_ms = Date.parse(text);
  return Number.isNaN(at_ms) ? undefined : Math.max(at_ms * 1000 - now, 0);
}
