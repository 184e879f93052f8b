import { isUtf8 } from "node:buffer";

/** Checks bytes for UTF-8 as they come, in pieces that may end within a character. */
export class Utf8Check {
  #rest = Buffer.alloc(0);

  /** @returns whether all so far can be UTF-8 */
  push(chunk: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = wholeLength(bytes);
    this.#rest = Buffer.from(bytes.subarray(whole));
    return isUtf8(bytes.subarray(0, whole));
  }

  /** Whether it ended with a whole character. */
  get complete(): boolean {
    return this.#rest.length === 0;
  }
}

/** Without the beginning of a character at the end, which has 1 to 3 bytes. */
function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
