import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrateColumnar, openColumnar, type Columnar } from "../../src/engines/columnar/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { day, formatInstant, hour, type Instant } from "../../src/kernel/instant.js";
import type { MeterVersionId } from "../../src/kernel/ids.js";
import { silentLog } from "../../src/kernel/log.js";
import { aggregations, type Aggregation } from "../../src/usage/core/index.js";
import type { BulkPart, ReadUsage, UsageReading } from "../../src/usage/index.js";
import type { Meters } from "../../src/usage/meters.js";
import { BulkReader, type ReadingLimits } from "../../src/usage/bulk-reader.js";
import { RatedUsage } from "../../src/usage/rated-usage.js";
import { usageSink } from "../../src/usage/store/insert-batch.js";
import {
  at,
  framed,
  keyOf,
  meterVersion,
  orgA,
  writeBatch,
  type TestEnvelope,
} from "../support/batch-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const migrations = fileURLToPath(new URL("../../migrations/clickhouse", import.meta.url));
const begin = at("2026-01-01T00:00:00Z");
const end = (begin + 10 * day) as Instant;
const period = { start: begin, end };
const groupBy = [
  { name: "model", property: "$.model" },
  { name: "region", property: "$.region" },
];
const versions = aggregations.map((aggregation, index) => {
  const id = `mtv_01arz3ndektsv4rrffq69g5fb${index}`;
  const { valueProperty: _, ...counted } = meterVersion({ aggregation, groupBy }, id);
  if (aggregation === "COUNT") return counted;
  return { ...counted, valueProperty: aggregation === "UNIQUE_COUNT" ? "$.user" : "$.n" };
});
const versionOf = (aggregation: Aggregation): MeterVersionId =>
  versions.find((version) => version.aggregation === aggregation)!.id;

interface TestEvent {
  readonly id: string;
  readonly subject: string;
  readonly time: Instant;
  readonly order: number;
  readonly n: string;
  readonly user: string;
  readonly model: string;
  readonly region: string;
}

/** A fixed stream of numbers below `limit`, the same on every run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let columnar: Columnar;
let rated: RatedUsage;
let batches = 0;
let sequence = 1;
/** What counts at the watermark that is asked for, corrections applied. */
let events: TestEvent[] = [];
let watermark: { writer: string; sequence: number }[] = [];

async function insert(envelopes: readonly TestEnvelope[]) {
  const sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
  batches += 1;
  const settings = { settings: sink.settings(), engineVersion: await sink.engineVersion() };
  const file = path.join(folder.dir, "batches", `${batches}.batch`);
  await sink.insert(
    await writeBatch(file, { number: batches, firstSequence: sequence, ...settings }, envelopes),
  );
  sequence += envelopes.length;
}

const frame = (event: TestEvent, revision = 0) => {
  const { id, subject, n, user, model, region } = event;
  return framed(versions, {
    id,
    subject,
    time: formatInstant(event.time),
    data: { n, user, model, region },
    revision,
  });
};

