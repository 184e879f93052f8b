import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  camtFile,
  randomStatement,
  type CamtEntry,
} from "../../../../../test/support/settlement/camt-file.js";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile } from "../../../../../test/support/settlement/parse-file.js";
import { credit, read, statementWith, text } from "../../../../../test/support/settlement/read-camt.js";
import { detectFormat } from "../../index.js";
import { camt053 } from "./index.js";

describe("a file is read", () => {
  test("with a prefix for its namespace, in Latin-1, with a byte-order mark", () => {
    const entry: CamtEntry = { ...credit, name: "Söhne & Co" };
    for (const file of [
      { ...statementWith([entry]), prefix: "ns2" },
      { ...statementWith([entry]), encoding: "ISO-8859-1" },
    ]) {
      expect(read(file).records[0]!.counterparty).toEqual({ name: "Söhne & Co" });
    }
    expect(parseFile(camt053, `\ufeff${text(statementWith([entry]))}`).records).toHaveLength(1);
  });

  test("in UTF-16 with its byte-order mark", () => {
    const file = Buffer.from(`\ufeff${text(statementWith([credit])).replace("UTF-8", "UTF-16")}`, "utf16le");
    expect(detectFormat(file, "a.xml").name).toBe("camt.053");
    expect(parseFile(camt053, cutInto(file, [7])).records).toHaveLength(1);
  });

  test("leaving out what other namespaces add", () => {
    const foreign = `<SplmtryData><Envlp><x:Ntry xmlns:x="urn:x"><x:Amt>1</x:Amt></x:Ntry></Envlp></SplmtryData>`;
    const file = text(statementWith([credit])).replace("</BkToCstmrStmt>", `${foreign}</BkToCstmrStmt>`);
    expect(parseFile(camt053, file).records).toHaveLength(1);
  });

  test("and known by its namespace, whatever it is called", () => {
    expect(detectFormat(wholeFile(camtFile(statementWith([credit]))), "bank.txt").name).toBe("camt.053");
    const notification = { ...statementWith([credit]), message: "camt.054" as const };
    expect(detectFormat(wholeFile(camtFile(notification)), "statement053.xml").name).toBe("camt.054");
  });
});

describe("whatever a file holds", () => {
  const file = wholeFile(camtFile({ statements: [randomStatement(3, 40), randomStatement(4, 3)] }));
  const whole = parseFile(camt053, file);

  test("any way of cutting it gives the same records", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        expect(parseFile(camt053, cutInto(file, lengths))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
    expect(parseFile(camt053, cutInto(file, [1]))).toEqual(whole);
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        const outcome = outcomeOf(camt053, damaged);
        if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
        else expect(outcome.summary.records).toBe(outcome.records.length);
      }),
      { numRuns: 400 },
    );
  });

  test("its records add up to its summary", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), (seed, entries) => {
        const { records, summary } = parseFile(
          camt053,
          camtFile({ statements: [randomStatement(seed, entries)] }),
        );
        const gross = records.reduce((sum, record) => sum + record.gross.minor, 0n);
        expect(summary.records).toBe(entries);
        expect(summary.totals.reduce((sum, total) => sum + total.gross, 0n)).toBe(gross);
        expect(Object.values(summary.kinds).reduce((sum, count) => sum + count, 0)).toBe(entries);
        expect(summary.checks.every(({ ok }) => ok)).toBe(true);
        expect(new Set(records.map(({ key }) => key)).size).toBe(entries);
        expect(new Set(records.map(({ position }) => position.record)).size).toBe(entries);
      }),
      { numRuns: 30 },
    );
  });
});
