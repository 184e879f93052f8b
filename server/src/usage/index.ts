import type { Backfill } from "./backfill.js";
import type { Corrections } from "./corrections.js";
import type { FileImports } from "./file-imports/index.js";
import type { Imports } from "./imports.js";
import type { UsageIngest } from "./ingest.js";
import type { Meters } from "./meters.js";
import type { ArrivalListener } from "./usage-arrivals.js";
import type { UsageQueries } from "./queries.js";
import type { RatedUsage } from "./rated-usage.js";

/** The usage domain: what it offers to the rest of Weir. Built by `openUsage`. */
export interface Usage {
  readonly ingest: UsageIngest;
  readonly imports: Imports;
  readonly fileImports: FileImports;
  readonly meters: Meters;
  readonly queries: UsageQueries;
  readonly rated: RatedUsage;
  readonly corrections: Corrections;
  readonly backfill: Backfill;
  /** Tells whose usage has come into the store, after each batch that holds some. Returns the function that stops it. */
  onArrival(listener: ArrivalListener): () => void;
  /** Resolves when everything accepted so far shows in queries. */
  settled(): Promise<void>;
  /** Figures for /metrics and /readyz. */
  stats(): UsageStats;
  /** Stops taking events in, seals, and lets go of the index. */
  close(): Promise<void>;
}

export interface UsageStats {
  readonly stream: Readonly<Record<string, number>>;
  readonly index: Readonly<Record<string, number>>;
  /** What keeps ingest from taking anything in; undefined while it does. */
  readonly unavailable: string | undefined;
}

export { openUsage } from "./open-usage.js";
export type { StoredMeterVersion } from "./store/meters.js";
export type { MeterVersion, Aggregation } from "./core/index.js";
export type { UsageQuery, UsageResult, UsageRow } from "./usage-query.js";
export type {
  BulkPart,
  RatedFilter,
  RatedSelection,
  RatedSource,
  RatedWindow,
  ReadUsage,
  UsageReading,
} from "./usage-reading.js";
export type { SubjectSpan, SubjectsOfCustomers } from "./queries.js";
export { directUsageRoutes, registerUsageRoutes } from "./api/rest.js";