beforeAll(async () => {
  folder = await temporaryFolder("usage-readings");
  columnar = await openColumnar({ dir: path.join(folder.dir, "clickhouse"), log: silentLog });
  await migrateColumnar(columnar, migrations);
  await mkdir(path.join(folder.dir, "batches"));
  const random = numbers(7);
  const made = Array.from({ length: 700 }, (_, index): TestEvent => {
    // A tenth before the period, so that levels are carried in; many at one instant, so that order decides.
    const time = random(10) === 0 ? begin - random(20) * hour - 1 : begin + random(240) * hour + random(3);
    return {
      id: `e${index}`,
      subject: `s${random(12)}`,
      time: time as Instant,
      order: index,
      n: Decimal.fromUnscaled(BigInt(random(2_000_000) - 200_000), random(7)).toString(),
      user: `u${random(40)}`,
      model: `m${random(3)}`,
      region: ["", "eu", "us"][random(3)]!,
    };
  });
  await insert([{ organization: orgA, events: made.slice(0, 400).map((event) => frame(event)) }]);
  await insert([{ organization: orgA, events: made.slice(400, 600).map((event) => frame(event)) }]);
  const voided = made[5]!;
  const amended = made[6]!;
  const replacement: TestEvent = { ...amended, subject: "s3", n: "12345.678", model: "m9", order: 601 };
  const correction = { reason: "r", actor: "key_x", source: "s", revision: 1 };
  await insert([
    {
      organization: orgA,
      events: [frame(replacement, 1)],
      corrections: [
        {
          ...correction,
          key: keyOf(voided.id),
          id: voided.id,
          void: true,
          superseded: { subject: voided.subject, time: voided.time },
        },
        {
          ...correction,
          key: keyOf(amended.id),
          id: amended.id,
          void: false,
          superseded: { subject: amended.subject, time: amended.time },
          replacement: { subject: replacement.subject, time: replacement.time },
        },
      ],
    },
  ]);
  watermark = [{ writer: "w", sequence: sequence - 1 }];
  events = made.slice(0, 600).flatMap((event) => {
    if (event === voided) return [];
    return [event === amended ? replacement : event];
  });
  // After the watermark: none of it counts.
  await insert([{ organization: orgA, events: made.slice(600).map((event) => frame(event)) }]);
  const meters = {
    get: async (_: unknown, id: string) => ({
      ...versions.find((version) => version.id === id)!,
      backfill: { state: "done", events: 0 },
    }),
  } as unknown as Meters;
  rated = new RatedUsage(columnar, meters, { watermark: () => watermark });
});

afterAll(async () => {
  await columnar.close();
  await folder.remove();
});

/** The aggregation as a plain computation over a list. */
function aggregate(aggregation: Aggregation, given: readonly TestEvent[]): Decimal {
  const values = given.map((event) => Decimal.of(event.n));
  const [first] = values;
  if (first === undefined) return Decimal.zero;
  switch (aggregation) {
    case "SUM":
      return Decimal.sum(values);
    case "AVG":
      return Decimal.sum(values).dividedBy(Decimal.of(values.length), 18, "half-away");
    case "COUNT":
      return Decimal.of(values.length);
    case "UNIQUE_COUNT":
      return Decimal.of(new Set(given.map((event) => event.user)).size);
    case "MIN":
      return Decimal.min(first, ...values);
    case "MAX":
      return Decimal.max(first, ...values);
    case "LATEST": {
      const [last] = [...given].sort((a, b) => b.time - a.time || b.order - a.order);
      return Decimal.of(last!.n);
    }
    case "WEIGHTED_SUM":
      throw new Error("levels are computed apart");
  }
}

interface Asked extends BulkPart {
  readonly filters: readonly { readonly property: "model" | "region"; readonly values: readonly string[] }[];
}

const passes = (event: TestEvent, { filters }: Asked) =>
  filters.every(({ property, values }) => values.includes(event[property]));

/** Events of the asked subjects within [from, to), in order. */
function eventsOf(asked: Asked, from: Instant, to: Instant): TestEvent[] {
  const inside = (event: TestEvent) =>
    asked.subjects.some(
      (span) => span.subject === event.subject && span.from <= event.time && event.time < (span.to ?? end),
    );
  return events
    .filter((event) => from <= event.time && event.time < to && inside(event) && passes(event, asked))
    .sort((a, b) => a.time - b.time || a.order - b.order);
}

