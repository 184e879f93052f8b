import { expect, test } from "vitest";
import { findChangedNumber } from "./changed-number.js";
import { mapRows, type MappingOptions } from "./event-mapping.js";
import type { SourceRow } from "./source-rows.js";

const row = (cells: Record<string, string>, at = 0): SourceRow => ({
  row: at,
  line: at + 2,
  bytes: 0,
  cells,
});
const mapCsv = (options: MappingOptions, columns: string[]) => mapRows(options, { format: "csv", columns });
const plain = { dataSet: "usage.csv", data: [], forEachSubject: [] };

test("a CSV row becomes an event with ids of the file and row, and every column as data", () => {
  const map = mapCsv({ ...plain, type: "t", time: "{at}", subject: "{who}" }, ["at", "who", "n"]);
  expect(map(row({ at: "2026-01-01 00:00:00", who: "acme", n: "1.50" }, 3))).toEqual([
    {
      id: "usage.csv/3",
      source: "import/usage.csv",
      type: "t",
      subject: "acme",
      time: "2026-01-01T00:00:00Z",
      data: { at: "2026-01-01 00:00:00", who: "acme", n: 1.5 },
    },
  ]);
});

test("one row becomes an event for each subject", () => {
  const options = { ...plain, type: "t", time: "{at}", data: ["tokens={n}"], forEachSubject: ["a", "b"] };
  const events = mapCsv(options, ["at", "n"])(row({ at: "2026-01-01 00:00:00", n: "5" }));
  expect(events.map(({ id, subject, data }) => [id, subject, data])).toEqual([
    ["usage.csv/0/a", "a", { tokens: 5 }],
    ["usage.csv/0/b", "b", { tokens: 5 }],
  ]);
});

test("a mapping says what it lacks", () => {
  expect(() => mapCsv(plain, ["at"])).toThrow("needed: the type");
  expect(() => mapCsv({ ...plain, type: "t" }, ["at"])).toThrow("the column of the time, such as {at}");
  expect(() => mapCsv({ ...plain, type: "t", time: "{at}" }, ["at"])).toThrow("needed: whose usage");
  expect(() => mapCsv({ ...plain, type: "t", time: "{at}", subject: "s", data: ["n"] }, ["at"])).toThrow(
    "name=value",
  );
});

test("a line of NDJSON keeps what it has; options fill in the rest", () => {
  const map = mapRows({ ...plain, dataSet: "e.ndjson", type: "t" }, { format: "ndjson", columns: [] });
  const line = (event: object, at = 0) => ({ row: at, line: at + 2, bytes: 0, text: JSON.stringify(event) });
  const time = "2026-01-01T00:00:00Z";
  expect(map(line({ subject: "acme", time, id: "own", data: { n: "1" } }))).toEqual([
    { id: "own", source: "import/e.ndjson", type: "t", subject: "acme", time, data: { n: "1" } },
  ]);
  expect(() => map(line({ subject: "acme" }, 4))).toThrow('line 6: the event has no "time"');
});

test("finds the number that reading JSON would change", () => {
  expect(findChangedNumber('{"a": 12345678901234567, "b": 1}')).toBe("12345678901234567");
  expect(findChangedNumber('{"a": 1e999}')).toBe("1e999");
  expect(
    findChangedNumber('{"a": "12345678901234567", "\\"9": 0.10, "c": 100000000000000000000}'),
  ).toBeUndefined();
});
