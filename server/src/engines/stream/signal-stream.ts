import type { Instant } from "../../kernel/instant.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Frame } from "./core/index.js";

export type Signal = "usage" | "logs" | "traces" | "metrics";

export interface AppendRequest {
  readonly organization: OrganizationId;
  readonly receivedAt: Instant;
  /** Rows that the body adds, per table of the signal, in the signal's table order. */
  readonly rowCounts: readonly number[];
  /** The encoded body message; called once, synchronously, with the sequence number that the envelope gets. */
  readonly body: (sequence: number) => Uint8Array;
  /** The field of Envelope that holds the body: 10 for usage. */
  readonly bodyField: number;
}

export interface Appended {
  /** Rises by one with each envelope of a writer's signal. Given again if this append fails. */
  readonly sequence: number;
  readonly segment: number;
  /**
   * Resolves after the fsync; rejects with StreamUnavailable, and then nothing was stored. All appends of one
   * group commit share the promise.
   */
  readonly durable: Promise<void>;
}

/** One entry per writer: everything up to `sequence` is in the columnar store (or quarantined, and reported). */
export type Watermark = readonly { readonly writer: string; readonly sequence: number }[];

export interface SignalStream {
  readonly writer: string;
  readonly signal: Signal;
  readonly nextSequence: number;
  /** @throws StreamUnavailable at once under back-pressure; RangeError when the envelope is over its size limit */
  append(request: AppendRequest): Appended;
  /** Resolves when everything appended so far is durable; rejects with StreamUnavailable when some of it failed. */
  flushed(): Promise<void>;
  watermark(): Watermark;
  /** Resolves once the watermark has reached `sequence`; rejects when the stream closes first. */
  whenConfirmed(sequence: number): Promise<void>;
  /** Called after each confirmed batch or part, in order. Returns the function that stops it. */
  onConfirmed(listener: (batch: ConfirmedBatch) => void): () => void;
  stats(): StreamStats;
  /** Seals the open segment after what was appended is durable. */
  sealNow(): Promise<void>;
  /** Takes nothing more in, waits for commits under way, seals, and drains for a bounded time; the rest waits on disk. */
  close(): Promise<void>;
}

export interface StreamStats {
  /** Undefined while appends are taken. */
  readonly unavailable: string | undefined;
  /** Why the oldest batch makes no progress; undefined while all is well. */
  readonly blocked: string | undefined;
  /** Durable bytes of the open segment, and bytes waiting for an fsync. */
  readonly openBytes: number;
  readonly pendingBytes: number;
  /** Bytes on disk that are not confirmed (or whose deletion is due), the open segment included. */
  readonly backlogBytes: number;
  /** Sealed segments and batches that wait for their insert. */
  readonly segments: number;
  readonly batches: number;
  /** Envelopes kept in quarantine/, and ranges of damaged bytes kept there. */
  readonly quarantined: number;
  readonly damaged: number;
  /** Who is told of confirmed batches: live queries, one each. */
  readonly listeners: number;
  /** Since the stream was opened: durable envelopes and bytes, group commits, confirmed batches. */
  readonly appended: number;
  readonly appendedBytes: number;
  readonly commits: number;
  readonly confirmed: number;
  readonly diskFreeBytes: number;
}

/** A frame that survived a restart, with the segment under which its keys are to be remembered. */
export interface RecoveredFrame extends Frame {
  readonly segment: number;
}

export interface SegmentHooks {
  /** Every frame still on disk, in order, before an append is allowed. May see a frame again at a later start. */
  recover(frame: RecoveredFrame): void | Promise<void>;
  /** Resolves when the keys of this segment are durable elsewhere; its bytes are deleted only afterwards. */
  sealed(segment: number): Promise<void>;
}

/** One file, one block, one INSERT. */
export interface Batch {
  /** writer.signal.number, and .part if bisected; in every row. */
  readonly id: string;
  readonly number: number;
  /** "" or the path of halves that led here: "0" first half, "01" its second half. */
  readonly part: string;
  readonly writer: string;
  readonly signal: Signal;
  /** Absolute path of the file of frames. */
  readonly path: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly envelopes: number;
  readonly rowCounts: readonly number[];
  readonly settings: Readonly<Record<string, string | number>>;
  readonly engineVersion: string;
  readonly token: string;
}

export interface ConfirmedBatch {
  readonly id: string;
  readonly number: number;
  readonly part: string;
  readonly writer: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly envelopes: number;
  readonly rowCounts: readonly number[];
}

/** Where batches go. Every method may be called again with the same batch, also after a crash. */
export interface BatchSink {
  /** Pinned in the manifest: a replay uses them unchanged. */
  settings(): Readonly<Record<string, string | number>>;
  engineVersion(): Promise<string>;
  /** Idempotent by token. Throws BatchRejected when it can never succeed; anything else is tried again. */
  insert(batch: Batch): Promise<void>;
  /** Rows present under the batch's id, per table. */
  countRows(batch: Batch): Promise<readonly number[]>;
  /**
   * Deletes the rows under the batch's id and rebuilds the rollups they were in. Throws an error with `retry: false` when
   * the frames keep it from ever doing so.
   */
  discard(batch: Batch): Promise<void>;
}
