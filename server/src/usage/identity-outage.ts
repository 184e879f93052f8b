import type { Instant } from "../kernel/instant.js";
import type { IdentityIndex } from "./identity-index/index.js";
import { IdentityIndexDamaged, IdentityIndexUnavailable } from "./identity-index/index.js";

/**
 * Whether an event was seen before cannot be told, or could not be remembered: taking it in might count it twice.
 * Nothing was stored; the same request may be sent again. Answered with 503.
 */
export class IdentitiesUnavailable extends Error {
  override readonly name = "IdentitiesUnavailable";
  readonly retry = true;

  constructor(
    readonly reason: "identity_index_full" | "identity_index_damaged" | "identity_index_unavailable",
    readonly retryAfterSeconds: number,
    options?: ErrorOptions,
  ) {
    super(`identities cannot be decided (${reason})`, options);
  }
}

const full_retry_seconds = 5;
// A restart moves a damaged index aside; nothing sooner helps.
const damaged_retry_seconds = 30;
const unavailable_retry_seconds = 2;

/** @throws IdentitiesUnavailable while too many keys wait to be written */
export function requireRoom(index: IdentityIndex): void {
  if (index.pressure) throw new IdentitiesUnavailable("identity_index_full", full_retry_seconds);
}

/** index.find, whose outages are IdentitiesUnavailable. */
export function findIdentity(
  index: IdentityIndex,
  key: string,
  now: Instant,
): ReturnType<IdentityIndex["find"]> {
  try {
    return index.find(key, now);
  } catch (cause) {
    if (cause instanceof IdentityIndexDamaged)
      throw new IdentitiesUnavailable("identity_index_damaged", damaged_retry_seconds, { cause });
    if (cause instanceof IdentityIndexUnavailable)
      throw new IdentitiesUnavailable("identity_index_unavailable", unavailable_retry_seconds, { cause });
    throw cause;
  }
}
