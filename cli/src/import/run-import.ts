import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { WeirError, type Import, type UsageEvent } from "@weir/sdk";
import type { EventMapping, SourceRow } from "@weir/sdk/files";
import type { CliContext } from "../context.js";
import { ProgressBar } from "./progress-bar.js";

export interface ImportJob {
  readonly name: string;
  readonly file: string;
  /** Says, with the file's content, what is imported: another mapping under the name is refused. */
  readonly mappingText: string;
  readonly rows: AsyncIterable<SourceRow>;
  readonly mapping: EventMapping;
  /** Events of one request, at most. */
  readonly chunkEvents: number;
}

interface Chunk {
  readonly firstRow: number;
  readonly lines: number[];
  readonly events: UsageEvent[];
  bytes: number;
  fileBytes: number;
}

const chunk_bytes_max = 8 * 1024 * 1024;

/**
 * Imports a file from the row on where the import of this name stands. Interrupted at any point it may be run again:
 * rows that were taken are skipped, and events that were taken without an answer count as duplicates.
 */
export async function runImport(context: CliContext, job: ImportJob): Promise<Import> {
  const { size } = await stat(job.file);
  const fingerprint = await fingerprintOf(job);
  const started = await context.weir.imports.start(job.name, fingerprint);
  if (started.status === "completed") return started;
  const bar = new ProgressBar(context.err, size);
  if (started.rowsDone > 0) context.err.write(`Going on at row ${started.rowsDone}.\n`);

  const began = performance.now();
  let sent = 0;
  const send = async (chunk: Chunk): Promise<void> => {
    const { firstRow, lines, events } = chunk;
    try {
      await context.weir.imports.sendChunk(started.id, { firstRow, rows: lines.length, events });
    } catch (error) {
      throw nameLines(error, job.file, chunk);
    }
    sent += events.length;
    const rate = Math.round(sent / ((performance.now() - began) / 1000));
    bar.update(chunk.fileBytes, `${firstRow + lines.length} rows, ${sent} events, ${rate}/s`);
  };
  try {
    // While one chunk is on its way, the next is read: no more than two are in memory.
    let sending: Promise<void> = Promise.resolve();
    for await (const chunk of chunksOf(job, started.rowsDone)) {
      await sending;
      sending = send(chunk);
      sending.catch(() => undefined);
    }
    await sending;
  } finally {
    bar.end();
  }
  return context.weir.imports.complete(started.id);
}

async function* chunksOf(job: ImportJob, rowsDone: number): AsyncGenerator<Chunk> {
  let chunk: Chunk | undefined;
  for await (const row of job.rows) {
    if (row.row < rowsDone) continue;
    const events = job.mapping(row);
    const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
    if (
      chunk !== undefined &&
      (chunk.events.length + events.length > job.chunkEvents || chunk.bytes + bytes > chunk_bytes_max)
    ) {
      yield chunk;
      chunk = undefined;
    }
    chunk ??= { firstRow: row.row, lines: [], events: [], bytes: 0, fileBytes: 0 };
    chunk.lines.push(row.line);
    chunk.events.push(...events);
    chunk.bytes += bytes;
    chunk.fileBytes = row.bytes;
  }
  if (chunk !== undefined) yield chunk;
}

async function fingerprintOf(job: ImportJob): Promise<string> {
  const hash = createHash("sha256").update(job.mappingText).update("\0");
  for await (const bytes of createReadStream(job.file)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** The server names bad events by their index in the chunk; people look for the line of the file. */
function nameLines(error: unknown, file: string, chunk: Chunk): unknown {
  if (!(error instanceof WeirError) || !Array.isArray(error.problem["errors"])) return error;
  const perRow = chunk.events.length / chunk.lines.length;
  const errors = (error.problem["errors"] as { index?: number }[]).map((each) =>
    each.index === undefined ? each : { line: chunk.lines[Math.floor(each.index / perRow)], ...each },
  );
  const detail = `${error.problem.detail} (in ${file}; nothing of rows ${chunk.firstRow} to ${chunk.firstRow + chunk.lines.length - 1} was taken; mend them and run the same command again under another --name)`;
  return new WeirError({ ...error.problem, detail, errors }, { cause: error });
}
