import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrateColumnar, openColumnar, type Columnar } from "../../src/engines/columnar/index.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { formatInstant, type Instant } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import { parseTimeZone, windowBoundaries, type TimeZone } from "../../src/kernel/time-zone.js";
import { aggregations, type Aggregation } from "../../src/usage/core/index.js";
import { findEvent, findStoredKeys, listEvents } from "../../src/usage/store/find-events.js";
import { usageSink } from "../../src/usage/store/insert-batch.js";
import { listEvidence } from "../../src/usage/store/list-evidence.js";
import { listSubjects } from "../../src/usage/store/list-subjects.js";
import { queryUsage, type UsageSelection } from "../../src/usage/store/query-usage.js";
import { scanForBackfill } from "../../src/usage/store/scan-for-backfill.js";
import {
  at,
  framed,
  keyOf,
  meterVersion,
  orgA,
  orgB,
  writeBatch,
  type TestEnvelope,
} from "../support/batch-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const migrations = fileURLToPath(new URL("../../migrations/clickhouse", import.meta.url));
const versions = aggregations
  .map((aggregation, index) =>
    meterVersion(
      aggregation === "COUNT"
        ? { aggregation }
        : { aggregation, valueProperty: aggregation === "UNIQUE_COUNT" ? "$.user" : "$.n" },
      `mtv_01arz3ndektsv4rrffq69g5fa${index}`,
    ),
  )
  .map((version) =>
    version.aggregation === "COUNT" ? (({ valueProperty: _, ...rest }) => rest)(version) : version,
  );

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let columnar: Columnar;
let batches = 0;
let sequence = 1;

beforeAll(async () => {
  folder = await temporaryFolder("usage-store");
  columnar = await openColumnar({ dir: path.join(folder.dir, "clickhouse"), log: silentLog });
  await migrateColumnar(columnar, migrations);
  await mkdir(path.join(folder.dir, "batches"));
});

afterAll(async () => {
  await columnar.close();
  await folder.remove();
});

async function insert(envelopes: readonly TestEnvelope[]) {
  const sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
  batches += 1;
  const batch = await writeBatch(
    path.join(folder.dir, "batches", `${batches}.batch`),
    {
      number: batches,
      firstSequence: sequence,
      settings: sink.settings(),
      engineVersion: await sink.engineVersion(),
    },
    envelopes,
  );
  sequence += envelopes.length;
  await sink.insert(batch);
  expect(await sink.countRows(batch)).toEqual(batch.rowCounts);
  return batch;
}

function selection(aggregation: Aggregation, change: Partial<UsageSelection> = {}): UsageSelection {
  const version = versions.find((candidate) => candidate.aggregation === aggregation);
  if (version === undefined) throw new Error(aggregation);
  const range = { from: at("2026-01-10T00:00:00Z"), to: at("2026-01-12T00:00:00Z") };
  return {
    meterVersion: version.id,
    aggregation,
    boundaries: [range.from, range.to],
    range,
    until: range.to,
    groupBySubject: false,
    groupByDimensions: [],
    filters: [],
    limit: 1000,
    ...change,
  };
}

const total = async (aggregation: Aggregation, change: Partial<UsageSelection> = {}, organization = orgA) => {
  const [row] = await queryUsage(columnar.forOrganization(organization), selection(aggregation, change));
  return row?.value;
};

const unaligned = { from: (at("2026-01-10T00:00:00Z") + 1) as Instant, to: at("2026-01-12T00:00:00Z") };

