import type { JsonValue } from "../../../kernel/json.js";
import {
  aggregations,
  findDefinitionFaults,
  isSlug,
  type MeterDefinition,
  type MeterFilter,
} from "../../../usage/core/index.js";
import { catalog_key_rule } from "../catalog-key.js";
import type { CatalogFaults } from "../fault.js";
import { MappingReader } from "./mapping-reader.js";
import { given } from "./price-notation.js";

/** A meter as a catalog file declares it. */
export interface DeclaredMeter extends MeterDefinition {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
}

const with_value = ["equals", "not_equals", "gt", "gte", "lt", "lte"] as const;
const with_values = ["in", "not_in"] as const;
const without = ["exists", "not_exists"] as const;

export function readMeter(value: unknown, faults: CatalogFaults): DeclaredMeter | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const slug = reader.requiredText("slug", "what prices call the meter");
  const eventType = reader.requiredText("eventType", "the type of the events to measure");
  if (reader.value("aggregation") === undefined)
    faults.add("aggregation", `is missing: ${aggregations.join(", ")}`);
  const aggregation = reader.oneOf("aggregation", aggregations);
  const optional = {
    name: reader.text("name"),
    description: reader.text("description"),
    valueProperty: reader.text("valueProperty"),
  };
  const groupBy = Object.entries(reader.mapping("groupBy", readPath) ?? {});
  const filters = reader.list("filters", readFilter) ?? [];
  reader.end();
  if (!isSlug(slug)) faults.add("slug", catalog_key_rule);
  if (aggregation === undefined) return undefined;
  const meter = {
    slug,
    eventType,
    aggregation,
    groupBy: groupBy.map(([name, property]) => ({ name, property })),
    filters,
    ...given(optional),
  };
  for (const { field, message } of findDefinitionFaults(meter)) {
    if (field !== "eventType" || eventType !== "") faults.add(field, message);
  }
  return meter;
}

function readPath(value: unknown, faults: CatalogFaults): string | undefined {
  if (typeof value === "string") return value;
  faults.add("", 'a property path such as "$.region"');
  return undefined;
}

function readFilter(value: unknown, faults: CatalogFaults): MeterFilter | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const property = reader.requiredText("property", 'a property path such as "$.model"');
  const operator = reader.oneOf("operator", [...with_value, ...with_values, ...without]);
  const [one, several] = [reader.text("value"), reader.texts("values")];
  reader.end();
  if (operator === undefined) {
    if (reader.value("operator") === undefined) faults.add("operator", 'is missing: such as "equals"');
    return undefined;
  }
  if (isOneOf(operator, with_values)) {
    if (one !== undefined) faults.add("value", `${operator} takes values, a list`);
    return { property, operator, values: several ?? [] };
  }
  if (several !== undefined) faults.add("values", `${operator} takes no list of values`);
  if (isOneOf(operator, with_value)) {
    if (one === undefined && several === undefined)
      faults.add("value", `is missing: ${operator} compares with it`);
    return { property, operator, value: one ?? "" };
  }
  if (one !== undefined) faults.add("value", `${operator} takes no value`);
  return { property, operator };
}

function isOneOf<T extends string>(text: string, allowed: readonly T[]): text is T {
  return (allowed as readonly string[]).includes(text);
}

export function writeMeter(meter: DeclaredMeter): Record<string, JsonValue> {
  const { slug, name, description, eventType, aggregation, valueProperty, groupBy, filters } = meter;
  return {
    slug,
    ...(name === undefined || name === slug ? {} : { name }),
    ...(description === undefined || description === "" ? {} : { description }),
    eventType,
    aggregation,
    ...(valueProperty === undefined ? {} : { valueProperty }),
    ...(groupBy.length === 0
      ? {}
      : { groupBy: Object.fromEntries(groupBy.map((dimension) => [dimension.name, dimension.property])) }),
    ...(filters.length === 0 ? {} : { filters: filters.map((filter) => ({ ...filter }) as JsonValue) }),
  };
}
