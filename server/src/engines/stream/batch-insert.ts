import { crc32c } from "@node-rs/crc32";
import type { Clock } from "../../kernel/clock.js";
import { formatInstant } from "../../kernel/instant.js";
import type { Log } from "../../kernel/log.js";
import { newNonce, summarize, type BatchFiles } from "./batch-files.js";
import { reissue, surveyFrames, type Survey } from "./core/index.js";
import { BatchRejected } from "./errors.js";
import type { Quarantine } from "./quarantine.js";
import { sameRowCounts } from "./row-counts.js";
import type { BatchSink } from "./signal-stream.js";
import type { StopSignal } from "./stop-signal.js";
import { waiting, type WaitingBatch } from "./waiting-batch.js";

/** The rows under a batch's id are not those that its frames announce. */
export class RowsMismatch extends Error {
  override readonly name = "RowsMismatch";
}

/** What became of one attempt. `split`: the halves take the batch's place. */
export type Outcome =
  | { readonly kind: "settled" }
  | { readonly kind: "split"; readonly halves: readonly WaitingBatch[] };

export interface BatchInsertOptions {
  readonly sink: BatchSink;
  readonly files: BatchFiles;
  readonly quarantine: Quarantine;
  readonly stop: StopSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * One attempt to bring one batch into the sink: the order of discards, manifests and inserts that keeps every
 * crash on the way harmless. May be repeated at any time; throws what should be tried again.
 */
export class BatchInsert {
  readonly #on: BatchInsertOptions;

  constructor(options: BatchInsertOptions) {
    this.#on = options;
  }

  /** @throws RowsMismatch after an insert whose rows do not add up; any other error of the sink or the disk */
  async attempt(batch: WaitingBatch): Promise<Outcome> {
    const { sink, files, stop } = this.#on;
    const engineVersion = await stop.unlessStopped(sink.engineVersion());
    if (batch.damaged) {
      const done = await this.#mend(batch, engineVersion);
      if (done) return { kind: "settled" };
    }
    const stale = batch.manifest.discardFirst && !batch.tokenIsOurs;
    if (batch.manifest.engineVersion !== engineVersion || stale) await this.#reissue(batch, engineVersion);
    const unreadable = await this.#discardOnce(batch);
    if (unreadable !== undefined) return this.#setAside(batch, unreadable);

    const pinned = files.batchOf(batch.manifest);
    try {
      await stop.unlessStopped(sink.insert(pinned));
    } catch (error) {
      if (error instanceof BatchRejected) return this.#setAside(batch, error);
      throw error;
    }
    const counts = await stop.unlessStopped(sink.countRows(pinned));
    if (!sameRowCounts(counts, batch.manifest.rowCounts)) {
      const { rowCounts } = batch.manifest;
      await this.#reissue(batch, engineVersion);
      throw new RowsMismatch(`${pinned.id}: expected rows [${rowCounts.join()}], found [${counts.join()}]`);
    }
    return { kind: "settled" };
  }

  /** A new token, durable before anything happens under it. A restart makes yet another, and discards again. */
  async #reissue(batch: WaitingBatch, engineVersion: string): Promise<void> {
    const { sink, files, log } = this.#on;
    const next = reissue(batch.manifest, { settings: { ...sink.settings() }, engineVersion }, newNonce());
    await files.writeManifest(next);
    log.info("a batch gets a new token; its rows are discarded first", {
      batch: next.id,
      engineVersion,
      before: batch.manifest.engineVersion,
    });
    batch.manifest = next;
    batch.tokenIsOurs = true;
    batch.discarded = false;
  }

