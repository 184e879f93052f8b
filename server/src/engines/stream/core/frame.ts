import { crc32c } from "@node-rs/crc32";
import type { Instant } from "../../../kernel/instant.js";
import type { OrganizationId } from "../../../kernel/ids.js";
import { frame_bytes_max } from "./limits.js";

/** An Envelope as it was appended. `body` is a view of the scanned bytes. */
export interface Frame {
  readonly sequence: number;
  readonly organization: OrganizationId;
  readonly receivedAt: Instant;
  readonly rowCounts: readonly number[];
  readonly body: Uint8Array;
  readonly bodyField: number;
}

export type FrameReading =
  | { readonly kind: "frame"; readonly frame: Frame; readonly end: number }
  /** `end` is where the frame would end if its length can be believed: see readFrame. */
  | { readonly kind: "damaged"; readonly reason: string; readonly end: number | undefined };

/** The tag of field 1, fixed32: what every frame has right behind its length. */
const crc_tag = 0x0d;
const message_bytes_min = 5;

/**
 * Reads the frame at `offset`. A damaged frame still yields an `end` when its length agrees with the fields inside:
 * the length prefix and the length of the body are two witnesses, and damage that changes both alike would have to be aimed.
 */
export function readFrame(bytes: Uint8Array, offset: number): FrameReading {
  const length = readVarint(bytes, offset, bytes.length);
  if (length === undefined) return damaged("the length is cut off or no varint");
  const start = length.end;
  if (length.value < message_bytes_min) return damaged("the length is below that of a checksum");
  if (length.value > frame_bytes_max) return damaged(`the length is over ${frame_bytes_max} bytes`);
  const end = start + length.value;
  if (end > bytes.length) return damaged("the frame is cut off");

  const frame = parseEnvelope(bytes, start + message_bytes_min, end);
  const witnessed = frame === undefined ? undefined : end;
  if (bytes[start] !== crc_tag) return damaged("the checksum is missing", witnessed);
  const expected = readFixed32(bytes, start + 1);
  if (crc32c(bytes.subarray(start + message_bytes_min, end)) !== expected) {
    return damaged("the checksum does not match", witnessed);
  }
  if (frame === undefined) return damaged("the checksum matches but the fields are none of an envelope");
  return { kind: "frame", frame, end };
}

/** Yields frames in order and ends at the first byte that is no whole, sound frame. */
export function* scanFrames(bytes: Uint8Array): Generator<Frame, void, undefined> {
  let offset = 0;
  while (offset < bytes.length) {
    const reading = readFrame(bytes, offset);
    if (reading.kind === "damaged") return;
    yield reading.frame;
    offset = reading.end;
  }
}

function damaged(reason: string, end?: number): FrameReading {
  return { kind: "damaged", reason, end };
}

/** Fields 2… of an Envelope; undefined unless the fields end exactly at `end` and the required ones are there. */
function parseEnvelope(bytes: Uint8Array, from: number, end: number): Frame | undefined {
  let organization: string | undefined;
  let sequence = 0;
  let receivedAt = 0;
  let body: Uint8Array | undefined;
  let bodyField = 0;
  const rowCounts: number[] = [];

  let offset = from;
  while (offset < end) {
    const tag = readVarint(bytes, offset, end);
    if (tag === undefined) return undefined;
    offset = tag.end;
    const field = Math.floor(tag.value / 8);
    switch (tag.value % 8) {
      case 0: {
        const value = readVarint(bytes, offset, end);
        if (value === undefined) return undefined;
        if (field === 3) sequence = value.value;
        else if (field === 4) receivedAt = value.value;
        else if (field === 6) rowCounts.push(value.value);
        offset = value.end;
        break;
      }
      case 1:
        offset += 8;
        break;
      case 2: {
        const length = readVarint(bytes, offset, end);
        if (length === undefined || length.end + length.value > end) return undefined;
        const valueEnd = length.end + length.value;
        if (field === 2) organization = decodeText(bytes, length.end, valueEnd);
        else if (field === 6 && !readPacked(bytes, length.end, valueEnd, rowCounts)) return undefined;
        else if (field >= 10) {
          body = bytes.subarray(length.end, valueEnd);
          bodyField = field;
        }
        offset = valueEnd;
        break;
      }
      case 5:
        offset += 4;
        break;
      default:
        return undefined;
    }
  }
  if (offset !== end || organization === undefined || body === undefined || sequence === 0) return undefined;
  return {
    sequence,
    // Written by append from an OrganizationId; the checksum vouches that these are those bytes.
    organization: organization as OrganizationId,
    receivedAt: receivedAt as Instant,
    rowCounts,
    body,
    bodyField,
  };
}

function readPacked(bytes: Uint8Array, from: number, end: number, into: number[]): boolean {
  let offset = from;
  while (offset < end) {
    const value = readVarint(bytes, offset, end);
    if (value === undefined) return false;
    into.push(value.value);
    offset = value.end;
  }
  return true;
}

function decodeText(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString("utf8");
}

export function readFixed32(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [
    bytes[offset],
    bytes[offset + 1],
    bytes[offset + 2],
    bytes[offset + 3],
  ];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** A varint that fits a JavaScript integer; undefined when it does not, or is cut off by `limit`. */
export function readVarint(
  bytes: Uint8Array,
  offset: number,
  limit: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = offset; at < limit && at < offset + 8; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? { value, end: at + 1 } : undefined;
    scale *= 128;
  }
  return undefined;
}
