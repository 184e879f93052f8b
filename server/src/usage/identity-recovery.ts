import type { RecoveredFrame, SegmentHooks } from "../engines/stream/index.js";
import { day, minute, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Log } from "../kernel/log.js";
import { contentFingerprint } from "./core/index.js";
import type { IdentityIndex, IndexedKey } from "./identity-index/index.js";
import { readIdentities } from "./usage-body-reader.js";
import { usage_body_field } from "./usage-body.js";

const claim_lifetime = 35 * day;
const claim_fingerprint = "recover.";
const key_length = 16;

/**
 * Ties the identity index to the life of segments: after a crash the identities of every frame still on disk are
 * remembered again, and a segment may go only when its identities are durable in the index.
 */
export function identityHooks(index: IdentityIndex, dedupWindow: number, log: Log): SegmentHooks {
  return {
    recover(frame: RecoveredFrame) {
      if (frame.bodyField !== usage_body_field) return;
      let identities: readonly IndexedKey[];
      try {
        identities = identitiesOf(frame, dedupWindow);
      } catch (error) {
        // Its checksum holds, so it was written like this, and no insert will take it: it goes to quarantine, uncounted.
        // To fail here would keep Weir from starting for the sake of one envelope.
        log.error("an envelope cannot be read; its identities are not remembered", {
          organization: frame.organization,
          sequence: frame.sequence,
          error: String(error),
        });
        return;
      }
      for (const { key, fingerprint, expiresAt } of identities)
        index.add(frame.segment, key, fingerprint, expiresAt);
    },
    sealed: (segment) => index.flush(segment),
  };
}

/** @throws RangeError or SyntaxError when the body is not what ingest writes */
function identitiesOf({ body, receivedAt }: RecoveredFrame, dedupWindow: number): IndexedKey[] {
  const { events, claims } = readIdentities(body);
  const identities: IndexedKey[] = [];
  for (const { key, type, subject, dataText, time, serverTime } of events) {
    const data = dataText === "" ? undefined : (JSON.parse(dataText) as JsonValue);
    const fingerprint = contentFingerprint(type, subject, data);
    if (key.length !== key_length || fingerprint === undefined)
      throw new RangeError("not an event of ingest");
    const expiresAt = (Math.max(time, receivedAt) + dedupWindow + 5 * minute) as Instant;
    identities.push({ key, fingerprint, expiresAt: serverTime ? "never" : expiresAt });
  }
  for (const key of claims) {
    if (key.length !== key_length) throw new RangeError("not a claim of ingest");
    identities.push({
      key,
      fingerprint: claim_fingerprint,
      expiresAt: (receivedAt + claim_lifetime) as Instant,
    });
  }
  return identities;
}
