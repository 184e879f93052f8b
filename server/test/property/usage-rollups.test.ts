import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateColumnar, openColumnar, type Columnar } from "../../src/engines/columnar/index.js";
import type { Batch } from "../../src/engines/stream/index.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { day, hour, minute, formatInstant, type Instant } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import { parseTimeZone, windowBoundaries, type TimeZone } from "../../src/kernel/time-zone.js";
import { usageSink } from "../../src/usage/store/insert-batch.js";
import { queryUsage, type UsageSelection } from "../../src/usage/store/query-usage.js";
import { at, framed, keyOf, meterVersion, writeBatch, type TestEnvelope } from "../support/batch-file.js";
import { plainAggregations, type PlainAggregation } from "../support/plain-metering.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const soak = process.env["WEIR_SOAK"] === "1";
const migrations = fileURLToPath(new URL("../../migrations/clickhouse", import.meta.url));
const quarter = 15 * minute;
// Four UTC days: clocks change in Berlin on the first, the month after the third.
const first = at("2026-03-29T00:00:00Z");
const days = 4;
const subjects = ["acme", "globex", "initech"] as const;
const models = ["m1", "m2"] as const;
const meters = plainAggregations.map((aggregation, index) => {
  const { valueProperty, ...version } = meterVersion(
    { aggregation },
    `mtv_01arz3ndektsv4rrffq69g5fa${index}`,
  );
  if (aggregation === "COUNT") return version;
  return { ...version, valueProperty: aggregation === "UNIQUE_COUNT" ? "$.user" : (valueProperty ?? "$.n") };
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let columnar: Columnar;
let batches = 0;
let sequence = 1;
let organizations = 0;

beforeAll(async () => {
  folder = await temporaryFolder("usage-rollups");
  columnar = await openColumnar({ dir: path.join(folder.dir, "clickhouse"), log: silentLog });
  await migrateColumnar(columnar, migrations);
  await mkdir(path.join(folder.dir, "batches"));
});

afterAll(async () => {
  await columnar.close();
  await folder.remove();
});

/** An event as it counts, with where it was accepted. */
interface LiveEvent {
  readonly id: string;
  readonly revision: number;
  readonly subject: string;
  readonly time: Instant;
  readonly n: number;
  readonly user: string;
  readonly model: string;
  readonly sequence: number;
  readonly position: number;
}

type Question = Omit<UsageSelection, "meterVersion" | "aggregation" | "limit">;

const instant: fc.Arbitrary<Instant> = fc
  .oneof(
    // On the edges of UTC days, and of days in Auckland and Kathmandu; often at the same microsecond.
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.nat({ max: days - 1 }),
          fc.constantFrom(0, 11 * hour, 18 * hour + quarter),
          fc.constantFrom(-1, -1, 0, 1),
        )
        .map(([number, offset, shift]) => number * day + offset + shift),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat({ max: (days * day) / quarter - 1 }), fc.constantFrom(0, quarter - 1))
        .map(([number, offset]) => number * quarter + offset),
    },
    { weight: 1, arbitrary: fc.nat({ max: days * day - 1 }) },
  )
  .map((offset) => (first + Math.max(offset, 0)) as Instant);