describe("usage of an organization", () => {
  beforeAll(async () => {
    const event = (
      id: string,
      time: string,
      n: string | number,
      user: string,
      model: string,
      subject = "acme",
    ) => framed(versions, { id, time, subject, data: { n, user, model } });
    await insert([
      {
        organization: orgA,
        events: [
          event("1", "2026-01-10T01:00:00Z", "0.1", "ann", "m1"),
          event("2", "2026-01-10T02:00:00Z", "0.2", "bob", "m2"),
          event("3", "2026-01-11T01:00:00Z", "99999999999999999999.000000000000000001", "ann", "m1"),
          event("4", "2026-01-11T01:00:00Z", -5, "cid", "m1", "globex"),
        ],
      },
      { organization: orgB, events: [event("1", "2026-01-10T01:00:00Z", 1000, "eve", "m9")] },
    ]);
  });

  test.each([
    ["SUM", "99999999999999999994.300000000000000001"],
    ["COUNT", "4"],
    ["UNIQUE_COUNT", "3"],
    ["MIN", "-5"],
    ["MAX", "99999999999999999999.000000000000000001"],
    ["AVG", "99999999999999999994.300000000000000001"],
    ["LATEST", "-5"],
  ] as const)("%s is exact, from the rollup and from the rows", async (aggregation, value) => {
    expect(await total(aggregation)).toBe(value);
    expect(await total(aggregation, { range: unaligned })).toBe(value);
    expect(await total(aggregation, { at: [{ writer: "w", sequence: 1_000_000 }] })).toBe(value);
  });

  test("WEIGHTED_SUM holds a value until the next, splits at windows, and carries in", async () => {
    // acme m2: 0.2 from 10 Jan 02:00 to the end of 11 Jan; only that series, in two days.
    const days = {
      boundaries: [at("2026-01-10T00:00:00Z"), at("2026-01-11T00:00:00Z"), at("2026-01-12T00:00:00Z")],
    };
    const filters = [{ position: 0, values: ["m2"] }];
    const rows = await queryUsage(
      columnar.forOrganization(orgA),
      selection("WEIGHTED_SUM", { ...days, filters }),
    );
    expect(rows.map((row) => row.value)).toEqual(["15840", "17280"]);
    const later = { from: at("2026-01-11T00:00:00Z"), to: at("2026-01-12T00:00:00Z") };
    expect(await total("WEIGHTED_SUM", { filters, range: later, boundaries: [later.from, later.to] })).toBe(
      "17280",
    );
  });

  test("is split by local days across zones of 15 minutes", async () => {
    const zone = parseTimeZone("Asia/Kathmandu") as TimeZone;
    const range = { from: at("2026-01-09T18:15:00Z"), to: at("2026-01-11T18:15:00Z") };
    const boundaries = windowBoundaries(range.from, range.to, "DAY", zone);
    const rows = await queryUsage(columnar.forOrganization(orgA), selection("COUNT", { boundaries, range }));
    expect(rows.map((row) => row.value)).toEqual(["2", "2"]);
  });

  test("falls into the windows of odd zones, also where their clocks change", async () => {
    const version = meterVersion({ aggregation: "COUNT", groupBy: [] }, "mtv_01arz3ndektsv4rrffq69g5fb1");
    const { valueProperty: _, ...counting } = version;
    const orgD = "org_01arz3ndektsv4rrffq69g5fdz" as OrganizationId;
    const quarter = 900_000_000;
    const [first, last] = [at("2026-03-27T00:00:00Z"), at("2026-04-07T00:00:00Z")];
    const events = Array.from({ length: (last - first) / quarter }, (_each, n) =>
      framed([counting], { id: `q${n}`, time: formatInstant((first + n * quarter) as Instant), data: {} }),
    );
    await insert([{ organization: orgD, events }]);
    // Clocks change in Berlin, Lord Howe (by half an hour), Santiago (at midnight) and Chatham (at a quarter to).
    const zones = [
      "Europe/Berlin",
      "Australia/Lord_Howe",
      "America/Santiago",
      "Pacific/Chatham",
      "Asia/Kathmandu",
      "America/St_Johns",
    ];
    for (const zone of zones) {
      for (const size of ["DAY", "HOUR"] as const) {
        const range = { from: at("2026-03-28T00:15:00Z"), to: at("2026-04-06T23:30:00Z") };
        const boundaries = windowBoundaries(range.from, range.to, size, parseTimeZone(zone) as TimeZone);
        const rows = await queryUsage(columnar.forOrganization(orgD), {
          ...selection("COUNT", { boundaries, range }),
          meterVersion: version.id,
        });
        // An event each quarter of an hour: a window has as many as it is long.
        const expected = boundaries.slice(0, -1).map((start, n) => {
          const [from, to] = [Math.max(start, range.from), Math.min(boundaries[n + 1]!, range.to)];
          return String((to - from) / quarter);
        });
        expect(
          rows.map(({ value }) => value),
          `${zone} ${size}`,
        ).toEqual(expected);
        const changes = !["Asia/Kathmandu", "America/St_Johns"].includes(zone);
        const lengths = new Set(rows.map(({ windowEnd, windowStart }) => windowEnd - windowStart));
        if (size === "DAY") expect(lengths.size, zone).toBe(changes ? 2 : 1);
      }
    }
  });

  test("distinct values are read by whole UTC days, and by quarters of an hour on the days that a window or an owner cuts", async () => {
    const version = meterVersion(
      { aggregation: "UNIQUE_COUNT", groupBy: [] },
      "mtv_01arz3ndektsv4rrffq69g5fb2",
    );
    const orgE = "org_01arz3ndektsv4rrffq69g5fez" as OrganizationId;
    // Three values on each day.
    for (const [n, ids] of [
      [1, ["a", "b", "c"]],
      [2, ["d", "e", "f"]],
      [3, ["g", "h", "i"]],
    ] as const) {
      const events = ids.map((id, index) =>
        framed([version], { id: `day-${id}`, time: `2026-05-0${index + 1}T12:00:00Z`, data: { n } }),
      );
      await insert([{ organization: orgE, events }]);
    }
    const hours = (from: number, to: number) => {
      const instant = (hour: number) => (at("2026-05-01T00:00:00Z") + hour * 3_600_000_000) as Instant;
      return { from: instant(from), to: instant(to) };
    };
    const ask = (asked: ReturnType<typeof hours>, change: Partial<UsageSelection> = {}) =>
      queryUsage(columnar.forOrganization(orgE), {
        ...selection("UNIQUE_COUNT", { boundaries: [asked.from, asked.to], range: asked, ...change }),
        meterVersion: version.id,
      });
    const counts = async (...parameters: Parameters<typeof ask>) =>
      (await ask(...parameters)).map(({ value, count }) => `${value} of ${count}`);
    expect(await counts(hours(0, 72))).toEqual(["3 of 9"]);
    // Something that only the day rollup has shows where it is read.
    await columnar.system.command(
      "mark the days",
      `INSERT INTO weir.usage_1d (organization, meter, subject, day, dimensions, count, uniques)
       SELECT organization, meter, subject, day, dimensions, 100, uniqExactMergeState(uniques) FROM weir.usage_1d
       WHERE organization = {organization:String} GROUP BY ALL SETTINGS insert_deduplicate = 0`,
      { organization: orgE },
    );
    expect(await counts(hours(0, 72))).toEqual(["3 of 309"]);
    expect(await counts(hours(6, 66))).toEqual(["3 of 109"]);
    expect(await counts(hours(6, 42))).toEqual(["3 of 6"]);
    const zone = (name: string) => parseTimeZone(name) as TimeZone;
    const by = (size: "DAY" | "HOUR" | "MONTH", name: string) => ({
      boundaries: windowBoundaries(hours(0, 72).from, hours(0, 72).to, size, zone(name)),
    });
    expect(await counts(hours(0, 72), by("DAY", "UTC"))).toEqual(["3 of 103", "3 of 103", "3 of 103"]);
    expect(await counts(hours(0, 72), by("DAY", "Pacific/Auckland"))).toEqual(["3 of 3", "3 of 3", "3 of 3"]);
    expect(await counts(hours(0, 72), by("MONTH", "Pacific/Auckland"))).toEqual(["3 of 309"]);
    expect(await counts(hours(-48, 72), by("HOUR", "UTC"))).toEqual(["3 of 3", "3 of 3", "3 of 3"]);
    const spans = [{ subject: "acme", ...hours(30, 72) }];
    expect(await counts(hours(0, 72), { spans })).toEqual(["3 of 106"]);
  });

  test("is grouped by subject and dimension, and cut to the largest", async () => {
    const door = columnar.forOrganization(orgA);
    const grouped = await queryUsage(
      door,
      selection("COUNT", { groupBySubject: true, groupByDimensions: [0] }),
    );
    expect(grouped.map((row) => [row.subject, ...row.dimensions, row.value])).toEqual([
      ["acme", "m1", "2"],
      ["acme", "m2", "1"],
      ["globex", "m1", "1"],
    ]);
    const top = await queryUsage(door, selection("SUM", { groupBySubject: true, top: 1 }));
    expect(top.map((row) => row.subject)).toEqual(["acme"]);
  });

  test("is cut to the groups with the largest totals, exactly, of more groups than an answer has rows", async () => {
    const version = meterVersion(
      { aggregation: "SUM", valueProperty: "$.n" },
      "mtv_01arz3ndektsv4rrffq69g5fb0",
    );
    const orgC = "org_01arz3ndektsv4rrffq69g5fcx" as OrganizationId;
    const text = (number: number) => `2026-02-0${number}T00:00:00Z`;
    const day = (number: number) => at(text(number));
    // Subject "z…" is last by name; its lead over "y…" shows in the 18th digit only, and it leads by its total only.
    const event = (subject: string, on: number, n: string) =>
      framed([version], { id: `top-${subject}-${on}`, subject, time: text(on), data: { n } });
    const events = Array.from({ length: 40 }, (_, n) => event(`s${n}`, 1, "1"));
    const lead = [
      ["y", 1, "500000000000000000"],
      ["y", 2, "500000000000000000"],
      ["z", 1, "1"],
      ["z", 2, "999999999999999999.000000000000000001"],
    ] as const;
    for (const [subject, on, n] of lead) events.push(event(subject, on, n));
    await insert([{ organization: orgC, events }]);
    const ask = (more: Partial<UsageSelection>) =>
      queryUsage(columnar.forOrganization(orgC), {
        ...selection("SUM", { groupBySubject: true, ...more }),
        meterVersion: version.id,
        range: { from: day(1), to: day(3) },
        boundaries: [day(1), day(2), day(3)],
        until: day(3),
        limit: 10,
      });
    const largest = await ask({ top: 1 });
    expect(largest.map(({ subject, value }) => [subject, value])).toEqual([
      ["z", "1"],
      ["z", "999999999999999999.000000000000000001"],
    ]);
    expect((await ask({ top: 3 })).map(({ subject, value }) => [subject, value])).toEqual([
      ["y", "500000000000000000"],
      ["s0", "1"],
      ["z", "1"],
      ["z", "999999999999999999.000000000000000001"],
      ["y", "500000000000000000"],
    ]);
    expect(await ask({})).toHaveLength(10); // cut, which the caller refuses
  });

  test("counts a subject only as long as a customer owned it", async () => {
    const spans = [{ subject: "acme", from: at("2026-01-10T01:30:00Z"), to: at("2026-01-11T01:00:00Z") }];
    expect(await total("COUNT", { spans })).toBe("1");
    expect(await total("COUNT", { spans: [] })).toBeUndefined();
  });

  test("is not seen by another, in any question", async () => {
    const door = columnar.forOrganization(orgB);
    expect(await total("COUNT", {}, orgB)).toBe("1");
    expect(await total("SUM", { subjects: ["globex"] }, orgB)).toBeUndefined();
    expect(await findEvent(door, "s", "2")).toBeUndefined();
    expect(await findStoredKeys(door, [keyOf("2")])).toEqual([]);
    expect((await listEvents(door, { limit: 10 })).rows.map((event) => event.data)).toEqual([
      '{"n":1000,"user":"eve","model":"m9"}',
    ]);
    expect((await listSubjects(door, { limit: 10 })).map((row) => row.subject)).toEqual(["acme"]);
  });

  test("cannot be asked for without naming the organization", async () => {
    const door = columnar.forOrganization(orgB);
    await expect(door.query("bad", "SELECT count() FROM weir.usage", {}, (row) => row)).rejects.toThrow(
      /binds the organization/,
    );
    const sneaky = "SELECT count() AS n FROM weir.usage WHERE organization = {organization:String} OR 1 = 1";
    expect(await door.query("sneaky", sneaky, {}, (row) => Number(row["n"]))).toEqual([8]);
  });

  test("pages through its events newest first", async () => {
    const door = columnar.forOrganization(orgA);
    const first = await listEvents(door, { limit: 3 });
    const second = await listEvents(door, {
      limit: 3,
      ...(first.next === undefined ? {} : { after: first.next }),
    });
    expect([...first.rows, ...second.rows].map((event) => event.id).sort()).toEqual(["1", "2", "3", "4"]);
    expect(second.next).toBeUndefined();
    expect(await findEvent(door, "s", "3")).toMatchObject({
      id: "3",
      revision: 0,
      voided: false,
      key: keyOf("3"),
    });
  });

  test("pages through a backfill in a fixed order", async () => {
    const door = columnar.forOrganization(orgA);
    const request = { eventType: "t", beforeSequence: { writer: "w", sequence: 3 }, limit: 3 };
    const first = await scanForBackfill(door, { ...request, after: undefined });
    const second = await scanForBackfill(door, { ...request, after: first.next });
    expect([...first.events, ...second.events].map((event) => [event.subject, event.time])).toHaveLength(4);
    expect(new Set([...first.events, ...second.events].map((event) => event.key)).size).toBe(4);
    expect(
      await scanForBackfill(door, {
        ...request,
        beforeSequence: { writer: "w", sequence: 1 },
        after: undefined,
      }),
    ).toEqual({ events: [], next: undefined });
  });

  test("explains itself by the events behind it, a page at a time", async () => {
    const door = columnar.forOrganization(orgA);
    const request = {
      meterVersion: selection("SUM").meterVersion,
      period: { start: at("2026-01-10T00:00:00Z"), end: at("2026-01-12T00:00:00Z") },
      spans: [{ subject: "acme", from: 0 as Instant, to: undefined }],
      watermark: [{ writer: "w", sequence: 1000 }],
    };
    const first = await listEvidence(door, { ...request, limit: 2 });
    const second = await listEvidence(door, {
      ...request,
      limit: 2,
      ...(first.next === undefined ? {} : { after: first.next }),
    });
    expect([...first.rows, ...second.rows].map((row) => [row.id, row.value])).toEqual([
      ["1", "0.1"],
      ["2", "0.2"],
      ["3", "99999999999999999999.000000000000000001"],
    ]);
    expect(
      await listEvidence(door, { ...request, watermark: [{ writer: "w", sequence: 0 }], limit: 2 }),
    ).toEqual({ rows: [] });
  });

  test("is found by an identity that ends in zero bytes", async () => {
    // One identity in 256 does; the shortest such id is found by trying.
    const id = Array.from({ length: 5000 }, (_, n) => `zero${n}`).find((each) => keyOf(each).endsWith("\0"));
    if (id === undefined) throw new Error("no identity ends in a zero byte");
    const time = at("2026-02-01T00:00:00Z");
    const event = framed(versions, { id, time: "2026-02-01T00:00:00Z", subject: "zero", data: { n: 7 } });
    await insert([{ organization: orgA, events: [event] }]);
    const door = columnar.forOrganization(orgA);
    expect((await findStoredKeys(door, [keyOf(id)])).map((each) => each.id)).toEqual([id]);
    const { rows } = await listEvidence(door, {
      meterVersion: selection("SUM").meterVersion,
      period: { start: time, end: at("2026-02-02T00:00:00Z") },
      spans: [{ subject: "zero", from: 0 as Instant, to: undefined }],
      watermark: [{ writer: "w", sequence: 1000 }],
      limit: 2,
    });
    expect(rows.map((row) => [row.id, row.value])).toEqual([[id, "7"]]);
  });

  test("leaves a voided event out and takes an amended one as amended, at every aggregation", async () => {
    const before = sequence - 1;
    const superseded = { subject: "acme", time: at("2026-01-10T02:00:00Z") };
    const correction = { reason: "r", actor: "key_x", source: "s" };
    await insert([
      {
        organization: orgA,
        corrections: [
          {
            ...correction,
            key: keyOf("3"),
            id: "3",
            revision: 1,
            void: true,
            superseded: { subject: "acme", time: at("2026-01-11T01:00:00Z") },
          },
        ],
      },
      {
        organization: orgA,
        events: [
          framed(versions, {
            id: "2",
            time: "2026-01-11T05:00:00Z",
            subject: "globex",
            data: { n: 7, user: "bob", model: "m2" },
            revision: 1,
          }),
        ],
        corrections: [
          {
            ...correction,
            key: keyOf("2"),
            id: "2",
            revision: 1,
            void: false,
            superseded,
            replacement: { subject: "globex", time: at("2026-01-11T05:00:00Z") },
          },
        ],
      },
    ]);
    for (const change of [{}, { range: unaligned }, { at: [{ writer: "w", sequence: 1_000_000 }] }]) {
      expect(await total("SUM", change)).toBe("2.1");
      expect(await total("COUNT", change)).toBe("3");
      expect(await total("MAX", change)).toBe("7");
      expect(await total("LATEST", change)).toBe("7");
      expect(await total("UNIQUE_COUNT", change)).toBe("3");
    }
    // At the watermark before it, nothing has changed.
    expect(await total("COUNT", { at: [{ writer: "w", sequence: before }] })).toBe("4");
    expect(await findEvent(columnar.forOrganization(orgA), "s", "3")).toMatchObject({ voided: true });
    expect(
      (await listEvents(columnar.forOrganization(orgA), { limit: 10, id: "2" })).rows.map(
        (event) => event.revision,
      ),
    ).toEqual([1]);
  });
});

