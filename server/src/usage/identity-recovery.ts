import type { RecoveredFrame, SegmentHooks } from "../engines/stream/index.js";
import { day, minute, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { contentFingerprint } from "./core/index.js";
import type { IdentityIndex } from "./identity-index/index.js";
import { readIdentities } from "./usage-body-reader.js";
import { usage_body_field } from "./usage-body.js";

const claim_lifetime = 35 * day;
const claim_fingerprint = "recover.";

/**
 * Ties the identity index to the life of segments: after a crash the identities of every frame still on disk are
 * remembered again, and a segment may go only when its identities are durable in the index.
 */
export function identityHooks(index: IdentityIndex, dedupWindow: number): SegmentHooks {
  return {
    recover(frame: RecoveredFrame) {
      if (frame.bodyField !== usage_body_field) return;
      const { events, claims } = readIdentities(frame.body);
      const expiresAt = (time: Instant) =>
        (Math.max(time, frame.receivedAt) + dedupWindow + 5 * minute) as Instant;
      for (const event of events) {
        const data = event.dataText === "" ? undefined : (JSON.parse(event.dataText) as JsonValue);
        const fingerprint = contentFingerprint(event.type, event.subject, data) ?? "";
        index.add(frame.segment, event.key, fingerprint, event.serverTime ? "never" : expiresAt(event.time));
      }
      for (const claim of claims) {
        index.add(frame.segment, claim, claim_fingerprint, (frame.receivedAt + claim_lifetime) as Instant);
      }
    },
    sealed: (segment) => index.flush(segment),
  };
}
