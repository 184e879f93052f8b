import type { SignalStream } from "../engines/stream/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { day, type Instant } from "../kernel/instant.js";
import type { IdentityIndex } from "./identity-index/index.js";
import { usage_body_field, type UsageBodyEncoder } from "./usage-body.js";

const claim_lifetime = 35 * day;

/** An identity that an envelope takes, so that it is not appended again, and what tells its kind from an event's. */
export interface Claim {
  readonly key: string;
  readonly fingerprint: string;
}

/** Appends an envelope that holds its claim, and waits until it is on disk; one that fails claims nothing. */
export async function appendClaimed(
  { stream, index }: { readonly stream: SignalStream; readonly index: IdentityIndex },
  organization: OrganizationId,
  { key, fingerprint }: Claim,
  encoder: UsageBodyEncoder,
  now: Instant,
): Promise<{ readonly sequence: number }> {
  const { sequence, segment, durable } = stream.append({
    organization,
    receivedAt: now,
    rowCounts: encoder.rowCounts,
    body: () => encoder.finish(),
    bodyField: usage_body_field,
  });
  index.add(segment, key, fingerprint, (now + claim_lifetime) as Instant);
  try {
    await durable;
  } catch (error) {
    index.remove(segment, [key]);
    throw error;
  }
  return { sequence };
}
