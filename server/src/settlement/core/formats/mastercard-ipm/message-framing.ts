import { FileRefused } from "../../file-refused.js";
import { limits } from "../../settlement-format.js";

/** A 1014 block is 1012 bytes of data and two of filler. */
export const block_data_bytes = 1012;
const block_filler_bytes = 2;
export const block_bytes = block_data_bytes + block_filler_bytes;
/** What blocks are filled with, in either encoding. */
const filler = 0x40;
const filler_length = 0x40404040;

const length_bytes = 4;
/** A message's type and its bitmap. */
export const message_bytes_min = 20;
/** So much is looked at to tell whether the file is blocked. */
const framing_head_bytes = 8 * block_bytes;

const again = "Fetch the file again, in binary mode";

export type TextEncoding = "ASCII" | "EBCDIC";

/** One message as its bytes are; `byte` is where its length stands in the file. */
export type OnMessage = (bytes: Buffer, number: number, byte: number) => void;

/**
 * Takes the messages out of a file: each with its length in four bytes before it (VBS), a length of zero at the end; with or without 1014
 * blocks around. Whether there are blocks is told by where the messages then begin.
 */
export class MessageFraming {
  readonly #onMessage: OnMessage;
  /** Until it is known whether the file is blocked, its beginning. */
  #head: Buffer = Buffer.alloc(0);
  #blocked: boolean | undefined;
  /** Bytes of the current block that came before. */
  #inBlock = 0;
  /** Data without filler that belongs to no whole message yet. */
  #data: Buffer = Buffer.alloc(0);
  /** Data bytes before `#data`. */
  #consumed = 0;
  #messages = 0;
  #ended = false;

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage;
  }

  get blocked(): boolean {
    return this.#blocked ?? false;
  }

  get messages(): number {
    return this.#messages;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#blocked !== undefined) {
      this.#read(bytes);
      return;
    }
    // A copy: the chunk is the caller's to overwrite.
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= framing_head_bytes) this.#begin();
  }

  /** @throws FileRefused when the file ends before its end mark, or within a block */
  end(): void {
    if (this.#blocked === undefined) this.#begin();
    if (this.#blocked === true && this.#inBlock > 0) {
      throw this.#refuse(
        "block",
        `the last block has ${this.#inBlock} of ${block_bytes} bytes: the file is cut short`,
      );
    }
    if (!this.#ended) {
      const detail =
        this.#data.length === 0
          ? "the file ends without its end mark, a length of zero"
          : `the file ends within a message, ${this.#data.length} bytes into it`;
      throw this.#refuse("length", detail);
    }
  }

  #begin(): void {
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    this.#blocked = isBlocked(head);
    this.#read(head);
  }

  #read(bytes: Buffer): void {
    const data = this.#blocked === true ? this.#unblocked(bytes) : bytes;
    if (this.#ended) {
      this.#readAfterEnd(data);
      return;
    }
    let rest = this.#data.length === 0 ? data : Buffer.concat([this.#data, data]);
    let at = 0;
    while (rest.length - at >= length_bytes) {
      const length = rest.readUInt32BE(at);
      if (length === 0) {
        this.#ended = true;
        this.#data = Buffer.alloc(0);
        this.#readAfterEnd(rest.subarray(at + length_bytes));
        return;
      }
      this.#requireLength(length);
      if (rest.length - at < length_bytes + length) break;
      this.#messages += 1;
      this.#onMessage(
        rest.subarray(at + length_bytes, at + length_bytes + length),
        this.#messages,
        this.#byteOf(at),
      );
      at += length_bytes + length;
    }
    this.#consumed += at;
    rest = rest.subarray(at);
    this.#data = Buffer.from(rest);
  }

  /** The data of blocks, without the filler that follows each. */
  #unblocked(bytes: Buffer): Buffer {
    const data = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#inBlock < block_data_bytes) {
        const take = Math.min(block_data_bytes - this.#inBlock, bytes.length - at);
        length += bytes.copy(data, length, at, at + take);
        this.#inBlock += take;
        at += take;
        continue;
      }
      if (bytes[at] !== filler) {
        const found = (bytes[at] ?? 0).toString(16).padStart(2, "0");
        throw this.#refuse("block", `a block ends with x'${found}' where its filler x'40' should be`);
      }
      this.#inBlock = (this.#inBlock + 1) % block_bytes;
      at += 1;
    }
    return data.subarray(0, length);
  }

  #readAfterEnd(data: Buffer): void {
    if (this.#blocked !== true && data.length > 0) {
      throw this.#refuse("length", "there are bytes after the end mark, a length of zero");
    }
    for (const byte of data) {
      if (byte !== filler)
        throw this.#refuse("block", "there are bytes other than filler x'40' after the end mark");
    }
  }

  #requireLength(length: number): void {
    if (length >= message_bytes_min && length <= limits.record_bytes_max) return;
    if (length === filler_length) {
      throw this.#refuse(
        "length",
        "filler follows the last message where the end mark, a length of zero, should be",
      );
    }
    throw this.#refuse(
      "length",
      `a message's length is ${length}: they have ${message_bytes_min} to ${limits.record_bytes_max} bytes`,
    );
  }

  /** Where a place of the current data stands in the file. */
  #byteOf(at: number): number {
    const data = this.#consumed + at;
    return this.#blocked === true ? data + Math.floor(data / block_data_bytes) * block_filler_bytes : data;
  }

  #refuse(field: string, detail: string): FileRefused {
    return new FileRefused({ record: this.#messages + 1, field, detail, advice: again });
  }
}

