import { describe, expect, test } from "vitest";
import { day, minute, parseInstant, type Instant } from "../../kernel/instant.js";
import { parseUsageEvent, type EventRules } from "./event.js";
import { readEventBody } from "./event-body.js";

const now = parseInstant("2026-01-31T12:00:00Z") as Instant;
const rules: EventRules = {
  specversionRequired: true,
  times: { now, oldest: (now - 35 * day) as Instant, newest: (now + 5 * minute) as Instant },
};
const event = {
  specversion: "1.0",
  id: "1",
  source: "s",
  type: "t",
  subject: "acme",
  time: "2026-01-31T11:59:59.5Z",
  data: { n: 1 },
};
const codes = (value: unknown) => {
  const parsed = parseUsageEvent(value, rules);
  return Array.isArray(parsed) ? parsed.map((fault) => `${fault.code} ${fault.field}`) : [];
};

describe("a usage event", () => {
  test("is read whole", () => {
    expect(parseUsageEvent(event, rules)).toEqual({
      source: "s",
      id: "1",
      type: "t",
      subject: "acme",
      time: parseInstant("2026-01-31T11:59:59.5Z"),
      timeGiven: true,
      dataText: '{"n":1}',
      data: { n: 1 },
      fingerprint: expect.any(String),
    });
  });

  test("without a time gets the server's", () => {
    const { time: _, ...timeless } = event;
    expect(parseUsageEvent(timeless, rules)).toMatchObject({ time: now, timeGiven: false });
  });

  test("names every fault", () => {
    expect(
      codes({ id: "", source: 3, type: "t".repeat(257), time: "yesterday", data_base64: "AA==" }),
    ).toEqual([
      "invalid-event id",
      "invalid-event source",
      "field-too-large type",
      "invalid-event subject",
      "invalid-event specversion",
      "invalid-event data_base64",
      "invalid-event time",
    ]);
  });

  test("at the edge of the window is in, a microsecond beyond it is out", () => {
    expect(codes({ ...event, time: "2025-12-27T12:00:00Z" })).toEqual([]);
    expect(codes({ ...event, time: "2025-12-27T11:59:59.999999Z" })).toEqual(["event-too-old time"]);
    expect(codes({ ...event, time: "2026-01-31T12:05:00Z" })).toEqual([]);
    expect(codes({ ...event, time: "2026-01-31T12:05:00.000001Z" })).toEqual(["event-too-far-ahead time"]);
  });

  test("whose data nests too deeply is refused, not a crash", () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    expect(codes({ ...event, data: JSON.parse(deep) })).toEqual(["field-too-large data"]);
  });

  test.each([null, 1, "x", [event]])("is an object, not %j", (value) => {
    expect(codes(value)).toEqual(["invalid-event "]);
  });
});

describe("a body", () => {
  const read = (text: string, format: "single" | "batch" | "json" | "ndjson" = "json") =>
    readEventBody(Buffer.from(text), format, 4);

  test("points at the event whose number would lose digits", () => {
    const body = `[{"a":"12345678901234567"}, {"a": 1}, {"a": [1.2345678901234567]}, {"a": 1e999}]`;
    const found = read(body);
    expect("faults" in found && [...found.faults.keys()]).toEqual([2, 3]);
  });

  test("points at the event with half a surrogate pair", () => {
    const found = read(String.raw`[{"id":"\ud83d\ude00"},{"id":"\ud83d"}]`, "batch");
    expect(
      "faults" in found && [...found.faults.entries()].map(([index, fault]) => [index, fault.code]),
    ).toEqual([[1, "invalid-text"]]);
  });

  test("in lines names the line that is not JSON", () => {
    const found = read(`{"id":"1"}\n\n{oops\n`, "ndjson");
    expect("faults" in found && found.faults.get(1)?.message).toMatch(/^line 3 is not JSON/);
  });

  test.each([
    ["", "json", "empty"],
    ["{", "json", "not_json"],
    ["[]", "single", "wrong_shape"],
    ["{}", "batch", "wrong_shape"],
    ["[1,2,3,4,5]", "json", "too_many"],
    ["1\n2\n3\n\n4\nno JSON", "ndjson", "too_many"],
  ] as const)("%j as %s is refused: %s", (text, format, kind) => {
    expect(read(text, format)).toMatchObject({ kind });
  });

  test("that is not UTF-8 is refused, not repaired", () => {
    expect(readEventBody(Buffer.from([0x22, 0xff, 0x22]), "json", 4)).toMatchObject({ kind: "not_utf8" });
  });
});
