import type { Log } from "../../kernel/log.js";
import { SegmentDamaged, type BatchFiles, type Pinned } from "./batch-files.js";
import { RowsMismatch, type BatchInsert, type Outcome } from "./batch-insert.js";
import type { Confirmation } from "./confirmation.js";
import {
  alarm_interval_ms,
  backOffMs,
  mismatch_attempts_max,
  seal_wait_ms_max,
  type Manifest,
} from "./core/index.js";
import { isDiskFull } from "./errors.js";
import type { KeyLedger } from "./key-ledger.js";
import type { SealedSegment } from "./segment-log.js";
import type { BatchSink, ConfirmedBatch } from "./signal-stream.js";
import { StreamStopped, type StopSignal } from "./stop-signal.js";
import { waiting, type WaitingBatch } from "./waiting-batch.js";

export interface BatchLoopOptions {
  readonly sink: BatchSink | undefined;
  readonly files: BatchFiles;
  readonly insert: BatchInsert | undefined;
  readonly confirmation: Confirmation;
  readonly keys: KeyLedger;
  readonly stop: StopSignal;
  readonly log: Log;
  readonly batchBytesMax: number;
  readonly insertIntervalMs: number;
  readonly nextBatch: number;
  readonly batches: readonly WaitingBatch[];
  readonly segments: readonly SealedSegment[];
  /** Whether durable frames wait in an open segment that may be sealed now. */
  readonly hasUnsealed: () => boolean;
  readonly seal: () => Promise<void>;
  readonly onConfirmed: (batch: ConfirmedBatch) => void;
}

/** The segments that a batch was begun with. `damaged`: the first one does not read back as it was written. */
interface Taken {
  readonly segments: readonly SealedSegment[];
  readonly damaged: boolean;
}

const retry_first_ms = 200;
const retry_bound_ms = 30_000;

/**
 * Turns sealed segments into batches and brings them into the sink, strictly in order, one at a time. Nothing is ever passed
 * over: what cannot be inserted now is tried until it can, what never can be is bisected and quarantined.
 */
export class BatchLoop {
  readonly #on: BatchLoopOptions;
  readonly #batches: WaitingBatch[];
  readonly #segments: SealedSegment[];
  readonly #removals = new Set<Promise<void>>();
  #nextBatch: number;
  #backlogBytes = 0;
  #confirmed = 0;
  #blocked: string | undefined;
  #lastInsertAtMs = Number.NEGATIVE_INFINITY;
  #draining = false;
  #idle = true;
  #wake: () => void = () => {};
  #onIdle: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(options: BatchLoopOptions) {
    this.#on = options;
    this.#batches = [...options.batches];
    this.#segments = [...options.segments];
    this.#nextBatch = options.nextBatch;
    for (const batch of this.#batches) this.#backlogBytes += batch.bytes;
    for (const segment of this.#segments) this.#backlogBytes += segment.bytes;
  }

  get counts(): { backlogBytes: number; segments: number; batches: number; confirmed: number } {
    const { length: segments } = this.#segments;
    return {
      backlogBytes: this.#backlogBytes,
      segments,
      batches: this.#batches.length,
      confirmed: this.#confirmed,
    };
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  get blocked(): string | undefined {
    return this.#blocked;
  }

  start(): void {
    const { sink, insert } = this.#on;
    if (sink === undefined || insert === undefined) return;
    this.#running = this.#run(sink, insert).catch((error: unknown) => {
      if (!(error instanceof StreamStopped))
        this.#on.log.error("the batch loop ended", { error: String(error) });
    });
  }

  add(segment: SealedSegment): void {
    this.#segments.push(segment);
    this.#backlogBytes += segment.bytes;
    this.#wake();
  }