  async #discardOnce(batch: WaitingBatch): Promise<Error | undefined> {
    if (!batch.manifest.discardFirst || batch.discarded) return undefined;
    const unreadable = await this.#discard(batch);
    batch.discarded = unreadable === undefined;
    return unreadable;
  }

  /** @returns why it can never be done: the sink looks into the frames, and cannot read these */
  async #discard({ manifest }: WaitingBatch): Promise<Error | undefined> {
    const { sink, files, stop } = this.#on;
    try {
      await stop.unlessStopped(sink.discard(files.batchOf(manifest)));
      return undefined;
    } catch (error) {
      if (error instanceof Error && "retry" in error && error.retry === false) return error;
      throw error;
    }
  }

  /** Bisects a rejected batch, or quarantines it when it is a single envelope. */
  async #setAside(batch: WaitingBatch, cause: Error): Promise<Outcome> {
    const { files, quarantine, clock, log } = this.#on;
    const { manifest } = batch;
    // A rejected insert may have filled one table before it failed in another. Where an envelope keeps the sink from
    // discarding, each half discards for itself, and the envelope's own part, which no insert could read, has no rows.
    const unreadable = await this.#discard(batch);
    const bytes = await files.files.read(files.pathOf(manifest));
    const { frames } = surveyFrames(bytes, {
      after: manifest.firstSequence - 1,
      last: manifest.lastSequence,
    });
    if (frames.length <= 1) {
      await quarantine.keepEnvelope(manifest, bytes, cause.message, formatInstant(clock.now()));
      log.error("an envelope that no insert accepts is quarantined", {
        batch: manifest.id,
        sequence: manifest.firstSequence,
        organization: frames[0]?.frame.organization,
        reason: cause.message,
      });
      return { kind: "settled" };
    }
    const halves = await files.split(manifest, bytes, frames, { discardFirst: unreadable !== undefined });
    log.warn("a rejected batch is bisected", {
      batch: manifest.id,
      envelopes: frames.length,
      reason: cause.message,
    });
    return { kind: "split", halves: halves.map((half) => waiting(half, { tokenIsOurs: true })) };
  }

  /**
   * Settles a batch whose file lost frames after its manifest was written. If the rows are all there, the insert came
   * before the damage. Otherwise the damaged bytes are kept aside and what survived is inserted anew.
   * @returns true when there is nothing left to insert
   */
  async #mend(batch: WaitingBatch, engineVersion: string): Promise<boolean> {
    const { sink, files, stop, log } = this.#on;
    const { manifest } = batch;
    const counts = await stop.unlessStopped(sink.countRows(files.batchOf(manifest)));
    if (sameRowCounts(counts, manifest.rowCounts)) {
      log.info("a damaged batch had been inserted whole before the damage", { batch: manifest.id });
      return true;
    }
    const bytes = await this.#readIfThere(batch);
    const survey = surveyFrames(bytes, { after: manifest.firstSequence - 1, last: manifest.lastSequence });
    await this.#keepDamage(manifest.id, files.pathOf(manifest), bytes, survey);
    const sound = survey.frames.map(({ start, end }) => bytes.subarray(start, end));
    const checksum = sound.reduce((sum, frame) => crc32c(frame, sum), 0);
    const fileBytes = sound.reduce((sum, frame) => sum + frame.length, 0);
    const { envelopes, rowCounts } = summarize(survey.frames);
    // The range of sequences stays what it was: the watermark passes the lost ones, which are reported.
    batch.manifest = { ...manifest, envelopes, rowCounts, fileBytes, fileCrc32c: checksum };
    await this.#reissue(batch, engineVersion);
    if (sound.length > 0) await files.replaceFrames(batch.manifest, sound);
    batch.bytes = fileBytes;
    batch.damaged = false;
    const unreadable = await this.#discardOnce(batch);
    if (unreadable !== undefined && sound.length === 0)
      log.warn("what is lost may have left rows", { batch: manifest.id, error: unreadable.message });
    return sound.length === 0;
  }

  async #readIfThere(batch: WaitingBatch): Promise<Buffer> {
    const { files } = this.#on;
    const entries = await files.files.list(files.directory);
    const file = files.pathOf(batch.manifest);
    return entries.some(({ name }) => file.endsWith(name)) ? files.files.read(file) : Buffer.alloc(0);
  }

  async #keepDamage(id: string, file: string, bytes: Buffer, survey: Survey): Promise<void> {
    const { quarantine, log } = this.#on;
    const fileName = file.slice(file.lastIndexOf("/") + 1);
    for (const { start, end, reason } of survey.damage) {
      const kept = await quarantine.keepDamage(fileName, start, bytes.subarray(start, end));
      log.error("damaged bytes of a batch are kept aside", { batch: id, start, end, reason, kept });
    }
    for (const range of survey.missing)
      log.error("envelopes of a damaged batch are lost", { batch: id, ...range });
  }
}
