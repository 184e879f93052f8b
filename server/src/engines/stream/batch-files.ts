import { crc32c } from "@node-rs/crc32";
import { randomBytes } from "node:crypto";
import * as path from "node:path";
import {
  batchId,
  batchName,
  formatRecord,
  manifestName,
  tokenOf,
  type Manifest,
  unfinished_suffix,
  type PlacedFrame,
} from "./core/index.js";
import { removeFile, renameOnce, replaceFile, writeUnfinished } from "./durable-file.js";
import type { FileLayer } from "./file-layer.js";
import { addRowCounts } from "./row-counts.js";
import type { SealedSegment } from "./segment-log.js";
import type { Batch, Signal } from "./signal-stream.js";

/** What is pinned for a batch besides its frames. */
export type Pinned = Pick<Manifest, "settings" | "engineVersion">;

/** A segment's bytes are not those that were written: the disk changed them. */
export class SegmentDamaged extends Error {
  override readonly name = "SegmentDamaged";

  constructor(readonly segment: SealedSegment) {
    super(`segment ${segment.number} does not read back as it was written`);
  }
}

/** Reads and writes the files of batches. Every method may be repeated after a failure or a crash. */
export class BatchFiles {
  readonly files: FileLayer;
  readonly directory: string;
  readonly #writer: string;
  readonly #signal: Signal;

  constructor(files: FileLayer, directory: string, writer: string, signal: Signal) {
    this.files = files;
    this.directory = directory;
    this.#writer = writer;
    this.#signal = signal;
  }

  pathOf(manifest: Pick<Manifest, "number" | "part">): string {
    return path.join(this.directory, batchName(manifest.number, manifest.part));
  }

