/**
 * Writes protobuf wire format into one growing buffer. Lengths of nested messages are written as padded
 * varints (legal wire format, read by ClickHouse), so that nothing is measured twice or copied.
 */
export class ProtoWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(initialBytes: number) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#at;
  }

  /** The bytes written so far; valid until the next write. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(15);
    this.#varint((field << 3) | 0);
    this.#varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  /** Omits ''. */
  string(field: number, value: string): void {
    if (value.length !== 0) this.element(field, value);
  }

  /** An element of a repeated string field: '' is written too. */
  element(field: number, value: string): void {
    const { length } = value;
    this.#reserve(15 + length * 3);
    this.#varint((field << 3) | 2);
    if (length < 43) {
      // Short text is nearly always ASCII; a loop beats the call into the runtime below some 50 characters.
      const buffer = this.#buffer;
      let at = this.#at + 1;
      for (let index = 0; index < length; index += 1) {
        const code = value.charCodeAt(index);
        if (code > 127) {
          at = this.#at + 1 + buffer.write(value, this.#at + 1, "utf8");
          break;
        }
        buffer[at] = code;
        at += 1;
      }
      buffer[this.#at] = at - this.#at - 1;
      this.#at = at;
      return;
    }
    const written = this.#buffer.write(value, this.#at + 4, "utf8");
    this.#paddedLength(this.#at, written);
    this.#at += 4 + written;
  }

  /** Bytes held as a latin1 string. */
  latin1(field: number, value: string): void {
    this.#reserve(15 + value.length);
    this.#varint((field << 3) | 2);
    this.#varint(value.length);
    this.#at += this.#buffer.write(value, this.#at, "latin1");
  }

  /** Opens a nested message; give its mark to `end`. */
  begin(field: number): number {
    this.#reserve(9);
    this.#varint((field << 3) | 2);
    this.#at += 4;
    return this.#at;
  }

  end(mark: number): void {
    this.#paddedLength(mark - 4, this.#at - mark);
  }

  /** A length below 2^28 in exactly four bytes. */
  #paddedLength(at: number, length: number): void {
    const buffer = this.#buffer;
    buffer[at] = (length & 0x7f) | 0x80;
    buffer[at + 1] = ((length >>> 7) & 0x7f) | 0x80;
    buffer[at + 2] = ((length >>> 14) & 0x7f) | 0x80;
    buffer[at + 3] = (length >>> 21) & 0x7f;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#buffer[this.#at++] = rest % 128 | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
