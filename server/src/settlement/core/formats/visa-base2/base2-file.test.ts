import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  base2_processor,
  base2Draft,
  base2Fee,
  base2File,
  base2Settlement,
  randomDrafts,
  type Base2Spec,
} from "../../../../../test/support/settlement/base2-file.js";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile } from "../../../../../test/support/settlement/parse-file.js";
import { read, text } from "../../../../../test/support/settlement/read-base2.js";
import { detectFormat } from "../../index.js";
import { visaBase2 } from "./index.js";

describe("a file", () => {
  test.each([
    ["\n", "168 characters, LF"],
    ["\r\n", "168 characters, CRLF"],
    ["", "168 characters, no line ends"],
  ] as const)("with %j between its records", (separator, variant) => {
    for (const lastSeparator of [true, false]) {
      for (const count of [0, 1, 7]) {
        const { records, summary } = read({ transactions: randomDrafts(1, count), separator, lastSeparator });
        expect(records).toHaveLength(count);
        expect(summary).toMatchObject({
          variant,
          logicalId: "400001-26233-001",
          accounts: [base2_processor],
        });
        expect(summary.checks.every(({ ok }) => ok)).toBe(true);
        expect(records[0]?.position.line).toBe(count === 0 || separator === "" ? undefined : 2);
      }
    }
  });

  test("of several batches: each trailer is held against what it closes", () => {
    const { summary } = read({ transactions: [...randomDrafts(2, 7), base2Settlement(1n)], batchOf: 3 });
    expect(summary.leftOut).toEqual({ "header 90": 1, "batch trailer 91": 3, "file trailer 92": 1 });
    expect(summary.checks).toHaveLength(3 * 5 + 6);
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("may count its records with or without the trailers", () => {
    const file = { transactions: [...randomDrafts(2, 7)], batchOf: 3 };
    expect(read({ ...file, wrong: { countsWithoutTrailer: true } }).records).toHaveLength(7);
  });

  test("of a header and a trailer alone is valid", () => {
    expect(read([]).summary).toMatchObject({ records: 0, leftOut: { "header 90": 1, "file trailer 92": 1 } });
  });

  test("may be followed by another", () => {
    const { summary, records } = parseFile(visaBase2, text([base2Draft()]) + text([base2Draft()]));
    expect(records).toHaveLength(2);
    expect(summary.logicalId).toBe("400001-26233-001 and 1 more");
  });

  test("of the test system has a failed check", () => {
    const { checks } = read({ transactions: [base2Draft()], test: "TEST" }).summary;
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "file 400001-26233-001: test option", found: "TEST" },
    ]);
  });

  test("of transactions without a header is an extract: read, with a failed check", () => {
    const { records, summary } = read({ transactions: [base2Draft()], control: "none" });
    expect(records).toHaveLength(1);
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "the file is whole: it begins with its header" },
    ]);
  });

  test("with transactions that Visa returned has a failed check", () => {
    const returned: Base2Spec = {
      ...base2Draft({ code: "01" }),
      monetary: false,
      source: 0n,
      destination: 0n,
    };
    const { records, summary } = read([returned]);
    expect(records).toEqual([]);
    expect(summary.leftOut).toMatchObject({ "transaction 01": 1 });
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "transactions that Visa returned", found: "1" },
    ]);
  });

  test("is known by its first record", () => {
    for (const separator of ["\n", "\r\n", ""] as const) {
      expect(detectFormat(wholeFile(base2File({ transactions: [base2Draft()], separator })), "x").name).toBe(
        "visa-base2",
      );
      expect(
        detectFormat(wholeFile(base2File({ transactions: [base2Draft()], separator, control: "none" })), "x")
          .name,
      ).toBe("visa-base2");
    }
  });
});

describe("whatever a file holds", () => {
  const files = (["\n", "\r\n", ""] as const).map((separator) =>
    wholeFile(
      base2File({
        transactions: [...randomDrafts(9, 12), base2Fee("10", 1n), base2Settlement(5n)],
        separator,
        batchOf: 5,
      }),
    ),
  );

  test("any way of cutting it gives the same records", () => {
    for (const file of files) {
      const whole = parseFile(visaBase2, file);
      expect(parseFile(visaBase2, cutInto(file, [1]))).toEqual(whole);
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
          (lengths) => {
            expect(parseFile(visaBase2, cutInto(file, lengths))).toEqual(whole);
          },
        ),
        { numRuns: 30 },
      );
    }
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    for (const file of files) {
      fc.assert(
        fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
          const damaged = Uint8Array.from(file);
          damaged[at] = value;
          const outcome = outcomeOf(visaBase2, damaged);
          if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
          else expect(outcome.summary.records).toBe(outcome.records.length);
        }),
        { numRuns: 300 },
      );
    }
  });

  test("its records add up to its summary and to its trailer", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(20), fc.integer({ min: 1, max: 5 }), (seed, count, batchOf) => {
        const { records, summary } = read({ transactions: randomDrafts(seed, count), batchOf });
        const gross = records.reduce((sum, record) => sum + record.gross.minor, 0n);
        const size = records.reduce((sum, { gross: { minor } }) => sum + (minor < 0n ? -minor : minor), 0n);
        expect(summary.totals.reduce((sum, total) => sum + total.gross, 0n)).toBe(gross);
        expect(summary.checks.find(({ name }) => name === "file: source amount")).toMatchObject({
          found: size.toString(),
        });
        expect(new Set(records.map(({ key }) => key)).size).toBe(count);
      }),
      { numRuns: 40 },
    );
  });
});
