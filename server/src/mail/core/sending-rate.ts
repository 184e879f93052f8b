import { minute, type Instant } from "../../kernel/instant.js";
import type { OrganizationId } from "../../kernel/ids.js";

const organizations_max = 10_000;
/** So many mails go at once before the rate holds. */
const burst_mails = 20;

/** How many mails of an organization go out in a minute, in this process: evenly spaced, after a burst. */
export class SendingRate {
  readonly #spacing: number;
  /** When the next mail would be on time if all were evenly spaced. */
  readonly #next = new Map<OrganizationId, Instant>();

  constructor(perMinute: number) {
    this.#spacing = minute / perMinute;
  }

  /** Takes a place for one mail, and says how long to wait for it, in microseconds. */
  take(organization: OrganizationId, now: Instant): number {
    const next = Math.max(this.#next.get(organization) ?? now, now);
    this.#next.delete(organization);
    this.#forget(now);
    this.#next.set(organization, Math.ceil(next + this.#spacing) as Instant);
    return Math.max(0, Math.ceil(next - now - this.#spacing * (burst_mails - 1)));
  }

  #forget(now: Instant): void {
    if (this.#next.size < organizations_max) return;
    for (const [organization, next] of this.#next)
      if (next <= now || this.#next.size >= organizations_max) this.#next.delete(organization);
  }
}
