import type { Columnar } from "../engines/columnar/index.js";
import type { SignalStream } from "../engines/stream/index.js";
import type { Clocks } from "../kernel/clock.js";
import { Decimal } from "../kernel/decimal.js";
import { hour, minute, type Instant } from "../kernel/instant.js";
import type { OrganizationId } from "../kernel/ids.js";
import { utc, windowBoundaries } from "../kernel/time-zone.js";
import type { Meters } from "./meters.js";
import { exportUsageParquet } from "./store/export-usage.js";
import { listEvents, type EventListRequest, type StoredEvent } from "./store/find-events.js";
import { listSubjects, type SubjectRow } from "./store/list-subjects.js";
import { findUsageSpan, queryUsage, type UsageSelection } from "./store/query-usage.js";
import type { StoredMeterVersion } from "./store/meters.js";
import { refuseQuery, type UsageQuery, type UsageResult, type UsageRow } from "./usage-query.js";

/** A subject as long as a customer owned it: [from, to). */
export interface SubjectSpan {
  readonly subject: string;
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** Billing's knowledge of who owns which subject; customers by id or key. @throws Refusal 404 for an unknown one */
export type SubjectsOfCustomers = (
  organization: OrganizationId,
  customers: readonly string[],
) => Promise<readonly SubjectSpan[]>;

export interface UsageQueriesDependencies {
  readonly columnar: Columnar;
  readonly meters: Meters;
  readonly stream: SignalStream;
  readonly clocks: Clocks;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

const average_scale = 18;
const rows_max = 100_000;

/** Answers about usage, for people and programs; what bills are made of is read in rated-usage.ts. */
export class UsageQueries {
  readonly #on: UsageQueriesDependencies;

  constructor(dependencies: UsageQueriesDependencies) {
    this.#on = dependencies;
  }

  /** @throws Refusal 400 naming the parameter, 404 for an unknown meter */
  async query(organization: OrganizationId, query: UsageQuery): Promise<UsageResult> {
    const { meter, selection } = await this.#plan(organization, query);
    const shared = {
      meter: meter.slug,
      aggregation: meter.aggregation,
      windowSize: query.windowSize ?? null,
      complete: meter.backfill.state === "done",
    };
    if (selection === undefined)
      return {
        ...shared,
        from: query.from ?? null,
        to: query.to ?? this.#on.clocks.of(organization).now(),
        rows: [],
      };
    const door = this.#on.columnar.forOrganization(organization);
    const found = await queryUsage(door, selection);
    if (found.length >= rows_max) {
      throw refuseQuery(
        "groupBy",
        `the answer has over ${rows_max} rows; ask for larger windows, fewer groups, or top`,
      );
    }
    const names = query.groupBy.filter((name) => name !== "subject");
    const rows = found.map(
      (row): UsageRow => ({
        value: valueOf(meter, row),
        windowStart: row.windowStart,
        windowEnd: row.windowEnd,
        subject: query.groupBy.includes("subject") ? row.subject : null,
        groupBy: Object.fromEntries(names.map((name, index) => [name, row.dimensions[index] ?? ""])),
      }),
    );
    const { boundaries } = selection;
    if (rows.length === 0 && query.windowSize === undefined && query.groupBy.length === 0)
      rows.push(emptyTotal(meter, boundaries));
    return {
      ...shared,
      from: query.from ?? boundaries[0] ?? null,
      to: query.to ?? boundaries.at(-1) ?? selection.until,
      rows,
    };
  }

