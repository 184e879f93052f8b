import { second, type Instant } from "../../kernel/instant.js";

/** How many may begin now, as of an instant: at most what one second gives. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: Instant;
}

export function fullBucket(ratePerSecond: number, now: Instant): TokenBucket {
  return { tokens: ratePerSecond, at: now };
}

/** The bucket as it has filled since. A clock that went back gives nothing. */
export function refilled(bucket: TokenBucket, ratePerSecond: number, now: Instant): TokenBucket {
  const gained = (Math.max(now - bucket.at, 0) / second) * ratePerSecond;
  return { tokens: Math.min(bucket.tokens + gained, ratePerSecond), at: now };
}

export function taken(bucket: TokenBucket, count: number): TokenBucket {
  return { ...bucket, tokens: bucket.tokens - count };
}

/** Microseconds until one may begin; 0 when one may now. */
export function untilNext({ tokens }: TokenBucket, ratePerSecond: number): number {
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / ratePerSecond) * second);
}
