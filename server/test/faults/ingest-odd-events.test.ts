import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Decimal } from "../../src/kernel/decimal.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { loadCompress, type Compress } from "./ingest/compressed.js";
import { growth_bytes_max } from "./ingest/growth.js";
import { checkAnswer } from "./ingest/ingest-answer.js";
import { json, lines, meter } from "./ingest/sent-event.js";

const soak = process.env["WEIR_SOAK"] === "1";
let compress: Compress;

beforeAll(async () => {
  compress = await loadCompress();
});

describe("events that are odd but good", () => {
  let weir: TestWeir;
  const sent = new Map<string, SentEvent>();

  beforeAll(async () => {
    weir = await startTestWeir("odd");
    for (const each of [
      { ...meter, groupBy: { model: "$.model", proto: "$.__proto__", list: "$.list[0]" } },
      { slug: "users", eventType: "t", aggregation: "UNIQUE_COUNT", valueProperty: "$.user" },
      { slug: "count", eventType: "t", aggregation: "COUNT" },
    ]) {
      expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(each) })).status).toBe(
        201,
      );
    }
  });
  afterAll(() => weir.close());

  interface SentEvent {
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly subject: string;
    readonly time?: string;
    readonly data?: unknown;
  }

  const holdsNul = ({ id, source, type, subject }: SentEvent) =>
    [id, source, type, subject].some((text) => text.includes("\0"));
  const nameOf = (each: { source: string; id: string }) => JSON.stringify([each.source, each.id]);
  const unicode = (maxLength: number) =>
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: Math.min(maxLength, 40) }),
      },
      {
        weight: 3,
        arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: Math.min(maxLength, 20) }),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom("x", "é", "\u0000", "'", "\\", '"', "\n", "\u2028", "{", "%"),
            fc.integer({ min: 1, max: maxLength }),
          )
          .map(([text, times]) => text.repeat(times)),
      },
    );
  const digits = (length: number) =>
    fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 1, maxLength: length });
  const quantity = fc.oneof(
    fc.constantFrom<number | string>(
      0,
      -0,
      1,
      -1,
      1e15,
      -1e15,
      1e19,
      999999999999999,
      0.1,
      1e-7,
      5e-18,
      1e-18,
      123456.789012345,
      "99999999999999999999.999999999999999999",
      "-99999999999999999999.999999999999999999",
      "99999999999999999999",
      "0.000000000000000001",
      "-0.000000000000000001",
      "-0",
      "00000000000000000000.000000000000000000",
      "007",
      "1e19",
      "1E-18",
      "1.50",
      "-1.5e+3",
      "0e0",
    ),
    fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
    fc
      .tuple(fc.boolean(), digits(20), digits(18))
      .map(([minus, whole, part]) => `${minus ? "-" : ""}${whole}.${part}`),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const data = fc.oneof(
    fc
      .record(
        {
          n: quantity,
          model: fc.oneof(
            unicode(1_100),
            fc.integer(),
            fc.boolean(),
            fc.constant(null),
            fc.jsonValue({ maxDepth: 2 }),
          ),
          user: fc.oneof(unicode(1_000), fc.integer()),
          list: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }),
          text: fc.integer({ min: 0, max: 20_000 }).map((length) => "€".repeat(length)),
        },
        { requiredKeys: ["n"] },
      )
      .chain((fields) => fc.constantFrom(fields, { ...fields, ["__proto__"]: { n: 1 } })),
    fc.jsonValue({ maxDepth: 4 }),
    fc.constant(undefined),
  );
  const anEvent = fc.record(
    {
      id: unicode(512),
      source: unicode(1_024),
      type: fc.oneof({ weight: 5, arbitrary: fc.constant("t") }, { weight: 1, arbitrary: unicode(256) }),
      subject: unicode(512),
      time: fc
        .integer({ min: -34 * 86_400_000, max: 200_000 })
        .map((ms) => new Date(Date.now() + ms).toISOString().replace("Z", "123Z")),
      data,
    },
    { requiredKeys: ["id", "source", "type", "subject"] },
  );

  /** Sends events; drops those that are refused, by their index, and sends the rest. @returns what was accepted */
  async function sendAll(
    events: readonly SentEvent[],
    format: "json" | "lines",
    encoding: string,
  ): Promise<void> {
    const text =
      format === "json" ? JSON.stringify(events) : events.map((each) => JSON.stringify(each)).join("\n");
    const response = await weir.fetch("/v1/events", {
      method: "POST",
      headers: {
        ...(format === "json" ? json : lines),
        ...(encoding === "" ? {} : { "content-encoding": encoding }),
      },
      body: compress(Buffer.from(text), encoding) as Uint8Array<ArrayBuffer>,
    });
    const answer = await response.text();
    checkAnswer(response.status, response.headers, answer, answer.slice(0, 1_000));
    const unkeepable = events.flatMap((each, index) => (holdsNul(each) ? [index] : []));
    if (response.status === 202) {
      expect(unkeepable, "PostgreSQL could not keep their names").toEqual([]);
      const receipt = JSON.parse(answer) as { accepted: number; conflicts?: { index: number }[] };
      const conflicting = new Set(receipt.conflicts?.map(({ index }) => index));
      let accepted = 0;
      events.forEach((each, index) => {
        if (conflicting.has(index) || sent.has(nameOf(each))) return;
        accepted += 1;
        sent.set(nameOf(each), each);
      });
      expect(receipt.accepted).toBe(accepted);
      return;
    }
    const { errors } = JSON.parse(answer) as { errors?: { index: number; code: string }[] };
    expect(errors, answer.slice(0, 1_000)).toBeDefined();
    for (const { index, code } of errors!) {
      if (code === "invalid-text") expect(unkeepable).toContain(index);
      else expect(["unsafe-number", "field-too-large"]).toContain(code);
    }
    const bad = new Set(errors!.map(({ index }) => index));
    const rest = events.filter((_, index) => !bad.has(index));
    expect(rest.length).toBeLessThan(events.length);
    if (rest.length > 0) await sendAll(rest, format, encoding);
  }

  test("each one that ingest accepts is inserted, once and unchanged, and its quantity counts exactly", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anEvent as fc.Arbitrary<SentEvent>, { minLength: 1, maxLength: 20 }),
        fc.constantFrom("json" as const, "lines" as const),
        fc.constantFrom("", "gzip", "zstd", "deflate"),
        sendAll,
      ),
      { numRuns: soak ? 5_000 : 200 },
    );
    await sendAll(
      Array.from({ length: 20 }, (_, n) => ({
        id: `${n + 10}${"\u{10FFFF}".repeat(255)}`,
        source: "\uFFFF".repeat(1_024),
        type: "t",
        subject: "\u0800".repeat(512),
        data: { n: "99999999999999999999.999999999999999999", pad: "\uFFFD".repeat(65_536 - 60) },
      })),
      "json",
      "",
    );
    await weir.settled();

    const { system } = weir.weir.services.columnar;
    const rows = await system.query(
      "all events",
      "SELECT hex(source) AS source, hex(id) AS id, hex(type) AS type, hex(subject) AS subject, hex(data) AS data FROM weir.usage_events",
      {},
      (row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, hex]) => [name, Buffer.from(String(hex), "hex").toString("utf8")]),
        ) as Record<"source" | "id" | "type" | "subject" | "data", string>,
    );
    expect(rows).toHaveLength(sent.size);
    for (const row of rows) {
      const original = sent.get(nameOf(row));
      expect(original, `not sent: ${nameOf(row)}`).toBeDefined();
      const { type, subject, data: content } = original!;
      expect(row).toMatchObject({
        type,
        subject,
        data: content === undefined || content === null ? "" : JSON.stringify(content),
      });
    }
    expect(sent.size).toBeGreaterThan(soak ? 20_000 : 500);
    expect(weir.weir.services.usage.stats().stream).toMatchObject({ quarantined: 0, damaged: 0 });

    const listened = [...sent.values()].filter((each) => each.type === "t");
    const numbers = listened.flatMap((each) => {
      const n = (each.data as { n?: unknown } | null | undefined)?.n;
      if (typeof n !== "number" && typeof n !== "string") return [];
      if (each.data === null || typeof each.data !== "object" || !Object.hasOwn(each.data, "n")) return [];
      const number = Decimal.parse(String(n));
      return number === undefined ? [] : [number];
    });
    const ask = async (slug: string) => {
      const response = await weir.fetch(`/v1/meters/${slug}/query`);
      const answer = (await response.json()) as { data: { value: string }[] };
      return answer.data[0]?.value;
    };
    expect(await ask("n")).toBe(Decimal.sum(numbers).toString());
    expect(await ask("count")).toBe(String(listened.length));
  });

  test("a few events that many dimensions would multiply to gigabytes are refused, not a crash", async () => {
    const groupBy = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`d${n}`, "$.d"]));
    for (let n = 0; n < 10; n += 1) {
      const wide = { slug: `wide${n}`, eventType: "wide", aggregation: "COUNT", groupBy };
      expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(wide) })).status).toBe(
        201,
      );
    }
    const before = process.memoryUsage().rss;
    const events = Array.from({ length: 10_000 }, (_, n) => ({
      id: `w${n}`,
      source: "s",
      type: "wide",
      subject: "a",
      data: { d: "x".repeat(1_024) },
    }));
    const send = async (some: readonly object[]) => {
      const response = await weir.fetch("/v1/events", {
        method: "POST",
        headers: json,
        body: JSON.stringify(some),
      });
      const text = await response.text();
      return checkAnswer(response.status, response.headers, text, text.slice(0, 500));
    };
    expect(await send(events)).toMatchObject({ status: 413, slug: "measurements-too-large" });
    expect(process.memoryUsage().rss - before).toBeLessThan(growth_bytes_max);
    // In smaller requests they are taken.
    expect(await send(events.slice(0, 50))).toMatchObject({ status: 202, accepted: 50 });
  });
});