  /** Frames have become durable in the open segment. */
  look(): void {
    if (this.#idle) this.#wake();
  }

  /** Inserts without pacing; resolves when nothing is left. */
  drain(): Promise<void> {
    this.#draining = true;
    this.#wake();
    if (this.#running === undefined || this.#isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Resolves when the loop, told to stop by the signal, touches no file any more. */
  async ended(): Promise<void> {
    this.#wake();
    await this.#running;
    await Promise.all(this.#removals);
  }

  #isDone(): boolean {
    return (
      this.#idle && this.#batches.length === 0 && this.#segments.length === 0 && this.#removals.size === 0
    );
  }

  async #run(sink: BatchSink, insert: BatchInsert): Promise<void> {
    for (;;) {
      this.#on.stop.throwIfStopped();
      if (this.#batches.length === 0 && this.#segments.length === 0 && !this.#on.hasUnsealed()) {
        this.#idle = true;
        if (this.#isDone()) this.#onIdle();
        await this.#untilWoken();
        continue;
      }
      this.#idle = false;
      if (this.#batches.length === 0) {
        await this.#untilDue();
        await this.#sealOpen();
        if (this.#segments.length > 0) await this.#form(sink);
      }
      const [batch] = this.#batches;
      if (batch === undefined) continue;
      this.#lastInsertAtMs = performance.now();
      const outcome = await this.#untilSettled(batch, insert);
      if (outcome.kind === "split") {
        const { manifest, bytes } = batch;
        await this.#persist("a bisected batch could not be removed", () =>
          this.#on.files.removeWhole(manifest),
        );
        this.#batches.splice(0, 1, ...outcome.halves);
        this.#backlogBytes += outcome.halves.reduce((sum, half) => sum + half.bytes, -bytes);
        continue;
      }
      await this.#persist("a watermark could not be written", () =>
        this.#on.confirmation.pass(batch.manifest),
      );
      this.#batches.shift();
      this.#confirmed += 1;
      this.#on.log.debug("a batch is in the store", {
        batch: batch.manifest.id,
        bytes: batch.bytes,
        ms: Math.round(performance.now() - this.#lastInsertAtMs),
      });
      this.#tell(batch);
      this.#removeLater(batch);
    }
  }

  /** Two inserts a second keep parts ahead of merges; a full batch need not wait. */
  async #untilDue(): Promise<void> {
    for (;;) {
      if (this.#draining) return;
      const waitingBytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
      if (waitingBytes >= this.#on.batchBytesMax) return;
      const waitMs = this.#lastInsertAtMs + this.#on.insertIntervalMs - performance.now();
      if (waitMs <= 0) return;
      await Promise.race([this.#on.stop.pause(waitMs), this.#untilWoken()]);
      this.#on.stop.throwIfStopped();
    }
  }

  /** What has arrived since the last seal goes along, unless sealing it takes long. */
  async #sealOpen(): Promise<void> {
    if (!this.#on.hasUnsealed()) return;
    await Promise.race([this.#on.seal(), this.#on.stop.pause(seal_wait_ms_max)]);
    this.#on.stop.throwIfStopped();
  }

  async #form(sink: BatchSink): Promise<void> {
    let taken: Taken = { segments: [], damaged: false };
    let manifest: Manifest | undefined;
    await this.#persist("a batch could not be formed", async () => {
      const engineVersion = await this.#on.stop.unlessStopped(sink.engineVersion());
      const pinned = { settings: { ...sink.settings() }, engineVersion };
      taken = { segments: this.#chooseSegments(), damaged: false };
      [manifest, taken] = await this.#begin(taken.segments, pinned);
    });
    if (manifest === undefined) return;
    const formed = manifest;
    await this.#persist("a batch could not be put in place", () =>
      this.#on.files.settleInto(formed, taken.segments),
    );
    this.#nextBatch += 1;
    this.#segments.splice(0, taken.segments.length);
    this.#batches.push(waiting(formed, { tokenIsOurs: true, damaged: taken.damaged }));
  }

  async #begin(chosen: readonly SealedSegment[], pinned: Pinned): Promise<[Manifest, Taken]> {
    const { files, log } = this.#on;
    try {
      return [await files.join(chosen, this.#nextBatch, pinned), { segments: chosen, damaged: false }];
    } catch (error) {
      // A full disk has no room for a joined copy, and damage must not spread: one segment alone is renamed.
      const [first] = chosen;
      if (first === undefined || !(error instanceof SegmentDamaged || isDiskFull(error))) throw error;
      log.warn("segments are batched one by one", { segment: first.number, error: String(error) });
      const damaged = error instanceof SegmentDamaged && error.segment === first;
      return [await files.joinOne(first, this.#nextBatch, pinned), { segments: [first], damaged }];
    }
  }

  #chooseSegments(): SealedSegment[] {
    const chosen: SealedSegment[] = [];
    let bytes = 0;
    for (const segment of this.#segments) {
      bytes += segment.bytes;
      if (chosen.length > 0 && bytes > this.#on.batchBytesMax) break;
      chosen.push(segment);
    }
    return chosen;
  }

  async #untilSettled(batch: WaitingBatch, insert: BatchInsert): Promise<Outcome> {
    let mismatches = 0;
    for (let failures = 1; ; failures += 1) {
      try {
        const outcome = await insert.attempt(batch);
        this.#blocked = undefined;
        return outcome;
      } catch (error) {
        this.#on.stop.throwIfStopped();
        this.#blocked = `${batch.manifest.id}: ${error instanceof Error ? error.message : String(error)}`;
        this.#on.log.error("a batch could not be inserted", {
          batch: batch.manifest.id,
          failures,
          error: String(error),
        });
        if (error instanceof RowsMismatch) mismatches += 1;
      }
      if (mismatches >= mismatch_attempts_max) await this.#stayBlocked(batch);
      await this.#on.stop.pause(backOffMs(failures, retry_first_ms, retry_bound_ms, Math.random()));
      this.#on.stop.throwIfStopped();
    }
  }

  /** Rows that never add up are for a person to look at; going on would hide them. Ends with a restart. */
  async #stayBlocked(batch: WaitingBatch): Promise<never> {
    for (;;) {
      this.#on.log.error("ALARM: the rows of a batch do not add up; nothing after it is inserted", {
        batch: batch.manifest.id,
        attempts: mismatch_attempts_max,
        blocked: this.#blocked,
      });
      await this.#on.stop.pause(alarm_interval_ms);
      this.#on.stop.throwIfStopped();
    }
  }

