import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { camtFile, randomStatement } from "../support/settlement/camt-file.js";
import { wholeFile } from "../support/settlement/file-chunks.js";
import { ipmFile, presentment } from "../support/settlement/ipm-file.js";
import { balance_columns, stripeReport } from "../support/settlement/stripe-report.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { UnreadableCases } from "./rating-case.js";
import { runSettlementCases, settlementReport } from "./settlement-cases.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder("settlement-cases");
});
afterAll(() => folder.remove());

let folders = 0;
/** A folder with these files; a name may have folders in it. */
function withFiles(files: Readonly<Record<string, Uint8Array | string>>): string {
  folders += 1;
  const dir = path.join(folder.dir, String(folders));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  return dir;
}

const run = (files: Readonly<Record<string, Uint8Array | string>>) =>
  settlementReport(runSettlementCases(withFiles(files))).split("\n");

const statement = wholeFile(camtFile({ statements: [randomStatement(1, 3)] }));
const wrong = Buffer.from(statement).toString().replace("</Stmt>", "");
const messages = [presentment(), presentment()];
const ipm = wholeFile(ipmFile({ messages, blocked: true }));

describe("a run of settlement cases", () => {
  test("prints every file at any depth: format, counts, totals, checks", () => {
    const report = run({
      "bank/a.xml": statement,
      "b.ipm": ipm,
      "deep/er/c.csv": wholeFile(
        stripeReport(balance_columns, [
          { id: "txn_1", category: "charge", currency: "EUR", gross: 1_000n, fee: 30n },
          { id: "txn_2", category: "charge", currency: "EUR", gross: 1_000n, fee: 30n, net: 0n },
        ]),
      ),
    });
    expect(report.at(-1)).toBe("3 passed, 0 failed, 0 skipped");
    expect(report.filter((line) => !line.startsWith(" "))).toEqual([
      "passed b.ipm",
      "passed bank/a.xml",
      "passed deep/er/c.csv",
      "3 passed, 0 failed, 0 skipped",
    ]);
    const text = report.join("\n");
    expect(text).toContain("format: mastercard-ipm, Mastercard IPM, clearing (1014 blocks, ASCII)");
    expect(text).toContain("records: 2 (charge 2)");
    expect(text).toContain("total: 246.90 USD");
    expect(text).toContain("moves no money: header 1644/697 1, trailer 1644/695 1");
    expect(text).toContain("(PDS0306): 4");
    expect(text).toContain("total: 10.00 EUR, fees 0.30 EUR, net 9.70 EUR");
    expect(text).toContain(
      "row refused: line 3, column 7 (net): gross 10.00 EUR less fee 0.30 EUR is not net 0.00 EUR",
    );
  });

  test("a failed check is printed and is no failure", () => {
    const report = run({ "a.xml": Buffer.from(statement).toString().replace("OPBD", "ITAV") });
    expect(report.join("\n")).toMatch(/check failed: Stmt 1 .*: expected no opening balance in EUR/);
    expect(report.at(-1)).toBe("1 passed, 0 failed, 0 skipped");
  });

  test("a refused file fails, with line and field, unless its name says that it is wrong", () => {
    expect(run({ "a.xml": wrong }).join("\n")).toMatch(
      /FAILED {2}a\.xml\n.*format: camt\.053.*\n.*refused: line \d+: .*\n0 passed, 1 failed/,
    );
    expect(run({ "a.wrong.xml": wrong }).at(-1)).toBe("1 passed, 0 failed, 0 skipped");
    expect(run({ "a.xml.wrong": wrong }).at(-1)).toBe("1 passed, 0 failed, 0 skipped");
  });

  test("a file that is named wrong and is read fails", () => {
    expect(run({ "a.wrong.xml": statement }).join("\n")).toMatch(
      /its name says that it is wrong.*\n0 passed, 1 failed/,
    );
  });

  test("a file of no known format is printed as such", () => {
    const report = run({ "README.md": "# Files\n", "a.xml": statement }).join("\n");
    expect(report).toContain(
      "skipped README.md\n        no format: README.md is of no known format. Known are camt.053, camt.054,",
    );
    expect(report).toContain("1 passed, 0 failed, 1 skipped");
    expect(run({ "none.wrong.txt": "nothing" }).at(-1)).toBe("1 passed, 0 failed, 0 skipped");
  });

  test("the messages of an IPM file must be what the file beside it says", () => {
    const expected = [
      {
        MTI: "1644",
        DE24: "697",
        DE48: "010502500226082100000001234000010122001P",
        DE71: 1,
        PDS0105: "0022608210000000123400001",
        PDS0122: "P",
      },
    ];
    const report = run({ "one.ipm": ipm, "one_expected.json": JSON.stringify(expected) });
    expect(report.join("\n")).toContain("not as in one_expected.json: 1 messages expected, 4 found");
    expect(report.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
    const other = run({
      "one.ipm": ipm,
      "one_expected.json": JSON.stringify([{ ...expected[0], DE71: 2 }]),
    }).join("\n");
    expect(other).toContain('message 1: DE71 is "00000001", expected 2'.replace('"00000001"', "1"));
  });

  test("card numbers that differ are not printed", () => {
    const alone = wholeFile(
      ipmFile({ messages: [presentment()], wrong: { header: "missing", trailer: "missing" } }),
    );
    const report = run({
      "x.ipm": alone,
      "x_expected_record.json": JSON.stringify({ MTI: "1240", DE2: "4111111111111111" }),
    }).join("\n");
    expect(report).toContain("DE2 is another card number");
    expect(report).not.toMatch(/4111111111111111|5555555555554444/);
  });

  test("any file may have parts of its summary expected", () => {
    const expected = {
      format: "mastercard-ipm",
      records: 2,
      kinds: { charge: 2 },
      totals: { USD: "246.90" },
      failed_checks: 0,
    };
    expect(run({ "a.ipm": ipm, "a.expected.json": JSON.stringify(expected) }).at(-1)).toBe(
      "1 passed, 0 failed, 0 skipped",
    );
    const off = run({
      "a.ipm": ipm,
      "a.expected.json": JSON.stringify({ ...expected, records: 3, sum: 1 }),
    }).join("\n");
    expect(off).toContain("not as in a.expected.json: records is 2, expected 3");
    expect(off).toContain('"sum" is no part of a summary');
    expect(off).toContain("0 passed, 1 failed, 0 skipped");
  });

  test("an expectation that cannot be read fails its file", () => {
    for (const content of ["[", "7"]) {
      const report = run({ "a.ipm": ipm, "a_expected.json": content });
      expect(report.join("\n")).toMatch(
        /FAILED {2}a\.ipm\n +a_expected\.json (cannot be read|holds neither)/,
      );
      expect(report.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
    }
  });

  test("says what is wrong with a folder that it cannot read", () => {
    expect(() => runSettlementCases(path.join(folder.dir, "none"))).toThrow(/There is no folder .*none/);
    expect(() => runSettlementCases(withFiles({ "x/a.json": "{}" }))).toThrow(UnreadableCases);
  });

  test("ends with exit code 1 when a file fails", () => {
    const runner = fileURLToPath(new URL("../integration/run-typescript.mjs", import.meta.url));
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const status = (dir: string) =>
      spawnSync(process.execPath, [runner, "settlement", dir], {
        input: `import(${JSON.stringify(main)})`,
        encoding: "utf8",
      });
    expect(status(withFiles({ "a.xml": statement })).status).toBe(0);
    const failed = status(withFiles({ "a.xml": wrong }));
    expect([failed.status, failed.stdout.trim().split("\n").at(-1)]).toEqual([
      1,
      "0 passed, 1 failed, 0 skipped",
    ]);
  });
});

// Files of other systems and synthetic ones; they lie beside the checkout and are not part of the repository.
const samples = fileURLToPath(new URL("../../../../shared/data/settlement", import.meta.url));

if (!existsSync(samples)) {
  console.warn(`SKIPPED: the settlement files of other systems are not at ${samples}`);
  test.skip("settlement files of other systems: the folder is not beside this checkout", () => undefined);
} else {
  describe("the settlement files of other systems", () => {
    const results = runSettlementCases(samples);
    const linesOf = (file: string) =>
      results.find((result) => result.file === file)?.lines.join("\n") ?? "not there";

    test("are all read as they are expected, and the wrong one is refused", () => {
      expect(results.length).toBeGreaterThanOrEqual(8);
      expect(settlementReport(results)).toMatch(/\n\d+ passed, 0 failed, 0 skipped$/);
    });

    test("camt053.v2.wrong.xml has no statement, which is said with the line", () => {
      expect(linesOf("camt/camt053.v2.wrong.xml")).toContain(
        "refused: line 8, BkToCstmrStmt: BkToCstmrStmt has no Stmt",
      );
    });

    test("statements whose balances do not foot are read, with failed checks", () => {
      expect(linesOf("camt/camt053.v8.xml")).toMatch(/records: 1[^]*check failed: .*opening balance/);
      expect(linesOf("camt/camt053.v2.multi.statement.xml")).not.toContain("check failed");
    });

    test("every message of the IPM files is taken apart as their tools do it", () => {
      expect(linesOf("mastercard-ipm/synthetic_ascii_1014.ipm")).toMatch(
        /total: 500 JPY\ntotal: -52\.50 USD[^]*as in synthetic_expected\.json/,
      );
      expect(linesOf("mastercard-ipm/upstream15_ascii_1014.ipm")).toMatch(
        /message 1144\/333 15[^]*as in upstream_expected_record\.json/,
      );
    });

    test("the BASE II file adds up", () => {
      expect(linesOf("visa-base2/synthetic_lf.ctf")).toMatch(
        /records: 4 \(charge 2, chargeback 1, refund 1\)\ntotal: 500 JPY\ntotal: -50\.00 USD/,
      );
    });
  });
}