const eventOf = fc.record({
  subject: fc.constantFrom(...subjects),
  time: instant,
  n: fc.integer({ min: -9, max: 99 }),
  user: fc.nat({ max: 7 }).map((number) => (number === 0 ? "" : `u${number}`)),
  model: fc.constantFrom(...models),
});
type NewEvent = typeof eventOf extends fc.Arbitrary<infer T> ? T : never;

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      envelopes: fc.array(fc.array(eventOf, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("correct" as const),
      which: fc.nat(),
      replacement: fc.option(eventOf, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("replay" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reissue" as const), which: fc.nat() }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Mostly the edge of a UTC day, else a quarter of an hour. */
const edge = fc
  .oneof(
    { weight: 2, arbitrary: fc.nat({ max: days }).map((number) => number * day) },
    { weight: 1, arbitrary: fc.nat({ max: (days * day) / quarter }).map((number) => number * quarter) },
  )
  .map((offset) => (first + offset) as Instant);
const range = fc
  .tuple(edge, edge)
  .filter(([one, other]) => one !== other)
  .map(([one, other]) => (one < other ? { from: one, to: other } : { from: other, to: one }));

const span = fc
  .record({ subject: fc.constantFrom(...subjects), range, open: fc.boolean() })
  .map(({ subject, range: { from, to }, open }) => ({ subject, from, to: open ? undefined : to }));

const question: fc.Arbitrary<Question> = fc
  .record({
    range: fc.oneof(
      { weight: 1, arbitrary: fc.constant({ from: first, to: (first + days * day) as Instant }) },
      { weight: 3, arbitrary: range },
    ),
    zone: fc.constantFrom("UTC", "UTC", "Pacific/Auckland", "Asia/Kathmandu", "Europe/Berlin"),
    size: fc.constantFrom("DAY" as const, "DAY" as const, "MONTH" as const, "HOUR" as const, undefined),
    subjects: fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.subarray([...subjects], { minLength: 1 }) },
    ),
    spans: fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.array(span, { maxLength: 3 }) },
    ),
    groupBySubject: fc.boolean(),
    groupByDimensions: fc.constantFrom<number[]>([], [0]),
    filters: fc.constantFrom([], [{ position: 0, values: ["m1"] }]),
  })
  .map(({ range: asked, zone, size, spans, subjects: named, ...rest }) => ({
    ...rest,
    range: asked,
    until: asked.to,
    boundaries:
      size === undefined
        ? [asked.from, asked.to]
        : windowBoundaries(asked.from, asked.to, size, parseTimeZone(zone) as TimeZone),
    ...(named === undefined ? {} : { subjects: named }),
    ...(spans === undefined ? {} : { spans }),
  }));

/** What is stored for one organization, and what ought to count. */
class Account {
  readonly organization: OrganizationId;
  readonly #inserted: { batch: Batch; tokens: number }[] = [];
  readonly #live = new Map<string, LiveEvent>();
  #events = 0;

  constructor() {
    organizations += 1;
    this.organization =
      `org_01arz3ndektsv4rrffq69${organizations.toString(36).padStart(5, "0")}` as OrganizationId;
  }

  get live(): readonly LiveEvent[] {
    return [...this.#live.values()];
  }

  async play(step: Action): Promise<void> {
    switch (step.kind) {
      case "send":
        return this.#insert(
          step.envelopes.map((events) => ({
            organization: this.organization,
            events: events.map((event) => {
              this.#events += 1;
              return this.#framed(event, `${this.organization}-${this.#events}`, 0);
            }),
          })),
        );
      case "correct":
        return this.#correct(step.which, step.replacement);
      case "replay": {
        const chosen = this.#inserted[step.which % this.#inserted.length];
        if (chosen !== undefined) await (await sink()).insert(chosen.batch);
        return;
      }
      case "reissue": {
        const chosen = this.#inserted[step.which % this.#inserted.length];
        if (chosen === undefined) return;
        chosen.tokens += 1;
        chosen.batch = { ...chosen.batch, token: `${chosen.batch.id}.${chosen.tokens}` };
        await (await sink()).discard(chosen.batch);
        await (await sink()).insert(chosen.batch);
      }
    }
  }

  async #correct(which: number, replacement: NewEvent | undefined): Promise<void> {
    const event = this.live[which % this.#live.size];
    if (event === undefined) return;
    const { id, subject, time } = event;
    const revision = event.revision + 1;
    this.#live.delete(id);
    await this.#insert([
      {
        organization: this.organization,
        ...(replacement === undefined ? {} : { events: [this.#framed(replacement, id, revision)] }),
        corrections: [
          {
            key: keyOf(id),
            id,
            revision,
            void: replacement === undefined,
            reason: "r",
            actor: "key_x",
            source: "s",
            superseded: { subject, time },
            ...(replacement === undefined
              ? {}
              : { replacement: { subject: replacement.subject, time: replacement.time } }),
          },
        ],
      },
    ]);
  }

  #framed({ subject, time, n, user, model }: NewEvent, id: string, revision: number) {
    return framed(meters, { id, subject, time: formatInstant(time), data: { n, user, model }, revision });
  }