  /** Repeats work on the disk until it succeeds or the stream stops. */
  async #persist(failure: string, work: () => Promise<void>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await work();
        return;
      } catch (error) {
        this.#on.stop.throwIfStopped();
        this.#on.log.error(failure, { failures, error: String(error) });
      }
      await this.#on.stop.pause(backOffMs(failures, retry_first_ms, retry_bound_ms, Math.random()));
      this.#on.stop.throwIfStopped();
    }
  }

  #tell(batch: WaitingBatch): void {
    const { id, number, part, writer, firstSequence, lastSequence, envelopes, rowCounts } = batch.manifest;
    this.#on.onConfirmed({ id, number, part, writer, firstSequence, lastSequence, envelopes, rowCounts });
  }

  #removeLater(batch: WaitingBatch): void {
    const removal = this.#remove(batch).catch((error: unknown) => {
      if (!(error instanceof StreamStopped)) this.#on.log.error("a removal ended", { error: String(error) });
    });
    this.#removals.add(removal);
    void removal.then(() => {
      this.#removals.delete(removal);
      if (this.#isDone()) this.#onIdle();
    });
  }

  async #remove({ manifest, bytes }: WaitingBatch): Promise<void> {
    await this.#on.keys.whenDurable(manifest.segments);
    await this.#persist("a confirmed batch could not be deleted", () => this.#on.files.remove(manifest));
    this.#backlogBytes -= bytes;
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
