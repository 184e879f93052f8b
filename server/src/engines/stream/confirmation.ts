import { formatRecord, watermark_name, type Manifest, type WatermarkRecord } from "./core/index.js";
import { replaceFile } from "./durable-file.js";
import { closing } from "./errors.js";
import type { FileLayer } from "./file-layer.js";

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The watermark: durable first, told afterwards. */
export class Confirmation {
  readonly #files: FileLayer;
  readonly #directory: string;
  #record: WatermarkRecord;
  #waiters: Waiter[] = [];
  #closed = false;

  constructor(files: FileLayer, directory: string, record: WatermarkRecord) {
    this.#files = files;
    this.#directory = directory;
    this.#record = record;
  }

  get sequence(): number {
    return this.#record.sequence;
  }

  /** Everything up to the batch's last sequence is safe elsewhere. May be repeated after a failure. */
  async pass(manifest: Manifest): Promise<void> {
    const { writer, signal } = this.#record;
    const next: WatermarkRecord = {
      format: 1,
      writer,
      signal,
      sequence: Math.max(this.#record.sequence, manifest.lastSequence),
      batch: Math.max(this.#record.batch, manifest.number),
      segment: Math.max(this.#record.segment, ...manifest.segments),
    };
    await writeWatermark(this.#files, this.#directory, next);
    this.#record = next;
    const reached = this.#waiters.filter((waiter) => waiter.sequence <= next.sequence);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > next.sequence);
    for (const waiter of reached) waiter.resolve();
  }

  when(sequence: number): Promise<void> {
    if (sequence <= this.#record.sequence) return Promise.resolve();
    if (this.#closed) return Promise.reject(closing());
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }));
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(closing());
    this.#waiters = [];
  }
}

export async function writeWatermark(
  files: FileLayer,
  directory: string,
  record: WatermarkRecord,
): Promise<void> {
  await replaceFile(files, directory, watermark_name, formatRecord(record));
  await files.syncDirectory(directory);
}
