import { crc32c } from "@node-rs/crc32";
import type { AppendRequest } from "./signal-stream.js";
import { frame_bytes_max } from "./core/index.js";

/**
 * Collects frames for one write. The body is copied once, into the buffer that the disk gets; the buffer doubles
 * when full and is used again by a later group.
 */
export class FrameBuffer {
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes: number) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  /** The frames so far; valid until the next append or clear. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /**
   * Adds one frame. Nothing is added when it throws.
   * @returns its length in bytes
   * @throws RangeError when the frame is over its limit, or the organization's id is not plain ASCII below 128 bytes
   */
  append(request: AppendRequest, sequence: number, body: Uint8Array): number {
    const { organization, receivedAt, rowCounts, bodyField } = request;
    let countBytes = 0;
    for (const count of rowCounts) countBytes += varintBytes(count);
    if (organization.length > 127 || rowCounts.length > 12)
      throw new RangeError("the envelope's header is too long");
    const tag = bodyField * 8 + 2;
    const messageBytes =
      5 +
      (2 + organization.length) +
      (1 + varintBytes(sequence)) +
      (1 + varintBytes(receivedAt)) +
      (2 + countBytes) +
      varintBytes(tag) +
      varintBytes(body.length) +
      body.length;
    if (messageBytes > frame_bytes_max) {
      throw new RangeError(`an envelope of ${messageBytes} bytes is over the limit of ${frame_bytes_max}`);
    }
    const frameBytes = varintBytes(messageBytes) + messageBytes;
    const start = this.#length;
    this.#reserve(frameBytes);
    const buffer = this.#buffer;

    const message = writeVarint(buffer, start, messageBytes);
    let at = message + 5;
    buffer[at] = 0x12;
    buffer[at + 1] = organization.length;
    if (buffer.write(organization, at + 2, "utf8") !== organization.length) {
      throw new RangeError("an organization's id must be plain ASCII");
    }
    at += 2 + organization.length;
    buffer[at] = 0x18;
    at = writeVarint(buffer, at + 1, sequence);
    buffer[at] = 0x20;
    at = writeVarint(buffer, at + 1, receivedAt);
    buffer[at] = 0x32;
    buffer[at + 1] = countBytes;
    at += 2;
    for (const count of rowCounts) at = writeVarint(buffer, at, count);
    at = writeVarint(buffer, at, tag);
    at = writeVarint(buffer, at, body.length);
    buffer.set(body, at);
    const end = at + body.length;

    buffer[message] = 0x0d;
    buffer.writeUInt32LE(crc32c(buffer.subarray(message + 5, end)), message + 1);
    this.#length = end;
    return frameBytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    let size = this.#buffer.length;
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafe(size);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no unsigned integer`);
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function writeVarint(buffer: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80000000) {
    buffer[at] = rest % 128 | 0x80;
    rest = Math.floor(rest / 128);
    at += 1;
  }
  while (rest >= 0x80) {
    buffer[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  buffer[at] = rest;
  return at + 1;
}
