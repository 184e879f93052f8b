import path from "node:path";
import type { Config } from "../config.js";
import type { Columnar } from "../engines/columnar/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import { openStream } from "../engines/stream/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { day, second } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Log } from "../kernel/log.js";
import type { Wakes } from "../time/index.js";
import { Backfill } from "./backfill.js";
import { contentFingerprint } from "./core/index.js";
import { auditMissingCorrections } from "./correction-audit.js";
import { Corrections } from "./corrections.js";
import { EventIdentity } from "./event-identity.js";
import { FileImports, ImportFolder, registerFileImports } from "./file-imports/index.js";
import { identityHooks } from "./identity-recovery.js";
import { openIdentityIndex } from "./identity-index/index.js";
import { Imports } from "./imports.js";
import type { Usage } from "./index.js";
import { UsageIngest } from "./ingest.js";
import { MeterRegistry } from "./meter-registry.js";
import { Meters, type MeterMisfits } from "./meters.js";
import { UsageQueries, type SubjectsOfCustomers } from "./queries.js";
import { RatedUsage } from "./rated-usage.js";
import { EventRateLimit } from "./rate-limit.js";
import { rebuildIndex } from "./rebuild-index.js";
import { findEvent, findStoredKeys } from "./store/find-events.js";
import { UsageArrivals } from "./usage-arrivals.js";
import { usageSink } from "./store/insert-batch.js";
import { scanForBackfill } from "./store/scan-for-backfill.js";

export interface UsageOptions {
  readonly dataDirectory: { readonly dir: string; readonly writer: string; readonly hashKey: Uint8Array };
  readonly config: Config;
  readonly postgres: Postgres;
  readonly columnar: Columnar;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly log: Log;
  /** Which subjects customers own, and when: billing's knowledge. */
  readonly subjectsOfCustomers: SubjectsOfCustomers;
  readonly meterMisfits: MeterMisfits;
  /** How old usage may be to be on an invoice yet: billing's knowledge. */
  readonly billedAgainDays: number;
}

/**
 * Opens the usage domain on its stores: the identity index first, then the stream (whose recovery fills the index
 * with what a crash left on disk), then everything that reads and writes through them.
 */
export async function openUsage(options: UsageOptions): Promise<Usage> {
  const { config, postgres, columnar, clock, clocks, workflows, wakes, log, dataDirectory } = options;
  const { dir, writer } = dataDirectory;
  const dedupWindow = config.ingest.dedupWindowDays * day;
  const identity = new EventIdentity(dataDirectory.hashKey);
  const index = await openIdentityIndex({ dir: path.join(dir, "index"), clock, log });
  if (index.needsRebuild) await rebuildIndex({ index, columnar, dedupWindow, log });
  const opened = await openStream({
    dir: path.join(dir, "stream", "usage"),
    signal: "usage",
    writer,
    sink: await usageSink(columnar, path.join(dir, "schemas")),
    hooks: identityHooks(index, dedupWindow, log),
    limits: { ...config.stream, sealWhenDue: true },
    clock,
    log,
  });
  const arrivals = new UsageArrivals(opened);
  const stream = arrivals.noting();

  const meterRegistry = new MeterRegistry(postgres);
  const shared = { postgres, stream, index, identity, clock, log, meters: meterRegistry };
  const backfill = new Backfill({
    ...shared,
    scan: (organization, request) => scanForBackfill(columnar.forOrganization(organization), request),
  });
  const ingest = new UsageIngest({
    ...shared,
    clocks,
    rateLimit: new EventRateLimit(config.ingest.eventsPerSecondMax),
    limits: {
      eventsPerRequestMax: config.ingest.eventsPerRequestMax,
      dedupWindow,
      futureTolerance: config.ingest.futureToleranceSeconds * second,
    },
    findStored: async (organization, keys) => {
      const found = new Map<string, string>();
      for (const event of await findStoredKeys(columnar.forOrganization(organization), keys)) {
        const data = event.data === "" ? undefined : (JSON.parse(event.data) as JsonValue);
        found.set(event.key, contentFingerprint(event.type, event.subject, data) ?? "");
      }
      return found;
    },
  });
  const meters = new Meters({
    postgres,
    registry: meterRegistry,
    stream,
    clock,
    onNewVersion: () => backfill.wake(),
    meterMisfits: options.meterMisfits,
  });
  const { subjectsOfCustomers } = options;
  const queries = new UsageQueries({ columnar, meters, stream, clocks, subjectsOfCustomers });
  const corrections = new Corrections({
    ...shared,
    clocks,
    billedAgainDays: options.billedAgainDays,
    findEvent: (organization, source, id) => findEvent(columnar.forOrganization(organization), source, id),
  });
  const sweeping = setInterval(() => {
    index
      .sweep(clock.now())
      .catch((error: unknown) => log.warn("sweeping the index failed", { error: String(error) }));
  }, sweep_ms);
  sweeping.unref();
  const folder = new ImportFolder({
    dir: path.join(dir, "imports"),
    fileBytesMax: config.imports.fileBytesMax,
    diskFreeBytesMin: config.stream.diskFreeBytesMin,
  });
  await folder.open();
  const limits = config.imports;
  const fileImports = new FileImports({
    ...shared,
    ingest,
    workflows,
    wakes,
    clocks,
    folder,
    writer,
    limits,
  });
  registerFileImports(fileImports, { workflows, wakes });
  const sweepingFiles = setInterval(() => {
    fileImports
      .sweep()
      .catch((error: unknown) => log.warn("sweeping imported files failed", { error: String(error) }));
  }, sweep_files_ms);
  sweepingFiles.unref();
  backfill.wake();
  const settled = async (): Promise<void> => {
    await stream.flushed();
    const last = stream.nextSequence - 1;
    if (last > 0) await stream.whenConfirmed(last);
    // Whoever listens to confirmed batches is told right after.
    await new Promise(setImmediate);
  };
  settled()
    .then(() => auditMissingCorrections({ columnar, postgres, clock, log }))
    .catch((error: unknown) => log.warn("auditing corrections failed", { error: String(error) }));

  return {
    ingest,
    imports: new Imports({ postgres, workflows, ingest, clock }),
    fileImports,
    meters,
    queries,
    rated: new RatedUsage(columnar, meters, stream),
    corrections,
    backfill,
    onArrival: (listener) => arrivals.onArrival(listener),
    settled,
    stats() {
      const { unavailable, blocked, ...ofStream } = stream.stats();
      const full = index.pressure;
      return {
        stream: {
          ...ofStream,
          unavailable: Number(unavailable !== undefined),
          blocked: Number(blocked !== undefined),
        },
        index: { ...numbersOf(index.stats()), full: Number(full) },
        unavailable: unavailable !== undefined ? "stream" : full ? "identity_index" : undefined,
      };
    },
    async close() {
      clearInterval(sweeping);
      clearInterval(sweepingFiles);
      await backfill.stop();
      await stream.close();
      await index.close();
    },
  };
}

const sweep_ms = 60_000;
const sweep_files_ms = 3_600_000;

function numbersOf(stats: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(stats).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}
