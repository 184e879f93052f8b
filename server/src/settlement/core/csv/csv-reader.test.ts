import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvLines, type CsvStyle } from "../../../../test/support/settlement/csv-text.js";
import { cutInto } from "../../../../test/support/settlement/file-chunks.js";
import { FileRefused } from "../file-refused.js";
import { CsvReader, type CsvRow } from "./csv-reader.js";

function read(chunks: Iterable<Uint8Array> | string): { header: readonly string[]; rows: CsvRow[] } {
  let header: readonly string[] = [];
  const rows: CsvRow[] = [];
  const reader = new CsvReader(
    (names) => {
      header = names;
    },
    (row) => rows.push(row),
  );
  for (const chunk of typeof chunks === "string" ? [Buffer.from(chunks)] : chunks) reader.push(chunk);
  reader.end();
  return { header, rows };
}

function refusal(text: string | Uint8Array): FileRefused {
  try {
    read(typeof text === "string" ? text : [text]);
  } catch (error) {
    if (error instanceof FileRefused) return error;
    throw error;
  }
  throw new Error("not refused");
}

test.each([",", ";", "\t"])("fields between %j", (separator) => {
  const { header, rows } = read(`a${separator}b\n1${separator}2\n3${separator}\n`);
  expect(header).toEqual(["a", "b"]);
  expect(rows.map(({ fields }) => fields)).toEqual([
    ["1", "2"],
    ["3", ""],
  ]);
});

test("a quoted field holds separators, doubled quotes and line ends, which count as lines", () => {
  const { rows } = read('a,b\r\n"1,5","say ""hi"""\r\n"two\nlines",x\r\nlast,"y"');
  expect(rows).toEqual([
    { fields: ["1,5", 'say "hi"'], line: 2, record: 1 },
    { fields: ["two\nlines", "x"], line: 3, record: 2 },
    { fields: ["last", "y"], line: 5, record: 3 },
  ]);
});

test("a byte-order mark, CRLF, empty lines and a last line without an end change nothing", () => {
  expect(read("\ufeffa,b\r\n1,2\r\n\r\n3,4").rows.map(({ fields }) => fields)).toEqual([
    ["1", "2"],
    ["3", "4"],
  ]);
});

test("a header of quoted names", () => {
  expect(read('"a";"b;c"\n1;2\n')).toMatchObject({ header: ["a", "b;c"], rows: [{ fields: ["1", "2"] }] });
});

describe("refused, with line and row,", () => {
  test.each([
    ["a row with a field too many", "a,b\n1,2\n1,2,3\n", 3, 2, /3 fields, the header has 2/],
    ["a row with a field too few", "a,b\n1\n", 2, 1, /1 fields, the header has 2/],
    ["a quote that is never closed", 'a,b\n1,"2\n3,4\n', 2, 1, /never closed/],
    ["text after a closing quote", 'a,b\n"1"x,2\n', 2, 1, /follows a closing quote/],
    ["a quote inside a field without quotes", 'a,b\n1,5" pipe\n', 2, 1, /not in quotes/],
    ["a line without end", `a,b\n${"x".repeat(70_000)}`, 2, 1, /more than 65536 characters/],
    ["a quoted field without end", `a,b\n"${"x\n".repeat(70_000)}`, 2, 1, /more than 65536 characters/],
  ])("%s", (_, text, line, record, detail) => {
    const found = refusal(text);
    expect(found).toMatchObject({ line, record });
    expect(found.detail).toMatch(detail);
    expect(found.advice).toMatch(/spreadsheet/);
  });

  test("bytes that are not UTF-8", () => {
    expect(refusal(Buffer.from("a,b\n\u00e9,2\n", "latin1"))).toMatchObject({
      line: 1,
      detail: expect.stringMatching(/UTF-8/),
    });
  });

  test("a file without anything, and a header of too many columns", () => {
    expect(refusal("").detail).toMatch(/no header/);
    expect(refusal(`${"c,".repeat(600)}\n`).detail).toMatch(/more than 512 columns/);
  });
});

const field = fc.string({
  unit: fc.constantFrom("a", "é", "€", ",", ";", "\t", '"', "\n", "\r\n", " ", "1"),
  maxLength: 8,
});
const style: fc.Arbitrary<CsvStyle> = fc.record({
  separator: fc.constantFrom(",", ";", "\t"),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  byteOrderMark: fc.boolean(),
  quoteAll: fc.boolean(),
  lastLineEnd: fc.boolean(),
});

test("whatever is written is read, however it is written and cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field, field), { maxLength: 12 }),
      style,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
      (rows, how, lengths) => {
        const header = ["one", "two", "three"];
        const records = rows.map(([one, two, three]) => ({ one, two, three }));
        const file = Buffer.from([...csvLines(header, records, how)].join(""));
        const found = read(cutInto(file, lengths));
        expect(found.header).toEqual(header);
        expect(found.rows.map(({ fields }) => fields)).toEqual(rows);
      },
    ),
    { numRuns: 500 },
  );
});
