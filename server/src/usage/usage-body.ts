import type { Instant } from "../kernel/instant.js";
import type { Measurement } from "./core/index.js";
import { ProtoWriter } from "./proto-writer.js";

/** Field of Envelope that holds a UsageBody (proto/envelope.proto). */
export const usage_body_field = 10;

/** One event as it is framed: accepted now, or (backfill) measured again. */
export interface FramedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  readonly dataText: string;
  /** 16 latin1 characters. */
  readonly key: string;
  readonly revision: number;
  readonly measurements: readonly Measurement[];
  /** The sender gave no time. */
  readonly serverTime: boolean;
  /** Set when only the measurements are new: where the event itself was accepted. */
  readonly accepted?: { readonly sequence: number; readonly position: number };
}

/** Says that the revisions of an event below `revision` no longer count. */
export interface FramedCorrection {
  readonly key: string;
  readonly revision: number;
  readonly void: boolean;
  readonly reason: string;
  readonly actor: string;
  readonly source: string;
  readonly id: string;
  readonly superseded: { readonly subject: string; readonly time: Instant };
  readonly replacement?: { readonly subject: string; readonly time: Instant };
}

/** Encodes UsageBody messages (proto/envelope.proto), counting the rows each table will get. */
export class UsageBodyEncoder {
  readonly #writer: ProtoWriter;
  #events = 0;
  #measurements = 0;
  #corrections = 0;

  constructor(initialBytes: number) {
    this.#writer = new ProtoWriter(initialBytes);
  }

  event(event: FramedEvent): void {
    const writer = this.#writer;
    const mark = writer.begin(1);
    writer.string(1, event.source);
    writer.string(2, event.id);
    writer.string(3, event.type);
    writer.string(4, event.subject);
    writer.uint(5, event.time);
    writer.string(6, event.dataText);
    writer.latin1(7, event.key);
    writer.uint(8, event.revision);
    for (const measurement of event.measurements) {
      const inner = writer.begin(9);
      writer.string(1, measurement.meter);
      writer.string(2, measurement.value);
      writer.string(3, measurement.unique);
      for (const dimension of measurement.dimensions) writer.element(4, dimension);
      writer.end(inner);
    }
    if (event.accepted !== undefined) {
      writer.bool(10, true);
      writer.uint(11, event.accepted.sequence);
      writer.uint(12, event.accepted.position);
    } else {
      this.#events += 1;
    }
    writer.bool(13, event.serverTime);
    writer.end(mark);
    this.#measurements += event.measurements.length;
  }

  correction(correction: FramedCorrection): void {
    const writer = this.#writer;
    const mark = writer.begin(2);
    writer.latin1(1, correction.key);
    writer.uint(2, correction.revision);
    writer.bool(3, correction.void);
    writer.string(4, correction.reason);
    writer.string(5, correction.actor);
    writer.string(6, correction.source);
    writer.string(7, correction.id);
    writer.string(8, correction.superseded.subject);
    writer.uint(9, correction.superseded.time);
    if (correction.replacement !== undefined) {
      writer.string(10, correction.replacement.subject);
      writer.uint(11, correction.replacement.time);
    }
    writer.end(mark);
    this.#corrections += 1;
  }

  /** Takes an identity besides those of the events; 16 latin1 characters. */
  claim(key: string): void {
    this.#writer.latin1(3, key);
  }

  /** Of what is encoded so far. */
  get bytes(): number {
    return this.#writer.length;
  }

  finish(): Buffer {
    return this.#writer.finish();
  }

  /** Rows for usage_events, usage, usage_corrections, in this order. */
  get rowCounts(): readonly number[] {
    return [this.#events, this.#measurements, this.#corrections];
  }
}
