import { Decimal } from "../../kernel/decimal.js";
import type { JsonValue } from "../../kernel/json.js";
import type { MeterFilter, MeterVersion } from "./meter.js";
import { readNumericValue } from "./numeric-value.js";
import { parsePropertyPath, valueAt, type PropertyPath } from "./property-path.js";
import { storedUnique } from "./unique-text.js";

/** What one meter version got out of one event. */
export interface Measurement {
  readonly meter: string;
  /** Decimal text; "1" for COUNT and UNIQUE_COUNT. */
  readonly value: string;
  /** The counted text of UNIQUE_COUNT as it is stored, else ''. */
  readonly unique: string;
  readonly dimensions: readonly string[];
}

/** Why a meter that listens to the event's type got nothing from it. */
export type Unmeasured =
  | { readonly kind: "filtered" }
  | { readonly kind: "value_missing"; readonly property: string }
  | { readonly kind: "value_not_numeric"; readonly property: string }
  | { readonly kind: "value_does_not_fit"; readonly property: string; readonly text: string }
  | { readonly kind: "text_too_long"; readonly property: string; readonly length: number };

export type Measured = { readonly kind: "measured"; readonly measurement: Measurement } | Unmeasured;

/** A meter version made ready for the hot path: paths parsed, filters bound. */
export interface CompiledMeter {
  readonly version: MeterVersion;
  measure(data: JsonValue | undefined): Measured;
}

/** Of a text that is counted or grouped by, in characters. */
export const text_length_max = 1024;
const filtered: Unmeasured = { kind: "filtered" };

/** @throws RangeError when a property path of the definition does not parse (definitions are checked on creation) */
export function compileMeter(version: MeterVersion): CompiledMeter {
  const filters = version.filters.map(compileFilter);
  const dimensions = version.groupBy.map((dimension) => mustParse(dimension.property));
  const property = version.valueProperty ?? "";
  const valuePath = version.aggregation === "COUNT" ? [] : mustParse(property);
  const counted = version.aggregation === "COUNT";
  const unique = version.aggregation === "UNIQUE_COUNT";
  const meter: string = version.id;

  return {
    version,
    measure(data) {
      for (const holds of filters) if (!holds(data)) return filtered;
      let value = "1";
      let uniqueValue = "";
      if (unique) {
        const found = textOf(valueAt(data, valuePath));
        if (found === undefined) return { kind: "value_missing", property };
        if (found.length > text_length_max) return tooLong(property, found);
        uniqueValue = storedUnique(found);
      } else if (!counted) {
        const found = valueAt(data, valuePath);
        if (found === undefined || found === null) return { kind: "value_missing", property };
        const numeric = readNumericValue(found);
        if (numeric.kind === "not_a_number") return { kind: "value_not_numeric", property };
        if (numeric.kind === "does_not_fit") {
          return { kind: "value_does_not_fit", property, text: numeric.text };
        }
        value = numeric.text;
      }
      const row: string[] = [];
      for (const [index, path] of dimensions.entries()) {
        const text = textOf(valueAt(data, path)) ?? "";
        if (text.length > text_length_max) return tooLong(version.groupBy[index]?.property ?? "", text);
        row.push(text);
      }
      return { kind: "measured", measurement: { meter, value, unique: uniqueValue, dimensions: row } };
    },
  };
}

function tooLong(property: string, { length }: string): Unmeasured {
  return { kind: "text_too_long", property, length };
}

/** The text a value is grouped, filtered and counted by: strings as they are, the rest as JSON; null is absent. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  return JSON.stringify(value);
}

function compileFilter(filter: MeterFilter): (data: JsonValue | undefined) => boolean {
  const path = mustParse(filter.property);
  switch (filter.operator) {
    case "equals":
      return (data) => textOf(valueAt(data, path)) === filter.value;
    case "not_equals":
      return (data) => textOf(valueAt(data, path)) !== filter.value;
    case "in": {
      const values = new Set(filter.values);
      return (data) => values.has(textOf(valueAt(data, path)) ?? "");
    }
    case "not_in": {
      const values = new Set(filter.values);
      return (data) => !values.has(textOf(valueAt(data, path)) ?? "");
    }
    case "exists":
      return (data) => textOf(valueAt(data, path)) !== undefined;
    case "not_exists":
      return (data) => textOf(valueAt(data, path)) === undefined;
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return compileComparison(path, filter.operator, Decimal.of(filter.value));
  }
}

function compileComparison(path: PropertyPath, operator: "gt" | "gte" | "lt" | "lte", bound: Decimal) {
  return (data: JsonValue | undefined): boolean => {
    const numeric = readNumericValue(valueAt(data, path));
    if (numeric.kind !== "number") return false;
    const order = Decimal.of(numeric.text).compare(bound);
    if (operator === "gt") return order > 0;
    if (operator === "gte") return order >= 0;
    return operator === "lt" ? order < 0 : order <= 0;
  };
}

function mustParse(property: string): PropertyPath {
  const path = parsePropertyPath(property);
  if (path === undefined) throw new RangeError(`not a property path: ${property}`);
  return path;
}
