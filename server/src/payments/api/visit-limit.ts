export interface VisitLimitOptions {
  /** At once; one more each `refill_ms`. */
  readonly burst: number;
  readonly refill_ms: number;
  /** Visitors remembered; the one that came first is forgotten for another. */
  readonly visitors_max: number;
  /** Real time in milliseconds. */
  readonly now_ms?: () => number;
}

/** A token bucket for each visitor. */
export class VisitLimit {
  readonly #options: Required<VisitLimitOptions>;
  readonly #visitors = new Map<string, { tokens: number; filledAt_ms: number }>();

  constructor(options: VisitLimitOptions) {
    this.#options = { now_ms: Date.now, ...options };
  }

  /** Counts a visit. @returns 0 when it is let through, otherwise after how many milliseconds to come again */
  visit(visitor: string): number {
    const { burst, refill_ms, visitors_max, now_ms } = this.#options;
    const now = now_ms();
    const known = this.#visitors.get(visitor) ?? { tokens: burst, filledAt_ms: now };
    const tokens = Math.min(burst, known.tokens + Math.max(0, now - known.filledAt_ms) / refill_ms);
    // Taken out and put in again, so that those who came last are remembered longest.
    this.#visitors.delete(visitor);
    this.#visitors.set(visitor, { tokens: tokens < 1 ? tokens : tokens - 1, filledAt_ms: now });
    const [oldest] = this.#visitors.keys();
    if (this.#visitors.size > visitors_max && oldest !== undefined) this.#visitors.delete(oldest);
    return tokens < 1 ? Math.ceil((1 - tokens) * refill_ms) : 0;
  }
}
