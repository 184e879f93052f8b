import type { Transform } from "node:stream";

/**
 * What rests encrypted, by AES-256-GCM under keys derived from the master key. `context` says whose secret it is and where it
 * stands, such as "webhook_endpoints:org_…:whe_…": it is authenticated, so that a sealed secret copied to another row does not
 * open there. What stands before its first colon chooses the derived key.
 */
export interface Secrets {
  /**
   * Resolves once the database knows the master key that seals, so that no start with another one can come between: to be awaited before
   * something is sealed that is kept. Sealing without it registers the key a moment later.
   * @throws MasterKeyUnusable when another process has sealed with a key that is not given here
   */
  ready(): Promise<void>;
  /** @throws RangeError without a context */
  seal(plain: Uint8Array | string, context: string): Uint8Array;
  /** @throws SealBroken */
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** What was sealed as text. @throws SealBroken */
  openText(sealed: Uint8Array, context: string): string;
  /** Whether it was sealed with the first master key: if not, sealing it anew lets an older key go one day. */
  isCurrent(sealed: Uint8Array): boolean;

  /**
   * HMAC-SHA256 in hexadecimal: the same text and purpose give the same hash, for good, also after another master key has come
   * first. For looking up what must not be kept, such as a card's number.
   */
  keyedHash(text: string, purpose: string): string;

  /** Seals a file of any size as it passes, 64 KiB at a time. */
  sealingStream(context: string): Transform;
  /**
   * Opens it as it passes; each chunk is checked before it goes on. A file that was cut, or whose chunks were changed, swapped or
   * repeated, ends in SealBroken, maybe after what came before was given out: what is made of it counts once the stream has
   * ended well.
   */
  openingStream(context: string): Transform;
}
