import { Decimal } from "../../kernel/decimal.js";
import { aggregations, type Aggregation, type MeterDefinition, type MeterFilter } from "./meter.js";
import { parsePropertyPath } from "./property-path.js";

/** One thing that is wrong with a definition: where, and what to do. */
export interface DefinitionFault {
  readonly field: string;
  readonly message: string;
}

const dimensions_max = 32;
const filters_max = 32;
const filter_values_max = 1000;
const name_pattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;
const slug_pattern = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;

export function isAggregation(text: string): text is Aggregation {
  return (aggregations as readonly string[]).includes(text);
}

/** A meter's slug: lower case letters and digits in groups joined by single - or _, at most 64 characters. */
export function isSlug(text: string): boolean {
  return text.length <= 64 && slug_pattern.test(text);
}

/** Everything wrong with a definition, or an empty list. What passes here compiles (see measure.ts). */
export function findDefinitionFaults(definition: MeterDefinition): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const fault = (field: string, message: string) => faults.push({ field, message });

  if (definition.eventType === "" || definition.eventType.length > 256) {
    fault("eventType", "give the type of the events to measure, 1 to 256 characters");
  }
  const needsValue = definition.aggregation !== "COUNT";
  if (needsValue && definition.valueProperty === undefined) {
    fault("valueProperty", `${definition.aggregation} needs a property to aggregate, such as "$.tokens"`);
  }
  if (!needsValue && definition.valueProperty !== undefined) {
    fault("valueProperty", "COUNT counts events and takes no property; leave it out");
  }
  if (definition.valueProperty !== undefined) checkPath("valueProperty", definition.valueProperty);

  if (definition.groupBy.length > dimensions_max) fault("groupBy", `at most ${dimensions_max} dimensions`);
  const names = new Set<string>();
  for (const dimension of definition.groupBy) {
    const field = `groupBy.${dimension.name}`;
    if (!name_pattern.test(dimension.name) || dimension.name === "subject") {
      fault(
        field,
        'a name is a letter or _ and up to 63 of letters, digits, "_", ".", "-", and not "subject"',
      );
    }
    if (names.has(dimension.name)) fault(field, "this name is there twice");
    names.add(dimension.name);
    checkPath(field, dimension.property);
  }

  if (definition.filters.length > filters_max) fault("filters", `at most ${filters_max} filters`);
  definition.filters.forEach((filter, index) => checkFilter(`filters[${index}]`, filter));
  return faults;

  function checkPath(field: string, property: string) {
    if (parsePropertyPath(property) === undefined) {
      fault(
        field,
        `"${property}" is not a property path; write "$.name", "$.a.b", "$.list[0]" or '$["any name"]'`,
      );
    }
  }

  function checkFilter(field: string, filter: MeterFilter) {
    checkPath(`${field}.property`, filter.property);
    if ("values" in filter && (filter.values.length === 0 || filter.values.length > filter_values_max)) {
      fault(`${field}.values`, `give 1 to ${filter_values_max} values`);
    }
    const ordered = ["gt", "gte", "lt", "lte"].includes(filter.operator);
    if (ordered && "value" in filter && Decimal.parse(filter.value) === undefined) {
      fault(`${field}.value`, `"${filter.value}" is not a number, and ${filter.operator} compares numbers`);
    }
  }
}
