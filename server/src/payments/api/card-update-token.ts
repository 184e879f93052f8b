import { timingSafeEqual } from "node:crypto";
import type { Secrets } from "../../engines/secrets/index.js";
import {
  idFromUuidBytes,
  uuidBytesOf,
  type CustomerId,
  type OrganizationId,
  type ProviderAccountId,
} from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";

/** What a card-update link lets its holder do: enter a card for this customer at this account, until it expires. */
export interface CardUpdateGrant {
  readonly organization: OrganizationId;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly expiresAt: Instant;
}

/*
 * base64url of: version (1 byte), the three ids' UUIDs (16 each), expiry in seconds since 1970 (6), HMAC-SHA256 of all that (32).
 * The key is derived from the master key for this purpose alone, so that nothing else that Weir signs passes for a link.
 */
const version = 1;
const id_bytes = 16;
const expiry_at = 1 + 3 * id_bytes;
const signature_at = expiry_at + 6;
const token_bytes = signature_at + 32;
const purpose = "card-update-link";

export function writeCardUpdateToken(secrets: Secrets, grant: CardUpdateGrant): string {
  const bytes = Buffer.alloc(token_bytes);
  bytes.writeUInt8(version, 0);
  [grant.organization, grant.customer, grant.account].forEach((id, index) =>
    bytes.set(uuidBytesOf(id), 1 + index * id_bytes),
  );
  bytes.writeUIntBE(Math.floor(msOf(grant.expiresAt) / 1000), expiry_at, 6);
  bytes.set(signatureOf(secrets, bytes.subarray(0, signature_at)), signature_at);
  return bytes.toString("base64url");
}

/** What a token grants, expired or not; undefined unless this Weir signed it. */
export function readCardUpdateToken(secrets: Secrets, token: string): CardUpdateGrant | undefined {
  const bytes = Buffer.from(token, "base64url");
  // One text for each grant: a token that was padded or has other characters between is not this one.
  if (bytes.length !== token_bytes || bytes.toString("base64url") !== token || bytes[0] !== version)
    return undefined;
  const signed = bytes.subarray(0, signature_at);
  if (!timingSafeEqual(signatureOf(secrets, signed), bytes.subarray(signature_at))) return undefined;
  const idAt = (index: number) => signed.subarray(1 + index * id_bytes, 1 + (index + 1) * id_bytes);
  return {
    organization: idFromUuidBytes("org", idAt(0)),
    customer: idFromUuidBytes("cus", idAt(1)),
    account: idFromUuidBytes("pac", idAt(2)),
    expiresAt: instantFromMs(signed.readUIntBE(expiry_at, 6) * 1000),
  };
}

function signatureOf(secrets: Secrets, signed: Buffer): Buffer {
  return Buffer.from(secrets.keyedHash(signed.toString("base64url"), purpose), "hex");
}
