import * as fs from "node:fs";
import { instantFromMs } from "../../../src/kernel/instant.js";
import type { OrganizationId } from "../../../src/kernel/ids.js";
import type { Log } from "../../../src/kernel/log.js";
import {
  openStream,
  type Appended,
  type BatchSink,
  type RecoveredFrame,
  type SignalStream,
  type StreamOptions,
} from "../../../src/engines/stream/index.js";
import { RecordingSink } from "./recording-sink.js";
import { SimulatedDisk } from "./simulated-disk.js";

export const nimbus = "org_01h455vb4pex5vsknk084sn02q" as OrganizationId;
export const instant = instantFromMs(1_760_000_000_000);

export const generousLimits = {
  sealBytes: 16 * 1024 * 1024,
  sealAgeMs: 60_000_000,
  sealWhenDue: false,
  backlogBytesMax: 1024 * 1024 * 1024,
  diskFreeBytesMin: 0,
  batchBytesMax: 64 * 1024 * 1024,
  insertIntervalMs: 0,
};

/** Collects what the stream reports. */
export class LoggedLines implements Log {
  readonly lines: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];
  debug = this.#taker("debug");
  info = this.#taker("info");
  warn = this.#taker("warn");
  error = this.#taker("error");

  errors(): string[] {
    return this.lines.filter((line) => line.level === "error").map((line) => line.message);
  }

  #taker(level: string) {
    return (message: string, fields?: Record<string, unknown>): void =>
      void this.lines.push({ level, message, fields });
  }
}

export interface TestStream {
  readonly stream: SignalStream;
  readonly sink: RecordingSink;
  readonly recovered: RecoveredFrame[];
  readonly log: LoggedLines;
}

export interface TestStreamOptions {
  readonly dir: string;
  readonly sink?: RecordingSink | undefined;
  readonly files?: StreamOptions["files"] | undefined;
  readonly limits?: Partial<StreamOptions["limits"]>;
  readonly sealed?: (segment: number) => Promise<void>;
  readonly withoutSink?: boolean;
}

export async function openTestStream(options: TestStreamOptions): Promise<TestStream> {
  const { dir, files } = options;
  const read = (path: string): Promise<Buffer> => files?.read(path) ?? fs.promises.readFile(path);
  const sink = options.sink ?? new RecordingSink(read);
  const recovered: RecoveredFrame[] = [];
  const log = new LoggedLines();
  const stream = await openStream({
    dir,
    signal: "usage",
    writer: "w1",
    ...(files === undefined ? {} : { files }),
    sink: options.withoutSink === true ? undefined : whilePowered(sink, files),
    hooks: {
      recover: (frame) => void recovered.push({ ...frame, body: Buffer.from(frame.body) }),
      sealed: options.sealed ?? (() => Promise.resolve()),
    },
    limits: { ...generousLimits, ...options.limits },
    clock: { now: () => instant },
    log,
  });
  return { stream, sink, recovered, log };
}

/** A process without power calls no store: its calls never return, and do nothing. */
function whilePowered(sink: RecordingSink, files: StreamOptions["files"]): BatchSink {
  if (!(files instanceof SimulatedDisk)) return sink;
  const guard = <T>(call: () => Promise<T>): Promise<T> => (files.dead ? new Promise<T>(() => {}) : call());
  return {
    settings: () => sink.settings(),
    engineVersion: () => guard(() => sink.engineVersion()),
    insert: (batch) => guard(() => sink.insert(batch)),
    countRows: (batch) => guard(() => sink.countRows(batch)),
    discard: (batch) => guard(() => sink.discard(batch)),
  };
}

/** Makes timers a thousand times shorter, so that back-off is tested and not waited for. */
export function hurryTimers(): () => void {
  const original = globalThis.setTimeout;
  const hurried = (work: () => void, ms = 0): NodeJS.Timeout => original(work, ms / 1_000);
  globalThis.setTimeout = Object.assign(hurried, {
    __promisify__: original.__promisify__,
  }) as typeof setTimeout;
  return () => {
    globalThis.setTimeout = original;
  };
}

export function append(stream: SignalStream, body: string): Appended {
  return stream.append({
    organization: nimbus,
    receivedAt: instant,
    rowCounts: [1],
    body: () => Buffer.from(body, "latin1"),
    bodyField: 10,
  });
}