/** Level × seconds of every series of subject and dimensions, for as long as the subject is asked for. */
function levels(asked: Asked, from: Instant, to: Instant, cell?: string): Decimal {
  let total = Decimal.zero;
  const series = new Map<string, TestEvent[]>();
  for (const event of [...events].sort((a, b) => a.time - b.time || a.order - b.order)) {
    if (!passes(event, asked) || event.time >= end) continue;
    if (cell !== undefined && cell !== event.model) continue;
    const key = JSON.stringify([event.subject, event.model, event.region]);
    series.set(key, [...(series.get(key) ?? []), event]);
  }
  for (const list of series.values()) {
    for (const [index, event] of list.entries()) {
      const next = list[index + 1]?.time ?? end;
      for (const span of asked.subjects.filter((each) => each.subject === event.subject)) {
        const start = Math.max(event.time, span.from, from);
        const stop = Math.min(next, span.to ?? end, to);
        if (stop > start)
          total = total.plus(Decimal.of(event.n).times(Decimal.fromUnscaled(BigInt(stop - start), 6)));
      }
    }
  }
  return total;
}

/** The reading as a plain computation. */
function expected(aggregation: Aggregation, asked: Asked): string {
  const { reading } = asked;
  const all = eventsOf(asked, begin, end);
  const value = (list: readonly TestEvent[], from: Instant, to: Instant, cell?: string) =>
    (aggregation === "WEIGHTED_SUM"
      ? levels(asked, from, to, cell)
      : aggregate(aggregation, list)
    ).toString();
  switch (reading.kind) {
    case "quantity":
      return value(all, begin, end);
    case "events":
      return JSON.stringify(
        all.map((event) => (aggregation === "COUNT" ? "1" : Decimal.of(event.n).toString())),
      );
    case "windows":
      return JSON.stringify(
        reading.boundaries.slice(0, -1).map((start, index) => {
          const stop = reading.boundaries[index + 1]!;
          return value(eventsOf(asked, start, stop), start, stop);
        }),
      );
    case "cells": {
      const models = [...new Set(events.map((event) => event.model))].sort();
      const cells = models.map((model) => [
        model,
        value(
          all.filter((event) => event.model === model),
          begin,
          end,
          model,
        ),
      ]);
      return JSON.stringify(cells.filter(([, each]) => each !== "0"));
    }
  }
}

function textOf({ usage }: ReadUsage): string {
  switch (usage.kind) {
    case "quantity":
      return usage.quantity.toString();
    case "events":
      return JSON.stringify(usage.values);
    case "windows":
      return JSON.stringify(usage.quantities);
    case "cells": {
      const cells = usage.cells.map((cell) => [cell.dimensions["model"] ?? "", cell.quantity.toString()]);
      const byModel = (a: readonly string[], b: readonly string[]) => (a[0]! < b[0]! ? -1 : 1);
      return JSON.stringify(cells.filter(([, each]) => each !== "0").sort(byModel));
    }
    case "licensed":
      throw new Error("is not measured");
  }
}

const readings: readonly UsageReading[] = [
  { kind: "quantity" },
  { kind: "cells", dimensions: ["model"] },
  { kind: "windows", boundaries: Array.from({ length: 11 }, (_, index) => (begin + index * day) as Instant) },
];

/** Customers of one to four subjects; every other one owned some of them for a part of the period only. */
function askedFor(reading: UsageReading, count: number, seed: number, isWhole: boolean): Asked[] {
  const random = numbers(seed);
  return Array.from({ length: count }, (_, index) => {
    const first = random(12);
    const subjects = Array.from({ length: isWhole ? 1 : random(4) }, (_, step) => {
      const subject = `s${(first + step * 3) % 12}`;
      const isCut = !isWhole && random(2) === 0;
      const from = (isCut ? begin + random(100) * hour + 1 : begin) as Instant;
      return { subject, from, to: (isCut ? from + random(100) * hour + 1 : end) as Instant };
    });
    const whole = isWhole ? [{ subject: `s${index % 12}`, from: begin, to: end }] : subjects;
    return { subjects: whole, period, reading, filters: [] };
  });
}

const sourceOf = (aggregation: Aggregation) => ({
  organization: orgA,
  meterVersion: versionOf(aggregation),
  watermark,
});

