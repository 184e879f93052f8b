import { crc32c } from "@node-rs/crc32";
import * as path from "node:path";
import type { Log } from "../../kernel/log.js";
import { newNonce, summarize, type BatchFiles } from "./batch-files.js";
import { writeWatermark } from "./confirmation.js";
import {
  batchId,
  batchName,
  manifestName,
  parseManifest,
  parseName,
  parseWatermark,
  planRecovery,
  readFrame,
  segmentName,
  surveyFrames,
  tokenOf,
  watermark_name,
  type Manifest,
  type PlannedBatch,
  type RecoveryPlan,
  type Survey,
  type WatermarkRecord,
} from "./core/index.js";
import { removeFile, replaceFile } from "./durable-file.js";
import { StreamFolderUnsound } from "./errors.js";
import type { FileEntry, FileLayer } from "./file-layer.js";
import type { Quarantine } from "./quarantine.js";
import type { SealedSegment } from "./segment-log.js";
import type { SegmentHooks, Signal } from "./signal-stream.js";
import { waiting, type WaitingBatch } from "./waiting-batch.js";

export interface RecoveryOptions {
  readonly files: FileLayer;
  readonly directory: string;
  readonly writer: string;
  readonly signal: Signal;
  readonly batchFiles: BatchFiles;
  readonly quarantine: Quarantine;
  readonly hooks: SegmentHooks;
  readonly log: Log;
}

/** What the stream starts from. */
export interface Recovered {
  readonly watermark: WatermarkRecord;
  readonly batches: readonly WaitingBatch[];
  readonly segments: readonly SealedSegment[];
  readonly nextSequence: number;
  readonly nextSegment: number;
  readonly nextBatch: number;
}

/**
 * Brings the folder into a state that the stream could have left without a crash, and shows every surviving frame to
 * hooks.recover. May itself be interrupted anywhere and repeated.
 * @throws StreamFolderUnsound when the watermark is lost: going on could count twice
 */
export async function recoverFolder(options: RecoveryOptions): Promise<Recovered> {
  const { files, directory, log } = options;
  // What is visible now must not vanish after it was acted on.
  await files.syncDirectory(directory);
  const entries = await files.list(directory);
  const watermark = await readWatermark(options, entries);
  const manifests = new Map<string, Manifest | undefined>();
  for (const { name } of entries) {
    if (parseName(name).kind !== "manifest") continue;
    const manifest = parseManifest((await files.read(path.join(directory, name))).toString("utf8"));
    manifests.set(
      name,
      manifest?.writer === options.writer && manifest.signal === options.signal ? manifest : undefined,
    );
  }
  const plan = planRecovery({ files: entries, manifests, watermark });
  for (const problem of plan.problems) log.error("recovery found a problem", { problem });
  for (const { from, to } of plan.renames)
    await files.rename(path.join(directory, from), path.join(directory, to));
  for (const name of plan.deletions) await removeFile(files, path.join(directory, name));
  if (plan.renames.length + plan.deletions.length > 0) await files.syncDirectory(directory);
  return new FolderReader(options, watermark, plan).read();
}

async function readWatermark(
  options: RecoveryOptions,
  entries: readonly FileEntry[],
): Promise<WatermarkRecord> {
  const { files, directory, writer, signal } = options;
  const file = path.join(directory, watermark_name);
  if (!entries.some(({ name }) => name === watermark_name)) {
    const left = entries.find(({ name }) => ["segment", "batch", "manifest"].includes(parseName(name).kind));
    if (left !== undefined) {
      throw new StreamFolderUnsound(
        `${file} is missing beside ${left.name}; restore it, or move the folder away`,
      );
    }
    const first: WatermarkRecord = { format: 1, writer, signal, sequence: 0, batch: 0, segment: 0 };
    await writeWatermark(files, directory, first);
    return first;
  }
  const record = parseWatermark((await files.read(file)).toString("utf8"));
  if (record === undefined)
    throw new StreamFolderUnsound(`${file} is damaged; restore it, or move the folder away`);
  if (record.writer !== writer || record.signal !== signal) {
    const owner = `${record.signal} of writer ${record.writer}`;
    throw new StreamFolderUnsound(`${directory} belongs to ${owner}, not to ${signal} of writer ${writer}`);
  }
  return record;
}