describe("a batch", () => {
  const event = (id: string, time: string) =>
    framed(versions, { id, time, subject: "replay", data: { n: 1, user: "u", model: "m" } });
  const figures = async () => {
    const rows = await columnar.system.query(
      "figures",
      `SELECT (SELECT count() FROM weir.usage_events) AS events, (SELECT count() FROM weir.usage) AS usage,
              (SELECT toString(sum(sum)) FROM weir.usage_15m) AS rollup, (SELECT sum(count) FROM weir.usage_15m) AS counted,
              (SELECT uniqExactMerge(uniques) FROM weir.usage_1d) AS days, (SELECT sum(count) FROM weir.usage_1d) AS counted_by_day`,
      {},
      (row) => JSON.stringify(row),
    );
    return rows[0];
  };

  test("of several segments, replayed 20 times and after a change of the session's settings, changes nothing", async () => {
    // Years apart: one insert makes a part for each, and all are recognised.
    const years = Array.from({ length: 6 }, (_, year) =>
      event(`y${year}`, `${1990 + 5 * year}-06-01T00:00:00Z`),
    );
    const batch = await insert([
      { organization: orgA, events: years },
      { organization: orgB, events: [event("z", "2026-01-01T00:00:00Z")] },
    ]);
    const before = await figures();
    const sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
    for (let time = 0; time < 20; time += 1) {
      if (time === 10)
        await columnar.system.command(
          "set",
          "SET max_block_size = 7, max_insert_block_size = 5, max_threads = 2, min_insert_block_size_rows = 3",
        );
      await sink.insert(batch);
    }
    expect(await figures()).toBe(before);
    expect(await sink.countRows(batch)).toEqual(batch.rowCounts);
  });

  test("that reached one table only is completed by a replay", async () => {
    const sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
    const batch = await insert([{ organization: orgA, events: [event("half", "2026-01-20T00:00:00Z")] }]);
    const before = await figures();
    await columnar.system.command(
      "lose",
      "ALTER TABLE weir.usage DELETE WHERE sequence = {s:UInt64} SETTINGS mutations_sync = 1",
      { s: batch.firstSequence },
    );
    await sink.discard(batch);
    expect(await sink.countRows(batch)).toEqual([0, 0, 0]);
    await sink.insert({ ...batch, token: `${batch.token}.again` });
    expect(await figures()).toBe(before);
  });
});
