import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { SealBroken } from "./errors.js";
import { key_id_bytes, type MasterKey } from "./master-key.js";
import { OpeningStream, SealingStream } from "./sealed-stream.js";
import type { Secrets } from "./secrets.js";

/*
 * A sealed item: version (1 byte), master key's id (8), nonce (12), ciphertext, tag (16). The nonce is random: of 2³² items under
 * one derived key, the chance that two share a nonce is below 2⁻³².
 */
const version = 1;
const nonce_bytes = 12;
const tag_bytes = 16;
const nonce_at = 1 + key_id_bytes;
const text_at = nonce_at + nonce_bytes;

export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

export interface KeyUse {
  /** Makes keyed hashes; the first key when left out. */
  readonly hashing?: MasterKey | undefined;
  /** Sees to it that the database knows the key that seals; called with each use. */
  readonly register?: (() => Promise<void>) | undefined;
}

/** @param keys  the first seals, all open */
export function createSecrets(keys: MasterKeys, use: KeyUse = {}): Secrets {
  const [sealing] = keys;
  const { hashing = sealing, register = () => Promise.resolve() } = use;
  const noteUse = () => {
    register().catch(() => undefined); // is logged, and tried again with the next use
  };
  const byId = new Map(keys.map((key) => [key.idText, key]));
  const keyOf = (id: Uint8Array): MasterKey => {
    const text = Buffer.from(id).toString("hex");
    const key = byId.get(text);
    if (key === undefined) throw new SealBroken(`the master key ${text}, which sealed this, is not given`);
    return key;
  };
  const secrets: Secrets = {
    ready: register,
    seal(plain, context) {
      noteUse();
      const nonce = randomBytes(nonce_bytes);
      const cipher = createCipheriv("aes-256-gcm", sealing.subkey(purposeOf(context)), nonce);
      const head = Buffer.concat([Buffer.of(version), sealing.id, nonce]);
      cipher.setAAD(authenticated(head.subarray(0, nonce_at), context));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([head, text, cipher.getAuthTag()]);
    },
    open(sealed, context) {
      if (sealed.length < text_at + tag_bytes || sealed[0] !== version)
        throw new SealBroken("these bytes are not what Weir seals");
      const key = keyOf(sealed.subarray(1, nonce_at)).subkey(purposeOf(context));
      const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(nonce_at, text_at));
      cipher.setAAD(authenticated(sealed.subarray(0, nonce_at), context));
      cipher.setAuthTag(sealed.subarray(-tag_bytes));
      const plain = cipher.update(sealed.subarray(text_at, -tag_bytes));
      try {
        cipher.final();
      } catch {
        throw new SealBroken(`what is sealed for ${context} was changed, or is another's`);
      }
      return plain;
    },
    openText: (sealed, context) => Buffer.from(secrets.open(sealed, context)).toString("utf8"),
    isCurrent: (sealed) => Buffer.compare(sealed.subarray(1, nonce_at), sealing.id) === 0,
    keyedHash(text, purpose) {
      noteUse();
      const mac = createHmac("sha256", hashing.subkey(`hash:${purpose}`));
      return mac.update(text).digest("hex");
    },
    sealingStream(context) {
      noteUse();
      return new SealingStream(sealing, purposeOf(context), context);
    },
    openingStream: (context) => new OpeningStream(keyOf, purposeOf(context), context),
  };
  return secrets;
}

function purposeOf(context: string): string {
  const [place = ""] = context.split(":", 1);
  if (place === "")
    throw new RangeError('a secret is sealed for a context such as "webhook_endpoints:org_…"');
  return `seal:${place}`;
}

function authenticated(head: Uint8Array, context: string): Buffer {
  return Buffer.concat([head, Buffer.from(context)]);
}
