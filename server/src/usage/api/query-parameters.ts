import { parseInstant, type Instant } from "../../kernel/instant.js";
import { parseTimeZone } from "../../kernel/time-zone.js";
import { refuseQuery, windowSizes, type UsageQuery, type WindowSize } from "../usage-query.js";

/** The parameters of a usage query as they arrive: from a query string, or from OpenMeter's POST body. */
export interface RawUsageQuery {
  readonly from?: unknown;
  readonly to?: unknown;
  readonly windowSize?: unknown;
  readonly windowTimeZone?: unknown;
  readonly subject?: unknown;
  readonly customer?: unknown;
  readonly groupBy?: unknown;
  readonly top?: unknown;
  readonly filters: ReadonlyMap<string, readonly string[]>;
}

const list_max = 1000;

/** Reads `filterGroupBy[name]=value` (repeatable) and the plain parameters of a query string. */
export function readQueryString(search: URLSearchParams): RawUsageQuery {
  const filters = new Map<string, string[]>();
  for (const [name, value] of search) {
    const dimension = /^filterGroupBy\[([^\]]+)\](?:\[\d*\])?$/.exec(name)?.[1];
    if (dimension !== undefined) filters.set(dimension, [...(filters.get(dimension) ?? []), value]);
  }
  const one = (name: string) => search.get(name) ?? undefined;
  const many = (name: string) => [...search.getAll(name), ...search.getAll(`${name}[]`)];
  return {
    from: one("from"),
    to: one("to"),
    windowSize: one("windowSize"),
    windowTimeZone: one("windowTimeZone"),
    subject: many("subject"),
    customer: [...many("customer"), ...many("filterCustomerId")],
    groupBy: many("groupBy"),
    top: one("top"),
    filters,
  };
}

/** Reads OpenMeter's POST query body. */
export function readQueryBody(body: Readonly<Record<string, unknown>>): RawUsageQuery {
  const filters = new Map<string, string[]>();
  const given = body["filterGroupBy"];
  if (given !== null && typeof given === "object") {
    for (const [name, values] of Object.entries(given))
      filters.set(name, readList(`filterGroupBy.${name}`, values));
  }
  const { from, to, windowSize, windowTimeZone, subject, groupBy, filterCustomerId } = body;
  return {
    from,
    to,
    windowSize,
    windowTimeZone,
    subject,
    groupBy,
    customer: filterCustomerId,
    top: undefined,
    filters,
  };
}

/** @throws Refusal 400 naming the parameter and what it should be */
export function parseUsageQuery(meter: string, raw: RawUsageQuery): UsageQuery {
  const from = readInstant("from", raw.from);
  const to = readInstant("to", raw.to);
  if (from !== undefined && to !== undefined && from >= to)
    throw refuseQuery("to", "must be later than from");
  const windowSize = readWindowSize(raw.windowSize);
  const zone = parseTimeZone(typeof raw.windowTimeZone === "string" ? raw.windowTimeZone : "UTC");
  if (zone === undefined) {
    throw refuseQuery(
      "windowTimeZone",
      `"${String(raw.windowTimeZone)}" is not an IANA time zone such as Europe/Berlin`,
    );
  }
  const subjects = readList("subject", raw.subject);
  const customers = readList("customer", raw.customer);
  const top = raw.top === undefined ? undefined : Number(raw.top);
  if (top !== undefined && (!Number.isInteger(top) || top < 1 || top > list_max)) {
    throw refuseQuery("top", `give a whole number from 1 to ${list_max}`);
  }
  return {
    meter,
    zone,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(windowSize === undefined ? {} : { windowSize }),
    ...(subjects.length === 0 ? {} : { subjects }),
    ...(customers.length === 0 ? {} : { customers }),
    ...(top === undefined ? {} : { top }),
    filters: Object.fromEntries(raw.filters),
    groupBy: readList("groupBy", raw.groupBy),
  };
}

function readInstant(field: string, value: unknown): Instant | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const instant = typeof value === "string" ? parseInstant(value) : undefined;
  if (instant === undefined)
    throw refuseQuery(field, `${JSON.stringify(value)} is not RFC 3339, such as 2026-01-31T00:00:00Z`);
  return instant;
}

function readWindowSize(value: unknown): WindowSize | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const found = windowSizes.find((size) => typeof value === "string" && size === value.toUpperCase());
  if (found === undefined)
    throw refuseQuery("windowSize", `${JSON.stringify(value)} is not one of ${windowSizes.join(", ")}`);
  return found;
}

function readList(field: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > list_max) throw refuseQuery(field, `at most ${list_max} values`);
  return list.map((item) => {
    if (typeof item !== "string") throw refuseQuery(field, "values are strings");
    return item;
  });
}
