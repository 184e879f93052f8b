import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { TimeZone } from "../kernel/time-zone.js";

export type WindowSize = "MINUTE" | "HOUR" | "DAY" | "MONTH";
export const windowSizes = ["MINUTE", "HOUR", "DAY", "MONTH"] as const;

/** A question about one meter's usage over [from, to). */
export interface UsageQuery {
  /** Id, version id or slug. */
  readonly meter: string;
  /** Without it: from the first event on. */
  readonly from?: Instant;
  /** Without it: until now. */
  readonly to?: Instant;
  /** Without it: one row over the whole range (for each group). */
  readonly windowSize?: WindowSize;
  /** Where days and months begin. */
  readonly zone: TimeZone;
  readonly subjects?: readonly string[];
  /** Customers by id or key: their subjects, in the spans of time in which they owned them. */
  readonly customers?: readonly string[];
  /** Dimension name → values that pass. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** "subject" and names of dimensions. */
  readonly groupBy: readonly string[];
  /** Only the groups with the largest total over the range. */
  readonly top?: number;
}

/** One answer row. `value` is exact decimal text; null where nothing was measured and the aggregation has no zero. */
export interface UsageRow {
  readonly value: string | null;
  readonly windowStart: Instant;
  readonly windowEnd: Instant;
  readonly subject: string | null;
  readonly groupBy: Readonly<Record<string, string>>;
}

export interface UsageResult {
  readonly meter: string;
  readonly aggregation: string;
  readonly from: Instant | null;
  readonly to: Instant;
  readonly windowSize: WindowSize | null;
  readonly rows: readonly UsageRow[];
  /** False while history is still being measured: older windows may still rise. */
  readonly complete: boolean;
}

export function refuseQuery(field: string, detail: string): Refusal {
  return new Refusal(
    makeProblem("invalid-query", 400, "The query is not valid", `${field}: ${detail}`, { field }),
  );
}