  /** The same answer as a Parquet file. */
  async exportParquet(organization: OrganizationId, query: UsageQuery): Promise<Uint8Array> {
    const result = await this.query(organization, query);
    return exportUsageParquet(this.#on.columnar, result);
  }

  async subjects(
    organization: OrganizationId,
    page: { limit: number; after?: string },
  ): Promise<SubjectRow[]> {
    return listSubjects(this.#on.columnar.forOrganization(organization), page);
  }

  /** Events, newest first. */
  async events(
    organization: OrganizationId,
    request: EventListRequest,
  ): Promise<{ rows: StoredEvent[]; next?: string }> {
    return listEvents(this.#on.columnar.forOrganization(organization), request);
  }

  /**
   * The answer now, and again whenever confirmed batches changed it, at most once in `interval` microseconds. Its
   * `return` ends it at once, also while it waits: a client that went away leaves nothing behind.
   */
  watch(
    organization: OrganizationId,
    query: UsageQuery,
    interval: number,
  ): AsyncGenerator<UsageResult, void, void> {
    const ended = new AbortController();
    const answers = this.#answers(organization, query, interval, ended.signal);
    const finish = answers.return.bind(answers);
    answers.return = (value) => {
      ended.abort();
      return finish(value);
    };
    return answers;
  }

  async *#answers(
    organization: OrganizationId,
    query: UsageQuery,
    interval: number,
    ended: AbortSignal,
  ): AsyncGenerator<UsageResult, void, void> {
    let confirmed = true;
    let wake: () => void = () => undefined;
    const stop = this.#on.stream.onConfirmed(() => {
      confirmed = true;
      wake();
    });
    ended.addEventListener("abort", () => wake());
    try {
      let last = "";
      while (!ended.aborted) {
        if (!confirmed) await new Promise<void>((resolve) => (wake = resolve));
        if (ended.aborted) return;
        confirmed = false;
        const result = await this.query(organization, query);
        const shown = JSON.stringify(result.rows);
        if (shown !== last) yield result;
        last = shown;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, interval / 1000);
          wake = () => {
            if (!ended.aborted) return;
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      stop();
    }
  }

  async #plan(
    organization: OrganizationId,
    query: UsageQuery,
  ): Promise<{ meter: StoredMeterVersion; selection: UsageSelection | undefined }> {
    const meter = await this.#on.meters.get(organization, query.meter);
    const position = (name: string, field: string): number => {
      const found = meter.groupBy.findIndex((dimension) => dimension.name === name);
      if (found >= 0) return found;
      const known = ["subject", ...meter.groupBy.map((dimension) => dimension.name)].join(", ");
      throw refuseQuery(field, `meter "${meter.slug}" has no dimension "${name}"; it has: ${known}`);
    };
    const groupByDimensions = query.groupBy
      .filter((name) => name !== "subject")
      .map((name) => position(name, "groupBy"));
    const { subject: subjectFilter, ...dimensionFilters } = query.filters;
    const filters = Object.entries(dimensionFilters).map(([name, values]) => ({
      position: position(name, "filterGroupBy"),
      values,
    }));
    const now = this.#on.clocks.of(organization).now();
    const door = this.#on.columnar.forOrganization(organization);
    const span =
      query.from === undefined || query.to === undefined ? await findUsageSpan(door, meter.id) : undefined;
    const from = query.from ?? span?.first ?? (((query.to ?? now) - hour) as Instant);
    const to = query.to ?? (Math.max(now, (span?.last ?? now) + 1) as Instant);
    if (from >= to) return { meter, selection: undefined };
    const spans =
      query.customers === undefined
        ? undefined
        : await this.#on.subjectsOfCustomers(organization, query.customers);
    const subjects = [...(query.subjects ?? []), ...(subjectFilter ?? [])];
    const selection: UsageSelection = {
      meterVersion: meter.id,
      aggregation: meter.aggregation,
      boundaries: boundariesOf(query, from, to),
      range: { from, to },
      until: Math.min(to, now) as Instant,
      ...(subjects.length === 0 ? {} : { subjects }),
      ...(spans === undefined ? {} : { spans }),
      groupBySubject: query.groupBy.includes("subject"),
      groupByDimensions,
      filters,
      ...(query.top === undefined ? {} : { top: query.top }),
      limit: rows_max,
    };
    return { meter, selection };
  }
}

/** Window starts and the last end; one window over the whole range when no size is asked for. */
function boundariesOf(query: UsageQuery, from: Instant, to: Instant): Instant[] {
  if (query.windowSize === undefined) {
    // OpenMeter rounds a range without windows to whole minutes; so that its clients agree, an open range does too.
    const start = query.from ?? ((from - (from % minute)) as Instant);
    return [start, to];
  }
  try {
    return windowBoundaries(from, to, query.windowSize, query.zone ?? utc);
  } catch (error) {
    if (error instanceof RangeError)
      throw refuseQuery("windowSize", `${error.message}; ask for larger windows or a shorter range`);
    throw error;
  }
}

/** One total over a range without usage: 0 of what is counted, nothing of what is measured. */
function emptyTotal(meter: StoredMeterVersion, boundaries: readonly Instant[]): UsageRow {
  const counts = meter.aggregation === "COUNT" || meter.aggregation === "UNIQUE_COUNT";
  const [windowStart = 0 as Instant, windowEnd = windowStart] = boundaries;
  return { value: counts ? "0" : null, windowStart, windowEnd, subject: null, groupBy: {} };
}

function valueOf(meter: StoredMeterVersion, row: { value: string | null; count: string }): string | null {
  if (meter.aggregation !== "AVG" || row.value === null) return row.value;
  return Decimal.of(row.value).dividedBy(Decimal.of(row.count), average_scale, "half-away").toString();
}
