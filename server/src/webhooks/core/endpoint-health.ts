import { day, type Instant } from "../../kernel/instant.js";
import { onAttemptEnded, type Breaker } from "./breaker.js";

/** How an endpoint has answered lately. */
export interface EndpointHealth {
  readonly breaker: Breaker;
  /** Since the first failure behind the last success. */
  readonly failingSince: Instant | undefined;
}

export type DisabledReason = "by_hand" | "gone" | "failing";

/** An endpoint that only failed for so long is disabled. */
export const failing_max = 5 * day;
export const status_gone = 410;

/** @returns how it stands after an attempt, and why to disable it if it is to be */
export function afterAttempt(
  { breaker, failingSince }: EndpointHealth,
  status: number | undefined,
  now: Instant,
): { readonly health: EndpointHealth; readonly disable: "gone" | "failing" | undefined } {
  const isSuccess = isSuccessful(status);
  const since = isSuccess ? undefined : (failingSince ?? now);
  const health = { breaker: onAttemptEnded(breaker, isSuccess, now), failingSince: since };
  if (status === status_gone) return { health, disable: "gone" };
  return { health, disable: since !== undefined && now - since >= failing_max ? "failing" : undefined };
}

/** 2xx, and nothing else: a redirect is not followed. */
export function isSuccessful(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
