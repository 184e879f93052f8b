import type { Instant } from "../../kernel/instant.js";
import { isSuccessful, status_gone } from "./endpoint-health.js";
import { nextAttempt, parseRetryAfter } from "./retry-schedule.js";

/** One try to deliver, as it ended. */
export interface AttemptResult {
  readonly at: Instant;
  readonly duration_ms: number;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** Why it is no success; undefined when it is. */
  readonly error: string | undefined;
  /** The beginning of the answer's body, as text. */
  readonly response: string | undefined;
  readonly retryAfter: string | undefined;
}

export type DeliveryState = "pending" | "succeeded" | "failed";

export interface DeliveryOutcome {
  readonly state: DeliveryState;
  readonly failures: number;
  /** Of one that is pending. */
  readonly nextAttemptAt: Instant | undefined;
}

/**
 * What becomes of a delivery by how an attempt ended. Tried again until the schedule is over; not at all after 410 Gone.
 *
 * @param failures  before it, since the delivery was begun or asked for again
 */
export function outcomeOf(
  failures: number,
  { status, retryAfter }: AttemptResult,
  { now, random }: { now: Instant; random: number },
): DeliveryOutcome {
  if (isSuccessful(status)) return { state: "succeeded", failures, nextAttemptAt: undefined };
  const failed = failures + 1;
  const next =
    status === status_gone
      ? undefined
      : nextAttempt(failed, { now, random, retryAfter: parseRetryAfter(retryAfter, now) });
  return next === undefined
    ? { state: "failed", failures: failed, nextAttemptAt: undefined }
    : { state: "pending", failures: failed, nextAttemptAt: next };
}
