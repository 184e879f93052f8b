import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import {
  detectFormat,
  detection_bytes,
  findFormat,
  type FileSummary,
  type SettlementFormat,
  type SettlementParser,
  type SettlementRecord,
} from "./core/index.js";

/** Some records of a file, in its order, and how far that is. */
export interface ReadPiece {
  readonly records: readonly SettlementRecord[];
  /** Of the file, that were read for them: some of what follows too. */
  readonly bytesDone: number;
  /** Once there are no more. */
  readonly summary: FileSummary | undefined;
}

export interface ReadFile {
  readonly name: string;
  /** Named by a person. */
  readonly askedFormat: string | undefined;
  readonly content: Readable;
}

/**
 * Reads a file's records one piece after the other, with memory that does not grow with it. The same file gives the same
 * records, so that reading goes on anywhere by skipping what was read before. While a piece is worked on, the next is read.
 */
export class FileReading {
  readonly #file: ReadFile;
  readonly #chunks: AsyncIterator<Buffer>;
  #format: SettlementFormat | undefined;
  #parser: SettlementParser | undefined;
  #waiting: SettlementRecord[] = [];
  #taken = 0;
  #bytes = 0;
  #summary: FileSummary | undefined;
  #ahead: Promise<ReadPiece> | undefined;
  #given = 0;

  constructor(file: ReadFile) {
    this.#file = file;
    this.#chunks = (file.content as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** How many records were given so far. */
  get given(): number {
    return this.#given;
  }

  /** Known from the first piece on. */
  get format(): SettlementFormat | undefined {
    return this.#format;
  }

  /**
   * The next records, `count` of them unless the file ends. @throws FileRefused for the whole file, and what reading it fails with
   */
  async next(count: number): Promise<ReadPiece> {
    const piece = await (this.#ahead ?? this.#read(count));
    this.#given += piece.records.length;
    if (piece.summary === undefined) {
      this.#ahead = this.#read(count);
      // Whoever takes it is told.
      this.#ahead.catch(() => undefined);
    }
    return piece;
  }

  /** Reads past records that were given before. */
  async skip(count: number): Promise<void> {
    const pieces_of = 10_000;
    for (let left = count; left > 0; ) {
      const { records, summary } = await this.#read(Math.min(left, pieces_of));
      left -= records.length;
      this.#given += records.length;
      if (summary !== undefined && left > 0)
        throw new Error(`the file has ${this.#given} records now, and had ${count} before`);
    }
  }

  close(): void {
    this.#file.content.destroy();
  }

  async #read(count: number): Promise<ReadPiece> {
    while (this.#waiting.length - this.#taken < count && this.#summary === undefined) await this.#readChunk();
    const records = this.#waiting.slice(this.#taken, this.#taken + count);
    this.#taken += records.length;
    const isEnd = this.#summary !== undefined && this.#taken === this.#waiting.length;
    if (this.#taken === this.#waiting.length) {
      this.#waiting = [];
      this.#taken = 0;
    }
    return { records, bytesDone: this.#bytes, summary: isEnd ? this.#summary : undefined };
  }

  async #readChunk(): Promise<void> {
    if (this.#parser === undefined) {
      const head = await this.#readHead();
      this.#format = formatOf(head, this.#file);
      this.#parser = this.#format.open();
      this.#keep(this.#parser.push(head));
      return;
    }
    const { value, done } = await this.#chunks.next();
    if (done !== true) {
      this.#bytes += value.length;
      this.#keep(this.#parser.push(value));
      return;
    }
    const { records, summary } = this.#parser.end();
    this.#keep(records);
    this.#summary = summary;
  }

  async #readHead(): Promise<Buffer> {
    const parts: Buffer[] = [];
    while (this.#bytes < detection_bytes) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      parts.push(value);
      this.#bytes += value.length;
    }
    return Buffer.concat(parts);
  }

  #keep(records: readonly SettlementRecord[]): void {
    if (this.#taken > 0) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    for (const record of records) this.#waiting.push(record);
  }
}

/** A format that a person names is taken at their word: its reader refuses what is none. @throws FileRefused */
function formatOf(head: Uint8Array, { name, askedFormat }: ReadFile): SettlementFormat {
  const asked = askedFormat === undefined ? undefined : findFormat(askedFormat);
  return asked ?? detectFormat(head, name);
}