/** The encoding of a message's type, four digits of which the first is 1; undefined for other bytes. */
export function encodingOf(message: Uint8Array, at = 0): TextEncoding | undefined {
  const isAscii = (byte: number) => byte >= 0x30 && byte <= 0x39;
  const isEbcdic = (byte: number) => byte >= 0xf0 && byte <= 0xf9;
  const type = message.subarray(at, at + 4);
  if (type.length < 4) return undefined;
  if (type[0] === 0x31 && type.every(isAscii)) return "ASCII";
  return type[0] === 0xf1 && type.every(isEbcdic) ? "EBCDIC" : undefined;
}

/** Whether a file begins with a message of IPM: its length, type, and a bitmap of two parts. */
export function beginsWithMessage(head: Uint8Array): boolean {
  if (head.length < length_bytes + message_bytes_min) return false;
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
  const fits = length >= message_bytes_min && length <= limits.record_bytes_max;
  return fits && encodingOf(head, length_bytes) !== undefined && ((head[8] ?? 0) & 0x80) !== 0;
}

/**
 * Whether a file is blocked, by its beginning: the reading under which messages follow each other further. A pair of x'40' where a block
 * would end proves nothing, since it is two spaces in EBCDIC and "@@" in ASCII; it decides where neither reading leads anywhere.
 */
function isBlocked(head: Buffer): boolean {
  const plain = messagesIn(head);
  const unblocked: Buffer[] = [];
  for (let at = 0; at < head.length; at += block_bytes)
    unblocked.push(head.subarray(at, at + block_data_bytes));
  const blocked = messagesIn(Buffer.concat(unblocked));
  if (plain.broken !== blocked.broken) return plain.broken;
  if (plain.ended !== blocked.ended) return blocked.ended;
  if (plain.ended && plain.rest !== blocked.rest) return plain.rest > 0;
  return (
    head.length >= block_bytes && head[block_data_bytes] === filler && head[block_data_bytes + 1] === filler
  );
}

/** Follows the messages of data: whether they lead to where none is, to the end mark, and how much comes after that. */
function messagesIn(data: Buffer): { broken: boolean; ended: boolean; rest: number } {
  let at = 0;
  while (data.length - at >= length_bytes) {
    const length = data.readUInt32BE(at);
    if (length === 0) return { broken: false, ended: true, rest: data.length - at - length_bytes };
    if (length < message_bytes_min || length > limits.record_bytes_max)
      return { broken: true, ended: false, rest: 0 };
    const begun = at + length_bytes;
    if (data.length - begun >= 4 && encodingOf(data, begun) === undefined)
      return { broken: true, ended: false, rest: 0 };
    at = begun + length;
  }
  return { broken: false, ended: false, rest: 0 };
}
