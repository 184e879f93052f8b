import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { readCases, UnreadableCases, type RatingCase } from "./rating-case.js";
import { reportOf, runCases } from "./run-cases.js";

const tiers = [
  { up_to: "5", flat_amount: "100" },
  { up_to: null, unit_amount: "10" },
];
const one = (change: Partial<RatingCase>): RatingCase => ({
  id: "1",
  model: "graduated",
  params: { tiers },
  quantity: "7",
  expected: "120",
  note: undefined,
  ...change,
});
const report = async (...cases: RatingCase[]) => reportOf(await runCases(cases)).split("\n");

describe("a run of rating cases", () => {
  test("counts what comes to the expected amount, however it is written", async () => {
    expect(await report(one({}), one({ expected: "120.00" }))).toEqual(["2 passed, 0 failed, 0 skipped"]);
  });

  test("reports a wrong expectation with both amounts", async () => {
    expect(await report(one({ expected: "120.01" }))).toEqual([
      "FAILED  1 graduated: expected 120.01, got 120",
      "0 passed, 1 failed, 0 skipped",
    ]);
    const delta = { model: "delta_unit", params: { unit_amount: "10", cumulative_snapshots: ["5", "8"] } };
    expect(await report(one({ ...delta, expected: ["50", "31"], note: "two runs" }))).toEqual([
      "FAILED  1 delta_unit: expected 50, 31, got 50, 30 (two runs)",
      "0 passed, 1 failed, 0 skipped",
    ]);
    expect(await report(one({ ...delta, expected: ["50"] }))).toContain("0 passed, 1 failed, 0 skipped");
    const sum = { property: "n", events_in_time_order: [{ n: "1.5" }, { n: 2 }, { n: "NaN" }] };
    expect(await report(one({ model: "agg_sum", params: sum, expected: "3.6" }))).toEqual([
      "FAILED  1 agg_sum: expected 3.6, got 3.5",
      "0 passed, 1 failed, 0 skipped",
    ]);
  });

  test("compares in whole minor units exactly where a currency is named", async () => {
    const third = {
      model: "prorated_flat_days",
      params: { amount: "1", days_billed: "1", days_in_period: "3" },
    };
    expect(await report(one({ ...third, expected: "0.33" }))).toContain("0 passed, 1 failed, 0 skipped");
    const inYen = { ...third, params: { ...third.params, amount: "100", currency: "JPY" } };
    expect(await report(one({ ...inYen, expected: "33" }))).toContain("1 passed, 0 failed, 0 skipped");
    expect(await report(one({ ...inYen, expected: "34" }))).toContain("0 passed, 1 failed, 0 skipped");
  });

  test("skips by name what it does not know, and says why", async () => {
    expect(
      await report(
        one({ model: "lottery" }),
        one({ id: "2", model: "toString" }),
        one({ id: "3", params: { tiers, surcharge: "5" } }),
        one({ id: "4", params: {} }),
        one({ id: "5", params: { tiers: [{ up_to: "5", unit_amount: "1" }] } }),
        one({ id: "6", model: "agg_median", params: { property: "n", events_in_time_order: [] } }),
        one({ id: "7", quantity: "many" }),
        one({ id: "8", params: { tiers, line_position: "nowhere" } }),
        one({ id: "9", params: { tiers, currency: "XXQ" } }),
        one({
          id: "10",
          model: "unit",
          params: { unit_amount: "0.001", minimum_amount: "5" },
          quantity: "1",
        }),
      ),
    ).toEqual([
      'skipped 1 lottery: there is no model "lottery"',
      'skipped 2 toString: there is no model "toString"',
      "skipped 3 graduated: no meaning is known here for: surcharge",
      'skipped 4 graduated: parameter "tiers" must be a list',
      "skipped 5 graduated: tiers[0].upTo: the last tier is open: leave its upTo out",
      "skipped 6 agg_median: there is no aggregation MEDIAN",
      'skipped 7 graduated: "quantity" must be decimal text, not "many"',
      'skipped 8 graduated: parameter "line_position" is "nowhere"; known: mid_period_split',
      'skipped 9 graduated: no currency "XXQ"',
      "skipped 10 unit: 0.001 is finer than a cent, and invoices are in whole minor units",
      "0 passed, 0 failed, 10 skipped",
    ]);
  });
});

describe("npm run cases", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => void (folder = await temporaryFolder("cases")));
  afterAll(() => folder.remove());
  const written = (name: string, text: string) => {
    const file = path.join(folder.dir, name);
    writeFileSync(file, text);
    return file;
  };

  test("ends with 1 when a case fails, and with 0 when none does", () => {
    const run = (expected: string) => {
      const file = written("cases.json", JSON.stringify([one({ expected })]));
      const main = fileURLToPath(new URL("main.ts", import.meta.url));
      const runner = fileURLToPath(new URL("../integration/run-typescript.mjs", import.meta.url));
      return spawnSync(process.execPath, [runner, "rating", file], {
        input: `import(${JSON.stringify(main)})`,
        encoding: "utf8",
      });
    };
    const right = run("120");
    expect([right.status, right.stdout.trim()]).toEqual([0, "1 passed, 0 failed, 0 skipped"]);
    const wrong = run("121");
    expect([wrong.status, wrong.stdout.trim().split("\n").at(-1)]).toEqual([
      1,
      "0 passed, 1 failed, 0 skipped",
    ]);
  });

  test("says what is wrong with a file that it cannot read", () => {
    const reading = (text: string) => () => readCases(written("broken.json", text));
    expect(() => readCases(path.join(folder.dir, "none.json"))).toThrow(/There is no file .*none\.json/);
    expect(reading("[")).toThrow(UnreadableCases);
    expect(reading("{}")).toThrow(/must hold a list/);
    expect(reading("[7]")).toThrow(/case 1 must be an object/);
    expect(reading('[{"id":"1","model":"unit","params":{},"quantity":"1"}]')).toThrow(/case 1: "expected"/);
    expect(reading('[{"id":1,"model":"unit","params":{},"quantity":"1","expected":"1"}]')).toThrow(
      /"id" must be text/,
    );
  });
});
