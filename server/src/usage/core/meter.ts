import type { Instant } from "../../kernel/instant.js";
import type { MeterId, MeterVersionId } from "../../kernel/ids.js";

export const aggregations = [
  "SUM",
  "COUNT",
  "UNIQUE_COUNT",
  "MIN",
  "MAX",
  "AVG",
  "LATEST",
  "WEIGHTED_SUM",
] as const;

/**
 * How measurements become one quantity.
 * LATEST is by (event time, order of acceptance); AVG is an exact sum over an exact count; WEIGHTED_SUM takes
 * a value to hold until the next event of the same subject and dimensions, and is in value × seconds.
 */
export type Aggregation = (typeof aggregations)[number];

/** Whether a quantity is what the values of its events add up to. */
export function addsUp(aggregation: Aggregation): boolean {
  return aggregation === "SUM" || aggregation === "COUNT";
}

/** One dimension: its name in queries and the property of the event's data that fills it ('' when absent). */
export interface GroupBy {
  readonly name: string;
  readonly property: string;
}

/** A condition on a property; an event is measured only when all of a meter's filters hold. */
export type MeterFilter = { readonly property: string } & (
  | { readonly operator: "equals" | "not_equals"; readonly value: string }
  | { readonly operator: "in" | "not_in"; readonly values: readonly string[] }
  | { readonly operator: "exists" | "not_exists" }
  | { readonly operator: "gt" | "gte" | "lt" | "lte"; readonly value: string }
);

/** What a meter measures. */
export interface MeterDefinition {
  readonly eventType: string;
  readonly aggregation: Aggregation;
  /** Property path of the value; absent exactly for COUNT. */
  readonly valueProperty?: string;
  readonly groupBy: readonly GroupBy[];
  readonly filters: readonly MeterFilter[];
}

/** An immutable version of a meter. A change of definition is a new version, backfilled over history. */
export interface MeterVersion extends MeterDefinition {
  readonly id: MeterVersionId;
  readonly meter: MeterId;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly createdAt: Instant;
}
