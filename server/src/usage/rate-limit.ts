import { second, type Instant } from "../kernel/instant.js";
import type { OrganizationId } from "../kernel/ids.js";

const organizations_max = 10_000;

interface Bucket {
  tokens: number;
  refilledAt: Instant;
}

/** A token bucket per organization: `perSecond` events a second, bursts of up to two seconds' worth. */
export class EventRateLimit {
  readonly #perSecond: number;
  readonly #buckets = new Map<OrganizationId, Bucket>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes `events` from the bucket; otherwise the seconds to wait (at least 1) and nothing is taken. */
  take(organization: OrganizationId, events: number, now: Instant): { waitSeconds: number } | undefined {
    const capacity = Math.max(this.#perSecond * 2, 10_000);
    const bucket = this.#buckets.get(organization) ?? this.#open(organization, capacity, now);
    const elapsed = Math.max(0, now - bucket.refilledAt) / second;
    bucket.tokens = Math.min(capacity, bucket.tokens + elapsed * this.#perSecond);
    bucket.refilledAt = now;
    if (bucket.tokens < events) {
      return { waitSeconds: Math.max(1, Math.ceil((events - bucket.tokens) / this.#perSecond)) };
    }
    bucket.tokens -= events;
    return undefined;
  }

  #open(organization: OrganizationId, capacity: number, now: Instant): Bucket {
    if (this.#buckets.size >= organizations_max) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    const bucket = { tokens: capacity, refilledAt: now };
    this.#buckets.set(organization, bucket);
    return bucket;
  }
}