  batchOf(manifest: Manifest): Batch {
    const { id, number, part, writer, firstSequence, lastSequence, envelopes, rowCounts, settings } =
      manifest;
    const { engineVersion, token } = manifest;
    const shape = { id, number, part, writer, signal: this.#signal, path: this.pathOf(manifest) };
    return { ...shape, firstSequence, lastSequence, envelopes, rowCounts, settings, engineVersion, token };
  }

  /**
   * Begins a batch of sealed segments: joins their frames under an unfinished name (one segment alone is renamed later), then
   * writes the manifest. Once it has resolved, the batch is the truth and only `settleInto` may follow, until it succeeds.
   * Before that, all of it may be repeated, also with other segments.
   * @throws SegmentDamaged
   */
  async join(segments: readonly SealedSegment[], number: number, pinned: Pinned): Promise<Manifest> {
    const [only] = segments;
    if (segments.length === 1 && only !== undefined) return this.joinOne(only, number, pinned);
    const name = batchName(number, "");
    const chunks: Buffer[] = [];
    let checksum = 0;
    for (const segment of segments) {
      const bytes = await this.files.read(segment.path);
      if (bytes.length !== segment.bytes || crc32c(bytes) !== segment.crc32c)
        throw new SegmentDamaged(segment);
      chunks.push(bytes);
      checksum = crc32c(bytes, checksum);
    }
    await writeUnfinished(this.files, this.directory, name, chunks);
    const manifest = this.#describe(segments, number, pinned, checksum);
    await this.writeManifest(manifest);
    return manifest;
  }

  /** The same for one segment, whose file becomes the batch's: nothing is read or copied. */
  async joinOne(segment: SealedSegment, number: number, pinned: Pinned): Promise<Manifest> {
    const manifest = this.#describe([segment], number, pinned, segment.crc32c);
    await this.writeManifest(manifest);
    return manifest;
  }

  /** Gives the frames of a begun batch their name and deletes its segments. */
  async settleInto(manifest: Manifest, segments: readonly SealedSegment[]): Promise<void> {
    const [only] = segments;
    const target = this.pathOf(manifest);
    const source = segments.length === 1 && only !== undefined ? only.path : target + unfinished_suffix;
    await renameOnce(this.files, source, target);
    for (const segment of segments) await removeFile(this.files, segment.path);
    await this.files.syncDirectory(this.directory);
  }

  /** Durable when it resolves. */
  async writeManifest(manifest: Manifest): Promise<void> {
    const name = manifestName(manifest.number, manifest.part);
    await replaceFile(this.files, this.directory, name, formatRecord(manifest));
    await this.files.syncDirectory(this.directory);
  }

  /**
   * Writes both halves of a rejected batch, each with its own manifest. Once it has resolved they are the truth, and the
   * whole is to be removed.
   * @param bytes  the batch's file;  @param frames  all its frames, at least two
   * @param discardFirst  rows of the whole may be in the store: each half discards before it inserts
   */
  async split(
    whole: Manifest,
    bytes: Uint8Array,
    frames: readonly PlacedFrame[],
    { discardFirst }: Pick<Manifest, "discardFirst">,
  ): Promise<[Manifest, Manifest]> {
    const middle = frames.length >> 1;
    const first = await this.#writeHalf({ ...whole, discardFirst }, "0", bytes, frames.slice(0, middle));
    const second = await this.#writeHalf({ ...whole, discardFirst }, "1", bytes, frames.slice(middle));
    await this.files.syncDirectory(this.directory);
    return [first, second];
  }

  /** Removes a batch that its halves have replaced. They must not be touched before this is durable. */
  async removeWhole(whole: Manifest): Promise<void> {
    await this.remove(whole);
    await this.files.syncDirectory(this.directory);
  }

  /** Deletes frames and manifest. A crash in between leaves either, and both are known to be done with. */
  async remove(manifest: Manifest): Promise<void> {
    await removeFile(this.files, this.pathOf(manifest));
    await removeFile(this.files, path.join(this.directory, manifestName(manifest.number, manifest.part)));
  }

  /** Replaces a batch's frames by those that survived damage. Its manifest must be durable before. */
  async replaceFrames(manifest: Manifest, frames: readonly Uint8Array[]): Promise<void> {
    await replaceFile(this.files, this.directory, batchName(manifest.number, manifest.part), frames);
    await this.files.syncDirectory(this.directory);
  }

  async #writeHalf(
    whole: Manifest,
    half: "0" | "1",
    bytes: Uint8Array,
    frames: readonly PlacedFrame[],
  ): Promise<Manifest> {
    const [first] = frames;
    const last = frames.at(-1);
    if (first === undefined || last === undefined)
      throw new RangeError("a half of a batch must have a frame");
    const slice = bytes.subarray(first.start, last.end);
    const part = whole.part + half;
    const id = batchId(this.#writer, this.#signal, whole.number, part);
    const manifest: Manifest = {
      ...whole,
      ...summarize(frames),
      id,
      part,
      fileBytes: slice.length,
      fileCrc32c: crc32c(slice),
      token: tokenOf(id, newNonce()),
    };
    const unfinished = await writeUnfinished(this.files, this.directory, batchName(whole.number, part), [
      slice,
    ]);
    await this.writeManifest(manifest);
    await this.files.rename(unfinished, this.pathOf(manifest));
    return manifest;
  }

  #describe(
    segments: readonly SealedSegment[],
    number: number,
    pinned: Pinned,
    fileCrc32c: number,
  ): Manifest {
    const id = batchId(this.#writer, this.#signal, number, "");
    const rowCounts: number[] = [];
    for (const segment of segments) addRowCounts(rowCounts, segment.rowCounts);
    return {
      format: 1,
      id,
      number,
      part: "",
      writer: this.#writer,
      signal: this.#signal,
      segments: segments.map((segment) => segment.number),
      firstSequence: Math.min(...segments.map((segment) => segment.firstSequence)),
      lastSequence: Math.max(...segments.map((segment) => segment.lastSequence)),
      envelopes: segments.reduce((sum, segment) => sum + segment.envelopes, 0),
      rowCounts,
      fileBytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      fileCrc32c,
      ...pinned,
      token: tokenOf(id, newNonce()),
      discardFirst: false,
    };
  }
}

/** Sequences, envelopes and rows of frames in order; zeros when there are none. */
export function summarize(
  frames: readonly PlacedFrame[],
): Pick<Manifest, "firstSequence" | "lastSequence" | "envelopes" | "rowCounts"> {
  const rowCounts: number[] = [];
  for (const { frame } of frames) addRowCounts(rowCounts, frame.rowCounts);
  return {
    firstSequence: frames[0]?.frame.sequence ?? 0,
    lastSequence: frames.at(-1)?.frame.sequence ?? 0,
    envelopes: frames.length,
    rowCounts,
  };
}

export function newNonce(): string {
  return randomBytes(6).toString("hex");
}
