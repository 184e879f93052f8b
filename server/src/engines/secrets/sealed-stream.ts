import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { SealBroken } from "./errors.js";
import { key_id_bytes, type MasterKey } from "./master-key.js";

/*
 * A sealed file: version (1 byte), master key's id (8), salt (16), then chunks of 64 KiB (the last may be shorter, down to nothing),
 * each followed by its tag (16). The key is derived from the salt, so it is this file's alone, and nonces may be counted: seven zeros,
 * the chunk's number (4), and 1 for the last chunk or 0. A chunk that is left out, moved or repeated has another number, and a file cut at
 * a chunk's end has no last one (as in STREAM by Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
 */
const version = 2;
const salt_bytes = 16;
const head_bytes = 1 + key_id_bytes + salt_bytes;
const tag_bytes = 16;
export const chunk_bytes = 65_536;
const chunks_max = 2 ** 32;

export class SealingStream extends Transform {
  readonly #head: Buffer;
  readonly #key: Uint8Array;
  readonly #context: Buffer;
  readonly #chunks = new Chunks(chunk_bytes);
  #number = 0;

  constructor(master: MasterKey, purpose: string, context: string) {
    super();
    const salt = randomBytes(salt_bytes);
    this.#head = Buffer.concat([Buffer.of(version), master.id, salt]);
    this.#key = master.saltedSubkey(purpose, salt);
    this.#context = Buffer.from(context);
  }

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#chunks.add(bytes);
    // The last chunk is not known before the end: one that is full waits for what follows.
    for (let chunk = this.#chunks.takeFull(); chunk !== undefined; chunk = this.#chunks.takeFull()) {
      this.#seal(chunk, false);
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#seal(this.#chunks.takeRest(), true);
    done();
  }

  #seal(chunk: Buffer, isLast: boolean): void {
    if (this.#number === 0) this.push(this.#head);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(this.#number, isLast));
    cipher.setAAD(Buffer.concat([this.#head, this.#context]));
    this.#number += 1;
    this.push(Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]));
  }
}

export class OpeningStream extends Transform {
  readonly #keyOf: (id: Uint8Array) => MasterKey;
  readonly #purpose: string;
  readonly #context: Buffer;
  readonly #chunks = new Chunks(chunk_bytes + tag_bytes);
  #begun = Buffer.alloc(0);
  #opened: { readonly key: Uint8Array; readonly head: Buffer } | undefined;
  #number = 0;

  constructor(keyOf: (id: Uint8Array) => MasterKey, purpose: string, context: string) {
    super();
    this.#keyOf = keyOf;
    this.#purpose = purpose;
    this.#context = Buffer.from(context);
  }

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#chunks.add(this.#opened === undefined ? this.#begin(bytes) : bytes);
      for (let chunk = this.#chunks.takeFull(); chunk !== undefined; chunk = this.#chunks.takeFull()) {
        this.push(this.#open(chunk, false));
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      const rest = this.#open(this.#chunks.takeRest(), true);
      if (rest.length > 0) this.push(rest);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  /** @returns what follows the head */
  #begin(bytes: Buffer): Buffer {
    this.#begun = Buffer.concat([this.#begun, bytes]);
    if (this.#begun.length < head_bytes) return Buffer.alloc(0);
    const head = this.#begun.subarray(0, head_bytes);
    if (head[0] !== version) throw new SealBroken("the file is not one that Weir sealed");
    const master = this.#keyOf(head.subarray(1, 1 + key_id_bytes));
    this.#opened = { head, key: master.saltedSubkey(this.#purpose, head.subarray(1 + key_id_bytes)) };
    return this.#begun.subarray(head_bytes);
  }

  #open(chunk: Buffer, isLast: boolean): Buffer {
    if (this.#opened === undefined || chunk.length < tag_bytes)
      throw new SealBroken("the sealed file ends before its end");
    const { key, head } = this.#opened;
    const cipher = createDecipheriv("aes-256-gcm", key, nonceOf(this.#number, isLast));
    cipher.setAAD(Buffer.concat([head, this.#context]));
    cipher.setAuthTag(chunk.subarray(-tag_bytes));
    const plain = cipher.update(chunk.subarray(0, -tag_bytes));
    try {
      cipher.final();
    } catch {
      const where = isLast ? "last chunk" : `chunk ${this.#number}`;
      throw new SealBroken(`the sealed file was changed or cut, or is another's: its ${where} does not open`);
    }
    this.#number += 1;
    return plain;
  }
}

function nonceOf(number: number, isLast: boolean): Buffer {
  if (number >= chunks_max) throw new RangeError("a sealed file has at most 2³² chunks of 64 KiB");
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 7);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

/** Cuts what comes in into chunks of one size. Holds at most one chunk beside what was added last. */
class Chunks {
  readonly #size: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** A full chunk that something follows. */
  takeFull(): Buffer | undefined {
    if (this.#length <= this.#size) return undefined;
    const all = this.takeRest();
    const rest = all.subarray(this.#size);
    this.#parts = [rest];
    this.#length = rest.length;
    return all.subarray(0, this.#size);
  }

  takeRest(): Buffer {
    const [first] = this.#parts;
    const all = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return all;
  }
}
