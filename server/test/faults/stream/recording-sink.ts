import {
  BatchRejected,
  scanFrames,
  type Batch,
  type BatchSink,
  type Frame,
} from "../../../src/engines/stream/index.js";

export interface StoredRow {
  readonly sequence: number;
  readonly organization: string;
  readonly body: string;
}

/**
 * Behaves as FACTS.md says of ClickHouse: a token seen before inserts nothing, whatever the file holds; rows carry their
 * batch's id; a discard deletes by the batch's sequences and forgets no token; a rejected insert leaves rows behind. It outlives the stream, as
 * the store does.
 */
export class RecordingSink implements BatchSink {
  readonly rowsByBatch = new Map<string, StoredRow[]>();
  readonly tokens = new Set<string>();
  readonly calls: string[] = [];
  version = "26.7";
  /** Reads a batch's file: given by the test, since the disk may be simulated. */
  read: (path: string) => Promise<Buffer>;
  /** Throws to make the insert of a batch fail; may be called after the rows are in. */
  beforeInsert: (batch: Batch) => void | Promise<void> = () => {};
  afterInsert: (batch: Batch) => void = () => {};
  beforeDiscard: (batch: Batch) => void | Promise<void> = () => {};
  poisoned: (frame: Frame) => boolean = () => false;

  constructor(read: (path: string) => Promise<Buffer>) {
    this.read = read;
  }

  settings(): Record<string, string | number> {
    return { max_block_size: 1_000_000 };
  }

  engineVersion(): Promise<string> {
    return Promise.resolve(this.version);
  }

  async insert(batch: Batch): Promise<void> {
    this.calls.push(`insert ${batch.id}`);
    await this.beforeInsert(batch);
    const bytes = await this.read(batch.path);
    const frames = [...scanFrames(bytes)];
    const poison = frames.find((frame) => this.poisoned(frame));
    if (poison !== undefined) {
      this.#store(batch, frames.slice(0, 1));
      throw new BatchRejected(`cannot parse the envelope of sequence ${poison.sequence}`);
    }
    if (!this.tokens.has(batch.token)) {
      this.tokens.add(batch.token);
      this.#store(batch, frames);
    }
    this.afterInsert(batch);
  }

  countRows(batch: Batch): Promise<number[]> {
    return Promise.resolve([this.rowsByBatch.get(batch.id)?.length ?? 0]);
  }

  async discard(batch: Batch): Promise<void> {
    this.calls.push(`discard ${batch.id}`);
    await this.beforeDiscard(batch);
    for (const [id, rows] of this.rowsByBatch) {
      const kept = rows.filter(
        ({ sequence }) => sequence < batch.firstSequence || sequence > batch.lastSequence,
      );
      if (kept.length > 0) this.rowsByBatch.set(id, kept);
      else this.rowsByBatch.delete(id);
    }
  }

  /** All rows in the order of their sequences. */
  rows(): StoredRow[] {
    return [...this.rowsByBatch.values()].flat().sort((a, b) => a.sequence - b.sequence);
  }

  sequences(): number[] {
    return this.rows().map((row) => row.sequence);
  }

  bodies(): string[] {
    return this.rows().map((row) => row.body);
  }

  #store(batch: Batch, frames: readonly Frame[]): void {
    const rows = this.rowsByBatch.get(batch.id) ?? [];
    for (const { sequence, organization, body } of frames) {
      rows.push({ sequence, organization, body: Buffer.from(body).toString("latin1") });
    }
    this.rowsByBatch.set(batch.id, rows);
  }
}
