import { hkdfSync } from "node:crypto";

export const key_bytes = 32;
export const key_id_bytes = 8;

// Purposes are few and stand in the code; the limit is against one that does not.
const subkeys_max = 1_000;

/** A master key: never used itself, only what is derived from it for one purpose each. */
export class MasterKey {
  /** Tells keys apart without telling the key. */
  readonly id: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #subkeys = new Map<string, Uint8Array>();

  /** @throws RangeError unless there are 32 bytes */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== key_bytes)
      throw new RangeError(`a master key has ${key_bytes} bytes, not ${bytes.length}`);
    this.#bytes = bytes;
    this.id = derive(bytes, new Uint8Array(), "weir master key id", key_id_bytes);
  }

  /** 16 hexadecimal digits. */
  get idText(): string {
    return Buffer.from(this.id).toString("hex");
  }

  /** The 32 bytes for one purpose, kept. */
  subkey(purpose: string): Uint8Array {
    const known = this.#subkeys.get(purpose);
    if (known !== undefined) return known;
    if (this.#subkeys.size >= subkeys_max) this.#subkeys.clear();
    const derived = derive(this.#bytes, new Uint8Array(), purpose, key_bytes);
    this.#subkeys.set(purpose, derived);
    return derived;
  }

  /** The 32 bytes for one purpose and one salt: a file has a key of its own. */
  saltedSubkey(purpose: string, salt: Uint8Array): Uint8Array {
    return derive(this.#bytes, salt, purpose, key_bytes);
  }
}

function derive(key: Uint8Array, salt: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, info, length));
}