describe.each(aggregations)("%s", (aggregation) => {
  test.each(readings)("as $kind is the same in bulk, alone, and computed plainly", async (reading) => {
    const source = sourceOf(aggregation);
    for (const asked of [askedFor(reading, 55, 11, false), askedFor(reading, 12, 5, true)]) {
      const bulk = await rated.readMany(source, asked);
      expect(bulk.map(textOf)).toEqual(asked.map((each) => expected(aggregation, each)));
      for (const each of asked.slice(0, 3)) {
        const { subjects, reading: form } = each;
        expect(textOf(await rated.read({ ...source, subjects, period }, form))).toBe(
          expected(aggregation, each),
        );
      }
    }
  });

  test("counts only what a price's filters let through", async () => {
    const filters = [
      { property: "model" as const, values: ["m0", "m9"] },
      { property: "region" as const, values: ["", "eu"] },
    ];
    const source = { ...sourceOf(aggregation), filters };
    const asked = askedFor({ kind: "quantity" }, 20, 3, false).map((each) => ({ ...each, filters }));
    const wanted = asked.map((each) => expected(aggregation, each));
    expect((await rated.readMany(source, asked)).map(textOf)).toEqual(wanted);
    for (const [index, { subjects }] of asked.slice(0, 3).entries())
      expect(textOf(await rated.read({ ...source, subjects, period }, { kind: "quantity" }))).toBe(
        wanted[index],
      );
  });
});

test("sixty customers of a subject each are read by one plain query, with the same answers at every aggregation", async () => {
  const asked = Array.from({ length: 60 }, (_, index) => ({
    subjects: [{ subject: `s${index}`, from: begin, to: end }],
    period,
    reading: { kind: "quantity" as const },
    filters: [],
  }));
  for (const aggregation of aggregations) {
    const queries: string[] = [];
    const door = columnar.forOrganization(orgA);
    const counted = {
      forOrganization: () => ({
        query: ((name, sql, ...rest) => {
          queries.push(name);
          return door.query(name, sql, ...rest);
        }) as typeof door.query,
      }),
    } as unknown as Columnar;
    const version = versions.find((one) => one.id === sourceOf(aggregation).meterVersion)!;
    const meters = {
      get: async () => ({ ...version, backfill: { state: "done", events: 0 } }),
    } as unknown as Meters;
    const reader = new RatedUsage(counted, meters, { watermark: () => watermark });
    const bulk = await reader.readMany(sourceOf(aggregation), asked);
    const name = aggregation === "WEIGHTED_SUM" ? "usage in bulk" : "usage of subjects";
    expect(queries).toEqual(["has corrections", `${name} ${aggregation}`]);
    expect(bulk.map(textOf)).toEqual(asked.map((each) => expected(aggregation, each)));
  }
});

describe("events", () => {
  test.each(["SUM", "COUNT"] as const)(
    "of %s come in the order of time and acceptance",
    async (aggregation) => {
      const asked = askedFor({ kind: "events" }, 30, 17, false);
      const bulk = await rated.readMany(sourceOf(aggregation), asked);
      expect(bulk.map(textOf)).toEqual(asked.map((each) => expected(aggregation, each)));
      const [some] = asked.filter((each) => each.subjects.length > 1);
      const alone = await rated.read(
        { ...sourceOf(aggregation), subjects: some!.subjects, period },
        some!.reading,
      );
      expect(textOf(alone)).toBe(expected(aggregation, some!));
      expect(alone.events).toBe(eventsOf(some!, begin, end).length);
    },
  );
});

