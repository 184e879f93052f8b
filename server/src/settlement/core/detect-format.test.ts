import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adyenReport, randomAdyenRows } from "../../../test/support/settlement/adyen-report.js";
import { base2File, randomDrafts } from "../../../test/support/settlement/base2-file.js";
import { cardResponsesFile } from "../../../test/support/settlement/card-responses-file.js";
import { camtFile, randomStatement } from "../../../test/support/settlement/camt-file.js";
import { ipmFile, randomPresentments } from "../../../test/support/settlement/ipm-file.js";
import { outcomeOf, parseFile } from "../../../test/support/settlement/parse-file.js";
import { wholeFile } from "../../../test/support/settlement/file-chunks.js";
import {
  balance_columns,
  payout_columns,
  randomStripeRows,
  stripeReport,
} from "../../../test/support/settlement/stripe-report.js";
import { detectFormat, detection_bytes, FileRefused, findFormat, settlementFormats } from "./index.js";

const files = {
  "camt.053": wholeFile(camtFile({ statements: [randomStatement(1, 50)] })),
  "camt.054": wholeFile(camtFile({ message: "camt.054", statements: [randomStatement(1, 50)] })),
  "stripe-balance-change": wholeFile(
    stripeReport(
      balance_columns.filter((name) => !name.includes("payout")),
      randomStripeRows(1, 50),
    ),
  ),
  "stripe-payout-reconciliation": wholeFile(stripeReport(payout_columns, randomStripeRows(1, 50))),
  "mastercard-ipm": wholeFile(
    ipmFile({ messages: randomPresentments(1, 50), blocked: true, encoding: "EBCDIC" }),
  ),
  "adyen-settlement-details": wholeFile(adyenReport(randomAdyenRows(1, 50))),
  "visa-base2": wholeFile(base2File({ transactions: randomDrafts(1, 50) })),
  "card-responses": Buffer.from(
    cardResponsesFile({
      batch: 7,
      answers: Array.from({ length: 50 }, (_, index) => ({ reference: `REF${index}`, code: "51" })),
    }),
  ),
};

test("there is a file of every format here", () => {
  expect(Object.keys(files).sort()).toEqual(settlementFormats.map(({ name }) => name).sort());
});

describe.each(Object.entries(files))("a file of %s", (name, file) => {
  test("is known by its content, under any name, by its beginning alone", () => {
    for (const fileName of ["report.csv", "statement.xml", "x", ""]) {
      expect(detectFormat(file.subarray(0, detection_bytes), fileName).name).toBe(name);
    }
    expect(detectFormat(file.subarray(0, 900), "x").name).toBe(name);
  });

  test("is of this format only, read as it says", () => {
    for (const format of settlementFormats) {
      const outcome = outcomeOf(format, file);
      // Stripe's two reports share their columns; everything else is refused by what it is not.
      const alike =
        format.name === name ||
        (name === "stripe-payout-reconciliation" && format.name === "stripe-balance-change");
      if (alike) expect(outcome).toMatchObject({ summary: { format: format.name } });
      else expect(typeof outcome).toBe("string");
    }
    expect(findFormat(name)).toBe(detectFormat(file, "x"));
    expect(parseFile(findFormat(name)!, file).summary.records).toBeGreaterThanOrEqual(50);
  });

  test("whatever a byte of it becomes, is of one format or refused", () => {
    fc.assert(
      fc.property(fc.nat(Math.min(file.length, 4_000) - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        let found: string | undefined;
        try {
          // Without the column of payouts one of Stripe's reports is the other.
          const family = name.startsWith("stripe-") ? /^stripe-/ : new RegExp(`^${name}$`);
          found = detectFormat(damaged, "x").name;
          expect(found).toMatch(family);
        } catch (error) {
          if (found !== undefined) throw error;
          expect(error).toBeInstanceOf(FileRefused);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("a file that could be of several formats is refused, with their names", () => {
  const alike = { ...findFormat("camt.053")!, name: "camt.054" as const };
  expect(() => detectFormat(files["camt.053"], "a.xml", [findFormat("camt.053")!, alike])).toThrow(
    /a\.xml could be each of camt\.053, camt\.054\. Name its format/,
  );
});

describe("a file of no known format is refused, with the formats that there are:", () => {
  test.each([
    ["text", "Dear bank,\nplease pay.\n"],
    ["another CSV", "date;amount\n2026-01-01;12\n"],
    [
      "another XML",
      '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>',
    ],
    ["a PDF", "%PDF-1.7\n\u0001\u0002"],
    ["a ZIP", "PK\u0003\u0004aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    ["zeros", "\0".repeat(2_000)],
    ["digits", "0".repeat(2_000)],
  ])("%s", (_, text) => {
    const refusal = () => detectFormat(Buffer.from(text, "latin1"), "upload.bin");
    expect(refusal).toThrow(FileRefused);
    expect(refusal).toThrow(
      /upload\.bin is of no known format\. Known are camt\.053, .*visa-base2, card-responses\./,
    );
  });

  test("an empty one", () => {
    expect(() => detectFormat(new Uint8Array(0), "a.csv")).toThrow(/a\.csv is empty\. Fetch the file again/);
  });

  test("random bytes never do more than be refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        try {
          detectFormat(bytes, "x");
        } catch (error) {
          expect(error).toBeInstanceOf(FileRefused);
        }
        for (const format of settlementFormats) outcomeOf(format, bytes);
      }),
      { numRuns: 200 },
    );
  });
});
