import { crc32c } from "@node-rs/crc32";
import * as path from "node:path";
import type { Log } from "../../kernel/log.js";
import { backOffMs, segmentName } from "./core/index.js";
import { closing, errorCodeOf, isDiskFull, StreamUnavailable } from "./errors.js";
import type { FileLayer, WritableFile } from "./file-layer.js";
import { FrameBuffer } from "./frame-writer.js";
import type { Appended, AppendRequest } from "./signal-stream.js";
import { removeFile } from "./durable-file.js";
import { addRowCounts } from "./row-counts.js";
import type { StopSignal } from "./stop-signal.js";

/** A segment that is closed, durable to its last byte and waits to become (part of) a batch. */
export interface SealedSegment {
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
  readonly crc32c: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly envelopes: number;
  readonly rowCounts: readonly number[];
}

/** The segment that frames go to. What it says is durable is; the rest is being written or waits. */
interface OpenSegment {
  readonly number: number;
  readonly path: string;
  file: WritableFile | undefined;
  /** Frames given to it, durable or not. */
  assignedBytes: number;
  durableBytes: number;
  crc32c: number;
  firstSequence: number;
  lastSequence: number;
  envelopes: number;
  rowCounts: number[];
  /** Groups that are not committed yet. */
  groups: number;
  /** Takes no more frames; sealed when its last group is durable. */
  closing: boolean;
}

/** The appends that share one write and one fsync. */
interface CommitGroup {
  readonly segment: OpenSegment;
  readonly buffer: FrameBuffer;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: StreamUnavailable) => void;
  lastSequence: number;
  envelopes: number;
  rowCounts: number[];
}

export interface SegmentLogOptions {
  readonly files: FileLayer;
  readonly directory: string;
  readonly firstSegment: number;
  readonly firstSequence: number;
  readonly sealBytes: number;
  readonly sealAgeMs: number;
  readonly log: Log;
  readonly stop: StopSignal;
  /** Asked before each append; `pendingBytes` are in memory and not durable. */
  readonly refuse: (openBytes: number, pendingBytes: number) => StreamUnavailable | undefined;
  readonly onSealed: (segment: SealedSegment) => void;
  /** The segment has no durable frame and left no file. */
  readonly onEmpty: (segment: number) => void;
  readonly onWritten: (bytes: number) => void;
}

type State =
  | { readonly kind: "open" }
  | { readonly kind: "cutting"; readonly failure: StreamUnavailable }
  | { readonly kind: "closed" };

const buffer_bytes = 256 * 1024;
const buffer_bytes_kept_max = 4 * 1024 * 1024;
const cut_retry_first_ms = 100;
const cut_retry_bound_ms = 5_000;
const retry_after_failure_seconds = 2;

/**
 * The one open segment of a signal, with group commit: appends that arrive while an fsync is under way share the next one.
 * A failed write or fsync is never repeated: the segment is cut back to its last durable length, and until that is done nothing
 * is taken in, so that no frame that was refused can come back between frames that were acknowledged.
 */
export class SegmentLog {
  readonly #on: SegmentLogOptions;
  #state: State = { kind: "open" };
  #nextSequence: number;
  #durableSequence: number;
  #nextSegment: number;
  #current: OpenSegment | undefined;
  #filling: CommitGroup | undefined;
  #queue: CommitGroup[] = [];
  #inFlight: CommitGroup | undefined;
  #running: Promise<void> | undefined;
  #scheduled = false;
  #cutting: Promise<void> | undefined;
  #sealTimer: NodeJS.Timeout | undefined;
  #spareBuffers: FrameBuffer[] = [];
  #sealWaiters: { readonly segment: number; readonly resolve: () => void }[] = [];
  #pendingBytes = 0;
  #openBytes = 0;
  #appended = 0;
  #appendedBytes = 0;
  #commits = 0;