/** The second half of recovery: reads every file once, in order. */
class FolderReader {
  readonly #on: RecoveryOptions;
  readonly #plan: RecoveryPlan;
  readonly #watermark: WatermarkRecord;
  readonly #batches: WaitingBatch[] = [];
  readonly #segments: SealedSegment[] = [];
  #lastSequence: number;
  #nextSegment: number;

  constructor(options: RecoveryOptions, watermark: WatermarkRecord, plan: RecoveryPlan) {
    this.#on = options;
    this.#plan = plan;
    this.#watermark = watermark;
    this.#lastSequence = watermark.sequence;
    this.#nextSegment = plan.nextSegment;
  }

  async read(): Promise<Recovered> {
    for (const planned of this.#plan.batches) {
      if (planned.manifest === undefined) await this.#readOrphan(planned);
      else await this.#readBatch(planned, planned.manifest);
    }
    this.#batches.sort((a, b) => a.manifest.firstSequence - b.manifest.firstSequence);
    for (const { manifest } of this.#batches)
      this.#follow(manifest.id, manifest.firstSequence, manifest.lastSequence);
    for (const [index, number] of this.#plan.segments.entries()) await this.#readSegment(number, index);
    return {
      watermark: this.#watermark,
      batches: this.#batches,
      segments: this.#segments,
      nextSequence: this.#lastSequence + 1,
      nextSegment: this.#nextSegment,
      nextBatch: this.#plan.nextBatch,
    };
  }

  async #readBatch(planned: PlannedBatch, manifest: Manifest): Promise<void> {
    const { batchFiles, files } = this.#on;
    const bytes = planned.framesPresent ? await files.read(batchFiles.pathOf(manifest)) : Buffer.alloc(0);
    const sound = bytes.length === manifest.fileBytes && crc32c(bytes) === manifest.fileCrc32c;
    const survey = surveyFrames(bytes, { after: manifest.firstSequence - 1, last: manifest.lastSequence });
    await this.#recover(survey, manifest.segments);
    if (planned.confirmed) {
      await batchFiles.remove(manifest);
      return;
    }
    if (!sound)
      this.#on.log.error("a batch is damaged", { batch: manifest.id, frames: survey.frames.length });
    this.#batches.push(waiting(manifest, { tokenIsOurs: false, damaged: !sound }));
  }

  /** Frames without a (readable) manifest: the rest of a deletion, or the manifest is rebuilt. */
  async #readOrphan({ number, part }: PlannedBatch): Promise<void> {
    const { files, directory, batchFiles, writer, signal, log } = this.#on;
    const name = batchName(number, part);
    const bytes = await files.read(path.join(directory, name));
    const survey = surveyFrames(bytes, { after: 0, last: undefined });
    const segment = this.#nextSegment;
    this.#nextSegment += 1;
    await this.#recover(survey, [segment]);
    const { firstSequence, lastSequence, envelopes, rowCounts } = summarize(survey.frames);
    if (survey.frames.length === 0 || lastSequence <= this.#watermark.sequence) {
      await this.#keepDamage(name, bytes, survey);
      await removeFile(files, path.join(directory, name));
      await removeFile(files, path.join(directory, manifestName(number, part)));
      return;
    }
    const id = batchId(writer, signal, number, part);
    log.error("a batch lost its manifest; it is rebuilt, its rows are discarded and inserted anew", {
      batch: id,
    });
    await this.#keepDamage(name, bytes, survey);
    const sound = survey.frames.map(({ start, end }) => bytes.subarray(start, end));
    if (survey.damage.length > 0) await replaceFile(files, directory, name, sound);
    const manifest: Manifest = {
      format: 1,
      id,
      number,
      part,
      writer,
      signal,
      segments: [segment],
      firstSequence,
      lastSequence,
      envelopes,
      rowCounts,
      fileBytes: sound.reduce((sum, frame) => sum + frame.length, 0),
      fileCrc32c: sound.reduce((sum, frame) => crc32c(frame, sum), 0),
      settings: {},
      engineVersion: "unknown",
      token: tokenOf(id, newNonce()),
      discardFirst: true,
    };
    await batchFiles.writeManifest(manifest);
    this.#batches.push(waiting(manifest, { tokenIsOurs: false }));
  }

