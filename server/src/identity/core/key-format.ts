import { crc32 } from "node:zlib";
import { idFromUuidBytes, uuidBytesOf, type OrganizationId } from "../../kernel/ids.js";
import { decodeBase58, encodeBase58 } from "./base58.js";

/** ingest: may only send usage and telemetry. read: may only read. secret: may do everything in its organization. */
export type KeyKind = "ingest" | "secret" | "read";

/** What a key says of itself. */
export interface KeyParts {
  readonly kind: KeyKind;
  readonly organization: OrganizationId;
}

const random_bytes = 16;
const form = /^(weir_(ingest|secret|read)_([1-9A-HJ-NP-Za-km-z]{32,44}))_([0-9a-f]{8})$/;

/**
 * weir_<kind>_<base58 of the organization's 16 bytes and 16 random ones>_<crc32 of what precedes, in hex>. The organization
 * lets a router find its cell without a look-up; the checksum lets a scanner tell a leaked key from look-alikes.
 *
 * @throws RangeError unless there are 16 random bytes
 */
export function formatKey(kind: KeyKind, organization: OrganizationId, random: Uint8Array): string {
  if (random.length !== random_bytes)
    throw new RangeError(`a key has ${random_bytes} random bytes, not ${random.length}`);
  const body = `weir_${kind}_${encodeBase58(Buffer.concat([uuidBytesOf(organization), random]))}`;
  return `${body}_${checksum(body)}`;
}

/** @returns undefined when the text is no such key, or one with a slip in it; that it exists is not said */
export function parseKey(text: string): KeyParts | undefined {
  const [, body, kind, encoded, crc] = form.exec(text) ?? [];
  if (body === undefined || encoded === undefined || checksum(body) !== crc) return undefined;
  if (kind !== "ingest" && kind !== "secret" && kind !== "read") return undefined;
  const bytes = decodeBase58(encoded, 16 + random_bytes);
  return bytes === undefined
    ? undefined
    : { kind, organization: idFromUuidBytes("org", bytes.subarray(0, 16)) };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
