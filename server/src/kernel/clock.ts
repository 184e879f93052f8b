import type { OrganizationId } from "./ids.js";
import { instantFromMs, type Instant } from "./instant.js";

/** Where "now" comes from; cores take `now` as an argument instead. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => instantFromMs(Date.now()) };

/** A clock that stands still until it is moved. */
export class FixedClock implements Clock {
  #now: Instant;

  constructor(now: Instant) {
    this.#now = now;
  }

  now(): Instant {
    return this.#now;
  }

  set(now: Instant): void {
    this.#now = now;
  }

  /** @param duration microseconds */
  advance(duration: number): void {
    this.#now = (this.#now + duration) as Instant;
  }
}

/** The clock of each organization: the system's, or its test clock. Whatever decides by an organization's time asks it. */
export interface Clocks {
  of(organization: OrganizationId): Clock;
  /** Whether it is a test clock: one that stands still, ahead of real time or behind it. */
  isTest(organization: OrganizationId): boolean;
}

/** One clock for all. */
export function sameClock(clock: Clock): Clocks {
  return { of: () => clock, isTest: () => false };
}
