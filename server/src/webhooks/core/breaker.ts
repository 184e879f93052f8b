import { hour, minute, type Instant } from "../../kernel/instant.js";

/**
 * An endpoint's circuit breaker. Closed, everything is delivered. Open, nothing is, except what a person asks for. When `until` has
 * come it is half open: one delivery at a time is tried, and decides. Deliveries wait meanwhile, and lose no attempt.
 */
export interface Breaker {
  /** One after the other. */
  readonly failures: number;
  /** One after the other, without a success in between; 0 when closed. */
  readonly openings: number;
  /** Undefined when closed. */
  readonly until: Instant | undefined;
}

export const closed_breaker: Breaker = { failures: 0, openings: 0, until: undefined };

export const failures_to_open = 5;
const open_first = minute;
const open_max = hour;

export type BreakerPhase = "closed" | "open" | "half_open";

export function phaseOf({ until }: Breaker, now: Instant): BreakerPhase {
  if (until === undefined) return "closed";
  return now < until ? "open" : "half_open";
}

/** What becomes of a breaker by how an attempt ended. */
export function onAttemptEnded(breaker: Breaker, isSuccess: boolean, now: Instant): Breaker {
  if (isSuccess) return closed_breaker;
  const failures = breaker.failures + 1;
  switch (phaseOf(breaker, now)) {
    case "closed":
      return failures < failures_to_open ? { ...breaker, failures } : opened(failures, 1, now);
    // Begun before it opened, or by hand: it says nothing about whether to wait longer.
    case "open":
      return { ...breaker, failures };
    case "half_open":
      return opened(failures, breaker.openings + 1, now);
  }
}

/** Ready to be tried at once: somebody has mended the endpoint, or says so. */
export function halfOpened(breaker: Breaker, now: Instant): Breaker {
  return breaker.until === undefined || breaker.until <= now ? breaker : { ...breaker, until: now };
}

/** How many attempts may begin: of what waits, and of what people asked for. */
export function allowance(
  breaker: Breaker,
  { now, inFlight, room }: { now: Instant; inFlight: number; room: number },
): { readonly waiting: number; readonly byHand: number } {
  const waiting = { closed: room, open: 0, half_open: inFlight === 0 ? Math.min(1, room) : 0 };
  return { waiting: waiting[phaseOf(breaker, now)], byHand: room };
}

function opened(failures: number, openings: number, now: Instant): Breaker {
  const wait = Math.min(open_first * 2 ** Math.min(openings - 1, 30), open_max);
  return { failures, openings, until: (now + wait) as Instant };
}