describe("with small limits", () => {
  const limits = { rows_max: 40, events_max: 1000, page_events: 30, cells_max: 1000 };
  const readerOf = (aggregation: Aggregation, change: Partial<ReadingLimits> = {}) => {
    const meter = { ...versions.find((version) => version.aggregation === aggregation)! };
    const stored = { ...meter, backfill: { state: "done", events: 0 } } as never;
    return BulkReader.open(columnar.forOrganization(orgA), stored, sourceOf(aggregation), {
      ...limits,
      ...change,
    });
  };

  test("a selection with more events than fit is read by pages, the others by batches, all in order", async () => {
    const asked = askedFor({ kind: "events" }, 12, 5, true);
    const all = versions.map((_, index) => ({ subject: `s${index}`, from: begin, to: end }));
    const large: Asked = { ...asked[0]!, subjects: all };
    const reader = await readerOf("SUM");
    const bulk = await reader.read([...asked, large]);
    expect(bulk.map(textOf)).toEqual([...asked, large].map((each) => expected("SUM", each)));
    expect(bulk.at(-1)!.events).toBeGreaterThan(5 * limits.page_events);
  });

  test("answers too long for one query are asked for in halves", async () => {
    for (const reading of readings) {
      const asked = askedFor(reading, 30, 23, false);
      const reader = await readerOf("MAX", { rows_max: 12 });
      expect((await reader.read(asked)).map(textOf)).toEqual(asked.map((each) => expected("MAX", each)));
    }
  });

  test("what is too much for a price's form is refused, and says what to do", async () => {
    const events = askedFor({ kind: "events" }, 3, 5, true);
    await expect((await readerOf("SUM", { events_max: 5 })).read(events)).rejects.toThrow(
      /more than 5 events/,
    );
    const cells = askedFor({ kind: "cells", dimensions: ["model", "region"] }, 3, 5, true);
    await expect((await readerOf("SUM", { cells_max: 2 })).read(cells)).rejects.toThrow(/fewer values/);
    await expect((await readerOf("SUM", { rows_max: 2 })).read(cells)).rejects.toThrow(/fewer values/);
  });
});

test("evidence shows the events that pass a price's filters, and no others", async () => {
  const filters = [{ property: "model" as const, values: ["m1"] }];
  const asked: Asked = { ...askedFor({ kind: "events" }, 1, 1, true)[0]!, filters };
  const { rows } = await rated.evidence({
    ...sourceOf("SUM"),
    subjects: asked.subjects,
    period,
    filters,
    limit: 500,
  });
  expect(rows.map((row) => row.id)).toEqual(eventsOf(asked, begin, end).map((event) => event.id));
  expect(rows.length).toBeGreaterThan(3);
});

test("a watermark of several writers counts each up to its own, one of none counts nothing", async () => {
  const asked = askedFor({ kind: "quantity" }, 5, 29, false);
  const source = { ...sourceOf("SUM"), watermark: [{ writer: "v", sequence: 1 }, ...watermark] };
  expect((await rated.readMany(source, asked)).map(textOf)).toEqual(
    asked.map((each) => expected("SUM", each)),
  );
  const none = await rated.readMany({ ...source, watermark: [] }, asked);
  expect(none.every(({ events: count }) => count === 0)).toBe(true);
});

test("without a subject there is nothing, not everyone's usage", async () => {
  for (const reading of [...readings, { kind: "events" } as const]) {
    const [read] = await rated.readMany(sourceOf("SUM"), [{ subjects: [], period, reading }]);
    expect(read?.events).toBe(0);
    expect(textOf(read!)).toBe(
      reading.kind === "quantity" ? "0" : expected("SUM", { subjects: [], period, reading, filters: [] }),
    );
  }
});

test("thousands of subjects with long names are read at once", async () => {
  const asked = Array.from({ length: 5000 }, (_, index) => ({
    subjects: [
      { subject: index < 12 ? `s${index}` : `nobody-${"x".repeat(200)}-${index}`, from: begin, to: end },
    ],
    period,
    reading: { kind: "quantity" as const },
    filters: [],
  }));
  const bulk = await rated.readMany(sourceOf("SUM"), asked);
  expect(bulk.slice(0, 12).map(textOf)).toEqual(asked.slice(0, 12).map((each) => expected("SUM", each)));
  expect(bulk.slice(12).every(({ events: count }) => count === 0)).toBe(true);
});
