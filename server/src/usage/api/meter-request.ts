import { z } from "zod";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { aggregations, type GroupBy } from "../core/index.js";
import type { MeterChange, NewMeter } from "../meters.js";
import type { StoredMeterVersion } from "../store/meters.js";
import { formatInstant } from "../../kernel/instant.js";

const groupBy = z.union([
  z.record(z.string(), z.string()),
  z.array(z.object({ name: z.string(), property: z.string() })),
]);

const filter = z.discriminatedUnion("operator", [
  z.object({ property: z.string(), operator: z.enum(["equals", "not_equals"]), value: z.string() }),
  z.object({ property: z.string(), operator: z.enum(["in", "not_in"]), values: z.array(z.string()) }),
  z.object({ property: z.string(), operator: z.enum(["exists", "not_exists"]) }),
  z.object({ property: z.string(), operator: z.enum(["gt", "gte", "lt", "lte"]), value: z.string() }),
]);

const newMeter = z.object({
  slug: z.string(),
  name: z.string().min(1).max(256).nullish(),
  description: z.string().max(1024).nullish(),
  eventType: z.string(),
  aggregation: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(aggregations)),
  valueProperty: z.string().nullish(),
  groupBy: groupBy.nullish(),
  filters: z.array(filter).nullish(),
});

const meterChange = newMeter.omit({ slug: true }).extend({
  eventType: z.string().nullish(),
  aggregation: newMeter.shape.aggregation.nullish(),
});

/** Reads a meter from JSON: OpenMeter's shape (`groupBy` is name → path), and ours with filters. */
export function readNewMeter(body: unknown): NewMeter {
  const { slug, eventType, aggregation, ...optional } = parse(newMeter, body);
  return { slug, eventType, aggregation, groupBy: [], filters: [], ...readOptional(optional) };
}

export function readMeterChange(body: unknown): MeterChange {
  const { eventType, aggregation, ...optional } = parse(meterChange, body);
  return {
    ...(eventType == null ? {} : { eventType }),
    ...(aggregation == null ? {} : { aggregation }),
    ...readOptional(optional),
  };
}

function readOptional(given: Omit<z.infer<typeof meterChange>, "eventType" | "aggregation">) {
  return {
    ...(given.name == null ? {} : { name: given.name }),
    ...(given.description == null ? {} : { description: given.description }),
    ...(given.valueProperty == null ? {} : { valueProperty: given.valueProperty }),
    ...(given.groupBy == null ? {} : { groupBy: toDimensions(given.groupBy) }),
    ...(given.filters == null ? {} : { filters: given.filters }),
  };
}

function toDimensions(given: z.infer<typeof groupBy>): GroupBy[] {
  return Array.isArray(given) ? given : Object.entries(given).map(([name, property]) => ({ name, property }));
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.join("."),
    message: issue.message,
  }));
  const detail = errors.map((error) => `${error.field}: ${error.message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-meter", 400, "The meter's definition is not valid", detail, { errors }),
  );
}

/** A meter as JSON: OpenMeter's fields and ours. */
export function describeMeter(version: StoredMeterVersion) {
  return {
    id: version.meter,
    slug: version.slug,
    name: version.name,
    description: version.description,
    eventType: version.eventType,
    aggregation: version.aggregation,
    ...(version.valueProperty === undefined ? {} : { valueProperty: version.valueProperty }),
    groupBy: Object.fromEntries(version.groupBy.map((dimension) => [dimension.name, dimension.property])),
    filters: version.filters,
    version: version.version,
    versionId: version.id,
    backfill: { state: version.backfill.state, events: version.backfill.events },
    createdAt: formatInstant(version.createdAt),
    updatedAt: formatInstant(version.updatedAt),
    ...(version.archivedAt === undefined ? {} : { deletedAt: formatInstant(version.archivedAt) }),
  };
}