  constructor(options: SegmentLogOptions) {
    this.#on = options;
    this.#nextSequence = options.firstSequence;
    this.#durableSequence = options.firstSequence - 1;
    this.#nextSegment = options.firstSegment;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Whether durable frames are in a segment that takes more. */
  get hasOpenFrames(): boolean {
    return (this.#current?.durableBytes ?? 0) > 0;
  }

  get unavailable(): string | undefined {
    return this.#state.kind === "cutting" ? this.#state.failure.message : undefined;
  }

  get counts(): {
    openBytes: number;
    pendingBytes: number;
    appended: number;
    appendedBytes: number;
    commits: number;
  } {
    return {
      openBytes: this.#openBytes,
      pendingBytes: this.#pendingBytes,
      appended: this.#appended,
      appendedBytes: this.#appendedBytes,
      commits: this.#commits,
    };
  }

  append(request: AppendRequest): Appended {
    if (this.#state.kind === "cutting") throw this.#state.failure;
    if (this.#state.kind === "closed") throw closing();
    const refusal = this.#on.refuse(this.#openBytes, this.#pendingBytes);
    if (refusal !== undefined) throw refusal;

    const sequence = this.#nextSequence;
    const body = request.body(sequence);
    const group = this.#filling ?? this.#startGroup(sequence);
    const bytes = this.#frame(group, request, sequence, body);
    this.#nextSequence = sequence + 1;
    group.lastSequence = sequence;
    group.envelopes += 1;
    addRowCounts(group.rowCounts, request.rowCounts);
    this.#pendingBytes += bytes;
    const { segment } = group;
    segment.assignedBytes += bytes;
    if (segment.assignedBytes >= this.#on.sealBytes) this.#closeCurrent();
    this.#schedule();
    return { sequence, segment: segment.number, durable: group.durable };
  }

  /** @throws RangeError, and then a group that was begun for this frame alone is gone: nobody would ever commit it */
  #frame(group: CommitGroup, request: AppendRequest, sequence: number, body: Uint8Array): number {
    try {
      return group.buffer.append(request, sequence, body);
    } catch (error) {
      if (group.envelopes === 0) {
        this.#queue.pop();
        this.#filling = undefined;
        group.segment.groups -= 1;
      }
      throw error;
    }
  }

  flushed(): Promise<void> {
    const last = this.#queue.at(-1) ?? this.#inFlight;
    return last?.durable ?? Promise.resolve();
  }

  /** Resolves once everything appended so far is in sealed segments (or was refused). */
  async seal(): Promise<void> {
    const segment = this.#current ?? (this.#queue.at(-1) ?? this.#inFlight)?.segment;
    if (segment === undefined) return;
    const sealed = new Promise<void>((resolve) =>
      this.#sealWaiters.push({ segment: segment.number, resolve }),
    );
    if (segment === this.#current) this.#closeCurrent();
    await sealed;
  }

  /** Takes nothing more in; what was appended is committed and sealed, or refused. */
  async close(): Promise<void> {
    const sealed = this.seal();
    if (this.#state.kind === "open") this.#state = { kind: "closed" };
    await sealed;
    await this.#running;
    await this.#cutting;
    this.#state = { kind: "closed" };
  }

  #startGroup(sequence: number): CommitGroup {
    const segment = this.#current ?? this.#openSegment(sequence);
    let resolve = (): void => {};
    let reject = (_error: StreamUnavailable): void => {};
    const durable = new Promise<void>((onDurable, onFailure) => {
      resolve = onDurable;
      reject = onFailure;
    });
    durable.catch(() => {}); // whoever appended hears of it; the group itself has nobody to tell
    const buffer = this.#spareBuffers.pop() ?? new FrameBuffer(buffer_bytes);
    const group = {
      segment,
      buffer,
      durable,
      resolve,
      reject,
      lastSequence: sequence,
      envelopes: 0,
      rowCounts: [],
    };
    segment.groups += 1;
    this.#filling = group;
    this.#queue.push(group);
    return group;
  }

  #openSegment(firstSequence: number): OpenSegment {
    const number = this.#nextSegment;
    this.#nextSegment += 1;
    const segment: OpenSegment = {
      number,
      path: path.join(this.#on.directory, segmentName(number)),
      file: undefined,
      assignedBytes: 0,
      durableBytes: 0,
      crc32c: 0,
      firstSequence,
      lastSequence: firstSequence - 1,
      envelopes: 0,
      rowCounts: [],
      groups: 0,
      closing: false,
    };
    this.#current = segment;
    this.#sealTimer = setTimeout(() => {
      if (this.#current === segment) this.#closeCurrent();
    }, this.#on.sealAgeMs);
    return segment;
  }

  /** The next append opens another segment. */
  #closeCurrent(): void {
    const segment = this.#current;
    if (segment === undefined) return;
    clearTimeout(this.#sealTimer);
    this.#current = undefined;
    this.#filling = undefined;
    segment.closing = true;
    if (segment.groups === 0) this.#seal(segment);
  }

  /** The end of the event loop's turn: every request that was read in this turn shares the write. */
  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0) this.#schedule();
      });
    });
  }

  async #run(): Promise<void> {
    for (let group = this.#queue.shift(); group !== undefined; group = this.#queue.shift()) {
      if (group === this.#filling) this.#filling = undefined;
      this.#inFlight = group;
      try {
        await this.#commit(group);
      } catch (error) {
        this.#fail(group.segment, error);
        return;
      }
      this.#inFlight = undefined;
      const { segment } = group;
      segment.groups -= 1;
      if (segment.closing && segment.groups === 0) this.#seal(segment);
    }
  }

  async #commit(group: CommitGroup): Promise<void> {
    const { segment, buffer } = group;
    if (segment.file === undefined) {
      segment.file = await this.#on.files.create(segment.path, "new");
      await this.#on.files.syncDirectory(this.#on.directory);
    }
    const bytes = buffer.bytes();
    await segment.file.write(bytes, segment.durableBytes);
    await segment.file.syncData();

    segment.durableBytes += bytes.length;
    segment.crc32c = crc32c(bytes, segment.crc32c);
    segment.lastSequence = group.lastSequence;
    segment.envelopes += group.envelopes;
    addRowCounts(segment.rowCounts, group.rowCounts);
    this.#durableSequence = group.lastSequence;
    this.#pendingBytes -= bytes.length;
    this.#openBytes += bytes.length;
    this.#appended += group.envelopes;
    this.#appendedBytes += bytes.length;
    this.#commits += 1;
    this.#on.onWritten(bytes.length);
    group.resolve();
    buffer.clear();
    if (buffer.capacity <= buffer_bytes_kept_max && this.#spareBuffers.length < 2)
      this.#spareBuffers.push(buffer);
  }

  #seal(segment: OpenSegment): void {
    const { file, durableBytes } = segment;
    segment.file = undefined;
    file?.close().catch((error: unknown) => {
      this.#on.log.warn("a durable segment did not close cleanly", {
        segment: segment.number,
        error: String(error),
      });
    });
    this.#openBytes -= durableBytes;
    if (segment.envelopes === 0) this.#on.onEmpty(segment.number);
    else {
      const { number, path: file, firstSequence, lastSequence, envelopes, rowCounts } = segment;
      const sums = { crc32c: segment.crc32c, rowCounts };
      this.#on.onSealed({
        number,
        path: file,
        bytes: durableBytes,
        firstSequence,
        lastSequence,
        envelopes,
        ...sums,
      });
    }
    this.#sealWaiters = this.#sealWaiters.filter((waiter) => {
      if (waiter.segment <= segment.number) waiter.resolve();
      return waiter.segment > segment.number;
    });
  }

  /** Refuses everything that is not durable, and gives its sequence numbers back. */
  #fail(segment: OpenSegment, cause: unknown): void {
    const reason = isDiskFull(cause) ? "disk_full" : "io_error";
    const detail = `the log could not be written (${errorCodeOf(cause) ?? String(cause)})`;
    const failure = new StreamUnavailable(reason, retry_after_failure_seconds, detail, { cause });
    this.#on.log.error("a segment failed; it is cut back to its last durable frame", {
      segment: segment.number,
      durableBytes: segment.durableBytes,
      error: String(cause),
    });
    clearTimeout(this.#sealTimer);
    const closed = this.#state.kind === "closed";
    this.#state = { kind: "cutting", failure };
    const refused = this.#inFlight === undefined ? this.#queue : [this.#inFlight, ...this.#queue];
    const later = new Set(refused.map((group) => group.segment));
    later.delete(segment);
    this.#queue = [];
    this.#inFlight = undefined;
    this.#filling = undefined;
    this.#current = undefined;
    this.#pendingBytes = 0;
    this.#nextSequence = this.#durableSequence + 1;
    for (const group of refused) group.reject(failure);
    this.#cutting = this.#cutUntilDone(segment, cause).then((cut) => {
      this.#cutting = undefined;
      if (cut) {
        this.#state = closed ? { kind: "closed" } : { kind: "open" };
        this.#seal(segment);
        for (const empty of later) this.#seal(empty);
      }
      for (const waiter of this.#sealWaiters) waiter.resolve();
      this.#sealWaiters = [];
    });
  }

  /** @returns false if the stream stopped before the cut could be made: recovery makes it at the next start */
  async #cutUntilDone(segment: OpenSegment, cause: unknown): Promise<boolean> {
    // A file of that name was there before: it is not ours to cut.
    if (segment.file === undefined && errorCodeOf(cause) === "EEXIST") return true;
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#cut(segment);
        this.#on.log.info("the failed segment is cut back", {
          segment: segment.number,
          bytes: segment.durableBytes,
        });
        return true;
      } catch (error) {
        this.#on.log.error("the failed segment cannot be cut back yet", {
          segment: segment.number,
          failures,
          error: String(error),
        });
      }
      await this.#on.stop.pause(backOffMs(failures, cut_retry_first_ms, cut_retry_bound_ms, Math.random()));
      if (this.#on.stop.stopped) return false;
    }
  }

  async #cut(segment: OpenSegment): Promise<void> {
    const { files, directory } = this.#on;
    if (segment.durableBytes === 0) {
      await removeFile(files, segment.path);
    } else {
      const file = await files.openExisting(segment.path);
      try {
        await file.truncate(segment.durableBytes);
        await file.syncAll();
      } finally {
        await file.close();
      }
    }
    await files.syncDirectory(directory);
  }
}
