import type { Instant } from "../kernel/instant.js";

/** An identity that a framed UsageBody takes, with what its fingerprint and expiry are computed from. */
export interface FramedIdentity {
  readonly key: string;
  readonly type: string;
  readonly subject: string;
  readonly dataText: string;
  readonly time: Instant;
  readonly serverTime: boolean;
}

/** The identities in one body: of its new events, and the claims beside them. */
export interface FramedIdentities {
  readonly events: readonly FramedIdentity[];
  readonly claims: readonly string[];
}

/**
 * Reads the identities back from a UsageBody (proto/envelope.proto) that recovery found on disk. Amended and
 * backfilled events take none: their identity is the original's.
 * @throws RangeError when the bytes are no UsageBody
 */
export function readIdentities(body: Uint8Array): FramedIdentities {
  const events: FramedIdentity[] = [];
  const claims: string[] = [];
  const reader = new Reader(body);
  for (let tag = reader.tag(); tag !== undefined; tag = reader.tag()) {
    if (tag.field === 1 && tag.wire === 2) {
      const event = readEvent(new Reader(reader.bytes()));
      if (event !== undefined) events.push(event);
    } else if (tag.field === 3 && tag.wire === 2) {
      claims.push(latin1(reader.bytes()));
    } else {
      reader.skip(tag.wire);
    }
  }
  return { events, claims };
}

function readEvent(reader: Reader): FramedIdentity | undefined {
  const event = { key: "", type: "", subject: "", dataText: "", time: 0 as Instant, serverTime: false };
  for (let tag = reader.tag(); tag !== undefined; tag = reader.tag()) {
    switch (tag.field) {
      case 3:
        event.type = utf8(reader.bytes());
        break;
      case 4:
        event.subject = utf8(reader.bytes());
        break;
      case 5:
        event.time = reader.varint() as Instant;
        break;
      case 6:
        event.dataText = utf8(reader.bytes());
        break;
      case 7:
        event.key = latin1(reader.bytes());
        break;
      case 8: // revision
      case 10: // backfill
        if (reader.varint() !== 0) return undefined;
        break;
      case 13:
        event.serverTime = reader.varint() !== 0;
        break;
      default:
        reader.skip(tag.wire);
    }
  }
  return event;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  tag(): { field: number; wire: number } | undefined {
    if (this.#at === this.#bytes.length) return undefined;
    const tag = this.varint();
    return { field: tag >>> 3, wire: tag & 7 };
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 10; length += 1) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError(`not a UsageBody: a varint does not end at byte ${this.#at}`);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length)
      throw new RangeError(`not a UsageBody: ${length} bytes do not follow byte ${start}`);
    return this.#bytes.subarray(start, this.#at);
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 2) this.bytes();
    else if (wire === 1) this.#at += 8;
    else if (wire === 5) this.#at += 4;
    else throw new RangeError(`not a UsageBody: wire type ${wire} at byte ${this.#at}`);
  }
}