  async #insert(envelopes: readonly TestEnvelope[]): Promise<void> {
    const into = await sink();
    batches += 1;
    const batch = await writeBatch(
      path.join(folder.dir, "batches", `${batches}.batch`),
      {
        number: batches,
        firstSequence: sequence,
        settings: into.settings(),
        engineVersion: await into.engineVersion(),
      },
      envelopes,
    );
    for (const [offset, { events = [] }] of envelopes.entries()) {
      for (const [index, event] of events.entries()) {
        const data = JSON.parse(event.dataText) as Pick<LiveEvent, "n" | "user" | "model">;
        const { id, revision, subject, time } = event;
        const place = { sequence: sequence + offset, position: index + 1 };
        this.#live.set(id, { id, revision, subject, time, ...data, ...place });
      }
    }
    sequence += envelopes.length;
    this.#inserted.push({ batch, tokens: 0 });
    await into.insert(batch);
    expect(await into.countRows(batch)).toEqual(batch.rowCounts);
  }
}

const sink = () => usageSink(columnar, path.join(folder.dir, "schemas"));

/** The answer as a loop over the events gives it: "window subject model" → value, and number of events. */
function expected(
  events: readonly LiveEvent[],
  asked: Question,
  aggregation: PlainAggregation,
): Record<string, string> {
  const groups = new Map<string, LiveEvent[]>();
  for (const event of events) {
    const { subject, time, model } = event;
    if (time < asked.range.from || time >= asked.range.to) continue;
    if (asked.subjects?.includes(subject) === false) continue;
    const owned = (span: NonNullable<Question["spans"]>[number]) =>
      span.subject === subject && time >= span.from && (span.to === undefined || time < span.to);
    if (asked.spans?.some(owned) === false) continue;
    if (!asked.filters.every(({ values }) => values.includes(model))) continue;
    const window = asked.boundaries.findLast((boundary) => boundary <= time);
    const key = [
      window,
      asked.groupBySubject ? subject : "",
      ...(asked.groupByDimensions.length > 0 ? [model] : []),
    ].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return Object.fromEntries(
    [...groups].map(([key, found]) => [key, `${valueOf(found, aggregation)} of ${found.length}`]),
  );
}

function valueOf(events: readonly LiveEvent[], aggregation: PlainAggregation): number {
  const numbers = events.map(({ n }) => n);
  switch (aggregation) {
    case "SUM":
    case "AVG":
      return numbers.reduce((sum, n) => sum + n, 0);
    case "COUNT":
      return events.length;
    case "UNIQUE_COUNT":
      return new Set(events.map(({ user }) => user)).size;
    case "MIN":
      return Math.min(...numbers);
    case "MAX":
      return Math.max(...numbers);
    case "LATEST":
      return events.reduce((latest, event) => (isAfter(event, latest) ? event : latest)).n;
  }
}

function isAfter(one: LiveEvent, other: LiveEvent): boolean {
  if (one.time !== other.time) return one.time > other.time;
  if (one.sequence !== other.sequence) return one.sequence > other.sequence;
  return one.position > other.position;
}

async function answered(
  account: Account,
  asked: Question,
  aggregation: PlainAggregation,
): Promise<Record<string, string>> {
  const version = meters[plainAggregations.indexOf(aggregation)]!;
  const rows = await queryUsage(columnar.forOrganization(account.organization), {
    ...asked,
    meterVersion: version.id,
    aggregation,
    limit: 10_000,
  });
  return Object.fromEntries(
    rows.map((row) => [
      [row.windowStart, row.subject, ...row.dimensions].join(" "),
      `${row.value} of ${row.count}`,
    ]),
  );
}

test("usage by any window, zone, group and owner is that of the live events, however it came in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(question, fc.constantFrom(...plainAggregations)), { minLength: 12, maxLength: 12 }),
      async (actions, questions) => {
        const account = new Account();
        for (const step of actions) await account.play(step);
        for (const [asked, aggregation] of questions) {
          expect(await answered(account, asked, aggregation)).toEqual(
            expected(account.live, asked, aggregation),
          );
        }
      },
    ),
    // A run takes over a second, so that only the long test looks for a smaller one that fails.
    { numRuns: soak ? 1_000 : 20, endOnFailure: !soak },
  );
}, 600_000);