  async #readSegment(number: number, index: number): Promise<void> {
    const { files, directory, log } = this.#on;
    const name = segmentName(number);
    const file = path.join(directory, name);
    const bytes = await files.read(file);
    let survey = surveyFrames(bytes, { after: this.#lastSequence, last: undefined });
    const following = this.#plan.segments[index + 1];
    if (survey.damage.length > 0 && following !== undefined) {
      const last = await this.#firstSequenceOf(following);
      if (last !== undefined) survey = surveyFrames(bytes, { after: this.#lastSequence, last: last - 1 });
    }
    await this.#keepDamage(name, bytes, survey);
    for (const range of survey.missing) log.error("sequences are missing", { segment: number, ...range });
    if (survey.frames.length === 0) {
      await removeFile(files, file);
      await files.syncDirectory(directory);
      return;
    }
    const sound = survey.frames.map(({ start, end }) => bytes.subarray(start, end));
    // The last segment may hold bytes whose fsync failed: the system then calls their pages clean, and no later fsync
    // writes them. Only writing them again does. A damaged one loses its damage on this way.
    if (following === undefined || survey.damage.length > 0) {
      await replaceFile(files, directory, name, survey.damage.length === 0 ? [bytes] : sound);
      await files.syncDirectory(directory);
    }
    await this.#recover(survey, [number]);
    const summary = summarize(survey.frames);
    this.#lastSequence = summary.lastSequence;
    this.#segments.push({
      number,
      path: file,
      bytes: sound.reduce((sum, frame) => sum + frame.length, 0),
      crc32c: sound.reduce((sum, frame) => crc32c(frame, sum), 0),
      ...summary,
    });
  }

  async #firstSequenceOf(segment: number): Promise<number | undefined> {
    const bytes = await this.#on.files.read(path.join(this.#on.directory, segmentName(segment)));
    const reading = readFrame(bytes, 0);
    return reading.kind === "frame" ? reading.frame.sequence : undefined;
  }

  async #recover(survey: Survey, segments: readonly number[]): Promise<void> {
    const { hooks } = this.#on;
    const segment = segments.at(-1) ?? this.#nextSegment;
    for (const { frame } of survey.frames) {
      const recovering = hooks.recover({ ...frame, segment });
      if (recovering !== undefined) await recovering;
    }
    await hooks.sealed(segment);
  }

  #follow(what: string, first: number, last: number): void {
    const { log } = this.#on;
    if (first > this.#lastSequence + 1) {
      log.error("sequences are missing", { before: what, first: this.#lastSequence + 1, last: first - 1 });
    }
    if (first <= this.#lastSequence)
      log.error("sequences repeat", { in: what, first, last: this.#lastSequence });
    this.#lastSequence = Math.max(this.#lastSequence, last);
  }

  async #keepDamage(name: string, bytes: Buffer, survey: Survey): Promise<void> {
    for (const { start, end, reason } of survey.damage) {
      const kept = await this.#on.quarantine.keepDamage(name, start, bytes.subarray(start, end));
      this.#on.log.error("damaged bytes are cut out and kept aside", {
        file: name,
        start,
        end,
        reason,
        kept,
      });
    }
  }
}
