import type { Clock } from "../../kernel/clock.js";
import type { Log } from "../../kernel/log.js";
import { BatchFiles } from "./batch-files.js";
import { BatchInsert } from "./batch-insert.js";
import { BatchLoop } from "./batch-loop.js";
import { Confirmation } from "./confirmation.js";
import { drain_ms_max, pending_bytes_max, type StreamLimits } from "./core/index.js";
import { DiskSpace } from "./disk-space.js";
import { StreamUnavailable } from "./errors.js";
import type { FileLayer } from "./file-layer.js";
import { KeyLedger } from "./key-ledger.js";
import { nodeFiles } from "./node-files.js";
import { Quarantine } from "./quarantine.js";
import { recoverFolder } from "./recovery.js";
import { SegmentLog } from "./segment-log.js";
import type {
  Appended,
  AppendRequest,
  BatchSink,
  ConfirmedBatch,
  SegmentHooks,
  Signal,
  SignalStream,
  StreamStats,
  Watermark,
} from "./signal-stream.js";
import { StopSignal } from "./stop-signal.js";

export interface StreamOptions {
  /** The folder of this signal alone; created if missing. One process at a time. */
  readonly dir: string;
  readonly signal: Signal;
  /** Names this folder's log for good: no other folder of the installation, past or future, may use it. */
  readonly writer: string;
  readonly files?: FileLayer;
  /** Undefined: segments are kept for a process with a sink. */
  readonly sink: BatchSink | undefined;
  readonly hooks: SegmentHooks;
  readonly limits: StreamLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Recovers the folder, shows every surviving frame to hooks.recover, and opens the log.
 * @throws StreamFolderUnsound; errors of the disk; whatever the hooks throw
 */
export async function openStream(options: StreamOptions): Promise<SignalStream> {
  const { dir: directory, files = nodeFiles, signal, writer, hooks, log, clock, sink } = options;
  await files.makeDirectory(directory);
  const quarantine = await Quarantine.open(files, directory);
  const batchFiles = new BatchFiles(files, directory, writer, signal);
  const recovered = await recoverFolder({
    files,
    directory,
    writer,
    signal,
    batchFiles,
    quarantine,
    hooks,
    log,
  });
  const disk = new DiskSpace(files, directory, log);
  await disk.refresh();
  return new FileStream(options, files, batchFiles, quarantine, disk, recovered, { sink, clock });
}

const backlog_retry_seconds = 5;
const disk_retry_seconds = 10;

class FileStream implements SignalStream {
  readonly writer: string;
  readonly signal: Signal;
  readonly #limits: StreamLimits;
  readonly #disk: DiskSpace;
  readonly #quarantine: Quarantine;
  readonly #stop = new StopSignal();
  readonly #confirmation: Confirmation;
  readonly #segments: SegmentLog;
  readonly #loop: BatchLoop;
  readonly #listeners = new Set<(batch: ConfirmedBatch) => void>();
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(
    options: StreamOptions,
    files: FileLayer,
    batchFiles: BatchFiles,
    quarantine: Quarantine,
    disk: DiskSpace,
    recovered: Awaited<ReturnType<typeof recoverFolder>>,
    { sink, clock }: { sink: BatchSink | undefined; clock: Clock },
  ) {
    const { limits, log, hooks, dir: directory } = options;
    this.writer = options.writer;
    this.signal = options.signal;
    this.#limits = limits;
    this.#disk = disk;
    this.#quarantine = quarantine;
    this.#log = log;
    const stop = this.#stop;
    const keys = new KeyLedger(hooks, stop, log);
    this.#confirmation = new Confirmation(files, directory, recovered.watermark);
    const parts = { files: batchFiles, quarantine, stop, clock, log };
    const insert = sink === undefined ? undefined : new BatchInsert({ sink, ...parts });
    this.#loop = new BatchLoop({
      sink,
      files: batchFiles,
      insert,
      confirmation: this.#confirmation,
      keys,
      stop,
      log,
      batchBytesMax: limits.batchBytesMax,
      insertIntervalMs: limits.insertIntervalMs,
      nextBatch: recovered.nextBatch,
      batches: recovered.batches,
      segments: recovered.segments,
      hasUnsealed: () => limits.sealWhenDue && this.#segments.hasOpenFrames,
      seal: () => this.#segments.seal(),
      onConfirmed: (batch) => this.#tell(batch),
    });
    this.#segments = new SegmentLog({
      files,
      directory,
      firstSegment: recovered.nextSegment,
      firstSequence: recovered.nextSequence,
      sealBytes: limits.sealBytes,
      sealAgeMs: limits.sealAgeMs,
      log,
      stop,
      refuse: (openBytes, pendingBytes) => this.#refusal(openBytes, pendingBytes),
      onSealed: (segment) => {
        keys.seal(segment.number);
        this.#loop.add(segment);
      },
      onEmpty: (segment) => keys.seal(segment),
      onWritten: (bytes) => {
        disk.spend(bytes);
        this.#loop.look();
      },
    });
    this.#loop.start();
  }

  get nextSequence(): number {
    return this.#segments.nextSequence;
  }

  append(request: AppendRequest): Appended {
    return this.#segments.append(request);
  }

  flushed(): Promise<void> {
    return this.#segments.flushed();
  }

  watermark(): Watermark {
    return [{ writer: this.writer, sequence: this.#confirmation.sequence }];
  }

  whenConfirmed(sequence: number): Promise<void> {
    return this.#confirmation.when(sequence);
  }

  onConfirmed(listener: (batch: ConfirmedBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  sealNow(): Promise<void> {
    return this.#segments.seal();
  }

  stats(): StreamStats {
    const { openBytes, ...appends } = this.#segments.counts;
    const { backlogBytes, ...waiting } = this.#loop.counts;
    return {
      unavailable: this.#segments.unavailable ?? this.#refusal(openBytes, appends.pendingBytes)?.message,
      blocked: this.#loop.blocked,
      openBytes,
      backlogBytes: backlogBytes + openBytes,
      ...appends,
      ...waiting,
      quarantined: this.#quarantine.envelopes,
      damaged: this.#quarantine.damaged,
      listeners: this.#listeners.size,
      diskFreeBytes: this.#disk.freeBytes,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drain_ms_max);
    });
    await Promise.race([this.#segments.close().then(() => this.#loop.drain()), late]);
    clearTimeout(timer);
    this.#stop.stop();
    this.#confirmation.close();
    await this.#segments.close();
    await this.#loop.ended();
  }

  #refusal(openBytes: number, pendingBytes: number): StreamUnavailable | undefined {
    const { backlogBytesMax, diskFreeBytesMin } = this.#limits;
    const backlog = this.#loop.backlogBytes + openBytes + pendingBytes;
    if (backlog >= backlogBytesMax || pendingBytes >= pending_bytes_max) {
      const detail = `${backlog} bytes wait to be inserted; the limit is ${backlogBytesMax}`;
      return new StreamUnavailable("backlog", backlog_retry_seconds, detail);
    }
    if (this.#disk.look() - pendingBytes < diskFreeBytesMin) {
      const detail = `the disk has less than ${diskFreeBytesMin} bytes free`;
      return new StreamUnavailable("disk_full", disk_retry_seconds, detail);
    }
    return undefined;
  }

  #tell(batch: ConfirmedBatch): void {
    for (const listener of this.#listeners) {
      try {
        listener(batch);
      } catch (error) {
        this.#log.error("a listener to confirmed batches failed", { batch: batch.id, error: String(error) });
      }
    }
  }
}
