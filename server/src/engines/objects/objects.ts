import type { Readable } from "node:stream";

/** What an object is, by its content before it was encrypted. */
export interface StoredObject {
  /** SHA-256, in hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface PutOptions {
  readonly bytesMax: number;
  /** Hears of each piece's length before it is written, and may throw. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Things of any size that are kept as they are under a name of ours: a key is lower-case words, digits, `_`, `-` and `.`,
 * with `/` between its parts ("settlement/org_…/stf_…"). An object never changes.
 */
export interface Objects {
  /**
   * Keeps what a stream gives; durable when it resolves, and nothing is left of one that fails. The same content again under
   * the key changes nothing. The stream is read to its end or left where it failed, never destroyed.
   * @throws ObjectDiffers for other content, ObjectTooLarge, ObjectsFull, or what the stream failed with
   */
  put(key: string, content: Readable, options: PutOptions): Promise<StoredObject>;
  /** As it was put; the stream fails where what is stored was changed. @throws ObjectMissing */
  get(key: string): Promise<Readable>;
  has(key: string): Promise<boolean>;
  /** One that is not there is deleted already. */
  delete(key: string): Promise<void>;
  /** The whole objects whose keys begin with these parts ("settlement/org_…"), in the order of their keys. */
  list(prefix: string): Promise<readonly string[]>;
}
